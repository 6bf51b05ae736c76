"""Goods put back before they leave, or sent elsewhere on their way: never nobody's."""

import pytest

from oms.fulfillment.model import FulfillmentOrderState, WrongState
from oms.holds import operations as holding
from oms.holds.model import HoldType
from oms.stock.model import UnknownLocation
from oms.transfers.model import (
    Came,
    DestinationNeeded,
    SameLocation,
    Transfer,
    TransferAction,
    TransferState,
)
from tests.builders import NOW, a_change, a_movement, a_partial, an_order
from tests.ledger.shop import Shelf, Shop
from tests.ledger.test_transfers import (
    collected,
    do,
    ordered,
    receive,
    request,
    sending,
    sent,
    work,
)

__all__ = ["sending"]
A, S, F = TransferAction, TransferState, FulfillmentOrderState


def shipped(shop: Shop, quantity: int = 2) -> Transfer:
    """Have two sent from the center to the store their customer comes to."""
    shop.take(a_movement(quantity, location="DC"))
    return do(shop, ordered(shop, collected(quantity=quantity)), A.PICK, A.SHIP)


def ways(shop: Shop) -> list[tuple[str, str, str, int]]:
    return [
        (t.from_location_code, t.to_location_code, t.state, sum(line.open for line in t.lines))
        for t in sent(shop)
    ]


def waits(shop: Shop) -> list[tuple[str, int]]:
    return [(f.state, sum(line.open for line in f.lines)) for f in work(shop)]


class TestPutBack:
    def test_what_was_picked_is_kept_as_before(self, sending: Shop) -> None:
        sending.take(a_movement(2, location="DC"))
        made = ordered(sending, collected(quantity=2))
        back = do(sending, made, A.PICK, A.UNPICK)
        assert (back.state, [line.picked for line in back.lines]) == (S.ALLOCATED, [0])
        assert sending.shelf("DC") == Shelf(2, 2)
        assert do(sending, back, A.PICK, A.SHIP).state is S.SHIPPED
        assert sending.shelf("DC") == Shelf(0, 0)


class TestElsewhere:
    def test_comes_on_from_where_it_came_to(self, sending: Shop) -> None:
        """The store is flooded: the van goes to another one, which sends them on."""
        made = do(sending, shipped(sending), A.REDIRECT, to_location_code="UTR")
        assert (made.state, made.to_location_code) == (S.SHIPPED, "UTR")
        assert made.first_to_location_code == "AMS"
        assert sending.story("W-1")[-1] == "transfer.redirected"
        sending.take(an_order("W-2"))  # who would take whatever is free
        receive(sending, made)
        assert sending.shelf("UTR") == Shelf(2, 2)
        assert ways(sending) == [("DC", "UTR", S.RECEIVED, 2), ("UTR", "AMS", S.ALLOCATED, 2)]
        assert waits(sending) == [(F.WAITING_FOR_TRANSFER, 2)]
        assert sending.line("W-2").backordered == 1
        receive(sending, do(sending, sent(sending)[-1], A.PICK, A.SHIP), "r2")
        assert (waits(sending), sending.shelf("AMS")) == ([(F.ASSIGNED, 2)], Shelf(2, 2))

    def test_comes_back_and_is_sent_again(self, sending: Shop) -> None:
        made = do(sending, shipped(sending), A.RETURN)
        assert (made.to_location_code, made.first_to_location_code) == ("DC", "AMS")
        assert A.RETURN not in made.allowed()
        receive(sending, made)
        assert sending.shelf("DC") == Shelf(2, 2)
        assert ways(sending) == [("DC", "DC", S.RECEIVED, 2), ("DC", "AMS", S.ALLOCATED, 2)]
        assert waits(sending) == [(F.WAITING_FOR_TRANSFER, 2)]

    def test_and_back_again_to_its_place_it_is_simply_there(self, sending: Shop) -> None:
        made = do(sending, shipped(sending), A.REDIRECT, to_location_code="UTR")
        receive(sending, do(sending, made, A.REDIRECT, to_location_code="AMS"))
        assert (waits(sending), len(sent(sending))) == ([(F.ASSIGNED, 2)], 1)

    def test_the_rest_of_what_has_come_in_part(self, sending: Shop) -> None:
        some = receive(sending, shipped(sending), came={1: Came(received=1)}, is_complete=False)
        made = do(sending, some, A.REDIRECT, to_location_code="UTR")
        assert made.state is S.PARTIALLY_RECEIVED
        receive(sending, made, "r2")
        assert (sending.shelf("AMS"), sending.shelf("UTR")) == (Shelf(1, 1), Shelf(1, 1))
        assert ways(sending)[-1] == ("UTR", "AMS", S.ALLOCATED, 1)
        assert waits(sending) == [(F.WAITING_FOR_TRANSFER, 2)]

    def test_some_of_it_comes_there_and_the_rest_not_at_all(self, sending: Shop) -> None:
        made = do(sending, shipped(sending, 3), A.REDIRECT, to_location_code="UTR")
        receive(sending, made, came={1: Came(received=1, damaged=1)})
        assert sending.line().backordered == 2
        assert waits(sending) == [(F.WAITING_FOR_TRANSFER, 1)]

    def test_of_a_canceled_order_it_is_free_where_it_comes(self, sending: Shop) -> None:
        made = do(sending, shipped(sending), A.RETURN)
        sending.take(a_partial("W-1", a_change("cancel", 2)))
        receive(sending, made)
        assert (sending.shelf("DC"), sending.sellable()) == (Shelf(2, 0), 2)
        assert waits(sending) == [(F.CANCELED, 0)]

    def test_of_an_order_on_hold_it_stays_there_until_the_release(self, sending: Shop) -> None:
        made = do(sending, shipped(sending), A.RETURN)
        number = sending.order().summary.order_number
        with sending.ledger.transaction() as tx:
            holding.place(tx, number, HoldType.FRAUD, "Ask first.", by="ann", at=NOW)
        receive(sending, made)
        assert (sending.shelf("DC"), waits(sending)) == (Shelf(2, 2), [(F.CANCELED, 0)])
        assert len(sent(sending)) == 1

    def test_for_shelves_fills_others(self, sending: Shop) -> None:
        sending.take(a_movement(5))
        made = do(sending, request(sending), A.ALLOCATE, A.PICK, A.SHIP)
        receive(sending, do(sending, made, A.REDIRECT, to_location_code="UTR"))
        assert (sending.shelf("AMS"), sending.shelf("UTR")) == (Shelf(0, 0), Shelf(3, 0))


class TestRefused:
    def test_nowhere_somewhere_unknown_and_where_it_goes_already(self, sending: Shop) -> None:
        made = shipped(sending)
        for code, error in (
            (None, DestinationNeeded), ("NOWHERE", UnknownLocation), ("AMS", SameLocation),
        ):  # fmt: skip
            with pytest.raises(error):
                do(sending, made, A.REDIRECT, to_location_code=code)
        with pytest.raises(WrongState) as refused:
            do(sending, do(sending, made, A.RETURN), A.RETURN)
        assert "return" not in refused.value.facts["allowed_actions"]
