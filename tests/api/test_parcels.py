"""Parcels over HTTP: packed, followed whatever the order of what is told, and seen by whom."""

import itertools
import random
from datetime import timedelta
from typing import Any

import httpx
import pytest

from oms.adapters.carriers.sandbox import TIMETABLES, SandboxCarrier, fate_of
from oms.shipments.model import Size
from oms.shipments.port import LabelRequest
from oms.workflows import parcels
from tests.api.conftest import House
from tests.api.test_fulfillments import act
from tests.api.wire import a_line, an_order
from tests.builders import NOW
from tests.conftest import Clock

DPD = "05222456789012"
_once = itertools.count(1)


def picked(house: House, quantity: int = 2, ref: str = "W-1") -> dict[str, Any]:
    (work,) = house.routed_order(an_order(ref, lines=[a_line(quantity=quantity)]))["fulfillments"]
    for action in ("accept", "start_pick", "pick"):
        work = act(house, work, action).json()
    return dict(work)


def pack(
    house: House, work: dict[str, Any], *quantities: int, carrier: str = "sandbox",
    key: str = "store", **fields: Any,
) -> httpx.Response:  # fmt: skip
    body = {
        "carrier": carrier,
        "parcels": [{"lines": [{"line_no": 1, "quantity": n}], **fields} for n in quantities],
    }
    return house.post(
        f"/v1/fulfillments/{work['fulfillment_number']}/parcels", body, key,
        once=f"p-{next(_once)}", headers={"If-Match": str(work["version"])},
    )  # fmt: skip


def tell(house: House, carrier: str, *scans: tuple[str, int, str], key: str = "carrier") -> Any:
    """Tell of parcels: the number, how many hours on, the code."""
    events = [
        {"tracking_number": number, "status": status,
         "occurred_at": (NOW + timedelta(hours=hours)).isoformat()}
        for number, hours, status in scans
    ]  # fmt: skip
    answer = house.post(f"/v1/carriers/{carrier}/events", {"events": events}, key)
    assert answer.status_code == 200, answer.text
    return [(each["outcome"], each["state"]) for each in answer.json()["outcomes"]]


def shipped(house: House, *quantities: int, ref: str = "W-1") -> list[dict[str, Any]]:
    """Ship an order in parcels of these quantities, and return them."""
    answer = pack(house, picked(house, sum(quantities), ref), *quantities)
    assert answer.status_code == 201, answer.text
    act(house, answer.json()["fulfillment"], "ship")
    return list(answer.json()["parcels"])


def state(house: House) -> str:
    return str(house.get("/v1/fulfillments/F500000001").json()["state"])


