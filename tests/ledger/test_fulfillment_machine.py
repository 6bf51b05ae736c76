"""A random life of a retailer that routes: locations work, and send each other goods, while
channels go on telling.

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
from oms.fulfillment.model import (
    OPEN,
    Action,
    FulfillmentOrder,
    FulfillmentOrderState,
    NothingSplit,
    NotMovable,
    QuantityNotOpen,
    Reason,
    TargetNeeded,
)
from oms.ledger.followers import follow
from oms.stock.model import InsufficientStock
from oms.transfers import operations as transfer_operations
from oms.transfers import queries as transfer_queries
from oms.transfers.model import NEXT as WAYS
from oms.transfers.model import (
    Came,
    SameLocation,
    Transfer,
    TransferAction,
    TransferState,
    Wanted,
)
from oms.workflows import changes, fulfillment, transfers
from oms.workflows.fulfillment import Doing
from oms.workflows.transfers import Moved, Receipt
from tests.builders import EFFORT, NOW, Draft, a_group, a_line, an_order
from tests.ledger.routing import activate
from tests.ledger.shop import CHANNELS, PLACES, Shop
from tests.ledger.test_stock_machine import SKUS, UNITS, Life, Promise

STORE = st.sampled_from(["AMS", "UTR"])
ANY = st.integers(0, 99)


@dataclass(frozen=True)
class Moving:
    """One thing that is done with a transfer, and what is said of it."""

    what: int
    short: int
    off: int
    damaged: int
    is_complete: bool
    reason: Reason


WAY = st.lists(
    st.builds(
        Moving, what=ANY, short=st.sampled_from([0, 0, 0, 1, 2]), off=st.integers(-3, 2),
        damaged=st.integers(0, 1), is_complete=st.booleans(), reason=st.sampled_from(Reason),
    ),
    min_size=3, max_size=7,
)  # fmt: skip
PLAIN = Moving(what=0, short=0, off=0, damaged=0, is_complete=True, reason=Reason.NOT_FOUND)
BACK = {
    Action.REJECT, Action.UNPICK, Action.UNPACK, Action.FAIL_DELIVERY, Action.MOVE, Action.SPLIT,
    Action.MERGE,
    Action.RETURN_TO_SENDER, Action.REFUSE,
}  # fmt: skip
ASTRAY = {
    TransferAction.CANCEL, TransferAction.UNPICK, TransferAction.REDIRECT, TransferAction.RETURN,
}  # fmt: skip


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
        """Begin with followers that are there: their first look only begins."""
        super().__init__()
        self.follow()

    def follow(self) -> None:
        """Let the follower give what is reserved to its locations."""
        follow(
            self.shop.ledger, "routing",
            lambda tx, after, upto: fulfillment.route(tx, after, upto, at=self.at()),
        )  # fmt: skip

    @initialize(supply=st.sampled_from(["store", "any", "any"]), gathers=st.booleans())
    def shelves(self, supply: str, *, gathers: bool) -> None:
        """Begin with a web shop whose orders we give to locations, and something to pick.

        Where parts are gathered, stores come first: what they lack meets at the center.
        """
        if gathers:
            activate(
                self.shop, {"name": "stores", "kinds": ["store"]}, {"name": "dc", "kinds": ["dc"]},
                parts_max=3, whole_first=False, consolidate={"at": ["DC", "UTR"]},
            )  # fmt: skip
        with self.shop.ledger.transaction() as tx:
            web = next(draft for draft in CHANNELS if draft.code == "web")
            channels.register(tx, replace(web, is_routed=True, collect_supply=supply), at=NOW)
            tx.exec_driver_sql("update locations set accept_minutes = 5")
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

    @rule()
    def let_off(self) -> None:
        """Take what nobody accepted in time from its location."""
        at = self.at()
        while self.shop.ledger.run(lambda tx: fulfillment.let_off_unaccepted(tx, at=at)):
            self.invariants_hold()

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
            split_off={line.line_no: 1 + what % 3},
            to_location_code=None if action is Action.SPLIT and what % 2 else PLACES[what % 3],
        )  # fmt: skip
        on_hand = self.shop.shelf(held.location_code, line.sku).on_hand
        returned = self.shop.line(ref, "1").returned
        try:
            after = self.shop.ledger.run(
                lambda tx: fulfillment.act(tx, number, action, doing, version=held.version)
            )
        except (NotMovable, NothingSplit, QuantityNotOpen, TargetNeeded):
            assert action in {Action.MOVE, Action.SPLIT}
            assert self.work(number) == held
            return
        self.believe(ref, held, action, after, short)
        missing = line.open if action is Action.REJECT else short
        lost = missing if reason is Reason.NOT_FOUND else 0
        if action in {Action.SHIP, Action.COLLECT}:
            lost = line.open
        if action is Action.TAKE_BACK:
            lost = returned - self.shop.line(ref, "1").returned
            self.promises[ref].gone["return"] -= lost
            assert -lost <= line.done
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
        if action in {Action.NO_SHOW, Action.REFUSE}:
            promise.gone["cancel"] += line.open
        assert promise.fits()
        all_short = action is Action.PICK and short == line.open
        expected = FulfillmentOrderState.REJECTED if all_short else held.allowed()[action]
        assert after.state is expected
        assert (now.open > 0) is (after.state in OPEN)

    @rule(which=ANY, units=UNITS, place=STORE, way=WAY)
    def have_sent(self, which: int, units: int, place: str, way: list[Moving]) -> None:
        """Have goods sent to where their customer collects them, one thing after another."""
        if (found := self.some_transfer(which, "order_id is not null")) is None:
            # More than can be there: what is missing comes from elsewhere.
            self.order_to_collect("PEN", max(0, self.shop.shelf(place).on_hand) + units, place)
            self.follow()
            found = self.some_transfer(which, "order_id is not null")
        self.go(found, way)

    @rule(which=ANY, units=UNITS, sku=SKUS, ends=st.permutations(PLACES), way=WAY)
    def fill_shelves(
        self, which: int, units: int, sku: str, ends: list[str], way: list[Moving]
    ) -> None:
        """Have the shelves of a place filled from another, one thing after another."""
        if (found := self.some_transfer(which, "order_id is null")) is None:
            shelf = self.shop.shelf(ends[0], sku)
            spare = max(1, shelf.on_hand - shelf.allocated)
            wanted, at = [Wanted(sku=sku, quantity=min(units, spare))], self.at()
            found = self.shop.ledger.run(
                lambda tx: transfer_operations.request(tx, ends[0], ends[1], wanted, at=at)
            )
        self.go(found, way)

    @rule(
        which=ANY, units=UNITS, sku=SKUS, ends=st.permutations(PLACES), to=st.sampled_from(PLACES),
        off=st.integers(-2, 1),
    )  # fmt: skip
    def redirect(
        self, which: int, units: int, sku: str, ends: list[str], to: str, off: int
    ) -> None:  # fmt: skip
        """Have what is on its way come to another place, and take in there what came of it."""
        held = self.some_transfer(which, "state in ('shipped', 'partially_received')")
        if held is None:
            wanted = [Wanted(sku=sku, quantity=units)]
            at = self.at()
            held = self.shop.ledger.run(
                lambda tx: transfer_operations.request(tx, ends[0], ends[1], wanted, at=at)
            )
            for action in (TransferAction.ALLOCATE, TransferAction.PICK, TransferAction.SHIP):
                if action in held.allowed():
                    held = self.move_on(held, action, PLAIN)
        if held.state not in {TransferState.SHIPPED, TransferState.PARTIALLY_RECEIVED}:
            return  # there was not enough of it
        coming, (line,) = self.coming(held), held.lines
        redirected = self.move_on(
            held, TransferAction.REDIRECT, replace(PLAIN, what=PLACES.index(to))
        )
        assert redirected.to_location_code == to
        assert redirected.lines == held.lines
        assert self.coming(held) == coming
        self.invariants_hold()
        before = self.shop.shelf(to, line.sku).on_hand
        self.move_on(redirected, TransferAction.RECEIVE, replace(PLAIN, off=off))
        came = max(0, line.in_transit + off)
        assert self.shop.shelf(to, line.sku).on_hand == before + came

    def coming(self, held: Transfer) -> list[tuple[Any, ...]]:
        """Return whose units are on their way with a transfer."""
        return self.shop.rows(
            "select order_id, line_no, sum(quantity)::int from reservations where transfer_id = :id"
            " and state = 'in_transit' group by order_id, line_no order by 1, 2",
            id=held.transfer_id,
        )  # fmt: skip

    def go(self, held: Transfer | None, way: list[Moving]) -> None:
        """Do with a transfer what its state allows, and hold all to the invariants in between."""
        for each in way:
            # Four times of five it goes on, or nothing would ever come.
            possible = [] if held is None else sorted(held.allowed())
            if each.what % 5:
                possible = [one for one in possible if one not in ASTRAY]
            if held is None or not possible:
                return
            held = self.move_on(held, possible[each.what % len(possible)], each)
            self.invariants_hold()
            self.nothing_is_lost()

    def move_on(self, held: Transfer, action: TransferAction, each: Moving) -> Transfer:
        """Do one thing with a transfer, and hold what came of it to what the model knows."""
        (line,) = held.lines
        picked = max(0, line.open - each.short)
        came = Came(received=max(0, line.in_transit + each.off), damaged=each.damaged)
        moved = Moved(
            by="ann", at=self.at(), reason=each.reason, picked={line.line_no: picked},
            to_location_code=PLACES[each.what % 3], receipt=Receipt(
                receipt_id=f"r-{self.minute}", came={line.line_no: came},
                is_complete=each.is_complete,
            ),
        )  # fmt: skip

        def act(tx: Any) -> Transfer:
            return transfers.act(tx, held.transfer_number, action, moved, version=held.version)

        try:
            after = self.shop.ledger.run(act)
        except (InsufficientStock, SameLocation) as refused:
            is_kept = isinstance(refused, InsufficientStock)
            assert action is TransferAction.ALLOCATE if is_kept else TransferAction.REDIRECT
            return held
        is_kept = held.state is not TransferState.REQUESTED
        is_missing = is_kept and each.reason is Reason.NOT_FOUND
        self.there[line.sku] += {
            TransferAction.PICK: (picked - line.open) * is_missing,
            TransferAction.CANCEL: -line.open * is_missing,
            TransferAction.SHIP: -line.picked,
            TransferAction.RECEIVE: came.received + came.damaged,
        }.get(action, 0)
        expected = WAYS[held.state][action]
        if action is TransferAction.PICK and not picked:
            expected = TransferState.CANCELED
        if action is TransferAction.RECEIVE:
            if not each.is_complete and came.received + came.damaged < line.in_transit:
                expected = TransferState.PARTIALLY_RECEIVED
            assert self.shop.ledger.run(act) == after, "the same receipt again is nothing"
        assert after.state is expected
        return after

    def some_transfer(self, which: int, whose: str) -> Transfer | None:
        """Return a transfer with which something may be done."""
        if which % 2:
            self.follow()
        rows = self.shop.rows(
            "select transfer_number from transfers where state not in ('received', 'closed',"
            f" 'canceled') and {whose} order by transfer_id"
        )
        if not rows:
            return None
        with self.shop.ledger.snapshot() as tx:
            return transfer_queries.transfer(tx, rows[which % len(rows)][0])

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
            " 'uncollected', 'rejected', 'canceled', 'taken_back') order by fulfillment_id"
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
