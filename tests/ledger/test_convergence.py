"""Documents in any order and any number of copies end in the same state."""

import itertools
from dataclasses import dataclass
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from oms.orders.model import Outcome
from tests.builders import (
    EFFORT,
    Draft,
    Row,
    a_change,
    a_line,
    a_movement,
    a_partial,
    a_product,
    an_order,
    minutes,
)
from tests.ledger.shop import PLACES, Shop

_names = itertools.count(1)


@dataclass(frozen=True)
class Story:
    """What a channel tells of one order: its versions, and what happened to its lines."""

    versions: list[dict[str, Row]]  # quantity and money by line
    changes: list[Row]
    is_told_by_partials: bool

    def documents(self, ref: str, skus: dict[str, str]) -> list[Draft]:
        """Return the documents; a later version has all changes the earlier ones have."""
        last = len(self.versions)
        told = [
            an_order(
                ref, version=number,
                lines=[a_line(skus[k], ref=k, **columns) for k, columns in lines.items()],
                changes=[] if number < last or self.is_told_by_partials else self.changes,
                updated_at=minutes(number),
            )
            for number, lines in enumerate(self.versions, start=1)
        ]  # fmt: skip
        return told + [a_partial(ref, change) for change in self.changes]


@st.composite
def priced(draw: st.DrawFn) -> Row:
    """Draw the quantity and the money of a line; its units need not be worth the same."""
    total = draw(st.integers(0, 9999))
    return {
        "quantity": draw(st.integers(4, 7)), "total": total, "tax": draw(st.integers(0, total)),
        "discount": draw(st.integers(0, 999)),
    }  # fmt: skip


@st.composite
def named(draw: st.DrawFn) -> Row:
    """Draw the money a channel names for a change, or that it names none."""
    total = draw(st.none() | st.integers(0, 2000))
    return {} if total is None else {"total_minor": total, "tax_minor": total // 6}


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """Draw versions of an order, and changes that fit all of them."""
    versions = draw(
        st.lists(st.fixed_dictionaries({"a": priced(), "b": priced()}), min_size=1, max_size=3)
    )
    changes = []
    for line in ("a", "b"):
        canceled, shipped = draw(st.integers(0, 2)), draw(st.integers(0, 2))
        returned = draw(st.integers(0, shipped))
        for kind, units, place in (
            ("cancel", canceled, None), ("ship", shipped, "DC"), ("return", returned, "UTR"),
        ):  # fmt: skip
            changes += [
                a_change(
                    kind, line=line, ref=f"{kind}-{line}-{n}", location_code=place, restock=True,
                    at=minutes(30 + n), **({} if kind == "ship" else draw(named())),
                )
                for n in range(units)
            ]  # fmt: skip
    return Story(versions=versions, changes=changes, is_told_by_partials=draw(st.booleans()))


def tell(shop: Shop, story: Story, *, shuffled_by: Random | None) -> dict[str, Any]:
    """Tell a story once in order, or shuffled, in copies and batches; return how it ends."""
    ref = f"V-{next(_names)}"
    skus = {line: f"{ref}-{line}" for line in ("a", "b")}
    shop.take(*map(a_product, skus.values()), *(a_movement(40, sku=sku) for sku in skus.values()))
    told = story.documents(ref, skus)
    batches = [[each] for each in told]
    if shuffled_by is not None:
        told = told + shuffled_by.choices(told, k=len(told))
        shuffled_by.shuffle(told)
        size = shuffled_by.randint(1, len(told))
        batches = [told[start : start + size] for start in range(0, len(told), size)]
    waiting: list[Draft] = []
    for batch in batches:
        waiting += rejected(shop, batch)
    while waiting and len(left := rejected(shop, waiting)) < len(waiting):
        waiting = left
    assert waiting == []
    return ending(shop, ref, skus)


def rejected(shop: Shop, batch: list[Draft]) -> list[Draft]:
    """Capture a batch; return the documents that have to wait."""
    return [
        document
        for document, found in zip(batch, shop.take(*batch).orders, strict=True)
        if found.outcome is Outcome.REJECTED
    ]


def ending(shop: Shop, ref: str, skus: dict[str, str]) -> dict[str, Any]:
    """Return everything about an order that must not depend on how it was told."""
    order = shop.order(ref)
    return {
        "states": shop.states(ref),
        "money": (order.summary.total_minor, shop.kept(ref)),
        "lines": {
            line.line_ref: (line.quantity, line.canceled, line.shipped, line.returned,
                            line.allocated, line.backordered, line.net_minor, line.tax_minor)
            for line in order.lines
        },
        "changes": sorted(
            (each.kind, each.change_ref, each.quantity)
            for each in order.changes if each.kind not in {"sale", "edit"} and each.quantity
        ),
        "gone": gone(shop, ref),
        "steps": sorted(each.type for each in order.events if each.type != "order.updated"),
        "shelves": {(place, line): shop.shelf(place, sku) for place in PLACES
                    for line, sku in skus.items()},
    }  # fmt: skip


def gone(shop: Shop, ref: str) -> list[Any]:
    """Return what is gone of each line: units, and money the channel named or did not."""
    return shop.rows(
        "select line_ref, sum(-e.quantity), sum(e.net_minor), sum(e.tax_minor),"
        " sum(e.discount_net_minor), sum(e.net_minor) filter (where is_money_given)"
        " from orders join order_lines using (order_id)"
        " join line_events e using (order_id, line_no)"
        " where external_ref = :ref and kind in ('cancel', 'return') group by 1 order by 1",
        ref=ref,
    )


class TestAnyOrderAndAnyNumberOfCopies:
    @settings(max_examples=12 * EFFORT)
    @given(stories(), st.randoms(use_true_random=False))
    def test_ends_in_the_same_state(self, common_shop: Shop, story: Story, random: Random) -> None:
        once = tell(common_shop, story, shuffled_by=None)
        assert tell(common_shop, story, shuffled_by=random) == once
        assert common_shop.violations() == {}

    def test_a_price_edit_and_a_return_may_change_places(self, shop: Shop) -> None:
        kept = []
        for ref, is_edit_first in (("W-1", True), ("W-2", False)):
            shop.take(an_order(ref, lines=[a_line(quantity=2, total=2000, tax=0)]))
            edit = an_order(ref, version=2, lines=[a_line(quantity=2, total=1000, tax=0)])
            then = [edit, a_partial(ref, a_change("return", 2))]
            for document in then if is_edit_first else then[::-1]:
                shop.take(document)
            kept.append(shop.kept(ref))
        assert kept == [(0, 0), (0, 0)]
