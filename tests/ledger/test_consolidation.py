"""Consolidation: parts of an order come to a hub by transfers, wait for each other, and leave."""

import itertools
from datetime import timedelta
from typing import Any

import pytest

from oms.fulfillment.model import Action, FulfillmentOrder, FulfillmentOrderState, Reason
from oms.holds import operations as holding
from oms.holds.model import HoldType
from oms.sourcing.messages import read_rules
from oms.transfers import queries
from oms.transfers.model import Came, Transfer, TransferAction, TransferState
from oms.workflows import fulfillment, transfers
from oms.workflows.rehearsal import Comparison, rehearse
from oms.workflows.transfers import Moved, Receipt
from tests.builders import NOW, a_change, a_line, a_movement, a_partial, an_order, minutes
from tests.ledger.routing import NEAR_AMS, activate, decisions, given, settle_places, work
from tests.ledger.routing import do as do_work
from tests.ledger.routing import route as given_out
from tests.ledger.shop import Shelf, Shop
from tests.ledger.threads import together

A, S, F = TransferAction, TransferState, FulfillmentOrderState
W = Action
_receipt = itertools.count(1)


@pytest.fixture
def routed(routed: Shop) -> Shop:
    """Give the retailer whose web shop gathers at its center what several places supply."""
    settle_places(
        routed, DC={"node_cost_minor": 100}, AMS={"node_cost_minor": 20},
        UTR={"node_cost_minor": 3},
    )  # fmt: skip
    consolidate(routed)
    return routed


def consolidate(shop: Shop, *at: str, **said: Any) -> int:
    return activate(
        shop, {"name": "near", "sort": ["distance"]}, parts_max=3, whole_first=False,
        consolidate={"at": at or ("DC",), **said},
    )  # fmt: skip


def both(ref: str = "W-1", pens: int = 2, ink: int = 1, **columns: Any) -> Any:
    lines = [a_line(quantity=pens), a_line("INK", quantity=ink)]
    return an_order(ref, lines=lines, ship_to=NEAR_AMS, **columns)


def stocked(shop: Shop, ref: str = "PO", **places: tuple[int, int]) -> None:
    """Have so many pens and so much ink at each place."""
    moved = [
        a_movement(units, sku=sku, location=code, ref=f"{ref}-{code}-{sku}")
        for code, quantities in places.items()
        for sku, units in zip(("PEN", "INK"), quantities, strict=True)
        if units
    ]
    shop.take(*moved)


def route(shop: Shop) -> None:
    given_out(shop)
    assert shop.violations() == {}


def waits(shop: Shop, ref: str = "W-1") -> list[tuple[str, str, int]]:
    return [(f.location_code, f.state, sum(line.open for line in f.lines)) for f in work(shop, ref)]


def sent(shop: Shop, ref: str = "W-1") -> dict[str, Transfer]:
    """Return the latest transfer from each location."""
    with shop.ledger.snapshot() as tx:
        found = queries.of_order(tx, shop.order(ref).summary.order_id)
    return {each.from_location_code: each for each in found}


def do(shop: Shop, of: Transfer, *actions: TransferAction, **said: Any) -> Transfer:
    for action in actions:
        facts = said if action is actions[-1] else {}
        if action is A.RECEIVE:
            facts = {"receipt": Receipt(receipt_id=f"r{next(_receipt)}", **facts)}
        moved = Moved(by="ann", at=minutes(1), **facts)
        number, version = of.transfer_number, of.version
        of = shop.ledger.run(
            lambda tx, a=action, m=moved, n=number, v=version: transfers.act(tx, n, a, m, version=v)
        )
        assert shop.violations() == {}, action
    return of


def come(shop: Shop, code: str, ref: str = "W-1", **said: Any) -> Transfer:
    return do(shop, sent(shop, ref)[code], A.PICK, A.SHIP, A.RECEIVE, **said)


def ship(shop: Shop, held: FulfillmentOrder) -> FulfillmentOrder:
    return do_work(shop, held, W.ACCEPT, W.START_PICK, W.PICK, W.PACK, W.SHIP)


