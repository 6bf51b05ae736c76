"""What runs are given: the system, opened from the settings when a run begins and not before."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from pydantic import SecretStr

from oms import bootstrap
from oms.bootstrap import System
from oms.channels import queries
from oms.channels.model import Channel
from oms.kernel.errors import Rejected
from oms.settings import Settings

CONNECTIONS_MAX = 4


class SystemResource(dg.ConfigurableResource):  # type: ignore[type-arg]  # it yields itself
    """The system of the settings: OMS_* variables, unless a home or a ledger is named here."""

    home: str | None = None
    ledger_url: str | None = None

    @property
    def settings(self) -> Settings:
        """Read the settings."""
        named: dict[str, Path | SecretStr] = {}
        if self.home is not None:
            named["home"] = Path(self.home)
        if self.ledger_url is not None:
            named["ledger_url"] = SecretStr(self.ledger_url)
        return Settings(**named)  # type: ignore[arg-type]  # each by its own type

    @contextmanager
    def opened(self) -> Iterator[System]:
        """Open the system for one run. Raises LedgerAway when its ledger cannot be reached."""
        system = bootstrap.build(self.settings, connections_max=CONNECTIONS_MAX)
        try:
            yield system
        finally:
            system.close()


def pulled_channels(system: System) -> list[str]:
    """Return the codes of the channels that have to be asked."""
    with system.ledger.snapshot() as tx:
        channels = queries.channels(tx)
    return [
        channel.code for channel in channels if channel.is_enabled and _is_pulled(system, channel)
    ]


def _is_pulled(system: System, channel: Channel) -> bool:
    try:
        system.intake.puller_of(channel)
    except Rejected:
        return False
    return True
