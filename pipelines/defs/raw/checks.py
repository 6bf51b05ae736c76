"""Ledger = raw: counts and money, as far as the watermark reaches."""

from collections.abc import Callable

import dagster as dg

from oms.ledger.database import Ledger
from pipelines.lib import reconciling
from pipelines.lib.reconciling import Compared
from pipelines.lib.warehouse import LOCK_WAIT_SECONDS, Warehouse, warehouse_of
from pipelines.resources import SystemResource


@dg.asset_check(
    asset=["raw", "orders"], description="Orders and their totals per currency: ledger = raw."
)
def orders_agree_with_the_ledger(system: SystemResource) -> dg.AssetCheckResult:
    """Compare the orders."""
    return _compared(system, reconciling.orders)


@dg.asset_check(
    asset=["raw", "line_events"],
    description="Sales, cancellations and returns per currency, in count and money: ledger = raw.",
)
def events_agree_with_the_ledger(system: SystemResource) -> dg.AssetCheckResult:
    """Compare what happened to lines."""
    return _compared(system, reconciling.events)


@dg.asset_check(
    asset=["raw", "payment_transactions"],
    description="Operations on payments per currency, type and state, in count and money:"
    " ledger = raw.",
)
def payments_agree_with_the_ledger(system: SystemResource) -> dg.AssetCheckResult:
    """Compare what was done with payments."""
    return _compared(system, reconciling.payments)


def _compared(
    system: SystemResource, compare: Callable[[Ledger, Warehouse], Compared]
) -> dg.AssetCheckResult:
    warehouse = warehouse_of(system.settings)
    with system.opened() as running, warehouse.locked(wait_seconds=LOCK_WAIT_SECONDS):
        compared = compare(running.ledger, warehouse)
    return dg.AssetCheckResult(
        passed=compared.is_equal,
        metadata={
            "ledger": {part: list(sums) for part, sums in compared.ledger.items()},
            "differences": compared.differences,
        },
    )