class TestWay:
    def test_parts_wait_at_the_hub_and_leave_as_one(self, routed: Shop) -> None:
        stocked(routed, AMS=(2, 0), UTR=(0, 1))
        routed.take(both())
        route(routed)
        assert waits(routed) == [("DC", F.WAITING_FOR_TRANSFER, 3)]
        assert {code: t.to_location_code for code, t in sent(routed).items()} == {
            "AMS": "DC", "UTR": "DC",
        }  # fmt: skip
        come(routed, "AMS")
        assert waits(routed) == [("DC", F.WAITING_FOR_TRANSFER, 3)]
        come(routed, "UTR")
        (held,) = work(routed)
        assert (held.state, held.method) == (F.ASSIGNED, "ship_home")
        assert ship(routed, held).state is F.SHIPPED
        assert [line.shipped for line in routed.order().lines] == [2, 1]
        assert (routed.shelf("DC"), routed.shelf("AMS")) == (Shelf(0, 0), Shelf(0, 0))
        assert routed.violations() == {}

    def test_what_the_hub_has_itself_stays_there(self, routed: Shop) -> None:
        stocked(routed, AMS=(2, 0), DC=(0, 1))
        routed.take(both())
        route(routed)
        assert (list(sent(routed)), waits(routed)) == (
            ["AMS"], [("DC", F.WAITING_FOR_TRANSFER, 3)],
        )  # fmt: skip
        come(routed, "AMS")
        assert waits(routed) == [("DC", F.ASSIGNED, 3)]

    def test_nobody_else_gets_its_units_at_any_step(self, routed: Shop) -> None:
        stocked(routed, AMS=(2, 0), UTR=(0, 1))
        routed.take(both())
        route(routed)
        routed.take(an_order("W-2"))
        assert routed.line("W-2").backordered == 1
        do(routed, sent(routed)["AMS"], A.PICK, A.SHIP)
        assert (routed.shelf("AMS"), routed.line("W-2").backordered) == (Shelf(0, 0), 1)
        do(routed, sent(routed)["AMS"], A.RECEIVE)
        assert (routed.shelf("DC"), routed.line("W-2").backordered) == (Shelf(2, 2), 1)

    def test_one_part_is_sent_from_where_it_is(self, routed: Shop) -> None:
        stocked(routed, AMS=(2, 1), UTR=(2, 1))
        routed.take(both())
        route(routed)
        assert (given(work(routed)), sent(routed)) == ({"AMS": 3}, {})
        (made,) = decisions(routed)
        assert (made.plan.hub, made.plan.hub_reason) == (None, None)

    def test_one_part_goes_by_way_of_the_hub_where_rules_say_so(self, routed: Shop) -> None:
        consolidate(routed, parts_min=1)
        stocked(routed, AMS=(2, 1))
        routed.take(both())
        route(routed)
        assert waits(routed) == [("DC", F.WAITING_FOR_TRANSFER, 3)]
        come(routed, "AMS")
        assert waits(routed) == [("DC", F.ASSIGNED, 3)]

    def test_nobody_is_hurried_before_all_is_there(self, routed: Shop) -> None:
        settle_places(routed, DC={"accept_minutes": 30})
        stocked(routed, AMS=(2, 0), UTR=(0, 1))
        routed.take(both())
        route(routed)
        assert [each.accept_by for each in work(routed)] == [None]
        come(routed, "AMS")
        come(routed, "UTR")
        assert [each.accept_by for each in work(routed)] == [minutes(31)]

    def test_why_is_said_and_kept(self, routed: Shop) -> None:
        stocked(routed, AMS=(2, 0), UTR=(0, 1))
        routed.take(both())
        route(routed)
        (made,) = decisions(routed)
        assert made.plan.hub == "DC"
        assert made.plan.hub_reason == (
            "2 parts are gathered by way of DC and leave together: all consolidates from 2 on"
        )
        assert (made.outcome.parts, made.outcome.transfers, made.outcome.cost_minor) == (1, 2, 123)

    def test_a_hub_that_rejects_is_no_hub_again(self, routed: Shop) -> None:
        stocked(routed, AMS=(2, 0), UTR=(0, 1))
        routed.take(both())
        route(routed)
        come(routed, "AMS")
        come(routed, "UTR")
        stocked(routed, "PO2", AMS=(2, 0), UTR=(0, 1))
        do_work(routed, work(routed)[0], W.REJECT, reason=Reason.NO_CAPACITY)
        assert waits(routed)[1:] == [("AMS", F.ASSIGNED, 2), ("UTR", F.ASSIGNED, 1)]
        assert decisions(routed)[-1].plan.hub_reason == (
            "sent apart: DC has rejected this order before"
        )
        assert routed.violations() == {}

    def test_what_was_gathered_may_be_moved_on_like_any_work(self, routed: Shop) -> None:
        stocked(routed, AMS=(2, 0), UTR=(0, 1))
        routed.take(both())
        route(routed)
        come(routed, "AMS")
        come(routed, "UTR")
        stocked(routed, "PO2", UTR=(2, 1))
        do_work(routed, work(routed)[0], W.MOVE, to_location_code="UTR")
        assert waits(routed)[1:] == [("UTR", F.ASSIGNED, 3)]
        assert routed.violations() == {}


