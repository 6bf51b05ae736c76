"""A random life of the retailer: after every step all invariants hold and nothing is lost.

More of it: OMS_TEST_EFFORT=20.
"""

from collections import Counter
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
from oms.stock import holds
from oms.stock.model import (
    InsufficientStock,
    StockHold,
    StockHoldEnded,
    StockHoldExpired,
    StockHoldState,
)
from oms.workflows import stock_holds
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
LASTS = st.integers(1, 9)
S = StockHoldState


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


@dataclass(eq=False)
class Held:
    """What the model knows of units held for the web shop: where they are, until which minute."""

    ref: str
    sku: str
    units: dict[str, int]
    until: int
    state: StockHoldState = S.ACTIVE

    def at(self, minute: int) -> StockHoldState:
        """Return how it is: out of time whether or not that has been written down."""
        return S.EXPIRED if self.state is S.ACTIVE and self.until <= minute else self.state


class Life(RuleBasedStateMachine):
    """Orders, tills, counts, receipts, holds; cancels, shipments, returns; and all told twice."""

    shop: Shop  # set by the test
    orders = Bundle("orders")
    told = Bundle("told")
    holds = Bundle("holds")

    def __init__(self) -> None:
        """Begin with empty shelves."""
        super().__init__()
        self.shop.restore()
        self.minute = 0
        self.there = {"PEN": 0, "INK": 0}
        self.promises: dict[str, Promise] = {}
        self.held: list[Held] = []

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

    @rule(target=holds, sku=SKUS, units=UNITS, place=st.one_of(st.none(), PLACE), lasts=LASTS)
    def hold(self, sku: str, units: int, place: str | None, lasts: int) -> Any:
        """Hold units for a basket: all that is asked, or nothing."""
        at, free = self.at(), self.free(sku, place)

        def put(tx: Any) -> str:
            return holds.place(
                tx, {sku: units}, channel_code="web", location_code=place, at=at,
                channel_id=self.shop.channel("web").channel_id,
                expires_at=minutes(self.minute + lasts),
            )  # fmt: skip

        if units > free:
            with pytest.raises(InsufficientStock):
                self.shop.ledger.run(put)
            return multiple()
        ref = self.shop.ledger.run(put)
        kept = {each.location_code: each.quantity for each in self.seen(ref).units}
        assert sum(kept.values()) == units
        assert place is None or set(kept) == {place}
        self.held.append(held := Held(ref, sku, kept, self.minute + lasts))
        assert self.free(sku, place) == free - units
        return held

    @rule(held=holds, lasts=LASTS)
    def extend(self, held: Held, lasts: int) -> None:
        """Ask for more time; what is over, or sold over a counter meanwhile, gets none."""
        at, state = self.at(), held.at(self.minute)

        def longer(tx: Any) -> None:
            holds.extend(tx, held.ref, expires_at=minutes(self.minute + lasts), at=at)

        if state in {S.CONVERTED, S.RELEASED}:
            with pytest.raises(StockHoldEnded):
                self.shop.ledger.run(longer)
        elif state is S.EXPIRED or not self.is_there(held):
            with pytest.raises(StockHoldExpired):
                self.shop.ledger.run(longer)
        else:
            self.shop.ledger.run(longer)
            held.until = max(held.until, self.minute + lasts)

    @rule(target=orders, held=holds, units=UNITS)
    def convert(self, held: Held, units: int) -> Any:
        """Make an order of a hold: it has the units that were held, as far as it wants them."""
        at, state, is_there = self.at(), held.at(self.minute), self.is_there(held)
        promise = Promise(ref=f"W-{self.minute}", channel="web", sku=held.sku, quantity=units)

        def take() -> Any:
            return self.shop.take(promise.document(placed_at=at), at=at, hold_ref=held.ref)

        if state is not S.ACTIVE:
            with pytest.raises(StockHoldExpired if state is S.EXPIRED else StockHoldEnded):
                take()
            return multiple()
        assert not take().problems
        held.state, self.promises[promise.ref] = S.CONVERTED, promise
        if is_there:
            kept = min(units, sum(held.units.values()))
            assert self.shop.line(promise.ref, "1").allocated >= kept
        return promise

    @rule(held=holds)
    def release(self, held: Held) -> None:
        at = self.at()

        def let_go(tx: Any) -> None:
            stock_holds.release(tx, held.ref, at=at)

        if held.state is S.CONVERTED:
            with pytest.raises(StockHoldEnded):
                self.shop.ledger.run(let_go)
            return
        self.shop.ledger.run(let_go)
        held.state = S.RELEASED if held.state is S.ACTIVE else held.state

    @rule()
    def expire(self) -> None:
        """Write down which holds are out of time; who waits for their units gets them."""
        at = self.at()
        due = [
            each for each in self.held if each.state is S.ACTIVE and each.until <= self.minute
        ]  # fmt: skip
        assert self.shop.ledger.run(lambda tx: stock_holds.expire(tx, at=at)) is bool(due)
        for each in due:
            each.state = S.EXPIRED

    def seen(self, ref: str) -> StockHold:
        """Return a hold as it is now."""
        with self.shop.ledger.snapshot() as tx:
            return holds.hold(tx, ref, at=minutes(self.minute))

    def kept(self, sku: str, but: Held | None = None) -> Counter[str]:
        """Return how much of an article is held now, by place."""
        found = Counter[str]()
        for each in self.held:
            if each.sku == sku and each is not but and each.at(self.minute) is S.ACTIVE:
                found.update(each.units)
        return found

    def levels(self, sku: str) -> dict[str, int]:
        """Return what is there of an article and for sale, less what is an order's, by place."""
        return dict(self.shop.rows(
            "select location_code, (on_hand - unavailable - allocated)::int from stock_levels"
            " join products using (product_id) join locations using (location_id)"
            " where sku = :sku", sku=sku,
        ))  # fmt: skip

    def is_there(self, held: Held) -> bool:
        """Tell whether the units of a hold are, beside those of all others."""
        levels, others = self.levels(held.sku), self.kept(held.sku, but=held)
        return all(levels[place] - others[place] >= n for place, n in held.units.items())

    def free(self, sku: str, place: str | None = None) -> int:
        """Return what the web shop may sell, as features.md 4.1 has it: at a place, or of all."""
        kept = self.kept(sku)
        there = {code: max(0, n - kept[code]) for code, n in self.levels(sku).items()}
        if place is not None:
            return there.get(place, 0)
        queued: int = self.shop.value(
            "select coalesce(sum(quantity), 0)::int from reservations"
            " join products using (product_id) join channels using (channel_id)"
            " where state = 'queued' and sku = :sku and channel_code = 'web'", sku=sku,
        )  # fmt: skip
        return max(0, sum(there.values()) - queued)

    @rule(document=told)
    def tell_again(self, document: tuple[Draft, str]) -> None:
        assert self.take(*document)

    @invariant()
    def invariants_hold(self) -> None:
        assert self.shop.violations() == {}

    @invariant()
    def holds_count_as_long_as_they_last(self) -> None:
        for each in self.held:
            seen, state = self.seen(each.ref), each.at(self.minute)
            assert seen.state is state
            if state is S.ACTIVE:
                assert {one.location_code: one.quantity for one in seen.units} == each.units
        for sku in self.there:
            assert self.shop.sellable(sku, at=minutes(self.minute)) == self.free(sku)

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
