"""The journal: read by horizon it shows every committed row in its last state, and skips none."""

import csv
import io
import itertools
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from oms.ledger import journal
from oms.ledger.database import Ledger
from oms.ledger.journal import JOURNALED, Journaled
from tests.builders import (
    EFFORT,
    NOW,
    a_change,
    a_count,
    a_line,
    a_movement,
    a_partial,
    a_product,
    an_order,
)
from tests.ledger.shop import Shop

PRODUCTS = next(each for each in JOURNALED if each.table == "products")
WRITERS = 3
_titles = (f"title-{number}" for number in itertools.count(1))


@dataclass
class Reader:
    """Somebody who copies the products' changes, watermark by watermark."""

    ledger: Ledger
    watermark: int = 0
    copied: dict[str, str] = field(default_factory=dict)

    def read(self) -> None:
        """Take what changed since the last time, and check it against the same moment."""
        with self.ledger.snapshot() as tx:
            upto, out = journal.horizon(tx), io.BytesIO()
            count = journal.copy_changes(tx, PRODUCTS, after=self.watermark, upto=upto, to=out)
            has = journal.has_changes(tx, PRODUCTS, after=self.watermark, upto=upto)
            rows = list(csv.DictReader(io.StringIO(out.getvalue().decode()), PRODUCTS.column_names))
            below = tx.execute(
                text(
                    "select sku, title from products where changed_xid < cast(:upto as text)::xid8"
                ),
                {"upto": str(upto)},
            ).all()
        assert len(rows) == count == len({row["sku"] for row in rows})
        assert has == bool(count)
        self.copied |= {row["sku"]: row["title"] for row in rows}
        assert upto >= self.watermark
        self.watermark = upto
        assert {sku: self.copied.get(sku) for sku, _ in below} == dict(map(tuple, below))


@dataclass
class Writer:
    """A connection with a transaction of its own over rows of its own."""

    connection: Connection
    skus: list[str]

    def write(self, place: int, *, is_undone: bool) -> None:
        """Write a row, perhaps within a part of the transaction that is undone."""
        with closing(self.connection.begin_nested()) as part:
            self.connection.execute(
                text(
                    "insert into products (sku, title, updated_at) values (:sku, :title, now())"
                    " on conflict (sku) do update set title = excluded.title"
                ),
                {"sku": self.skus[place], "title": next(_titles)},
            )
            (part.rollback if is_undone else part.commit)()


STEPS = st.one_of(
    st.tuples(st.just("write"), st.integers(0, WRITERS - 1), st.integers(0, 2), st.booleans()),
    st.tuples(st.sampled_from(["commit", "rollback"]), st.integers(0, WRITERS - 1)),
    st.tuples(st.just("read")),
)


class TestReadingByHorizon:
    @settings(max_examples=25 * EFFORT)
    @given(st.lists(STEPS, max_size=40))
    def test_any_number_of_readings_see_every_committed_row_and_no_other(
        self, common_shop: Shop, steps: list[tuple[object, ...]]
    ) -> None:
        ledger, name = common_shop.ledger, next(_titles)
        reader = Reader(ledger)
        reader.read()
        with ExitStack() as stack:
            writers = [
                Writer(
                    stack.enter_context(ledger.engine.connect()),
                    [f"{name}-{n}-{k}" for k in range(3)],
                )
                for n in range(WRITERS)
            ]
            for step in steps:
                self.take(step, writers, reader)
            for writer in writers:
                writer.connection.commit()
        reader.read()
        assert reader.copied == dict(common_shop.rows("select sku, title from products"))

    def take(self, step: tuple[object, ...], writers: list[Writer], reader: Reader) -> None:
        """Take one step of the schedule."""
        match step:
            case ("read",):
                reader.read()
            case ("write", int(n), int(place), bool(is_undone)):
                writers[n].write(place, is_undone=is_undone)
            case (str(verb), int(n)):
                getattr(writers[n].connection, verb)()

    def test_a_row_that_commits_late_is_not_skipped(self, shop: Shop) -> None:
        reader = Reader(shop.ledger)
        with shop.ledger.engine.connect() as late, shop.ledger.engine.connect() as early:
            Writer(late, ["LATE"]).write(0, is_undone=False)
            Writer(early, ["EARLY"]).write(0, is_undone=False)
            early.commit()
            reader.read()
            assert not {"LATE", "EARLY"} & set(reader.copied)
            late.commit()
        reader.read()
        assert {"LATE", "EARLY"} <= set(reader.copied)

    def test_a_row_is_seen_once_per_transaction_that_wrote_it(self, shop: Shop) -> None:
        shop.take(a_movement(1), a_movement(2, ref="other"))
        levels = next(each for each in JOURNALED if each.table == "stock_levels")
        with shop.ledger.snapshot() as tx:
            upto = journal.horizon(tx)
            assert journal.copy_changes(tx, levels, after=0, upto=upto, to=io.BytesIO()) == 1
            assert journal.copy_changes(tx, levels, after=upto, upto=upto, to=io.BytesIO()) == 0


