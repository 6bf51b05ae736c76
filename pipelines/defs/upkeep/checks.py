"""What must hold of the marts, beyond dbt's own tests."""

import dagster as dg

from oms.reports.published import Publications
from pipelines.lib import rebuilding
from pipelines.lib.transforming import Transformer
from pipelines.lib.warehouse import warehouse_of
from pipelines.resources import SystemResource

NEGATIVE = """
    select sku, location_code, on_hand, unavailable, allocated
    from fct_stock_levels
    where not is_oversold and (on_hand < 0 or allocated > on_hand - unavailable)
    order by sku, location_code
"""


@dg.asset_check(
    asset=["published", "marts"],
    description="Stock is below zero, or promised twice, only where it is marked as oversold.",
)
def stock_is_never_negative(system: SystemResource) -> dg.AssetCheckResult:
    """Look at the levels everybody sees."""
    found = Publications(system.settings.published_dir).current().ask(NEGATIVE)
    return dg.AssetCheckResult(
        passed=found.is_empty(),
        metadata={"count": found.height, "first": found.head(20).to_dicts()},
    )


@dg.asset_check(
    asset=["published", "marts"],
    description="Everything built anew from the raw tables is what the increments came to.",
)
def rebuild_equals_increments(system: SystemResource) -> dg.AssetCheckResult:
    """Build beside the warehouse and compare mart by mart."""
    warehouse = warehouse_of(system.settings)
    different = rebuilding.differences(warehouse, Transformer(warehouse))
    return dg.AssetCheckResult(passed=not different, metadata={"rows_by_mart": different})
