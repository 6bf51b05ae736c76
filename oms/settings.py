"""Every setting of the system, typed, from OMS_* variables; read once by an entry point."""

from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from oms.kernel.limits import KEY_REQUESTS_PER_MINUTE_MAX, PERSON_REQUESTS_PER_MINUTE_MAX


class Settings(BaseSettings):
    """The settings. Everything has a default that works on one machine."""

    model_config = SettingsConfigDict(env_prefix="OMS_", frozen=True, extra="ignore")

    home: Path = Field(
        default=Path(".oms"), description="the folder all data lives under, made when missing"
    )
    ledger_url: SecretStr | None = Field(
        default=None, description="a PostgreSQL server's URL; unset: the embedded one"
    )
    api_port: int = Field(default=8000, ge=1, le=65535, description="the API's port on loopback")
    api_workers: int = Field(
        default=1, ge=1, le=64, description="processes that serve the API, unless told by an option"
    )
    requests_per_minute: dict[str, Annotated[int, Field(ge=1)]] = Field(
        default={},
        description=(
            'requests a minute of an API key by its role, as JSON such as {"channel": 600}; a role'
            f" left out: {KEY_REQUESTS_PER_MINUTE_MAX:,} for admin, channel and engineer,"
            f" {PERSON_REQUESTS_PER_MINUTE_MAX:,} for the others"
        ),
    )
    allow_local_targets: bool = Field(
        default=False,
        description=(
            "whether messages to subscribers may go to this machine itself, over http, too: for"
            " tests and demonstrations only"
        ),
    )
    offer_admin_key: bool = Field(
        default=False,
        description=(
            "whether the console lets whoever opens it on this machine go on as its admin, without"
            " a key of their own: for one person on one machine only"
        ),
    )
    sandbox_carrier_hour_seconds: float = Field(
        default=60.0, gt=0, le=3600,
        description="how long an hour of the sandbox carrier's timetables lasts",
    )  # fmt: skip
    sandbox_psp_port: int = Field(
        default=8400, ge=1, le=65535, description="the port of the sandbox payment service"
    )
    sandbox_psp_secret: SecretStr = Field(
        default=SecretStr("whsec_c2FuZGJveCBzZWNyZXQ="),
        description="what the sandbox payment service signs its notifications with",
    )
    sandbox_points: dict[str, Literal["open", "full", "closed", "gone", "away"]] = Field(
        default={},
        description=(
            "how pick-up points of the sandbox carrier are, by their id, as JSON such as"
            ' {"SB-NL-1012-1": "full"}; {"*": "away"}: the carrier does not answer'
        ),
    )
    dashboards_port: int = Field(default=8501, ge=1, le=65535, description="the dashboards' port")
    dagster_port: int = Field(default=3000, ge=1, le=65535, description="Dagster's port")
    refresh_seconds: float = Field(
        default=1.0, gt=0, le=3600, description="pause between two looks of the refresher"
    )

    @cached_property
    def root(self) -> Path:
        """The home as an absolute path."""
        return self.home.expanduser().resolve()

    @property
    def pgdata_path(self) -> Path:
        """Where the embedded PostgreSQL keeps its data."""
        return self.root / "ledger"

    @property
    def files_dir(self) -> Path:
        """Payloads too large for a row, by their digest."""
        return self.root / "files"

    @property
    def drop_dir(self) -> Path:
        """One folder per channel for files dropped by others."""
        return self.root / "drop"

    @property
    def outbox_dir(self) -> Path:
        """One folder per subscriber who is told by files."""
        return self.root / "outbox"

    @property
    def sandbox_psp_path(self) -> Path:
        """The sandbox payment service's own record."""
        return self.root / "sandbox" / "psp.sqlite"

    @property
    def warehouse_path(self) -> Path:
        """The DuckDB file that loading and dbt write."""
        return self.root / "warehouse" / "warehouse.duckdb"

    @property
    def marts_path(self) -> Path:
        """The DuckDB file of the marts being built, attached beside the warehouse."""
        return self.root / "warehouse" / "marts.duckdb"

    @property
    def published_dir(self) -> Path:
        """Published versions of the marts, read by everybody else."""
        return self.root / "published"

    @property
    def exports_dir(self) -> Path:
        """Reports made for people."""
        return self.root / "exports"

    @property
    def logs_dir(self) -> Path:
        """What the processes print."""
        return self.root / "logs"

    @property
    def admin_key_path(self) -> Path:
        """The first admin key, readable by its owner only."""
        return self.root / "admin.key"
