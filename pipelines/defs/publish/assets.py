"""The publication of a full build; between builds the refresher publishes."""

import dagster as dg

from oms.kernel import clock
from pipelines.lib import publishing
from pipelines.lib.freshness import NIGHTLY
from pipelines.lib.manifests import mart_names
from pipelines.lib.warehouse import LOCK_WAIT_SECONDS, warehouse_of
from pipelines.resources import SystemResource


@dg.asset(
    key=["published", "marts"], group_name="publish", kinds={"duckdb"}, owners=["team:data"],
    deps=[["marts", mart] for mart in mart_names()], pool="warehouse", freshness_policy=NIGHTLY,
    description="A checkpointed copy of the marts under a new version, and the pointer to it.",
)  # fmt: skip
def published_marts(system: SystemResource) -> dg.MaterializeResult[None]:
    """Publish the marts as they are."""
    warehouse, at = warehouse_of(system.settings), clock.now()
    with warehouse.locked(wait_seconds=LOCK_WAIT_SECONDS):
        with warehouse.open() as connection:
            publication = publishing.stamp(connection, warehouse, at=at)
        path = publishing.release(warehouse, publication, at=at)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": publication.mart_orders_count,
            "version": publication.version, "batch": publication.batch,
            "watermark": publication.watermark, "bytes": path.stat().st_size,
        }
    )  # fmt: skip
