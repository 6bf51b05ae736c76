"""A random life of a retailer that routes: locations work while channels go on telling.

More of it: OMS_TEST_EFFORT=20.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule, run_state_machine_as_test

from oms.channels import operations as channels
from oms.fulfillment import queries
from oms.fulfillment.model import OPEN, Action, FulfillmentOrder, FulfillmentOrderState, Reason
from oms.ledger.followers import follow
from oms.workflows import changes, fulfillment
from oms.workflows.fulfillment import Doing
from tests.builders import EFFORT, NOW, Draft, a_group, a_line, an_order
from tests.ledger.shop import CHANNELS, PLACES, Shop
from tests.ledger.test_stock_machine import SKUS, UNITS, Life, Promise

STORE = st.sampled_from(["AMS", "UTR"])
ANY = st.integers(0, 99)
BACK = {Action.REJECT, Action.UNPICK, Action.UNPACK, Action.FAIL_DELIVERY}


@dataclass
class Collected(Promise):
    """An order of one line that is collected at a place."""

    place: str = ""

    def document(self, **columns: Any) -> Draft:
        """Return the order as its channel tells it now."""
        return an_order(
            self.ref, version=self.version, lines=[a_line(self.sku, self.quantity, ref="1")],
            groups=[a_group("collect_store", "1", location=self.place)],
            fulfillment_method="collect_store", **columns,
        )  # fmt: skip


class Work(Life):
    """The same life, and locations that accept, pick, find too little, reject and hand over."""

    def __init__(self) -> None:
        """Begin with a web shop whose orders we give to locations."""
        super().__init__()
        with self.shop.ledger.transaction() as tx:
            web = next(draft for draft in CHANNELS if draft.code == "web")
            channels.register(tx, replace(web, is_routed=True), at=NOW)
        self.follow()  # the first look only begins

    def follow(self) -> None:
        """Let the follower give what is reserved to its locations."""
        follow(
            self.shop.ledger, "routing",
            lambda tx, after, upto: fulfillment.route(tx, after, upto, at=self.at()),
        )  # fmt: skip

    @initialize()
    def shelves(self) -> None:
        """Begin with something to pick everywhere."""
        for place in PLACES:
            for sku in self.there:
                self.receipt(sku, place, 4)

    @rule(target=Life.orders, sku=SKUS, units=UNITS, place=STORE)
    def order_to_collect(self, sku: str, units: int, place: str) -> Promise:
        at = self.at()
        promise = Collected(
            ref=f"W-{self.minute}", channel="web", sku=sku, quantity=units, place=place
        )
        assert self.take(promise.document(placed_at=at))
        self.promises[promise.ref] = promise
        return promise

    @rule()
    def route(self) -> None:
        self.follow()

    @rule(
        which=ANY, steps=st.lists(ANY, min_size=1, max_size=6), short=st.integers(0, 5),
        reason=st.sampled_from(Reason),
    )  # fmt: skip
    def act(self, which: int, steps: list[int], short: int, reason: Reason) -> None:
        """Do one thing after another that is allowed with something that is open."""
        found = self.some_work(which) or self.new_work(which)
        if found is None:
            return  # there is nothing to supply it from
        for what in steps:
            if not set(self.work(found[0]).allowed()) - BACK:
                return
            self.do(*found, what, short, reason)
            self.invariants_hold()

    def new_work(self, which: int) -> tuple[str, str] | None:
        """Order something, to be sent or collected, and have it routed."""
        if which % 3:
            self.order("PEN", 1 + which % 4, "web")
        else:
            self.order_to_collect("INK", 1 + which % 4, PLACES[1 + which % 2])
        self.follow()
        return self.some_work(which)

    def do(self, number: str, ref: str, what: int, short: int, reason: Reason) -> None:
        """Do one thing that is allowed with a fulfillment order, and see what became of it."""
        held = self.work(number)
        # Four times of five it goes on, or nothing would ever be handed over.
        allowed = sorted(set(held.allowed()) - (BACK if what % 5 else set()))
        action = allowed[what % len(allowed)]
        (line,) = held.lines
        short = min(short, line.open) if action is Action.PICK else 0
        doing = Doing(
            by="ann", at=self.at(), reason=reason, collect_code=self.code(number),
            picked={line.line_no: line.open - short} if short else {},
        )  # fmt: skip
        on_hand = self.shop.shelf(held.location_code, line.sku).on_hand
        after = self.shop.ledger.run(
            lambda tx: fulfillment.act(tx, number, action, doing, version=held.version)
        )
        self.believe(ref, held, action, after, short)
        missing = line.open if action is Action.REJECT else short
        lost = missing if reason is Reason.NOT_FOUND else 0
        if action in {Action.SHIP, Action.COLLECT}:
            lost = line.open
        assert self.shop.shelf(held.location_code, line.sku).on_hand == on_hand - lost
        self.there[line.sku] -= lost

    def believe(
        self,
        ref: str,
        held: FulfillmentOrder,
        action: Action,
        after: FulfillmentOrder,
        short: int,
    ) -> None:
        """Hold what happened to what the model knows of the order."""
        (line,), (now,) = held.lines, after.lines
        promise = self.promises[ref]
        if action in {Action.SHIP, Action.COLLECT}:
            promise.gone["ship"] += line.open
        if action is Action.NO_SHOW:
            promise.gone["cancel"] += line.open
        assert promise.fits()
        all_short = action is Action.PICK and short == line.open
        expected = FulfillmentOrderState.REJECTED if all_short else held.allowed()[action]
        assert after.state is expected
        assert (now.open > 0) is (after.state in OPEN)

    @rule(which=ANY, units=UNITS)
    def cancel_units(self, which: int, units: int) -> None:
        """Cancel over our own command what is in nobody's hands, or be refused with how much."""
        if (found := self.some_work(which)) is None:
            return
        number, ref = found
        order = self.shop.order(ref)
        promise = self.promises[ref]
        in_hand = self.shop.value(
            "select coalesce(sum(quantity - done - removed), 0)::int from fulfillment_lines"
            " join fulfillment_orders f using (fulfillment_id) where f.order_id ="
            f" {order.summary.order_id} and f.state in ('picked', 'packed', 'ready_for_collection')"
        )
        gone = promise.gone["cancel"] + max(promise.gone["ship"], promise.gone["return"])
        possible = promise.quantity - gone - in_hand
        at = self.at()

        def cancel(tx: Any) -> None:
            changes.cancel(
                tx, order.summary.order_number, {1: units}, reason="customer",
                version=order.summary.version, by="ann", at=at,
            )  # fmt: skip

        if units > possible:
            with pytest.raises(changes.QuantityNotCancelable):
                self.shop.ledger.run(cancel)
            return
        self.shop.ledger.run(cancel)
        promise.gone["cancel"] += units
        assert promise.fits()
        assert self.work(number).state  # it is still there, whatever it became

    def some_work(self, which: int) -> tuple[str, str] | None:
        """Return a fulfillment order with which something may be done, and its order."""
        if which % 2:
            self.follow()
        rows = self.shop.rows(
            "select fulfillment_number, external_ref from fulfillment_orders f"
            " join orders using (order_id) where f.state not in ('delivered', 'collected',"
            " 'uncollected', 'rejected', 'canceled') order by fulfillment_id"
        )
        if not rows:
            return None
        number, ref = rows[which % len(rows)]
        return number, ref

    def work(self, number: str) -> FulfillmentOrder:
        """Return a fulfillment order as it is now."""
        with self.shop.ledger.snapshot() as tx:
            return queries.fulfillment_order(tx, number)

    def code(self, number: str) -> str | None:
        """Return what the customer of a fulfillment order would show."""
        query = "select collect_code from fulfillment_orders where fulfillment_number"
        found: str | None = self.shop.value(f"{query} = '{number}'")
        return found


@pytest.fixture
def life(shop: Shop) -> Iterator[type[Work]]:
    """Set the machine up on the test's retailer."""
    Work.shop = shop
    yield Work
    del Work.shop


def test_a_random_life_of_work_keeps_every_promise(life: type[Work]) -> None:
    run_state_machine_as_test(
        life, settings=settings(max_examples=30 * EFFORT, stateful_step_count=40)
    )