class TestPacking:
    def test_into_parcels_with_labels_until_all_is_in_some(self, routed: House) -> None:
        first = pack(routed, picked(routed, 3), 1, weight_grams=1200)
        assert first.status_code == 201, first.text
        assert first.json()["fulfillment"]["state"] == "picked"
        second = pack(routed, first.json()["fulfillment"], 2)
        assert second.json()["fulfillment"]["state"] == "packed"
        order = routed.get("/v1/orders/R100000001").json()
        assert [
            (each["parcel_number"], each["state"], each["cost"], each["lines"][0]["quantity"])
            for each in order["parcels"]
        ] == [
            ("P700000001", "label_created", {"amount": "5.45", "currency": "EUR"}, 1),
            ("P700000002", "label_created", {"amount": "4.95", "currency": "EUR"}, 2),
        ]  # fmt: skip
        assert routed.get("/v1/parcels/p700000002").json() == order["parcels"][1]

    def test_more_than_was_picked_is_refused_and_nothing_made(self, routed: House) -> None:
        answer = pack(routed, picked(routed, 2), 1, 2)
        assert (answer.status_code, answer.json()["code"]) == (422, "QTY_NOT_OPEN")
        assert answer.json()["max"] == 1
        assert routed.count("parcels") == 0

    def test_what_is_not_picked_cannot_be_packed(self, routed: House) -> None:
        (work,) = routed.routed_order(an_order())["fulfillments"]
        answer = pack(routed, work, 1)
        assert (answer.status_code, answer.json()["code"]) == (409, "WRONG_STATE")

    @pytest.mark.parametrize(
        ("carrier", "number", "code"),
        [("pigeon", DPD, "UNKNOWN_CARRIER"), ("dpd", "123", "INVALID_TRACKING_NUMBER"),
         ("dpd", None, "LABEL_REFUSED")],
    )  # fmt: skip
    def test_a_carrier_that_cannot_is_refused(
        self, routed: House, carrier: str, number: str | None, code: str
    ) -> None:
        answer = pack(routed, picked(routed), 2, carrier=carrier, tracking_number=number)
        assert (answer.status_code, answer.json()["code"]) == (422, code)

    def test_a_number_is_one_parcel_s_until_that_is_voided(self, routed: House) -> None:
        work = picked(routed, 2)
        made = pack(routed, work, 1, carrier="dpd", tracking_number=DPD).json()
        again = pack(routed, work, 1, carrier="dpd", tracking_number=DPD)
        assert (again.status_code, again.json()["code"]) == (409, "TRACKING_IN_USE")
        path = f"/v1/parcels/{made['parcels'][0]['parcel_number']}/void"
        assert routed.post(path, key="store", once="v").json()["state"] == "voided"
        assert routed.post(path, key="store", once="w").json()["code"] == "NOT_VOIDABLE"
        assert pack(routed, work, 2, carrier="dpd", tracking_number=DPD).status_code == 201

    def test_unpacking_voids_the_labels(self, routed: House) -> None:
        packed = pack(routed, picked(routed), 2).json()["fulfillment"]
        unpacked = act(routed, packed, "unpack").json()
        assert routed.get("/v1/parcels/P700000001").json()["state"] == "voided"
        assert pack(routed, unpacked, 2).json()["fulfillment"]["state"] == "packed"


class TestShipping:
    def test_hands_over_what_was_packed(self, routed: House) -> None:
        shipped(routed, 1, 1)
        found = routed.get("/v1/parcels").json()["items"]
        assert {each["state"] for each in found} == {"handed_over"}
        refused = routed.post("/v1/parcels/P700000001/void", key="store", once="v")
        assert (refused.status_code, refused.json()["state"]) == (409, "handed_over")

    def test_with_a_number_only_makes_one_parcel_of_all(self, routed: House) -> None:
        work = act(routed, picked(routed, 3), "pack").json()
        act(routed, work, "ship", carrier="sandbox", tracking_number="T-1")
        (parcel,) = routed.get("/v1/parcels").json()["items"]
        assert (parcel["tracking_number"], parcel["state"]) == ("T-1", "handed_over")
        assert parcel["lines"][0]["quantity"] == 3
        assert tell(routed, "sandbox", ("T-1", 2, "delivered")) == [("recorded", "delivered")]
        assert state(routed) == "delivered"


