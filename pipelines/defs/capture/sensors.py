"""The sensor of the drop folders."""

from collections.abc import Sequence

import dagster as dg

from pipelines.defs.capture.assets import CHANNELS, DroppedFiles
from pipelines.lib import dropping
from pipelines.lib.dropping import Found
from pipelines.resources import SystemResource


@dg.sensor(
    target=dg.AssetSelection.assets(["inbox", "files"]), minimum_interval_seconds=10,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Asks for a run when files in a channel's drop folder are complete.",
)  # fmt: skip
def drop_folders(context: dg.SensorEvaluationContext, system: SystemResource) -> dg.SensorResult:
    """Look at every drop folder; a file found unchanged twice is complete."""
    look = dropping.look(system.settings.drop_dir, context.cursor)
    runs = list(look.runs())
    return dg.SensorResult(
        run_requests=[_request(channel_code, files) for channel_code, files in runs],
        dynamic_partitions_requests=[CHANNELS.build_add_request([code for code, _ in runs])]
        if runs
        else [],
        cursor=look.cursor,
    )


def _request(channel_code: str, files: Sequence[Found]) -> dg.RunRequest:
    keys = [found.key for found in files]
    config = {"ops": {"inbox__files": DroppedFiles(files=keys)}}
    return dg.RunRequest(
        run_key="|".join(keys), partition_key=channel_code, run_config=dg.RunConfig(**config)
    )
