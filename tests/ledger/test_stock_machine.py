"""A random life of the retailer: after every step all invariants hold and nothing is lost.

More of it: OMS_TEST_EFFORT=20.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from oms.orders.model import Outcome
from tests.builders import (
    EFFORT,
    Draft,
    a_change,
    a_count,
    a_line,
    a_movement,
    a_partial,
    a_receipt,
    an_order,
    minutes,
)
from tests.ledger.shop import PLACES, Shop

SKUS = st.sampled_from(["PEN", "INK"])
PLACE = st.sampled_from(PLACES)
UNITS = st.integers(1, 5)


@dataclass
class Promise:
    """What the model knows of an order of one line."""

    ref: str
    channel: str
    sku: str
    quantity: int
    version: int = 1
    gone: dict[str, int] = field(default_factory=lambda: {"cancel": 0, "ship": 0, "return": 0})

    def fits(self) -> bool:
        """Tell whether no more is gone than was bought."""
        out = max(self.gone["ship"], self.gone["return"])
        return self.gone["cancel"] + out <= self.quantity

    def document(self, **columns: Any) -> Draft:
        """Return the order as its channel tells it now."""
        lines = [a_line(self.sku, self.quantity, ref="1")]
        return an_order(self.ref, version=self.version, lines=lines, **columns)


class Life(RuleBasedStateMachine):
    """Orders, tills, counts, receipts; cancels, shipments, returns; and everything told twice."""

    shop: Shop  # set by the test
    orders = Bundle("orders")
    told = Bundle("told")

    def __init__(self) -> None:
        """Begin with empty shelves."""
        super().__init__()
        self.shop.restore()
        self.minute = 0
        self.there = {"PEN": 0, "INK": 0}
        self.promises: dict[str, Promise] = {}

    def at(self) -> Any:
        """Return the next minute."""
        self.minute += 1
        return minutes(self.minute)

    def take(self, document: Draft, channel: str = "web") -> bool:
        """Capture one document now; tell whether it was not refused."""
        result = self.shop.take(document, channel=channel, at=minutes(self.minute))
        return not result.problems and all(
            each.outcome is not Outcome.REJECTED for each in result.orders
        )

    @initialize(target=told)
    def nothing(self) -> Any:
        return multiple()

    @rule(target=told, sku=SKUS, place=PLACE, units=UNITS)
    def receipt(self, sku: str, place: str, units: int) -> Any:
        at = self.at()
        document = a_movement(units, sku=sku, location=place, at=at, ref=f"PO-{self.minute}")
        assert self.take(document)
        self.there[sku] += units
        return document, "web"

    @rule(target=told, sku=SKUS, place=PLACE, counted=st.integers(0, 6))
    def count(self, sku: str, place: str, counted: int) -> Any:
        at = self.at()
        self.there[sku] += counted - self.shop.shelf(place, sku).on_hand
        document = a_count(counted, sku=sku, location=place, at=at, ref=f"count-{self.minute}")
        assert self.take(document)
        return document, "web"

    @rule(target=orders, sku=SKUS, units=UNITS, channel=st.sampled_from(["web", "market"]))
    def order(self, sku: str, units: int, channel: str) -> Promise:
        at = self.at()
        promise = Promise(ref=f"W-{self.minute}", channel=channel, sku=sku, quantity=units)
        assert self.take(promise.document(placed_at=at), channel)
        self.promises[promise.ref] = promise
        return promise

    @rule(target=told, sku=SKUS, units=UNITS)
    def till(self, sku: str, units: int) -> Any:
        at = self.at()
        document = a_receipt(f"T-{self.minute}", lines=[a_line(sku, units)], placed_at=at)
        assert self.take(document, "till")
        self.there[sku] -= units
        return document, "till"

    @rule(target=told, promise=orders, kind=st.sampled_from(["cancel", "ship", "return"]),
          units=UNITS, place=st.one_of(st.none(), PLACE), restock=st.booleans())  # fmt: skip
    def change(
        self,
        promise: Promise,
        kind: str,
        units: int,
        place: str | None,
        restock: bool,  # noqa: FBT001 - a drawn flag
    ) -> Any:
        at = self.at()
        change = a_change(
            kind, units, ref=f"c-{self.minute}", line="1", at=at, location_code=place,
            restock=restock,
        )  # fmt: skip
        document = a_partial(promise.ref, change)
        promise.gone[kind] += units
        is_taken = self.take(document, promise.channel)
        assert is_taken is promise.fits()
        if not is_taken:
            promise.gone[kind] -= units
            return multiple()
        if kind == "ship" or (kind == "return" and restock):
            self.there[promise.sku] += units if kind == "return" else -units
        return document, promise.channel

    @rule(promise=orders, units=UNITS)
    def edit(self, promise: Promise, units: int) -> None:
        at, was = self.at(), promise.quantity
        promise.quantity, promise.version = units, promise.version + 1
        is_taken = self.take(promise.document(updated_at=at), promise.channel)
        assert is_taken is promise.fits()
        if not is_taken:
            promise.quantity = was

    @rule(promise=consumes(orders))
    def cancel_order(self, promise: Promise) -> None:
        promise.version += 1
        document = promise.document(canceled_at=self.at(), updated_at=minutes(self.minute))
        assert self.take(document, promise.channel)

    @rule(document=told)
    def tell_again(self, document: tuple[Draft, str]) -> None:
        assert self.take(*document)

    @invariant()
    def invariants_hold(self) -> None:
        assert self.shop.violations() == {}

    @invariant()
    def nothing_is_lost(self) -> None:
        on_hand = dict(self.shop.rows(
            "select sku, coalesce(sum(on_hand), 0)::int from products"
            " left join stock_levels using (product_id) group by sku"
        ))  # fmt: skip
        assert {sku: on_hand[sku] for sku in self.there} == self.there


@pytest.fixture
def life(shop: Shop) -> Iterator[type[Life]]:
    """Set the machine up on the test's retailer."""
    Life.shop = shop
    yield Life
    del Life.shop


def test_a_random_life_keeps_every_promise(life: type[Life]) -> None:
    run_state_machine_as_test(
        life, settings=settings(max_examples=6 * EFFORT, stateful_step_count=40)
    )
