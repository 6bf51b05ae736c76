"""Why a stock number is what it is: sums that come to it, and names for whoever may know them."""

import itertools

from tests.api.conftest import House
from tests.api.wire import a_count, a_line, a_movement, an_order

_once = itertools.count(1)


class TestMovements:
    def test_come_to_what_is_on_hand(self, stocked: House) -> None:
        stocked.post("/v1/stock/movements", {"movements": [a_movement("m-9", 4)]})
        stocked.post("/v1/stock/counts", {"counts": [a_count(counted=12)]})
        (level,) = stocked.get("/v1/stock/PEN").json()["levels"]
        answer = stocked.get("/v1/stock/movements?sku=PEN").json()
        assert sum(each["on_hand"] for each in answer["sums"]) == level["on_hand"]
        assert sum(each["on_hand_delta"] for each in answer["items"]) == level["on_hand"]
        newest, *_, oldest = answer["items"]
        assert (newest["kind"], newest["on_hand_after"]) == ("count_adjust", level["on_hand"])
        assert oldest["on_hand_after"] == oldest["on_hand_delta"]
        assert (newest["cause_type"], newest["cause"]) == ("count", "c-1")

    def test_are_read_page_by_page_and_by_kind(self, stocked: House) -> None:
        moves = [a_movement(f"p-{at}", at + 1) for at in range(4)]
        stocked.post("/v1/stock/movements", {"movements": moves})
        stocked.post("/v1/stock/counts", {"counts": [a_count(counted=2)]})
        path = "/v1/stock/movements?sku=PEN&kind=receipt&limit=2"
        whole = stocked.get("/v1/stock/movements?sku=PEN&kind=receipt").json()["items"]
        read, after = [], ""
        while after is not None:
            page = stocked.get(f"{path}&after={after}" if after else path).json()
            read += page["items"]
            after = page["next_after"]
        assert read == whole
        assert {each["kind"] for each in read} == {"receipt"}
        assert stocked.get("/v1/stock/movements?sku=PEN&location=AMS").json()["items"] == []

    def test_name_orders_to_whoever_may_know_of_them(self, routed: House) -> None:
        order = routed.routed_order(an_order())
        (work,) = order["fulfillments"]
        for action in ("accept", "start_pick", "pick", "pack", "ship"):
            headers = {"If-Match": f'"{work["version"]}"'}
            path = f"/v1/fulfillments/{work['fulfillment_number']}/actions"
            once = f"why-{next(_once)}"
            work = routed.post(path, {"action": action}, once=once, headers=headers).json()
        named = {}
        for key in ("admin", "web", "market", "DC", "analyst"):
            newest = routed.get("/v1/stock/movements?sku=PEN", key).json()["items"][0]
            assert (newest["kind"], newest["on_hand_delta"]) == ("ship", -1), key
            named[key] = newest["order_number"]
        number = order["order_number"]
        assert named == {
            "admin": number, "web": number, "market": None, "DC": number, "analyst": None,
        }  # fmt: skip

    def test_of_what_nobody_knows_are_none(self, house: House) -> None:
        for what in ("movements", "reservations", "feeds"):
            answer = house.get(f"/v1/stock/{what}?sku=NIB")
            assert (answer.status_code, answer.json()["code"]) == (404, "UNKNOWN_SKU")
            assert house.get(f"/v1/stock/{what}").status_code == 422
        assert house.get("/v1/stock/movements?sku=PEN&after=x").status_code == 422


class TestReservations:
    def test_come_to_what_is_promised_and_held(self, stocked: House) -> None:
        first = stocked.order(an_order("W-1", lines=[a_line(quantity=3)])).json()["order_number"]
        stocked.order(an_order("W-2", lines=[a_line(quantity=2)]))
        hold = {"channel_code": "web", "lines": [{"sku": "PEN", "quantity": 1}], "minutes": 5}
        assert stocked.post("/v1/stock/holds", hold, once="h").status_code == 201
        waiting = an_order("W-3", lines=[a_line(quantity=50)], allow_backorder=True)
        stocked.order(waiting)
        (level,) = stocked.get("/v1/stock/PEN").json()["levels"]
        answer = stocked.get("/v1/stock/reservations?sku=PEN").json()
        sums = {(each["kind"], each["state"]): each["quantity"] for each in answer["sums"]}
        assert sums["order", "active"] == level["allocated"]
        assert sums["hold", "active"] == level["reserved_soft"] == 1
        assert sums["order", "queued"] == 50 - (level["allocated"] - 5)
        assert answer["items"][0]["order_number"] == first
        queued = stocked.get("/v1/stock/reservations?sku=PEN&state=queued").json()["items"]
        assert [each["location_code"] for each in queued] == [None]
        page = stocked.get("/v1/stock/reservations?sku=PEN&limit=1").json()
        rest = stocked.get(f"/v1/stock/reservations?sku=PEN&after={page['next_after']}").json()
        assert page["items"] + rest["items"] == answer["items"]

    def test_are_nobodys_to_whoever_may_not_know(self, stocked: House) -> None:
        stocked.order(an_order(lines=[a_line(quantity=3)]))
        for key in ("market", "analyst"):
            (kept,) = stocked.get("/v1/stock/reservations?sku=PEN", key).json()["items"]
            assert (kept["quantity"], kept["order_number"], kept["channel_code"]) == (3, None, None)
