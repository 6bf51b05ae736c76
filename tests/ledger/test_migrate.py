"""Migrations: once, by however many processes; and the schema is what the code expects."""

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

import oms.ledger
from oms.kernel.limits import ORDER_LINES_MAX, QUANTITY_MAX
from oms.ledger.database import Ledger
from oms.ledger.embedded import Server
from oms.ledger.migrate import migrate
from oms.orders.model import ChangeKind, FulfillmentState, OrderState
from oms.stock.model import MOVEMENT_SIGNS
from tests.ledger.shop import Shop

MIGRATIONS = Path(oms.ledger.__file__).parent / "migrations"
MIGRATOR = (
    "import sys; from oms.ledger.database import Ledger; from oms.ledger.migrate import migrate;"
    " migrate(Ledger(sys.argv[1])); print('done')"
)


class TestMigrate:
    def test_two_processes_at_once_migrate_once(self, server: Server, admin: Engine) -> None:
        with admin.connect() as connection:
            connection.execute(text("create database raced"))
        url = server.url.replace("@/oms?", "@/raced?")
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", MIGRATOR, url], text=True, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, cwd=Path(__file__).parents[2],
            )
            for _ in range(2)
        ]  # fmt: skip
        told = [process.communicate(timeout=120) for process in processes]
        assert [out.strip() for out, _ in told] == ["done"] * 2, told
        ledger = Ledger(url)
        with ledger.snapshot() as tx:
            versions = list(tx.execute(text("select version_num from alembic_version")).scalars())
        ledger.close()
        assert versions == [head()]

    def test_again_it_changes_nothing(self, ledger: Ledger) -> None:
        before = tables(ledger)
        migrate(ledger)
        assert tables(ledger) == before

    def test_the_files_are_one_numbered_line(self) -> None:
        names = sorted(path.stem for path in (MIGRATIONS / "versions").glob("*.py"))
        script = ScriptDirectory(str(MIGRATIONS))
        assert [name[:4] for name in names] == [f"{n:04}" for n in range(1, len(names) + 1)]
        assert len(list(script.walk_revisions())) == len(names)


class TestSchema:
    @pytest.mark.parametrize(
        ("table", "column", "values"),
        [
            ("line_events", "kind", ["sale", "edit", *ChangeKind]),
            ("stock_movements", "kind", [*MOVEMENT_SIGNS, "ship", "pos_sale", "count_adjust"]),
        ],
    )
    def test_a_column_takes_the_words_the_code_writes(
        self, ledger: Ledger, table: str, column: str, values: list[str]
    ) -> None:
        check = "select pg_get_constraintdef(oid) from pg_constraint where contype = 'c' and"
        with ledger.snapshot() as tx:
            found = tx.execute(
                text(f"{check} conrelid = cast(:table as regclass) and conname like :name"),
                {"table": table, "name": f"%{column}%"},
            ).scalar_one()
        assert [value for value in values if f"'{value}'" not in found] == []

    def test_the_roll_ups_say_only_states_there_are(self, ledger: Ledger) -> None:
        numbers = "generate_series(0, 3)"
        with ledger.snapshot() as tx:
            orders = tx.execute(text(
                "select distinct order_state_of(o, c, g)"
                f" from {numbers} o, {numbers} c, {numbers} g"
            )).scalars()  # fmt: skip
            fulfillments = tx.execute(text(
                "select distinct fulfillment_state_of(o, c, g, r, b) from"
                f" {numbers} o, {numbers} c, {numbers} g, {numbers} r, {numbers} b"
            )).scalars()  # fmt: skip
            assert set(orders) == set(OrderState)
            assert set(fulfillments) == set(FulfillmentState)

    def test_limits_fit_their_columns(self) -> None:
        assert ORDER_LINES_MAX < 2**15
        assert QUANTITY_MAX < 2**31

    def test_a_level_never_promises_what_is_not_there_unmarked(self, shop: Shop) -> None:
        with (
            pytest.raises(IntegrityError, match="allocated_is_there"),
            shop.ledger.transaction() as tx,
        ):
            tx.execute(text(
                "insert into stock_levels (product_id, location_id, on_hand, allocated, updated_at)"
                " select product_id, location_id, 1, 2, now() from products, locations limit 1"
            ))  # fmt: skip

    def test_one_cause_is_one_movement(self, ledger: Ledger) -> None:
        row = (
            "insert into stock_movements (product_id, location_id, kind, on_hand_delta, cause_type,"
            " cause_id, cause_line, occurred_at, occurred_on, recorded_at)"
            " values (1, 1, 'receipt', 1, 'document', 'PO-1', '', now(), current_date, now())"
        )
        with ledger.transaction() as tx:
            tx.execute(text(row))
        with (
            pytest.raises(IntegrityError, match="one_cause_one_movement"),
            ledger.transaction() as tx,
        ):
            tx.execute(text(row))


def tables(ledger: Ledger) -> list[str]:
    """Return every column of every table."""
    with ledger.snapshot() as tx:
        return list(tx.execute(text(
            "select table_name || '.' || column_name || ' ' || data_type"
            " from information_schema.columns where table_schema = 'public' order by 1"
        )).scalars())  # fmt: skip


def head() -> str:
    """Return the newest migration."""
    found = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    assert found is not None
    return found
