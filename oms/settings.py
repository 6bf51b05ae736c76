"""Every setting of the system, typed, from OMS_* variables; read once by an entry point."""

import os
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)

from oms.kernel.limits import KEY_REQUESTS_PER_MINUTE_MAX, PERSON_REQUESTS_PER_MINUTE_MAX


class Settings(BaseSettings):
    """The settings. Everything has a default that works on one machine."""

    model_config = SettingsConfigDict(env_prefix="OMS_", frozen=True, extra="ignore")

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:  # fmt: skip
        """Take a secret from a file of its name in a folder, too, where no variable has it."""
        del dotenv_settings, file_secret_settings
        folder = os.environ.get("OMS_SECRETS_DIR")
        files = SecretsSettingsSource(settings_cls, secrets_dir=folder)
        return init_settings, env_settings, files

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
    stripe_key: SecretStr | None = Field(
        default=None, description="Stripe's secret key; unset: Stripe is not used"
    )
    stripe_webhook_secret: SecretStr = Field(
        default=SecretStr(""), description="what Stripe signs its events with; empty: none is taken"
    )
    stripe_multicapture: bool = Field(
        default=False,
        description=(
            "whether the Stripe account may capture a payment in several parts, where its card can;"
            " if not, the first capture takes all that is to be paid"
        ),
    )
    stripe_url: str | None = Field(default=None, description="where Stripe is, for tests")
    adyen_key: SecretStr | None = Field(
        default=None, description="Adyen's API key; unset: Adyen is not used"
    )
    adyen_account: str = Field(default="", description="the merchant account at Adyen")
    adyen_hmac_key: SecretStr = Field(
        default=SecretStr(""),
        description="what Adyen signs its notifications with, hexadecimal; empty: none is taken",
    )
    adyen_url: str | None = Field(
        default=None,
        description="Adyen's Checkout API with its version, its test's or your own live one",
    )
    adyen_multicapture: bool = Field(
        default=False,
        description=(
            "whether the account at Adyen has multiple partial captures; if not, the first capture"
            " takes all that is to be paid"
        ),
    )
    sandbox_points: dict[str, Literal["open", "full", "closed", "gone", "away"]] = Field(
        default={},
        description=(
            "how pick-up points of the sandbox carrier are, by their id, as JSON such as"
            ' {"SB-NL-1012-1": "full"}; {"*": "away"}: the carrier does not answer'
        ),
    )
    smtp_url: SecretStr | None = Field(
        default=None,
        description="the mail server, as smtps://user:password@host or smtp://host (STARTTLS)",
    )
    mail_from: str = Field(
        default="orders@example.org", max_length=254, description="from whom mails are"
    )
    dashboards_port: int = Field(default=8501, ge=1, le=65535, description="the dashboards' port")
    console_url: str | None = Field(
        default=None, pattern=r"^https?://[^\s?#@]+$",
        description=(
            "where people open the dashboards, as other tools are to link to orders there; unset:"
            " their port on this machine"
        ),
    )  # fmt: skip
    dagster_port: int = Field(default=3000, ge=1, le=65535, description="Dagster's port")
    refresh_seconds: float = Field(
        default=1.0, gt=0, le=3600, description="pause between two looks of the refresher"
    )

    @cached_property
    def root(self) -> Path:
        """The home as an absolute path."""
        return self.home.expanduser().resolve()

    @property
    def console_address(self) -> str:
        """Where people open the dashboards, without a slash at its end."""
        return (self.console_url or f"http://127.0.0.1:{self.dashboards_port}").rstrip("/")

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
    def settlements_dir(self) -> Path:
        """One folder per payment service for its settlement reports."""
        return self.root / "settlements"

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
