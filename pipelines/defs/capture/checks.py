"""What must hold of the inbox: it moves, and what was set aside is seen."""

from datetime import timedelta

import dagster as dg

from oms.kernel import clock
from pipelines.lib import dropping, reconciling
from pipelines.resources import SystemResource

WAITING_MAX = timedelta(minutes=15)
LYING_MAX = timedelta(hours=1)
FILES = dg.AssetKey(["inbox", "files"])


@dg.asset_check(asset=FILES, description="No payload waits long for the worker.")
def inbox_is_not_stale(system: SystemResource) -> dg.AssetCheckResult:
    """Fail when the oldest waiting payload is too old."""
    with system.opened() as running, running.ledger.snapshot() as tx:
        waiting = reconciling.waiting(tx)
    oldest_at = waiting.oldest_at
    return dg.AssetCheckResult(
        passed=oldest_at is None or clock.now() - oldest_at <= WAITING_MAX,
        metadata={"waiting": waiting.payloads_count, "oldest": str(oldest_at)},
    )


@dg.asset_check(asset=FILES, description="No file lies long in a drop folder.")
def drop_folders_are_emptied(system: SystemResource) -> dg.AssetCheckResult:
    """Warn of files nobody took: an unknown channel's, or one a run gave up on."""
    before = clock.now() - LYING_MAX
    left = dropping.left_behind(system.settings.drop_dir, before=before)
    return dg.AssetCheckResult(
        passed=not left, severity=dg.AssetCheckSeverity.WARN,
        metadata={"count": len(left), "first": left[:20]},
    )  # fmt: skip


@dg.asset_check(asset=FILES, description="Documents set aside, counted by channel and problem.")
def quarantine_is_counted(system: SystemResource) -> dg.AssetCheckResult:
    """Warn while documents are in quarantine."""
    with system.opened() as running, running.ledger.snapshot() as tx:
        counts = reconciling.quarantined(tx)
    return dg.AssetCheckResult(
        passed=not counts, severity=dg.AssetCheckSeverity.WARN,
        metadata={"count": sum(counts.values()), "by_problem": counts},
    )  # fmt: skip