class TestTelling:
    def test_moves_the_order_on_when_all_have_arrived(self, routed: House) -> None:
        first, second = (each["tracking_number"] for each in shipped(routed, 1, 1))
        tell(routed, "sandbox", (first, 1, "delivered"))
        assert state(routed) == "shipped"
        tell(routed, "sandbox", (second, 1, "delivery_failed"))
        assert state(routed) == "delivery_failed"
        tell(routed, "sandbox", (second, 2, "out_for_delivery"))
        assert state(routed) == "shipped"
        tell(routed, "sandbox", (second, 3, "DELIVERED"))
        assert state(routed) == "delivered"
        story = routed.shop.story("W-1")
        assert story[-3:] == ["fulfillment.shipped", "parcel.delivered", "fulfillment.delivered"]
        assert story.count("parcel.label_created") == 2

    def test_what_comes_back_is_returned_to_its_sender(self, routed: House) -> None:
        first, second = (each["tracking_number"] for each in shipped(routed, 1, 1))
        tell(routed, "sandbox", (first, 1, "returned_to_sender"))
        assert state(routed) == "delivery_failed"
        tell(routed, "sandbox", (second, 1, "returned_to_sender"))
        assert state(routed) == "returned_to_sender"
        (work,) = routed.get("/v1/fulfillments?state=returned_to_sender").json()["items"]
        assert work["allowed_actions"] == ["take_back"]
        over = [{"line_no": 1, "restocked": 2, "held": 1}]
        refused = act(routed, work, "take_back", came_back=over)
        assert (refused.status_code, refused.json()["code"]) == (422, "QTY_NOT_OPEN")
        came = [{"line_no": 1, "restocked": 1, "held": 1}]
        assert act(routed, work, "take_back", came_back=came).json()["state"] == "taken_back"
        assert routed.shop.states() == ("completed", "returned")

    def test_the_same_in_any_order_and_again_is_the_same(self, routed: House) -> None:
        """Guards the fold: shuffled, repeated, cut into batches, the parcel ends alike."""
        (parcel,) = shipped(routed, 1)
        number = parcel["tracking_number"]
        told = [
            (number, 1, "in_transit"), (number, 2, "out_for_delivery"),
            (number, 3, "delivery_failed"), (number, 4, "XK-77"), (number, 5, "out_for_delivery"),
            (number, 6, "delivered"), (number, 6, "in_transit"), (number, 9, "in_transit"),
        ]  # fmt: skip
        dice = random.Random(7)
        for _ in range(6):
            with routed.system.ledger.transaction() as tx:
                tx.exec_driver_sql("delete from tracking_events where event_ref <> '*handed_over'")
            batch = [*told, *told[:3]]
            dice.shuffle(batch)
            cut = dice.randrange(1, len(batch))
            outcomes = [
                outcome
                for part in (batch[:cut], batch[cut:])
                for outcome, _ in tell(routed, "sandbox", *part)
            ]
            assert outcomes.count("recorded") == len(told)
            now = routed.get("/v1/parcels/P700000001").json()
            assert (now["state"], now["status"]) == ("delivered", "in_transit")
            assert len(now["events"]) == len(told) + 1
        assert state(routed) == "delivered"

    def test_a_late_scan_never_moves_a_parcel_back(self, routed: House) -> None:
        (parcel,) = shipped(routed, 1)
        number = parcel["tracking_number"]
        tell(routed, "sandbox", (number, 9, "delivered"))
        assert tell(routed, "sandbox", (number, 5, "in_transit")) == [("recorded", "delivered")]
        assert tell(routed, "sandbox", (number, 12, "out_for_delivery")) == [
            ("recorded", "delivered")
        ]
        assert tell(routed, "sandbox", (number, 20, "returned_to_sender")) == [
            ("recorded", "returned_to_sender")
        ]

    def test_an_unknown_code_is_kept_and_moves_nothing(self, routed: House) -> None:
        (parcel,) = shipped(routed, 1)
        assert tell(routed, "sandbox", (parcel["tracking_number"], 1, "XK-77")) == [
            ("recorded", "handed_over")
        ]
        now = routed.get("/v1/parcels/P700000001").json()
        assert (now["status"], now["events"][-1]["state"]) == ("XK-77", None)
        assert routed.shop.story("W-1")[-1] == "parcel.scanned"

    def test_of_a_number_nobody_has_says_so_beside_the_others(self, routed: House) -> None:
        (parcel,) = shipped(routed, 1)
        number = parcel["tracking_number"]
        assert tell(routed, "sandbox", ("SB1", 1, "lost"), (number, 1, "lost")) == [
            ("unknown_parcel", None), ("recorded", "lost"),
        ]  # fmt: skip
        assert tell(routed, "dpd", (number, 1, "lost")) == [("unknown_parcel", None)]
        told = {"tracking_number": "1", "status": "x", "occurred_at": "2026-01-05T12:00:00Z"}
        answer = routed.post("/v1/carriers/pigeon/events", {"events": [told]})
        assert (answer.status_code, answer.json()["code"]) == (422, "UNKNOWN_CARRIER")


