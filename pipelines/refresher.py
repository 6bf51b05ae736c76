"""The refresher: the process that keeps the published marts seconds behind the ledger."""

import logging
import signal
import threading
from collections.abc import Callable
from typing import Final

import duckdb

from oms.kernel import clock
from oms.kernel.errors import Unavailable
from oms.ledger.database import open_ledger
from oms.settings import Settings
from pipelines.lib import logs
from pipelines.lib.journals import LedgerJournal
from pipelines.lib.refreshing import Refresh, Refreshed
from pipelines.lib.transforming import Transformer, TransformFailed
from pipelines.lib.warehouse import WarehouseBusy, warehouse_of

LOGGER: Final = logging.getLogger("pipelines.refresher")
# What passes by itself or needs a person; in both cases the next look goes on from there.
TROUBLES: Final = (Unavailable, WarehouseBusy, TransformFailed, duckdb.Error, OSError)
PAUSE_SECONDS_MAX: Final = 30.0


def keep_refreshing(
    refresh: Callable[[], Refreshed | None], stopping: threading.Event, *, pause_seconds: float
) -> None:
    """Refresh again and again until told to stop; trouble of a kind is said once and waited out."""
    trouble: str | None = None
    pause = pause_seconds
    while not stopping.is_set():
        try:
            refreshed = refresh()
        except TROUBLES as error:
            kind = type(error).__name__
            if trouble != kind:
                logs.complain(LOGGER, "trouble", kind=kind, detail=error)
            trouble = kind
            pause = min(pause * 2, PAUSE_SECONDS_MAX)
        else:
            if trouble is not None:
                logs.say(LOGGER, "well_again", after=trouble)
            trouble, pause = None, pause_seconds
            if refreshed is not None:
                _tell(refreshed)
                # What is much takes long: never more than half the time is spent on it, so that
                # whoever brings it in has the machine, too.
                pause = max(pause_seconds, sum(refreshed.seconds.values()))
        stopping.wait(pause)


def main() -> None:
    """Run until SIGTERM or SIGINT; what is under way is finished first."""
    logs.start()
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    settings = Settings()
    warehouse = warehouse_of(settings)
    ledger = open_ledger(settings, connections_max=2)
    refresh = Refresh(warehouse, LedgerJournal(ledger=ledger), Transformer(warehouse), clock.now)
    logs.say(LOGGER, "started", warehouse=warehouse.path, published=warehouse.published_dir)
    try:
        keep_refreshing(refresh, stopping, pause_seconds=settings.refresh_seconds)
    finally:
        ledger.close()
        logs.say(LOGGER, "stopped")


def _tell(refreshed: Refreshed) -> None:
    publication = refreshed.publication
    logs.say(
        LOGGER, "published", version=publication.version, batch=publication.batch,
        watermark=publication.watermark, rows=refreshed.rows_count, models=refreshed.models_count,
        orders=publication.mart_orders_count,
        **{f"{name}_s": seconds for name, seconds in refreshed.seconds.items()},
    )  # fmt: skip


if __name__ == "__main__":
    main()
