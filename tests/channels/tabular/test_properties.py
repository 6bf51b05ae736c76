"""What holds of every file: parts make the whole, a resumed reading the rest, cents are kept."""

import csv
import io
from decimal import ROUND_HALF_UP, Decimal
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from oms.adapters.channels.tabular import workspace
from oms.adapters.channels.tabular.loading import parse
from oms.adapters.channels.tabular.mapping import TabularMapping
from tests.builders import EFFORT
from tests.channels.mapped import Mapped, Row, mapped, source

MAPPING = TabularMapping({"orders": parse("""
mapping: random
version: 1
documents: orders
rows: {negative_quantity: return}
order:
  external_ref: order
  placed_at: day
  customer_name: who
  shipping_net: {column: freight, take: sum}
lines:
  sku: sku
  quantity: qty
  total: {multiply: [qty, price, {subtract: [1, rate]}]}
  tax: 0
changes: {occurred_at: day}
products: {category: who}
""")})  # fmt: skip
COLUMNS = ("order", "day", "who", "sku", "qty", "price", "rate", "freight")

amounts = st.decimals(min_value=0, max_value=10_000, places=4).map(str)
rows = st.fixed_dictionaries({
    "sku": st.sampled_from(["TEA", "MUG", "POT"]),
    "qty": st.sampled_from(["1", "2", "7", "0", "-1", "x"]),
    "price": st.one_of(amounts, st.sampled_from(["", "12,5"])),
    "rate": st.sampled_from(["0", "0.15", "0.333"]),
    "freight": amounts,
})  # fmt: skip
orders = st.lists(
    st.tuples(
        st.sampled_from(["Ann", 'Bo "B"', "C\nC", "D,D"]), st.lists(rows, min_size=1, max_size=4)
    ),
    min_size=1, max_size=9,
)  # fmt: skip


def read(described: list[tuple[str, list[Row]]], *, first: int = 0, after: int = 0) -> Mapped:
    """Map orders, named by their number from `first`, skipping some documents."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    for number, (who, lines) in enumerate(described, start=first):
        for line in lines:
            writer.writerow({"order": f"A{number}", "day": "2026-01-05", "who": who, **line})
    return mapped(MAPPING, source(text.getvalue().encode()), after=after)


def by_ref(result: Mapped) -> dict[str, object]:
    """Return what became of each order, wherever it stood."""
    taken = {order["external_ref"]: order["sha256"] for order in result.rows("orders")}
    refused = {
        each["external_ref"]: [(field, code) for field, code, _ in each["problems"]]
        for each in result.rejected
    }
    return taken | refused


class TestFiles:
    @settings(max_examples=5 * EFFORT)
    @given(orders, st.integers(0, 9))
    def test_any_split_between_orders_gives_the_same_documents(self, described, at):
        head, tail = described[:at], described[at:]
        parts = by_ref(read(head)) if head else {}
        parts |= by_ref(read(tail, first=len(head))) if tail else {}
        assert parts == by_ref(read(described))

    @settings(max_examples=5 * EFFORT)
    @given(orders, st.integers(0, 10), st.integers(1, 4))
    def test_reading_on_from_anywhere_gives_the_same_rest(self, described, after, size):
        whole = read(described)
        with patch.object(workspace, "SLICE_DOCUMENTS_MAX", size):
            rest = read(described, after=after)
        assert rest.count == max(0, whole.count - after)
        assert all(length <= size for length in rest.sizes)
        for table in ("orders", "lines", "changes", "products"):
            wanted = [row for row in whole.rows(table) if row["position"] > after]
            assert rest.rows(table) == wanted
        assert rest.rejected == [each for each in whole.rejected if each["position"] > after]

    @settings(max_examples=5 * EFFORT)
    @given(orders)
    def test_no_cent_is_lost_or_made(self, described):
        result = read(described)
        refused = {each["external_ref"] for each in result.rejected}
        goods = freight = 0
        for number, (_, lines) in enumerate(described):
            for line in lines if f"A{number}" not in refused else ():
                price, rate = Decimal(line["price"] or 0), Decimal(line["rate"])
                goods += cents(abs(int(line["qty"])) * price * (1 - rate))
                if int(line["qty"]) > 0:
                    freight += cents(Decimal(line["freight"]))
        taken = [*result.rows("lines"), *result.rows("changes")]
        assert sum(row["total_minor"] or 0 for row in taken) == goods
        shipping = [order["shipping_net_minor"] or 0 for order in result.rows("orders")]
        assert sum(shipping) == freight

    def test_what_came_back_for_a_price_that_is_none_is_refused(self):
        sold = {"sku": "TEA", "qty": "1", "price": "1.00", "rate": "0", "freight": "0"}
        back = {**sold, "qty": "-1"}
        for price, is_taken in (("1.00", True), ("", True), ("12,5", False), ("abc", False)):
            result = read([("Ann", [sold, {**back, "price": price}])])
            assert bool(result.rows("changes")) == is_taken, price
            assert bool(result.rejected) != is_taken, price

    @settings(max_examples=5 * EFFORT)
    @given(orders)
    def test_an_order_is_taken_whole_or_refused(self, described):
        result = read(described)
        # What came back without a price is worth its share of what was sold.
        needs_price = {"1", "2", "7"}
        is_good = [
            not any(
                line["qty"] in {"0", "x"}
                or line["price"] == "12,5"
                or (line["price"] == "" and line["qty"] in needs_price)
                for line in lines
            )
            for _, lines in described
        ]
        taken = {row["external_ref"] for row in result.rows("orders")}
        refused = {each["external_ref"] for each in result.rejected}
        assert taken.isdisjoint(refused)
        assert len(taken) + len(refused) == result.count == len(described)
        assert {f"A{n}" for n, good in enumerate(is_good) if not good} <= refused


def cents(amount: Decimal) -> int:
    return int((amount * 100).to_integral_value(ROUND_HALF_UP))
