"""The raw tables, loaded together: one moment of the ledger."""

import dagster as dg

from oms.kernel import clock
from oms.ledger.journal import JOURNALED
from pipelines.lib import loading
from pipelines.lib.freshness import NIGHTLY
from pipelines.lib.journals import LedgerJournal
from pipelines.lib.warehouse import LOCK_WAIT_SECONDS, warehouse_of
from pipelines.resources import SystemResource

# Kept by loading itself, beside the ledger's own tables.
KEPT = {
    "loads": "One row per load: its watermark and how much it brought.",
    "builds": "Which load the marts follow, and by which models.",
    "orders_replaced": "Orders before a change, until the marts have followed it.",
    "order_lines_replaced": "Lines before a change, until the marts have followed it.",
    "payment_transactions_replaced": "Payments before a change, until the marts have followed it.",
}


def _spec(table: str, description: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        key=["raw", table], group_name="raw", kinds={"duckdb"}, owners=["team:data"],
        description=description, freshness_policy=NIGHTLY,
    )  # fmt: skip


def _specs() -> list[dg.AssetSpec]:
    # A function, because Dagster would take a list of them in the module for definitions.
    described = {j.table: f"The ledger's {j.table}, by key {', '.join(j.key)}." for j in JOURNALED}
    return [_spec(table, text) for table, text in (described | KEPT).items()]


@dg.multi_asset(specs=_specs(), name="raw", pool="warehouse")
def raw_tables(system: SystemResource):  # type: ignore[no-untyped-def]  # noqa: ANN201 - Dagster reads annotations of outputs
    """Load what the journal says has changed, and count what is there."""
    warehouse = warehouse_of(system.settings)
    with (
        system.opened() as running,
        warehouse.locked(wait_seconds=LOCK_WAIT_SECONDS),
        warehouse.open() as connection,
    ):
        journal = LedgerJournal(ledger=running.ledger)
        load = loading.load(journal, connection, warehouse.spool_dir, at=clock.now())
        counts = loading.row_counts(connection)
    for table, count in counts.items():
        metadata = {"dagster/row_count": count, "changed": bool(load and table in load.tables)}
        yield dg.MaterializeResult(asset_key=["raw", table], metadata=metadata)
