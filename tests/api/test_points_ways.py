"""Another way for what is not fulfilled: from home to a pick-up point, and from there home."""

from typing import Any

import pytest

from oms.workflows import points
from tests.api.conftest import House
from tests.api.test_fulfillments import act
from tests.api.test_parcels import pack
from tests.api.test_points import (
    LOCKER,
    SHOP,
    change,
    exceptions,
    kept,
    picked,
    said,
    to_point,
)
from tests.api.wire import a_line, an_order
from tests.builders import a_movement

__all__ = ["said"]  # a fixture
HOME = {"street": "Laan 1", "postcode": "3511 AA", "city": "Utrecht", "country_code": "NL"}
AT_SHOP = {"provider": "sandbox", "point_id": SHOP}


def now(house: House) -> dict[str, Any]:
    found: dict[str, Any] = house.get("/v1/orders/R100000001").json()
    return found


def asked(house: House) -> list[tuple[str, str]]:
    """Return who is asked for the order, after the follower has given it to its locations."""
    house.routed_order(an_order("W-9"))
    return [(each["method"], each["state"]) for each in now(house)["fulfillments"]]


class TestOtherWay:
    def test_a_point_is_left_for_home_and_its_trouble_with_it(
        self, routed: House, said: dict[str, str]
    ) -> None:
        routed.routed_order(to_point())
        said[LOCKER] = "closed"
        points.watch(routed.system.ledger, routed.system.carriers)
        assert exceptions(routed) == [("PICKUP_POINT_UNAVAILABLE", True)]
        assert change(routed, method="ship_home").json()["code"] == "VALIDATION"  # where to?
        made = change(routed, method="ship_home", ship_to=HOME)
        assert made.status_code == 200, made.text
        assert made.json()["owed"]["amount"] == made.json()["due"]["amount"] == "0.00"
        (group,) = now(routed)["groups"]
        assert (group["method"], group["ship_to"]) == ("ship_home", HOME)
        assert "pickup_point" not in group or group["pickup_point"] is None
        assert exceptions(routed) == [("PICKUP_POINT_UNAVAILABLE", False)]
        assert asked(routed) == [("pickup_point", "canceled"), ("ship_home", "assigned")]
        assert routed.shop.shelf().allocated == 3

    def test_home_is_left_for_a_point_its_carrier_knows(
        self, routed: House, said: dict[str, str]
    ) -> None:
        routed.routed_order(an_order(lines=[a_line(quantity=2)], ship_to=HOME))
        said[LOCKER] = "full"
        for point_id, code in (("NOWHERE", "UNKNOWN_PICKUP_POINT"),
                               (LOCKER, "PICKUP_POINT_UNAVAILABLE")):  # fmt: skip
            point = {"provider": "sandbox", "point_id": point_id}
            assert change(routed, method="pickup_point", pickup_point=point).json()["code"] == code
        made = change(routed, method="pickup_point", pickup_point=AT_SHOP)
        assert made.status_code == 200, made.text
        assert (now(routed)["fulfillment_method"], kept(routed)["point_id"]) == (
            "pickup_point", SHOP,
        )  # fmt: skip
        told = now(routed)["events"][-1]
        assert (told["type"], told["data"]["method"], told["data"]["pickup_point_of_group"]) == (
            "order.changed", "pickup_point", 1,
        )  # fmt: skip
        assert asked(routed) == [("ship_home", "canceled"), ("pickup_point", "assigned")]
        (_, work) = now(routed)["fulfillments"]
        for action in ("accept", "start_pick", "pick"):
            work = act(routed, work, action).json()
        parcels = pack(routed, work, 2).json()["parcels"]
        assert parcels[0]["pickup_point"]["point_id"] == SHOP

    def test_a_store_is_left_for_a_point_and_a_point_for_a_store(self, routed: House) -> None:
        routed.shop.take(a_movement(5, location="AMS", ref="PO-AMS"))
        routed.routed_order(to_point())
        counter = {"method": "collect_store", "location_code": "AMS"}
        assert change(routed, **counter).status_code == 200
        assert routed.shop.shelf("AMS").allocated == 2
        assert change(routed, method="pickup_point", pickup_point=AT_SHOP).status_code == 200
        assert (routed.shop.shelf("AMS").allocated, kept(routed)["point_id"]) == (0, SHOP)

    def test_the_channels_newer_word_leaves_it_as_it_was_changed(self, routed: House) -> None:
        routed.routed_order(to_point())
        change(routed, method="ship_home", ship_to=HOME)
        assert routed.order(to_point(version=2, customer_name="Ada P.")).is_success
        assert now(routed)["groups"][0]["method"] == "ship_home"

    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            ({"method": "pickup_point"}, 422, "VALIDATION"),
            ({"method": "pickup_point", "pickup_point": AT_SHOP, "ship_to": HOME}, 409,
             "NOT_EDITABLE"),
            ({"method": "pickup_point", "pickup_point": AT_SHOP, "location_code": "AMS"}, 422,
             "VALIDATION"),
            ({"method": "ship_home", "pickup_point": AT_SHOP}, 409, "NOT_EDITABLE"),
            ({"pickup_point": AT_SHOP}, 409, "NOT_EDITABLE"),
        ],
    )  # fmt: skip
    def test_what_does_not_fit_together_is_refused_and_changes_nothing(
        self, routed: House, body: dict[str, Any], status: int, code: str
    ) -> None:
        routed.routed_order(an_order(lines=[a_line(quantity=2)], ship_to=HOME))
        before = now(routed)
        answer = change(routed, **body)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
        after = now(routed)
        assert (after["groups"], after["lines"]) == (before["groups"], before["lines"])

    def test_of_somebody_nobody_can_tell_it_goes_to_no_point(self, routed: House) -> None:
        routed.routed_order(an_order(lines=[a_line(quantity=2)], ship_to=HOME, customer_email=None))
        answer = change(routed, method="pickup_point", pickup_point=AT_SHOP)
        assert (answer.status_code, answer.json()["code"]) == (422, "VALIDATION")

    def test_what_is_picked_or_packed_goes_as_it_was_packed(self, routed: House) -> None:
        work = picked(routed)
        for _ in range(2):
            answer = change(routed, method="ship_home", ship_to=HOME)
            assert (answer.status_code, answer.json()["code"]) == (409, "NOT_EDITABLE")
            if work["state"] == "picked":
                work = pack(routed, work, 2).json()["fulfillment"]
        assert work["state"] == "packed"
        assert kept(routed)["point_id"] == LOCKER
        act(routed, work, "unpack")
        work = routed.get(f"/v1/fulfillments/{work['fulfillment_number']}").json()
        act(routed, work, "unpick")
        assert change(routed, method="ship_home", ship_to=HOME).status_code == 200
        assert {each["state"] for each in now(routed)["parcels"]} == {"voided"}

    def test_a_draft_is_looked_at_first(self, routed: House) -> None:
        routed.routed_order(to_point())
        order = now(routed)
        path = f"/v1/orders/{order['order_number']}/change-orders"
        body = {"reason": "asked", "method": "ship_home", "ship_to": HOME}
        made = routed.post(path, body, once="d", headers={"If-Match": str(order["version"])}).json()
        seen = routed.post(f"{path}/{made['change_no']}/preview", once="p")
        assert seen.status_code == 200, seen.text
        assert kept(routed)["point_id"] == LOCKER
        done = routed.post(
            f"{path}/{made['change_no']}/apply", once="a",
            headers={"If-Match": str(now(routed)["version"])},
        )  # fmt: skip
        assert done.status_code == 200, done.text
        assert now(routed)["groups"][0]["method"] == "ship_home"
