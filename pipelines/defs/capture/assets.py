"""Files and pulls, each channel a partition: channels come and go without a restart."""

import dagster as dg

from oms.kernel import clock
from oms.workflows import ingest
from pipelines.lib import dropping
from pipelines.resources import SystemResource

CHANNELS = dg.DynamicPartitionsDefinition(name="channels")
PULLED_TOPICS = ("orders",)
PATIENCE = dg.RetryPolicy(max_retries=3, delay=30, backoff=dg.Backoff.EXPONENTIAL)


class DroppedFiles(dg.Config):
    """The files of one run, each named by path, size and time of change."""

    files: list[str]


@dg.asset(
    key=["inbox", "files"], partitions_def=CHANNELS, group_name="capture", kinds={"file"},
    owners=["team:operations"], retry_policy=PATIENCE,
    description="Files that channels dropped, laid into the inbox and moved to done/.",
)  # fmt: skip
def dropped_files(config: DroppedFiles, system: SystemResource) -> dg.MaterializeResult[None]:
    """Hand a channel's complete files to the inbox."""
    drop_dir = system.settings.drop_dir
    with system.opened() as running:
        taken = dropping.take(running.intake, drop_dir, config.files, at=clock.now())
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": taken.new, "known": taken.known, "empty": taken.empty,
            "missing": taken.missing, "still_changing": taken.still_changing,
        }
    )  # fmt: skip


@dg.asset(
    key=["inbox", "pulls"], partitions_def=CHANNELS, group_name="capture", kinds={"http"},
    owners=["team:operations"], retry_policy=PATIENCE,
    description="What channels that have to be asked had that was new, page by page.",
)  # fmt: skip
def pulls(context: dg.AssetExecutionContext, system: SystemResource) -> dg.MaterializeResult[None]:
    """Pull what is new of a channel into the inbox."""
    with system.opened() as running:
        pages = {
            topic: ingest.pull(running.intake, context.partition_key, topic=topic)
            for topic in PULLED_TOPICS
        }
    return dg.MaterializeResult(metadata={"dagster/row_count": sum(pages.values()), **pages})
