"""Pick-up points over HTTP: looked for, chosen, packed for, collected at, and closed meanwhile."""

import itertools
import random
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from oms.adapters.carriers.sandbox import KEPT_HOURS, POINT_TIMETABLES, fate_of, is_for_point
from oms.adapters.carriers.sandbox_points import SandboxPoints
from oms.workflows import parcels, points
from tests.api.conftest import House
from tests.api.test_fulfillments import act
from tests.api.test_parcels import DPD, pack, tell
from tests.api.wire import a_line, an_order
from tests.builders import NOW
from tests.conftest import Clock

LOCKER = "SB-NL-1012-1"
SHOP = "SB-NL-1012-2"
NEAR = "near=52.3731,4.8926"
_once = itertools.count(1)


@pytest.fixture
def said(house: House, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Let a test say how points of the sandbox carrier are."""
    finder = house.system.carriers["sandbox"].points
    assert isinstance(finder, SandboxPoints)
    found: dict[str, str] = {}
    monkeypatch.setattr(finder, "said", found)
    return found


def to_point(
    ref: str = "W-1", point_id: str = LOCKER, provider: str = "sandbox", **said: Any
) -> dict[str, Any]:
    point = {"provider": provider, "point_id": point_id, "name": "as the shop calls it"}
    group = {"method": "pickup_point", "line_refs": ["PEN"], "pickup_point": point}
    return an_order(ref, lines=[a_line(quantity=2)], groups=[group], **said)


def kept(house: House, number: str = "R100000001") -> Any:
    (group,) = house.get(f"/v1/orders/{number}").json()["groups"]
    return group["pickup_point"]


def picked(house: House, **said: Any) -> dict[str, Any]:
    (work,) = house.routed_order(to_point(**said))["fulfillments"]
    for action in ("accept", "start_pick", "pick"):
        work = act(house, work, action).json()
    return dict(work)


def sent(house: House, *quantities: int) -> list[str]:
    """Send an order to the locker; return the numbers of its parcels."""
    answer = pack(house, picked(house), *(quantities or (2,)))
    assert answer.status_code == 201, answer.text
    act(house, answer.json()["fulfillment"], "ship")
    return [each["tracking_number"] for each in answer.json()["parcels"]]


def state(house: House) -> str:
    return str(house.get("/v1/fulfillments/F500000001").json()["state"])


def change(house: House, **body: Any) -> httpx.Response:
    order = house.get("/v1/orders/R100000001").json()
    return house.post(
        "/v1/orders/R100000001/changes", {"reason": "asked", **body}, once=f"c-{next(_once)}",
        headers={"If-Match": str(order["version"])},
    )  # fmt: skip


def exceptions(house: House) -> list[tuple[str, bool]]:
    order = house.get("/v1/orders/R100000001").json()
    found = [(each["code"], each["resolved_at"] is None) for each in order["exceptions"]]
    assert order["has_exception"] == any(is_open for _, is_open in found)
    return found


def watch(house: House) -> None:
    points.watch(house.system.ledger, house.system.carriers)


class TestLooking:
    def found(self, house: House, query: str) -> list[str]:
        answer = house.get(f"/v1/pickup-points?{query}", "web")
        assert answer.status_code == 200, answer.text
        return [each["point_id"] for each in answer.json()["items"]]

    def test_near_a_place_the_nearest_come_first(self, house: House) -> None:
        answer = house.get(f"/v1/pickup-points?{NEAR}&carrier=sandbox", "web").json()
        assert [each["distance_km"] for each in answer["items"]] == [0.0, 0.7, 1.1, 1.9]
        first = answer["items"][0]
        assert (first["point_id"], first["status"], first["kind"]) == (LOCKER, "open", "locker")
        assert first["opening_hours"]["sun"] == [["00:00", "24:00"]]
        assert (first["weight_grams_max"], first["checks_age"]) == (15_000, False)

    @pytest.mark.parametrize(
        ("country", "postcode", "city"),
        [("NL", "3512 ab", "Utrecht"), ("GB", "LS2 8AA", "Leeds"), ("BE", "1000", "Bruxelles"),
         ("DE", "40999", "Düsseldorf")],
    )  # fmt: skip
    def test_near_a_postcode_the_most_alike_come(
        self, house: House, country: str, postcode: str, city: str
    ) -> None:
        query = f"country={country}&postcode={postcode}&limit=2"
        found = house.get(f"/v1/pickup-points?{query}").json()["items"]
        assert {each["city"] for each in found} == {city}
        assert len(found) == 2

    def test_of_nowhere_there_are_none(self, house: House) -> None:
        assert self.found(house, "near=-60,0") == []
        assert self.found(house, "country=US&postcode=10001") == []

    def test_is_read_on_page_by_page(self, house: House) -> None:
        seen: list[str] = []
        after = ""
        while after is not None:
            page = house.get(f"/v1/pickup-points?{NEAR}&radius_km=80&limit=3{after}").json()
            seen += [each["point_id"] for each in page["items"]]
            after = page["next_after"] and f"&after={page['next_after']}"
        assert len(seen) == len(set(seen)) == 16  # of four cities
        assert self.found(house, f"{NEAR}&after=9999") == []

    def test_only_such_as_take_it_are_named(self, house: House, said: dict[str, str]) -> None:
        said |= {LOCKER: "full", SHOP: "closed", "SB-NL-1012-3": "gone"}
        assert self.found(house, NEAR) == ["SB-NL-1012-4"]
        assert self.found(house, f"{NEAR}&only_open=false") == [LOCKER, SHOP, "SB-NL-1012-4"]
        assert self.found(house, f"{NEAR}&weight_grams=16000") == []

    def test_of_a_carrier_that_is_away_or_has_none_it_is_said(
        self, house: House, said: dict[str, str]
    ) -> None:
        none = house.get(f"/v1/pickup-points?{NEAR}&carrier=dpd")
        assert (none.status_code, none.json()["code"]) == (422, "NO_PICKUP_POINTS")
        said["*"] = "away"
        for query in (NEAR, f"{NEAR}&carrier=sandbox"):
            away = house.get(f"/v1/pickup-points?{query}")
            assert (away.status_code, away.json()["code"]) == (503, "CARRIER_AWAY")
            assert away.headers["retry-after"]

    @pytest.mark.parametrize(
        "query",
        ["", "postcode=1011AB", "country=NL", "near=x", "near=91,0", f"{NEAR}&limit=51",
         f"{NEAR}&after=-1", f"{NEAR}&radius_km=0", f"{NEAR}&weight_grams=-1", "near=nan,1"],
    )  # fmt: skip
    def test_what_cannot_be_asked_is_refused(self, house: House, query: str) -> None:
        assert house.get(f"/v1/pickup-points?{query}").status_code == 422


class TestChoosing:
    def test_an_order_keeps_the_point_as_its_carrier_has_it(self, stocked: House) -> None:
        assert stocked.order(to_point()).status_code == 201
        point = kept(stocked)
        assert (point["provider"], point["point_id"]) == ("sandbox", LOCKER)
        assert point["name"] == "Parcel locker Amsterdam station"
        assert (point["latitude"], point["time_zone"]) == (52.3731, "Europe/Amsterdam")
        assert point["checked_at"] == "2026-01-05T12:00:00+00:00"

    def test_what_is_no_point_is_refused_at_its_field(self, stocked: House) -> None:
        answer = stocked.order(to_point(point_id="NOWHERE"))
        assert (answer.status_code, answer.json()["code"]) == (422, "UNKNOWN_PICKUP_POINT")
        assert answer.json()["errors"][0]["pointer"] == "/groups/0/pickup_point/point_id"
        assert stocked.count("orders") == 0

    @pytest.mark.parametrize("status", ["full", "closed"])
    def test_one_that_takes_nothing_is_refused_with_the_nearest_others(
        self, stocked: House, said: dict[str, str], status: str
    ) -> None:
        said[LOCKER] = status
        answer = stocked.order(to_point())
        refused = answer.json()
        assert (answer.status_code, refused["code"]) == (409, "PICKUP_POINT_UNAVAILABLE")
        assert refused["point_status"] == status
        assert [each["point_id"] for each in refused["alternatives"]] == [
            SHOP, "SB-NL-1012-3", "SB-NL-1012-4",
        ]  # fmt: skip
        assert stocked.count("orders") == 0

    def test_somebody_must_be_told_when_it_lies_there(self, stocked: House) -> None:
        answer = stocked.order(to_point(customer_email=None))
        assert answer.json()["errors"][0]["pointer"] == "/customer_phone"
        assert stocked.order(to_point(customer_email=None, customer_phone="+31 6 1")).is_success

    def test_that_it_goes_to_some_point_is_not_enough(self, stocked: House) -> None:
        answer = stocked.order(an_order(fulfillment_method="pickup_point"))
        assert [each["pointer"] for each in answer.json()["errors"]] == ["/groups"]

    def test_a_carrier_that_is_away_costs_no_order(
        self, stocked: House, said: dict[str, str]
    ) -> None:
        said["*"] = "away"
        assert stocked.order(to_point()).status_code == 201
        assert kept(stocked) == {
            "provider": "sandbox", "point_id": LOCKER, "name": "as the shop calls it",
        }  # fmt: skip
        watch(stocked)
        assert "checked_at" not in kept(stocked)
        del said["*"]
        watch(stocked)
        assert kept(stocked)["name"] == "Parcel locker Amsterdam station"

    def test_the_point_of_a_carrier_nobody_can_ask_stays_as_it_is_told(
        self, stocked: House
    ) -> None:
        assert stocked.order(to_point(provider="pigeon", point_id="7")).status_code == 201
        watch(stocked)
        assert kept(stocked) == {
            "provider": "pigeon", "point_id": "7", "name": "as the shop calls it",
        }  # fmt: skip

    def test_what_came_before_is_not_asked_again(
        self, stocked: House, said: dict[str, str]
    ) -> None:
        """Else a point that closes would refuse every later word on its orders."""
        stocked.order(to_point())
        said[LOCKER] = "closed"
        assert stocked.order(to_point()).json()["outcome"] == "duplicate"
        newer = stocked.order(to_point(version=2, customer_name="Ada P."))
        assert newer.json()["outcome"] == "updated"
        assert kept(stocked)["name"] == "Parcel locker Amsterdam station"


class TestPacking:
    def test_a_parcel_is_addressed_to_the_point(self, routed: House) -> None:
        answer = pack(routed, picked(routed), 1, 1)
        (first, second) = answer.json()["parcels"]
        assert first["pickup_point"] == second["pickup_point"] == kept(routed)
        assert is_for_point(first["tracking_number"])
        assert first["cost"] == {"amount": "3.95", "currency": "EUR"}
        slip = routed.get("/v1/fulfillments/F500000001/packing-slip")
        assert slip.status_code == 200

    def test_only_its_own_carrier_brings_it_there(self, routed: House) -> None:
        answer = pack(routed, picked(routed), 2, carrier="dpd", tracking_number=DPD)
        assert (answer.status_code, answer.json()["code"]) == (422, "LABEL_REFUSED")
        assert answer.json()["carrier"] == "sandbox"

    @pytest.mark.parametrize("size", [{"weight_grams": 15_001}, {"height_mm": 601}])
    def test_what_is_too_much_for_the_point_gets_no_label(
        self, routed: House, size: dict[str, int]
    ) -> None:
        answer = pack(routed, picked(routed), 2, **size)
        assert (answer.status_code, answer.json()["code"]) == (422, "LABEL_REFUSED")
        assert routed.count("parcels") == 0

    def test_a_point_that_closed_gets_none_until_another_is_chosen(
        self, routed: House, said: dict[str, str]
    ) -> None:
        work = picked(routed)
        said[LOCKER] = "closed"
        answer = pack(routed, work, 2)
        assert (answer.status_code, answer.json()["code"]) == (409, "PICKUP_POINT_UNAVAILABLE")
        assert exceptions(routed) == [("PICKUP_POINT_UNAVAILABLE", True)]
        assert routed.shop.story("W-1")[-1] == "order.pickup_point_unavailable"
        refused = change(routed, pickup_point={"provider": "sandbox", "point_id": SHOP})
        assert refused.json()["code"] == "NOT_EDITABLE"  # it lies picked in somebody's hands
        work = act(routed, work, "unpick").json()
        again = change(routed, pickup_point={"provider": "sandbox", "point_id": LOCKER})
        assert again.json()["code"] == "NOTHING_CHANGES"
        chosen = change(routed, pickup_point={"provider": "sandbox", "point_id": SHOP})
        assert chosen.status_code == 200, chosen.text
        assert exceptions(routed) == [("PICKUP_POINT_UNAVAILABLE", False)]
        for action in ("start_pick", "pick"):
            work = act(routed, work, action).json()
        made = pack(routed, work, 2)
        assert made.json()["parcels"][0]["pickup_point"]["point_id"] == SHOP

    def test_a_carrier_that_is_away_makes_no_label_and_nobody_is_called(
        self, routed: House, said: dict[str, str]
    ) -> None:
        work = picked(routed)
        said["*"] = "away"
        assert pack(routed, work, 2).status_code == 503
        assert exceptions(routed) == []
        del said["*"]
        assert pack(routed, work, 2).status_code == 201


class TestClosing:
    """A point closes while an order waits: a person is shown it, and its channel is told."""

    def test_is_shown_and_told_once_and_is_over_when_it_opens(
        self, stocked: House, said: dict[str, str]
    ) -> None:
        stocked.order(to_point())
        watch(stocked)
        assert exceptions(stocked) == []
        said[LOCKER] = "full"
        watch(stocked)
        watch(stocked)
        order = stocked.get("/v1/orders/R100000001").json()
        (group,) = order["exceptions"][0]["detail"]["groups"]
        assert (group["point_id"], group["point_status"]) == (LOCKER, "full")
        assert group["alternatives"][0]["point_id"] == SHOP
        (matter,) = stocked.get("/v1/attention").json()["items"]
        assert (matter["code"], matter["place"]) == ("ORDER_EXCEPTION", "PICKUP_POINT_UNAVAILABLE")
        said["*"] = "away"
        watch(stocked)
        assert exceptions(stocked) == [("PICKUP_POINT_UNAVAILABLE", True)]
        said.clear()
        watch(stocked)
        assert exceptions(stocked) == [("PICKUP_POINT_UNAVAILABLE", False)]
        assert stocked.shop.story("W-1")[-2:] == [
            "order.pickup_point_unavailable", "order.pickup_point_available",
        ]  # fmt: skip
        said["*"] = "away"
        watch(stocked)
        assert exceptions(stocked) == [("PICKUP_POINT_UNAVAILABLE", False)]
        del said["*"]
        said[LOCKER] = "gone"
        watch(stocked)
        assert exceptions(stocked) == [("PICKUP_POINT_UNAVAILABLE", True)]

    def test_is_over_when_nothing_goes_there_any_more(
        self, stocked: House, said: dict[str, str]
    ) -> None:
        stocked.order(to_point())
        said[LOCKER] = "closed"
        watch(stocked)
        assert exceptions(stocked) == [("PICKUP_POINT_UNAVAILABLE", True)]
        order = stocked.get("/v1/orders/R100000001").json()
        stocked.post(
            "/v1/orders/R100000001/cancel", {"reason": "customer"}, once="c",
            headers={"If-Match": str(order["version"])},
        )  # fmt: skip
        watch(stocked)
        assert exceptions(stocked) == [("PICKUP_POINT_UNAVAILABLE", False)]

    def test_of_what_has_left_the_carrier_will_tell(
        self, routed: House, said: dict[str, str]
    ) -> None:
        sent(routed)
        said[LOCKER] = "closed"
        watch(routed)
        assert exceptions(routed) == []

    def test_many_orders_are_all_looked_at(
        self, stocked: House, said: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(points, "GROUPS_AT_ONCE_MAX", 2)
        for n in range(5):
            stocked.order(to_point(f"W-{n}"))
        said[LOCKER] = "closed"
        watch(stocked)
        assert stocked.shop.value("select count(*) from orders where has_exception") == 5

    @pytest.mark.parametrize(
        ("point", "code"),
        [({"provider": "sandbox", "point_id": "NOWHERE"}, "UNKNOWN_PICKUP_POINT"),
         ({"provider": "dpd", "point_id": "7"}, "NO_PICKUP_POINTS"),
         ({"provider": "sandbox", "point_id": SHOP}, "PICKUP_POINT_UNAVAILABLE")],
    )  # fmt: skip
    def test_only_a_point_that_takes_it_can_be_chosen_instead(
        self, stocked: House, said: dict[str, str], point: dict[str, str], code: str
    ) -> None:
        stocked.order(to_point())
        said[SHOP] = "full"
        assert change(stocked, pickup_point=point).json()["code"] == code
        assert kept(stocked)["point_id"] == LOCKER

    def test_what_goes_home_goes_to_no_point(self, stocked: House) -> None:
        stocked.order(an_order())
        answer = change(stocked, pickup_point={"provider": "sandbox", "point_id": SHOP})
        assert answer.json()["code"] == "NOT_EDITABLE"


class TestLying:
    def test_is_collected_when_all_of_it_is(self, routed: House) -> None:
        first, second = sent(routed, 1, 1)
        tell(routed, "sandbox", (first, 1, "ready_for_pickup"))
        assert state(routed) == "shipped"
        tell(routed, "sandbox", (first, 2, "collected"), (second, 2, "ready_for_pickup"))
        assert state(routed) == "at_pickup_point"
        tell(routed, "sandbox", (second, 3, "collected"))
        assert state(routed) == "delivered"
        assert routed.get("/v1/orders/R100000001").json()["order_state"] == "completed"

    def test_a_scan_that_was_left_out_is_not_missed(self, routed: House) -> None:
        (number,) = sent(routed)
        tell(routed, "sandbox", (number, 1, "in_transit"), (number, 9, "expired"))
        assert state(routed) == "delivery_failed"

    @pytest.mark.parametrize("ending", ["expired", "delivery_failed"])
    def test_what_nobody_takes_goes_back(self, routed: House, ending: str) -> None:
        (number,) = sent(routed)
        tell(routed, "sandbox", (number, 1, "ready_for_pickup"))
        assert tell(routed, "sandbox", (number, 9, ending)) == [("recorded", ending)]
        assert state(routed) == "delivery_failed"
        assert tell(routed, "sandbox", (number, 20, "returned_to_sender")) == [
            ("recorded", "returned_to_sender")
        ]
        assert state(routed) == "returned_to_sender"

    def test_what_was_lost_and_goes_on_is_underway_again(self, routed: House) -> None:
        """Both are told at once, of work that lies at a point: it goes back a state."""
        (number,) = sent(routed)
        tell(routed, "sandbox", (number, 1, "ready_for_pickup"))
        tell(routed, "sandbox", (number, 2, "lost"), (number, 3, "in_transit"))
        assert state(routed) == "shipped"
        tell(routed, "sandbox", (number, 4, "ready_for_pickup"))
        assert state(routed) == "at_pickup_point"

    @pytest.mark.parametrize(
        ("last", "parcel", "work"),
        [("collected", "collected", "delivered"), ("expired", "expired", "delivery_failed")],
    )
    def test_in_any_order_and_again_is_the_same(
        self, routed: House, last: str, parcel: str, work: str
    ) -> None:
        (number,) = sent(routed)
        told = [
            (number, 1, "in_transit"), (number, 5, "ready_for_pickup"), (number, 6, "in_transit"),
            (number, 9, last), (number, 9, "ready_for_pickup"), (number, 12, "XK-1"),
        ]  # fmt: skip
        dice = random.Random(3)
        batch = [*told, *told]
        dice.shuffle(batch)
        for scan in batch:
            tell(routed, "sandbox", scan)
        now = routed.get("/v1/parcels/P700000001").json()
        assert (now["state"], state(routed)) == (parcel, work)
        assert len(now["events"]) == len(told) + 1
        story = routed.shop.story("W-1")
        assert story.count(f"fulfillment.{work}") == 1

    def test_its_customer_sees_where_and_until_when(self, routed: House) -> None:
        (number,) = sent(routed)
        event = {
            "tracking_number": number, "status": "ready_for_pickup",
            "occurred_at": "2026-01-06T09:00:00Z", "collect_by": "2026-01-13T20:00:00Z",
        }  # fmt: skip
        routed.post("/v1/carriers/sandbox/events", {"events": [event]}, "carrier")
        later = event | {"occurred_at": "2026-01-07T09:00:00Z", "status": "note",
                         "collect_by": "2026-01-15T20:00:00Z"}  # fmt: skip
        routed.post("/v1/carriers/sandbox/events", {"events": [later]}, "carrier")
        routed.post("/v1/carriers/sandbox/events", {"events": [event]}, "carrier")
        tell(routed, "sandbox", (number, 80, "says nothing of it"))
        query = {"number": "W-1", "email": "ada@example.org"}
        (found,) = routed.client.get("/v1/tracking", params=query).json()["parcels"]
        assert (found["state"], found["collect_by"]) == ("ready_for_pickup", later["collect_by"])
        assert found["pickup_point"] == {
            "name": "Parcel locker Amsterdam station", "street": "Station square 1",
            "postcode": "1012 JS", "city": "Amsterdam", "country_code": "NL",
            "opening_hours": kept(routed)["opening_hours"],
        }  # fmt: skip

    def test_the_sandbox_brings_it_there_by_its_timetable(
        self, routed: House, clock: Clock
    ) -> None:
        (number,) = sent(routed)
        hour = timedelta(seconds=routed.system.settings.sandbox_carrier_hour_seconds)
        ended = POINT_TIMETABLES[fate_of(number)][-1][1]
        ends = {"COLLECTED": "delivered", "RETURNED_TO_SENDER": "returned_to_sender"}
        last = ends.get(ended, "delivery_failed")
        for hours, expected in ((21, "at_pickup_point"), (400, last)):
            clock.at = NOW + hours * hour
            parcels.ask(routed.system.ledger, routed.system.carriers)
            assert state(routed) == expected
        found = routed.get("/v1/parcels/P700000001").json()
        assert datetime.fromisoformat(found["collect_by"]) == NOW + (20 + KEPT_HOURS) * hour


class TestPromise:
    def ask(self, house: House, **said: Any) -> Any:
        body = {"channel_code": "web", "lines": [{"sku": "PEN", "quantity": 2}],
                "destination": {"country_code": "NL", "postcode": "1012 AB"}, **said}  # fmt: skip
        answer = house.post("/v1/availability:promise", body, "web")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def test_offers_the_nearest_points_with_day_and_cost(self, stocked: House) -> None:
        with stocked.system.ledger.transaction() as tx:
            tx.exec_driver_sql(
                "update locations set cut_off = '17:00', transit_days = 6, node_cost_minor = 350"
                " where location_code = 'DC'"
            )
        options = [each for each in self.ask(stocked, points=2)["options"]
                   if each["method"] == "pickup_point"]  # fmt: skip
        assert [each["pickup_point"]["point_id"] for each in options] == [LOCKER, SHOP]
        assert [each["promised_on"] for each in options] == ["2026-01-13", "2026-01-13"]
        assert options[0]["cost"] == {"amount": "3.50", "currency": "EUR"}
        assert options[0]["shipments"][0]["location_code"] == "DC"

    def test_offers_none_of_what_cannot_be_sent_nor_where_nobody_asks(self, stocked: House) -> None:
        def methods(**said: Any) -> set[str]:
            return {each["method"] for each in self.ask(stocked, **said)["options"]}

        assert "pickup_point" in methods()
        assert "pickup_point" not in methods(lines=[{"sku": "PEN", "quantity": 11}])
        assert "pickup_point" not in methods(points=0)
        assert "pickup_point" not in methods(destination={"country_code": "NL"})

    def test_says_whose_points_could_not_be_asked(
        self, stocked: House, said: dict[str, str]
    ) -> None:
        assert self.ask(stocked)["away"] == []
        said["*"] = "away"
        found = self.ask(stocked)
        assert found["away"] == ["sandbox"]
        assert [each["method"] for each in found["options"]] == ["ship_home"]
