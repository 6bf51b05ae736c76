"""Who the simulated retailer tells: systems of its own, that take files from their folders."""

import threading
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from oms import bootstrap
from oms.simulator.network import MARKETPLACE
from oms.webhooks import operations, queries
from oms.webhooks.model import STOCK_TOPIC, SubscriptionDraft, Transport

LOOKS_EVERY_SECONDS: Final = 5.0
BATCH_SECONDS: Final = 60.0
# So many of the newest are left lying, for whoever wants to see what one looks like.
LEFT_FILES: Final = 20
RECEIVERS: Final = (
    SubscriptionDraft(
        transport=Transport.FILE, file_format="json", topics=("order.*",), channel_code=None,
        channel_codes=None, description="Simulated ERP: orders", batch_seconds=BATCH_SECONDS,
    ),
    SubscriptionDraft(
        transport=Transport.FILE, file_format="csv", topics=(STOCK_TOPIC,),
        channel_code=MARKETPLACE.code, channel_codes=None,
        description="Simulated marketplace: stock", batch_seconds=BATCH_SECONDS,
    ),
)  # fmt: skip


def subscribed(system: bootstrap.System, *, at: datetime) -> list[Path]:
    """Subscribe the receivers that are not yet; return the folders their messages come to.

    One that was paused or disabled stays so.
    """
    names = [draft.description for draft in RECEIVERS]
    with system.ledger.transaction() as tx:
        known = {each.description for each in queries.subscriptions(tx)}
        for draft in RECEIVERS:
            if draft.description not in known:
                operations.subscribe(tx, draft, by="simulator", tellers=system.tellers, at=at)
        found = [each for each in queries.subscriptions(tx) if each.description in names]
    outbox = system.settings.outbox_dir
    return [outbox / each.folder for each in found if each.folder is not None]


def keep_taking(folders: Sequence[Path], stop: threading.Event) -> None:
    """Take what was told until it shall stop, as a receiver does: nothing piles up."""
    while not stop.wait(LOOKS_EVERY_SECONDS):
        for folder in folders:
            take(folder)


def take(folder: Path) -> None:
    """Take the files away, but the newest; one that is still being written is nobody's."""
    files = sorted(each for each in folder.glob("*") if not each.name.startswith("."))
    for each in files[:-LEFT_FILES]:
        each.unlink(missing_ok=True)
