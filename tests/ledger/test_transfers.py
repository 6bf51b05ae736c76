"""Transfers: what is collected in a store and lies elsewhere is sent there, and stays its own."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from oms.channels import operations as channel_operations
from oms.fulfillment import queries as fulfillments
from oms.fulfillment.model import (
    FulfillmentOrder,
    FulfillmentOrderState,
    QuantityNotOpen,
    Reason,
    ReasonNeeded,
    WrongState,
)
from oms.kernel.errors import VersionConflict
from oms.ledger.followers import follow
from oms.stock.model import InsufficientStock, UnknownLocation, UnknownSku
from oms.transfers import operations, queries
from oms.transfers.model import (
    NEXT,
    Came,
    Discrepancy,
    ReceiptDiffers,
    ReceiptNeeded,
    SameLocation,
    Transfer,
    TransferAction,
    TransferState,
    Wanted,
)
from oms.workflows import fulfillment, transfers
from oms.workflows.transfers import Moved, Receipt
from tests.builders import (
    NOW,
    Draft,
    a_change,
    a_group,
    a_line,
    a_movement,
    a_partial,
    an_order,
    minutes,
)
from tests.ledger.shop import CHANNELS, Shelf, Shop
from tests.ledger.threads import together

A, S, F = TransferAction, TransferState, FulfillmentOrderState


@pytest.fixture
def sending(shop: Shop) -> Shop:
    """Give the retailer whose web shop has sent to a store what is collected there."""
    with shop.ledger.transaction() as tx:
        web = next(draft for draft in CHANNELS if draft.code == "web")
        made = replace(web, is_routed=True, collect_supply="any")
        channel_operations.register(tx, made, at=NOW)
    return shop


def collected(ref: str = "W-1", quantity: int = 1, **columns: Any) -> Draft:
    groups = [a_group("collect_store", "PEN", location="AMS")]
    line = a_line(quantity=quantity)
    return an_order(ref, lines=[line], groups=groups, fulfillment_method="collect_store", **columns)


def route(shop: Shop) -> None:
    for _ in range(3):  # the first look only begins
        follow(shop.ledger, "routing", lambda tx, a, u: fulfillment.route(tx, a, u, at=NOW))


def work(shop: Shop, ref: str = "W-1") -> list[FulfillmentOrder]:
    number = shop.order(ref).summary.order_number
    with shop.ledger.snapshot() as tx:
        return fulfillments.of_order(tx, number)


def sent(shop: Shop, ref: str = "W-1") -> list[Transfer]:
    order_id = shop.order(ref).summary.order_id
    with shop.ledger.snapshot() as tx:
        return queries.of_order(tx, order_id)


def ordered(shop: Shop, *documents: Draft) -> Transfer:
    """Take orders to be collected and return the only transfer for W-1."""
    shop.take(*(documents or (collected(),)))
    route(shop)
    (found,) = sent(shop)
    return found


def do(shop: Shop, of: Transfer, *actions: TransferAction, **said: Any) -> Transfer:
    """Do one thing after another, with what is said of the last; all invariants hold between."""
    for action in actions:
        moved = Moved(by="ann", at=minutes(1), **(said if action is actions[-1] else {}))
        number, version = of.transfer_number, of.version
        of = shop.ledger.run(
            lambda tx, a=action, m=moved, n=number, v=version: transfers.act(tx, n, a, m, version=v)
        )
        assert shop.violations() == {}, action
    return of


def receive(shop: Shop, of: Transfer, ref: str = "r1", **said: Any) -> Transfer:
    return do(shop, of, A.RECEIVE, receipt=Receipt(receipt_id=ref, **said))


def request(shop: Shop, *wanted: Wanted, source: str = "DC", to: str = "AMS") -> Transfer:
    asked = wanted or (Wanted(sku="PEN", quantity=3),)
    return shop.ledger.run(lambda tx: operations.request(tx, source, to, asked, at=NOW))


def unavailable(shop: Shop, location: str = "AMS") -> int:
    return int(
        shop.value(
            "select unavailable from stock_levels join locations using (location_id)"
            " where location_code = :location",
            location=location,
        )
    )


class TestSupply:
    def test_the_store_gives_its_own_first_and_the_rest_is_sent(self, sending: Shop) -> None:
        sending.take(a_movement(9, location="DC"), a_movement(1, location="AMS"))
        made = ordered(sending, collected(quantity=3))
        assert (sending.shelf("AMS"), sending.shelf("DC")) == (Shelf(1, 1), Shelf(9, 2))
        assert (made.from_location_code, made.to_location_code) == ("DC", "AMS")
        assert (made.state, [line.quantity for line in made.lines]) == (S.ALLOCATED, [2])
        (waiting,) = work(sending)
        assert (waiting.state, waiting.location_code) == (F.WAITING_FOR_TRANSFER, "AMS")
        assert [line.open for line in waiting.lines] == [3]
        assert sending.story("W-1")[-2:] == [
            "fulfillment.waiting_for_transfer", "transfer.allocated",
        ]  # fmt: skip

    def test_what_waits_is_filled_from_anywhere(self, sending: Shop) -> None:
        sending.take(collected(quantity=2), collected("W-2"))
        assert sending.line().backordered == 2
        sending.take(a_movement(2, location="UTR"))
        assert (sending.line().backordered, sending.line("W-2").backordered) == (0, 1)
        route(sending)
        assert [each.from_location_code for each in sent(sending)] == ["UTR"]

    def test_a_shortage_is_what_nobody_in_the_network_has(self, sending: Shop) -> None:
        sending.take(a_movement(1, location="DC"), a_movement(1, location="AMS"))
        with pytest.raises(InsufficientStock):
            sending.take(collected(quantity=3), refuse_shortage=True)
        sending.take(collected(quantity=2), refuse_shortage=True)
        assert (sending.shelf("AMS"), sending.shelf("DC")) == (Shelf(1, 1), Shelf(1, 1))

    def test_without_the_setting_nothing_is_sent(self, shop: Shop) -> None:
        shop.take(a_movement(9, location="DC"))
        shop.take(collected())
        assert (shop.shelf("DC"), shop.line().backordered) == (Shelf(9, 0), 1)


class TestWay:
    def test_goods_are_nobody_elses_at_any_step(self, sending: Shop) -> None:
        sending.take(a_movement(2, location="DC"))
        made = ordered(sending, collected(quantity=2))
        shipped = do(sending, made, A.PICK, A.SHIP, carrier="van")
        assert (sending.shelf("DC"), sending.shelf("AMS")) == (Shelf(0, 0), Shelf(0, 0))
        assert [line.in_transit for line in shipped.lines] == [2]
        assert sending.sellable() == 0
        sending.take(an_order("W-2"))
        received = receive(sending, shipped)
        assert (received.state, [line.in_transit for line in received.lines]) == (S.RECEIVED, [0])
        assert sending.shelf("AMS") == Shelf(2, 2)
        assert sending.line("W-2").backordered == 1
        assert [each.state for each in work(sending)] == [F.ASSIGNED]
        kinds = sending.rows(
            "select kind, on_hand_delta from stock_movements where cause_type = 'transfer'"
            " order by movement_id"
        )
        assert kinds == [("transfer_out", -2), ("transfer_in", 2)]
        told = ["transfer.picked", "transfer.shipped", "transfer.received", "fulfillment.assigned"]
        assert sending.story("W-1")[-4:] == told
        assert do(sending, received, A.CLOSE).state is S.CLOSED

    def test_of_two_transfers_the_store_waits_for_both(self, sending: Shop) -> None:
        sending.take(a_movement(1, location="DC"), a_movement(1, location="UTR"))
        sending.take(collected(quantity=2))
        route(sending)
        for number, made in enumerate(sent(sending)):
            assert [each.state for each in work(sending)] == [F.WAITING_FOR_TRANSFER]
            receive(sending, do(sending, made, A.PICK, A.SHIP), f"r{number}")
        assert [(f.state, f.lines[0].open) for f in work(sending)] == [(F.ASSIGNED, 2)]

    def test_some_may_come_later(self, sending: Shop) -> None:
        sending.take(a_movement(3, location="DC"))
        shipped = do(sending, ordered(sending, collected(quantity=3)), A.PICK, A.SHIP)
        some = receive(sending, shipped, came={1: Came(received=1)}, is_complete=False)
        assert (some.state, sending.shelf("AMS")) == (S.PARTIALLY_RECEIVED, Shelf(1, 1))
        assert [each.state for each in work(sending)] == [F.WAITING_FOR_TRANSFER]
        assert receive(sending, some, "r2").state is S.RECEIVED
        assert sending.shelf("AMS") == Shelf(3, 3)

    def test_a_repeated_receipt_is_one(self, sending: Shop) -> None:
        sending.take(a_movement(1, location="DC"))
        shipped = do(sending, ordered(sending), A.PICK, A.SHIP)
        received = receive(sending, shipped)
        assert receive(sending, shipped) == received
        with pytest.raises(ReceiptDiffers):
            receive(sending, received, came={1: Came(received=2)})
        assert sending.shelf("AMS") == Shelf(1, 1)


class TestDiscrepancies:
    def shipped(self, shop: Shop, *, stock: int, quantity: int) -> Transfer:
        shop.take(a_movement(stock, location="DC"))
        return do(shop, ordered(shop, collected(quantity=quantity)), A.PICK, A.SHIP)

    def test_what_is_missing_is_sent_again(self, sending: Shop) -> None:
        shipped = self.shipped(sending, stock=5, quantity=3)
        short = receive(sending, shipped, came={1: Came(received=1)})
        assert [(d.kind, d.quantity) for d in short.discrepancies] == [(Discrepancy.SHORT, 2)]
        again = sent(sending)[-1]
        assert (again.state, again.lines[0].quantity) == (S.ALLOCATED, 2)
        assert [(f.state, f.lines[0].open) for f in work(sending)] == [(F.WAITING_FOR_TRANSFER, 3)]
        receive(sending, do(sending, again, A.PICK, A.SHIP), "r2")
        assert [(f.state, f.lines[0].open) for f in work(sending)] == [(F.ASSIGNED, 3)]

    def test_what_nobody_has_waits_and_the_rest_is_picked(self, sending: Shop) -> None:
        shipped = self.shipped(sending, stock=2, quantity=2)
        receive(sending, shipped, came={1: Came(received=1)})
        assert sending.line().backordered == 1
        assert [(f.state, f.lines[0].open) for f in work(sending)] == [(F.ASSIGNED, 1)]

    def test_when_nothing_comes_the_work_is_canceled(self, sending: Shop) -> None:
        shipped = self.shipped(sending, stock=1, quantity=1)
        receive(sending, shipped, came={1: Came(received=0)})
        assert (sending.line().backordered, work(sending)[0].state) == (1, F.CANCELED)

    def test_damaged_ones_are_there_and_not_for_sale(self, sending: Shop) -> None:
        shipped = self.shipped(sending, stock=3, quantity=2)
        came = {1: Came(received=1, damaged=1)}
        found = receive(sending, shipped, came=came, is_complete=False)
        assert (found.state, [d.kind for d in found.discrepancies]) == (
            S.RECEIVED, [Discrepancy.DAMAGED],
        )  # fmt: skip
        assert (sending.shelf("AMS"), unavailable(sending)) == (Shelf(2, 1), 1)
        assert sending.shelf("DC") == Shelf(1, 1)  # another one is sent

    def test_what_is_too_much_is_anybodys(self, sending: Shop) -> None:
        shipped = self.shipped(sending, stock=1, quantity=1)
        sending.take(an_order("W-2"))
        over = receive(sending, shipped, came={1: Came(received=3)})
        assert [(d.kind, d.quantity) for d in over.discrepancies] == [(Discrepancy.OVER, 2)]
        assert sending.shelf("AMS") == Shelf(3, 2)
        assert sending.line("W-2").backordered == 0

    def test_a_wrong_item_is_written_down(self, sending: Shop) -> None:
        shipped = self.shipped(sending, stock=1, quantity=1)
        wrong = (Wanted(sku="INK", quantity=1),)
        (found,) = receive(sending, shipped, wrong_items=wrong).discrepancies
        assert (found.kind, found.sku, found.line_no) == (Discrepancy.WRONG_ITEM, "INK", None)

    def test_closing_says_that_no_more_comes(self, sending: Shop) -> None:
        shipped = self.shipped(sending, stock=2, quantity=2)
        came = {1: Came(received=1)}
        closed = do(sending, receive(sending, shipped, came=came, is_complete=False), A.CLOSE)
        assert (closed.state, closed.lines[0].missing) == (S.CLOSED, 1)
        assert (sending.line().backordered, work(sending)[0].state) == (1, F.ASSIGNED)

    def test_what_is_short_when_picked_is_sought_elsewhere(self, sending: Shop) -> None:
        sending.take(a_movement(3, location="DC"), a_movement(2, location="UTR"))
        made = ordered(sending, collected(quantity=3))
        with pytest.raises(ReasonNeeded):
            do(sending, made, A.PICK, picked={1: 1})
        with pytest.raises(QuantityNotOpen):
            do(sending, made, A.PICK, picked={1: 4})
        picked = do(sending, made, A.PICK, picked={1: 1}, reason=Reason.NOT_FOUND)
        assert (picked.state, picked.lines[0].open) == (S.PICKED, 1)
        assert sending.shelf("DC") == Shelf(1, 1)
        assert [(t.from_location_code, t.lines[0].open) for t in sent(sending)] == [
            ("DC", 1), ("UTR", 2),
        ]  # fmt: skip
        assert [(f.state, f.lines[0].open) for f in work(sending)] == [(F.WAITING_FOR_TRANSFER, 3)]

    def test_what_is_missing_at_each_look_is_gone(self, sending: Shop) -> None:
        sending.take(a_movement(5, location="DC"))
        picked = do(
            sending, request(sending), A.ALLOCATE, A.PICK, picked={1: 2}, reason=Reason.NOT_FOUND
        )
        do(sending, picked, A.CANCEL, reason=Reason.NOT_FOUND)
        assert sending.shelf("DC") == Shelf(2, 0)

    def test_of_nothing_found_nothing_is_sent(self, sending: Shop) -> None:
        sending.take(a_movement(1, location="DC"))
        none = do(sending, ordered(sending), A.PICK, picked={1: 0}, reason=Reason.NOT_FOUND)
        assert (none.state, work(sending)[0].state) == (S.CANCELED, F.CANCELED)


class TestCancel:
    CANCEL = a_partial("W-1", a_change("cancel"))

    def test_of_the_order_before_it_is_shipped_ends_the_transfer(self, sending: Shop) -> None:
        sending.take(a_movement(1, location="DC"))
        do(sending, ordered(sending), A.PICK)
        sending.take(self.CANCEL)
        assert (sent(sending)[0].state, work(sending)[0].state) == (S.CANCELED, F.CANCELED)
        assert sending.shelf("DC") == Shelf(1, 0)
        assert sending.story("W-1")[-2:] == ["fulfillment.canceled", "transfer.canceled"]

    def test_of_what_was_to_be_sent_leaves_what_is_there(self, sending: Shop) -> None:
        sending.take(a_movement(1, location="DC"), a_movement(1, location="AMS"))
        ordered(sending, collected(quantity=2))
        sending.take(self.CANCEL)
        assert [(f.state, f.lines[0].open) for f in work(sending)] == [(F.ASSIGNED, 1)]
        assert (sending.shelf("DC"), sending.shelf("AMS")) == (Shelf(1, 0), Shelf(1, 1))

    def test_of_the_order_on_the_way_leaves_free_stock_at_the_store(self, sending: Shop) -> None:
        sending.take(a_movement(1, location="DC"))
        shipped = do(sending, ordered(sending), A.PICK, A.SHIP)
        sending.take(self.CANCEL)
        assert (sent(sending)[0].state, work(sending)[0].state) == (S.SHIPPED, F.CANCELED)
        receive(sending, shipped)
        assert (sending.shelf("AMS"), sending.sellable()) == (Shelf(1, 0), 1)

    def test_by_the_sender_has_it_sent_by_another(self, sending: Shop) -> None:
        sending.take(a_movement(1, location="DC"), a_movement(1, location="UTR"))
        made = ordered(sending)
        with pytest.raises(ReasonNeeded):
            do(sending, made, A.CANCEL)
        do(sending, made, A.CANCEL, reason=Reason.CLOSED)
        assert [(t.from_location_code, t.state) for t in sent(sending)] == [
            ("DC", S.CANCELED), ("UTR", S.ALLOCATED),
        ]  # fmt: skip

    def test_at_the_moment_of_shipping_ends_in_one_of_both(self, sending: Shop) -> None:
        sending.take(a_movement(1, location="DC"))
        picked = do(sending, ordered(sending), A.PICK)
        version = picked.version
        ship = Moved(by="ann", at=minutes(1))

        def leave() -> Any:
            return sending.ledger.run(
                lambda tx: transfers.act(tx, picked.transfer_number, A.SHIP, ship, version=version)
            )

        together([leave, lambda: sending.take(self.CANCEL)])
        (ended,) = sent(sending)
        is_sent = ended.state is S.SHIPPED
        assert is_sent or ended.state is S.CANCELED
        assert sending.shelf("DC") == Shelf(0 if is_sent else 1, 0)
        assert sending.violations() == {}


class TestShelves:
    def test_they_are_filled_without_an_order(self, sending: Shop) -> None:
        sending.take(a_movement(5))
        asked = request(sending)
        assert (asked.state, sending.shelf("DC")) == (S.REQUESTED, Shelf(5, 0))
        kept = do(sending, asked, A.ALLOCATE)
        assert (kept.state, sending.shelf("DC"), sending.sellable()) == (
            S.ALLOCATED, Shelf(5, 3), 2,
        )  # fmt: skip
        received = receive(sending, do(sending, kept, A.PICK, A.SHIP))
        assert (sending.shelf("DC"), sending.shelf("AMS")) == (Shelf(2, 0), Shelf(3, 0))
        assert received.state is S.RECEIVED

    def test_what_is_not_there_is_not_kept(self, sending: Shop) -> None:
        sending.take(a_movement(2))
        asked = request(sending)
        with pytest.raises(InsufficientStock) as refused:
            do(sending, asked, A.ALLOCATE)
        assert refused.value.facts["items"] == [{"sku": "PEN", "requested": 3, "available": 2}]

    def test_what_is_canceled_is_given_to_who_waits(self, sending: Shop) -> None:
        sending.take(a_movement(3))
        kept = do(sending, request(sending), A.ALLOCATE, A.PICK)
        sending.take(an_order())
        assert sending.line().backordered == 1
        do(sending, kept, A.CANCEL)
        assert (sending.line().backordered, sending.shelf("DC")) == (0, Shelf(3, 1))

    def test_what_cannot_be_is_refused(self, sending: Shop) -> None:
        with pytest.raises(SameLocation):
            request(sending, to="DC")
        with pytest.raises(UnknownLocation):
            request(sending, to="NOWHERE")
        with pytest.raises(UnknownSku):
            request(sending, Wanted(sku="NOTHING", quantity=1))
        assert sending.value("select count(*) from transfers") == 0


class TestStates:
    def test_every_pair_is_allowed_or_refused_without_effect(self, sending: Shop) -> None:
        """Guards the table: all states by all actions, on real rows."""
        made = request(sending)
        for state in S:
            with sending.ledger.transaction() as tx:
                tx.execute(text("update transfers set state = :s"), {"s": state})
            with sending.ledger.snapshot() as tx:
                now = queries.transfer(tx, made.transfer_number)
            for action in set(A) - set(NEXT[state]):
                moved = Moved(by="ann", at=NOW, receipt=Receipt(receipt_id="r"))
                with pytest.raises(WrongState) as refused:
                    sending.ledger.run(
                        lambda tx, a=action, m=moved: transfers.act(
                            tx, made.transfer_number, a, m, version=1
                        )
                    )
                assert refused.value.facts["allowed_actions"] == sorted(NEXT[state])
            with sending.ledger.snapshot() as tx:
                assert queries.transfer(tx, made.transfer_number) == now
        with sending.ledger.transaction() as tx:
            tx.execute(text("update transfers set state = 'requested'"))

    def test_every_state_is_reached_by_some_action_or_from_outside(self) -> None:
        reached = {
            after for state, actions in NEXT.items() for after in actions.values() if after != state
        }
        assert set(S) - reached == {S.REQUESTED, S.PARTIALLY_RECEIVED}

    def test_who_has_seen_an_older_one_changes_nothing(self, sending: Shop) -> None:
        sending.take(a_movement(5))
        asked = request(sending)
        do(sending, asked, A.ALLOCATE)
        with pytest.raises(VersionConflict):
            do(sending, asked, A.CANCEL)

    def test_what_comes_needs_a_receipt(self, sending: Shop) -> None:
        with pytest.raises(ReceiptNeeded):
            do(sending, request(sending), A.RECEIVE)