class TestParts:
    def short(self, shop: Shop, **spare: tuple[int, int]) -> None:
        stocked(shop, AMS=(2, 0), UTR=(0, 1), **spare)
        shop.take(both())
        route(shop)

    def test_what_is_lost_on_its_way_is_sent_again_to_the_hub(self, routed: Shop) -> None:
        self.short(routed, DC=(1, 0))
        come(routed, "AMS", came={1: Came(received=1)})
        assert waits(routed) == [("DC", F.WAITING_FOR_TRANSFER, 3)]
        assert decisions(routed)[-1].plan.hub_reason == (
            "gathered at DC, where the rest of it waits"
        )
        come(routed, "UTR")
        assert waits(routed) == [("DC", F.ASSIGNED, 3)]

    def test_what_another_store_has_instead_joins_it(self, routed: Shop) -> None:
        self.short(routed)
        stocked(routed, "PO2", UTR=(5, 0))
        come(routed, "AMS", came={1: Came(received=1, damaged=1)})
        assert waits(routed) == [("DC", F.WAITING_FOR_TRANSFER, 3)]
        with routed.ledger.snapshot() as tx:
            found = queries.of_order(tx, routed.order().summary.order_id)
        ways = [(t.from_location_code, t.to_location_code, t.state) for t in found]
        assert sorted(ways)[-2:] == [("UTR", "DC", S.ALLOCATED), ("UTR", "DC", S.ALLOCATED)]
        for each in found:
            if each.state is S.ALLOCATED:
                do(routed, each, A.PICK, A.SHIP, A.RECEIVE)
        assert waits(routed) == [("DC", F.ASSIGNED, 3)]

    def test_what_nobody_has_waits_and_the_rest_leaves(self, routed: Shop) -> None:
        self.short(routed)
        come(routed, "UTR")
        come(routed, "AMS", came={1: Came(received=1)})
        assert (routed.line().backordered, waits(routed)) == (1, [("DC", F.ASSIGNED, 2)])

    def test_when_nothing_comes_the_work_is_canceled(self, routed: Shop) -> None:
        self.short(routed)
        come(routed, "UTR", came={2: Came(received=0)})
        come(routed, "AMS", came={1: Came(received=0)})
        assert waits(routed) == [("DC", F.CANCELED, 0)]
        assert [line.backordered for line in routed.order().lines] == [2, 1]

    def test_a_sender_that_cannot_is_not_asked_again(self, routed: Shop) -> None:
        """It is the nearest, and still says that it has some."""
        self.short(routed, DC=(2, 0))
        do(routed, sent(routed)["AMS"], A.CANCEL, reason=Reason.NO_CAPACITY)
        assert (routed.shelf("AMS"), routed.shelf("DC")) == (Shelf(2, 0), Shelf(2, 2))
        assert waits(routed) == [("DC", F.WAITING_FOR_TRANSFER, 3)]
        come(routed, "UTR")
        assert waits(routed) == [("DC", F.ASSIGNED, 3)]

    def test_what_is_sent_elsewhere_comes_on_to_the_hub(self, routed: Shop) -> None:
        self.short(routed)
        made = do(routed, sent(routed)["AMS"], A.PICK, A.SHIP)
        do(routed, do(routed, made, A.REDIRECT, to_location_code="UTR"), A.RECEIVE)
        assert routed.shelf("UTR") == Shelf(2, 2)
        assert waits(routed) == [("DC", F.WAITING_FOR_TRANSFER, 3)]
        with routed.ledger.snapshot() as tx:
            *_, on = queries.of_order(tx, routed.order().summary.order_id)
        assert (on.from_location_code, on.to_location_code, on.state) == ("UTR", "DC", S.ALLOCATED)

    def test_a_canceled_line_is_not_waited_for(self, routed: Shop) -> None:
        self.short(routed)
        come(routed, "UTR")
        routed.take(a_partial("W-1", a_change("cancel", 2)))
        assert (waits(routed), sent(routed)["AMS"].state) == ([("DC", F.ASSIGNED, 1)], S.CANCELED)
        assert (routed.shelf("AMS"), routed.violations()) == (Shelf(2, 0), {})

    def test_of_fewer_units_what_is_to_be_sent_is_let_go_first(self, routed: Shop) -> None:
        stocked(routed, AMS=(1, 0), DC=(1, 1))
        routed.take(both())
        route(routed)
        assert sent(routed)["AMS"].state is S.ALLOCATED
        routed.take(a_partial("W-1", a_change("cancel", 1)))
        assert sent(routed)["AMS"].state is S.CANCELED
        assert (routed.shelf("DC"), routed.shelf("AMS")) == (Shelf(1, 1), Shelf(1, 0))
        assert waits(routed) == [("DC", F.ASSIGNED, 2)]
        assert routed.violations() == {}

    def test_of_a_canceled_order_what_is_under_way_is_free_where_it_comes(
        self, routed: Shop
    ) -> None:
        self.short(routed)
        do(routed, sent(routed)["AMS"], A.PICK, A.SHIP)
        routed.take(
            a_partial("W-1", a_change("cancel", 2), a_change("cancel", 1, line="INK", ref="c-2"))
        )
        assert waits(routed) == [("DC", F.CANCELED, 0)]
        do(routed, sent(routed)["AMS"], A.RECEIVE)
        assert routed.shelf("DC") == Shelf(2, 0)

    def test_of_an_order_on_hold_what_is_lost_joins_it_after_the_release(
        self, routed: Shop
    ) -> None:
        self.short(routed)
        number = routed.order().summary.order_number
        with routed.ledger.transaction() as tx:
            hold, _ = holding.place(tx, number, HoldType.FRAUD, "Ask first.", by="ann", at=NOW)
        stocked(routed, "PO2", UTR=(1, 0))
        come(routed, "AMS", came={1: Came(received=1)})
        assert waits(routed) == [("DC", F.WAITING_FOR_TRANSFER, 2)]
        version = routed.order().summary.version
        routed.ledger.run(
            lambda tx: fulfillment.release_hold(
                tx, number, hold.hold_no, "Fine.", version=version,
                scopes=frozenset({"orders:review"}), by="ann", at=minutes(1),
            )
        )  # fmt: skip
        assert waits(routed) == [("DC", F.WAITING_FOR_TRANSFER, 3)]
        assert routed.violations() == {}

    def test_two_parts_received_at_once_end_the_wait_once(self, routed: Shop) -> None:
        self.short(routed)
        for code in ("AMS", "UTR"):
            do(routed, sent(routed)[code], A.PICK, A.SHIP)
        shipped = sent(routed).values()

        def receive(of: Transfer) -> Any:
            receipt = Receipt(receipt_id=f"r{next(_receipt)}")
            moved = Moved(by="ann", at=minutes(2), receipt=receipt)
            return routed.ledger.run(
                lambda tx: transfers.act(
                    tx, of.transfer_number, A.RECEIVE, moved, version=of.version
                )
            )

        together([lambda of=each: receive(of) for each in shipped])
        assert waits(routed) == [("DC", F.ASSIGNED, 3)]
        assert routed.story("W-1").count("fulfillment.assigned") == 1
        assert routed.violations() == {}


