"""The schedule that asks the channels that have to be asked."""

from collections.abc import Iterator

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
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Request a run for each pulled channel; they come from the ledger, so none is forgotten."""
    with system.opened() as running:
        codes = pulled_channels(running)
    if not codes:
        yield dg.SkipReason("No channel has to be asked.")
        return
    context.instance.add_dynamic_partitions(str(CHANNELS.name), codes)
    for code in codes:
        yield dg.RunRequest(partition_key=code)
