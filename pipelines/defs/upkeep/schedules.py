"""What is run when: the full build, the reconciliations, the exports, the retention."""

import dagster as dg

from oms.kernel import clock
from oms.kernel.limits import DELIVERY_DAYS_MAX, IDEMPOTENCY_KEY_DAYS_MAX
from pipelines.defs.capture.checks import (
    drop_folders_are_emptied,
    inbox_is_not_stale,
    quarantine_is_counted,
)
from pipelines.defs.raw.checks import events_agree_with_the_ledger, orders_agree_with_the_ledger
from pipelines.defs.upkeep.checks import rebuild_equals_increments, stock_is_never_negative
from pipelines.lib import retaining
from pipelines.resources import SystemResource

RUNNING = dg.DefaultScheduleStatus.RUNNING
REBUILD = dg.AssetSelection.checks(rebuild_equals_increments)
RECONCILED = dg.AssetSelection.checks(
    inbox_is_not_stale,
    drop_folders_are_emptied,
    quarantine_is_counted,
    orders_agree_with_the_ledger,
    events_agree_with_the_ledger,
    stock_is_never_negative,
)
BUILT = dg.AssetSelection.groups(
    "raw", "staging", "intermediate", "shared", "sales", "inventory", "feeds", "publish"
)

full_build = dg.define_asset_job(
    "full_build", selection=BUILT - REBUILD,
    description="Loads, builds every model from the beginning, tests it and publishes.",
    config={"ops": {"dbt": {"config": {"full_refresh": True}}}},
)  # fmt: skip
reconciliation = dg.define_asset_job(
    "reconciliation", selection=RECONCILED,
    description="Ledger = raw, stock never negative, the inbox moves, the quarantine is counted.",
)  # fmt: skip
rebuild_check = dg.define_asset_job(
    "rebuild_check", selection=REBUILD,
    description="Builds everything anew beside the warehouse and compares.",
)  # fmt: skip
exports = dg.define_asset_job(
    "exports", selection=dg.AssetSelection.groups("exports"),
    description="Writes the reports of the last four weeks.",
)  # fmt: skip


@dg.op(description=f"Removes answers to repeated requests after {IDEMPOTENCY_KEY_DAYS_MAX} days.")
def forget_answers(context: dg.OpExecutionContext, system: SystemResource) -> int:
    """Remove what was kept for who repeats a request, and say how much it was."""
    with system.opened() as running:
        count = retaining.forget_answers(running.ledger, at=clock.now())
    context.add_output_metadata({"rows_count": count})
    return count


@dg.op(description=f"Removes messages to subscribers {DELIVERY_DAYS_MAX} days after their end.")
def forget_deliveries(context: dg.OpExecutionContext, system: SystemResource) -> int:
    """Remove what was delivered or parked long ago, and say how much it was."""
    with system.opened() as running:
        count = retaining.forget_deliveries(running.ledger, at=clock.now())
    context.add_output_metadata({"rows_count": count})
    return count


@dg.job(description="Removes from the ledger what is kept there for a time only.")
def retention() -> None:
    """Remove what has had its time."""
    forget_answers()
    forget_deliveries()


every_quarter_of_an_hour = dg.ScheduleDefinition(
    job=reconciliation, cron_schedule="*/15 * * * *", default_status=RUNNING
)
every_night = dg.ScheduleDefinition(
    job=full_build, cron_schedule="0 3 * * *", default_status=RUNNING
)
after_the_build = dg.ScheduleDefinition(
    job=rebuild_check, cron_schedule="0 4 * * *", default_status=RUNNING
)
every_morning = dg.ScheduleDefinition(
    job=exports, cron_schedule="0 5 * * *", default_status=RUNNING
)
before_the_build = dg.ScheduleDefinition(
    job=retention, cron_schedule="30 2 * * *", default_status=RUNNING
)