class TestSilence:
    def test_lists_what_is_underway_and_was_not_told_of(self, routed: House, clock: Clock) -> None:
        first, second = (each["tracking_number"] for each in shipped(routed, 1, 1))
        tell(routed, "sandbox", (first, 30, "in_transit"), (second, 1, "delivered"))
        clock.forward(days=3)
        for days, count in ((1, 1), (2, 0)):
            path = f"/v1/parcels?is_silent_days={days}"
            assert len(routed.get(path, "store").json()["items"]) == count

    def test_finds_one_by_its_tracking_number_and_some_by_their_state(self, routed: House) -> None:
        made = [each["tracking_number"] for each in shipped(routed, 1, 1, 1)]
        tell(routed, "sandbox", (made[1], 1, "delivered"))

        def found(query: str, key: str = "admin") -> list[str]:
            answer = routed.get(f"/v1/parcels?{query}", key).json()
            return [each["tracking_number"] for each in answer["items"]]

        assert found(f"tracking_number={made[2]}") == made[2:]
        assert found("state=delivered") == [made[1]]
        first = routed.get("/v1/parcels?newest_first=true&limit=2").json()
        assert [each["tracking_number"] for each in first["items"]] == made[:0:-1]
        assert found(f"newest_first=true&after={first['next_after']}") == made[:1]


class TestSeeing:
    def test_a_customer_sees_parcels_and_no_person(self, routed: House) -> None:
        (parcel,) = shipped(routed, 1)
        query = {"number": "W-1", "email": "ada@example.org"}
        found = routed.client.get("/v1/tracking", params=query).json()["parcels"]
        assert found == [
            {"carrier": "sandbox", "tracking_number": parcel["tracking_number"],
             "tracking_url": parcel["tracking_url"], "state": "handed_over", "eta_at": None,
             "pickup_point": None, "collect_by": None, "updated_at": "2026-01-05T12:00:00Z"},
        ]  # fmt: skip

    def test_a_channel_knows_its_own_only(self, routed: House) -> None:
        (parcel,) = shipped(routed, 1)
        with routed.system.ledger.transaction() as tx:
            tx.exec_driver_sql(
                "update orders set channel_id = (select channel_id from channels"
                " where channel_code = 'market')"
            )
        assert routed.get("/v1/parcels/P700000001", "web admin").status_code == 404
        assert routed.get("/v1/parcels", "web admin").json()["items"] == []
        told = tell(routed, "sandbox", (parcel["tracking_number"], 1, "lost"), key="web admin")
        assert told == [("unknown_parcel", None)]


class TestSandbox:
    def test_moves_its_parcels_along_a_timetable(self, routed: House, clock: Clock) -> None:
        (parcel,) = shipped(routed, 1)
        carriers = routed.system.carriers
        seen = []
        for _ in range(14):
            parcels.ask(routed.system.ledger, carriers)
            seen.append(routed.get("/v1/parcels/P700000001").json()["state"])
            clock.forward(minutes=4)  # four hours of its own
        timetable = [status.lower() for _, status in TIMETABLES[fate_of(parcel["tracking_number"])]]
        assert [each for each, _ in itertools.groupby(seen)] == ["handed_over", *timetable]

    def test_every_fate_is_somebody_s_and_a_ref_s_label_always_the_same(self) -> None:
        carrier = SandboxCarrier()
        numbers = [
            carrier.label(LabelRequest(ref=f"F{n}-1", service=None, size=Size())).tracking_number
            for n in range(2000)
        ]
        assert {fate_of(number) for number in numbers} == set(TIMETABLES)
        assert (
            numbers[7]
            == carrier.label(LabelRequest(ref="F7-1", service=None, size=Size())).tracking_number
        )