class TestCopyChanges:
    def test_nothing_and_the_empty_text_are_two_things(self, shop: Shop) -> None:
        title = 'A "pen",\nblue; ☎'
        shop.take(an_order(lines=[a_line(title=title)], customer_ref=""))
        out = io.BytesIO()
        with shop.ledger.snapshot() as tx:
            upto = journal.horizon(tx)
            for name in ("orders", "order_lines"):
                table = next(each for each in JOURNALED if each.table == name)
                journal.copy_changes(tx, table, after=0, upto=upto, to=out)
        order, line = out.getvalue().decode().split("\n", 1)
        assert '"A ""pen"",\nblue; ☎"' in line
        values = dict(zip(next(e for e in JOURNALED if e.table == "orders").column_names,
                          order.split(","), strict=True))  # fmt: skip
        assert (values["location_id"], values["currency"]) == ("", '"EUR"')


def each_column() -> Iterator[tuple[str, str, str]]:
    """Yield every journaled column with its type in the warehouse."""
    for table in JOURNALED:
        for name, kind in table.columns:
            yield table.table, name, kind


TYPES = {
    "varchar": {"text", "jsonb"}, "bigint": {"bigint", "integer", "smallint"},
    "timestamptz": {"timestamp with time zone"}, "date": {"date"}, "boolean": {"boolean"},
    "double": {"double precision"},
}  # fmt: skip
PERSONAL = {
    "customer_ref", "customer_name", "customer_email", "customer_phone", "ship_to", "bill_to",
    "fragment", "body", "actor", "note",
}  # fmt: skip


class TestJournaledTables:
    def test_their_columns_are_the_schemas(self, shop: Shop) -> None:
        there = {
            (table, column): kind
            for table, column, kind in shop.rows(
                "select table_name, column_name, data_type from information_schema.columns"
                " where table_schema = 'public'"
            )
        }
        wrong = [
            (table, name, kind, there.get((table, name)))
            for table, name, kind in each_column()
            if there.get((table, name)) not in TYPES[kind]
        ]
        assert wrong == []

    def test_their_keys_are_the_schemas(self, shop: Shop) -> None:
        keys = dict(
            shop.rows(
                "select c.relname, array_agg(a.attname::text order by a.attnum) from pg_index i"
                " join pg_class c on c.oid = i.indrelid join pg_attribute a on a.attrelid = c.oid"
                " and a.attnum = any (i.indkey) where i.indisprimary group by c.relname"
            )
        )
        assert {each.table: sorted(each.key) for each in JOURNALED} == {
            each.table: sorted(keys[each.table]) for each in JOURNALED
        }

    def test_every_write_to_them_is_stamped_and_found_fast(self, shop: Shop) -> None:
        stamped = {table for (table,) in shop.rows(
            "select tgrelid::regclass::text from pg_trigger where tgname = 'stamp'"
        )}  # fmt: skip
        indexed = {table for (table,) in shop.rows(
            "select tablename from pg_indexes where indexdef like '%(changed_xid)'"
        )}  # fmt: skip
        filled = {table for (table,) in shop.rows(
            "select table_name from information_schema.columns where column_name = 'changed_xid'"
            " and is_nullable = 'NO' and column_default = 'pg_current_xact_id()'"
            " and table_schema = 'public'"
        )}  # fmt: skip
        assert {each.table for each in JOURNALED} <= stamped & indexed & filled

    def test_a_table_that_only_grows_keeps_every_row_as_it_was(self, shop: Shop) -> None:
        growing = [each.table for each in JOURNALED if each.append_only]
        before: set[tuple[str, str]] = set()
        story = [
            a_movement(3), an_order(), an_order(version=2, lines=[a_line(quantity=4)]),
            a_partial("W-1", a_change("ship"), a_change("return", restock=True)), a_count(7),
            a_product(title="Quill"), an_order(version=3, canceled_at=NOW, lines=[a_line("INK")]),
        ]  # fmt: skip
        for document in story:
            shop.take(document)
            after = {
                (table, row)
                for table in growing
                for (row,) in shop.rows(f"select t::text from {table} t")
            }
            assert before <= after
            before = after

    @pytest.mark.parametrize("table", JOURNALED, ids=lambda each: each.table)
    def test_they_tell_the_warehouse_nothing_personal(self, table: Journaled) -> None:
        assert not PERSONAL & set(table.column_names)
