"""The schedule that asks the channels that have to be asked."""

import dagster as dg

from pipelines.defs.capture.assets import CHANNELS
from pipelines.resources import SystemResource, pulled_channels


@dg.schedule(
    target=dg.AssetSelection.assets(["inbox", "pulls"]), cron_schedule="*/5 * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Asks every channel that has to be asked what is new.",
)  # fmt: skip
def pull_channels(
    context: dg.ScheduleEvaluationContext, system: SystemResource
) -> list[dg.RunRequest] | dg.SkipReason:
    """Request a run for each pulled channel; they come from the ledger, so none is forgotten."""
    with system.opened() as running:
        codes = pulled_channels(running)
    if not codes:
        return dg.SkipReason("No channel has to be asked.")
    context.instance.add_dynamic_partitions(str(CHANNELS.name), codes)
    return [dg.RunRequest(partition_key=code) for code in codes]