class TestRehearsed:
    def test_a_draft_that_gathers_is_compared_with_one_that_did_not(self, routed: Shop) -> None:
        rules: dict[str, Any] = {"name": "near", "sort": ["distance"]}
        activate(routed, rules, parts_max=3, whole_first=False)
        stocked(routed, AMS=(2, 0), UTR=(0, 1))
        routed.take(both())
        route(routed)
        split = {"parts_max": 3, "whole_first": False, "consolidate": {"at": ["DC"]}}
        group = {"name": "all", "rules": [rules], "split": split}
        found = rehearsed(routed, {"name": "t", "groups": [group]})
        assert (found.recorded.splits, found.recorded.transfers) == (1, 0)
        assert (found.drafted.splits, found.drafted.transfers, found.changed_count) == (0, 2, 1)
        assert (found.recorded.cost_minor, found.drafted.cost_minor) == (23, 123)
        assert (found.happened.splits, found.happened.cost_minor) == (1, 23)

    def test_what_was_gathered_happened_as_one_and_is_late_when_it_leaves_late(
        self, routed: Shop
    ) -> None:
        stocked(routed, AMS=(2, 0), UTR=(0, 1))
        routed.take(both())
        route(routed)
        apart = {"name": "t", "groups": [{"name": "all", "rules": [{"name": "any"}]}]}
        late = rehearsed(routed, apart, at=NOW + timedelta(days=3)).happened
        assert (late.parts, late.splits, late.transfers, late.cost_minor) == (1, 0, 2, 123)
        assert late.late_parts == 1
        come(routed, "AMS")
        come(routed, "UTR")
        ship(routed, work(routed)[0])
        done = rehearsed(routed, apart, at=NOW + timedelta(days=3)).happened
        assert (done.parts, done.late_parts) == (1, 0)


def rehearsed(shop: Shop, content: dict[str, Any], **moment: Any) -> Comparison:
    found = Comparison()
    day = timedelta(days=1)
    with shop.ledger.snapshot() as tx:
        rules = read_rules(content)
        for each in rehearse(tx, rules, NOW - day, NOW + day, at=moment.get("at", NOW)):
            found.add(each)
    return found
