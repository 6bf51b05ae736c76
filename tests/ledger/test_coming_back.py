"""What never arrived comes back: restocked or put aside by a receipt, and labels taken back."""

from collections.abc import Mapping
from typing import Any

import pytest

from oms.adapters.carriers.sandbox import SandboxCarrier
from oms.fulfillment.model import (
    Action,
    CameBack,
    FulfillmentOrder,
    FulfillmentOrderState,
    QuantityNotOpen,
)
from oms.shipments.model import ParcelDraft
from oms.shipments.port import Carrier
from oms.workflows import parcels
from tests.builders import NOW, a_change, a_line, a_movement, a_partial, an_order
from tests.ledger.routing import do, route, work
from tests.ledger.shop import Shelf, Shop

A, S = Action, FulfillmentOrderState


class Told(SandboxCarrier):
    """The sandbox carrier, which remembers what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.voided: list[str] = []

    def void(self, tracking_number: str) -> None:
        self.voided.append(tracking_number)


def returned(shop: Shop) -> FulfillmentOrder:
    """Have three pens sent from the center, which come back unopened."""
    shop.take(a_movement(5), an_order(lines=[a_line(quantity=3)]))
    route(shop)
    (made,) = work(shop)
    steps = [A.ACCEPT, A.START_PICK, A.PICK, A.PACK, A.SHIP, A.FAIL_DELIVERY, A.RETURN_TO_SENDER]
    return do(shop, made, *steps)


def unavailable(shop: Shop) -> int:
    return int(shop.value("select sum(unavailable) from stock_levels"))


class TestTakenBack:
    def test_all_of_it_is_for_sale_again(self, routed: Shop) -> None:
        came = returned(routed)
        assert (came.state, routed.shelf()) == (S.RETURNED_TO_SENDER, Shelf(2, 0))
        assert do(routed, came, A.TAKE_BACK).state is S.TAKEN_BACK
        assert (routed.shelf(), unavailable(routed)) == (Shelf(5, 0), 0)
        assert routed.states() == ("completed", "returned")
        assert routed.kept() == (0, 0)
        assert routed.story("W-1")[-2:] == ["fulfillment.taken_back", "order.returned"]
        assert routed.violations() == {}

    def test_some_is_put_aside_and_some_never_came(self, routed: Shop) -> None:
        came = {1: CameBack(restocked=1, held=1)}
        do(routed, returned(routed), A.TAKE_BACK, came_back=came)
        assert (routed.shelf(), unavailable(routed), routed.sellable()) == (Shelf(4, 0), 1, 3)
        assert routed.states() == ("completed", "partially_returned")
        kinds = routed.rows(
            "select kind, on_hand_delta, unavailable_delta from stock_movements"
            " where kind like 'return%' order by kind"
        )
        assert kinds == [("return_restock", 1, 0), ("return_unsellable", 1, 1)]
        assert routed.violations() == {}

    def test_who_waits_gets_what_is_for_sale_and_not_what_is_put_aside(self, routed: Shop) -> None:
        came = returned(routed)
        routed.take(an_order("W-2", lines=[a_line(quantity=5)]))
        assert routed.line("W-2").backordered == 3
        do(routed, came, A.TAKE_BACK, came_back={1: CameBack(restocked=1, held=2)})
        assert routed.line("W-2").backordered == 2
        assert routed.violations() == {}

    def test_what_the_channel_told_already_is_returned_once(self, routed: Shop) -> None:
        came = returned(routed)
        routed.take(a_partial("W-1", a_change("return", 3, restock=True, location_code="DC")))
        assert do(routed, came, A.TAKE_BACK).state is S.TAKEN_BACK
        assert (routed.line().returned, routed.shelf()) == (3, Shelf(5, 0))

    @pytest.mark.parametrize(
        "said",
        [{1: CameBack(restocked=4)}, {1: CameBack(restocked=2, held=2)},
         {7: CameBack(restocked=0)}],
    )  # fmt: skip
    def test_more_than_was_sent_cannot_come_back(
        self, routed: Shop, said: Mapping[int, CameBack]
    ) -> None:
        came = returned(routed)
        with pytest.raises(QuantityNotOpen):
            do(routed, came, A.TAKE_BACK, came_back=said)
        assert work(routed) == [came]


class TestLabels:
    def packed(self, shop: Shop, carriers: Mapping[str, Carrier], **said: Any) -> FulfillmentOrder:
        shop.take(a_movement(5), an_order())
        route(shop)
        (made,) = work(shop)
        return self.pack(shop, do(shop, made, A.ACCEPT, A.START_PICK, A.PICK), carriers, **said)

    @staticmethod
    def pack(
        shop: Shop, picked: FulfillmentOrder, carriers: Mapping[str, Carrier], **said: Any
    ) -> FulfillmentOrder:
        draft = ParcelDraft(lines={1: 1}, carrier="sandbox", **said)
        with shop.ledger.transaction() as tx:
            found, _ = parcels.pack(
                tx, picked.fulfillment_number, [draft], carriers, version=picked.version, by="ann",
                at=NOW,
            )  # fmt: skip
        return found

    @pytest.mark.parametrize("action", [A.UNPACK, A.MOVE])
    def test_that_are_for_nothing_are_told_once(self, routed: Shop, action: Action) -> None:
        carrier = Told()
        carriers: dict[str, Carrier] = {"sandbox": carrier}
        made = self.packed(routed, carriers)
        routed.take(a_movement(1, location="AMS"))
        assert not parcels.tell_voids(routed.ledger, carriers)
        assert carrier.voided == []
        do(routed, made, action, to_location_code="AMS")
        assert "parcel.voided" in routed.story("W-1")
        number = routed.value("select tracking_number from parcels")
        for _ in range(2):
            parcels.tell_voids(routed.ledger, carriers)
            assert carrier.voided == [number]

    def test_whose_number_is_used_again_are_not_taken_back(self, routed: Shop) -> None:
        carrier = Told()
        carriers: dict[str, Carrier] = {"sandbox": carrier}
        again = {"tracking_number": "SB000000000001"}
        unpacked = do(routed, self.packed(routed, carriers, **again), A.UNPACK)
        self.pack(routed, unpacked, carriers, **again)
        parcels.tell_voids(routed.ledger, carriers)
        assert carrier.voided == []
