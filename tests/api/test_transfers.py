"""Transfers over HTTP: what is collected is sent to its store, seen by whoever may."""

import itertools
from dataclasses import replace
from typing import Any

import pytest

from oms.channels import operations as channels
from tests.api.conftest import House
from tests.api.wire import a_line, an_order
from tests.builders import NOW
from tests.ledger.shop import CHANNELS

_once = itertools.count(1)


@pytest.fixture
def sending(stocked: House) -> House:
    """Give a test the retailer whose web shop has sent to a store what is collected there."""
    made = replace(CHANNELS[0], is_routed=True, collect_supply="any")
    with stocked.system.ledger.transaction() as tx:
        channels.register(tx, made, at=NOW)
    return stocked


def collected(house: House, quantity: int = 1) -> dict[str, Any]:
    groups = [{"method": "collect_store", "line_refs": ["PEN"], "location_code": "AMS"}]
    return house.routed_order(an_order(lines=[a_line(quantity=quantity)], groups=groups))


def act(house: House, of: dict[str, Any], action: str, key: str = "store", **said: Any) -> Any:
    """Do something with a transfer, in the version it was seen in."""
    headers = {"If-Match": f'"{of["version"]}"'}
    path = f"/v1/transfers/{of['transfer_number']}/actions"
    body = {"action": action, **said}
    return house.post(path, body, key, once=f"once-{next(_once)}", headers=headers)


def request(house: House, key: str = "store", **said: Any) -> Any:
    body = {
        "from_location_code": "DC", "to_location_code": "AMS",
        "lines": [{"sku": "PEN", "quantity": 2}],
    }  # fmt: skip
    return house.post("/v1/transfers", body | said, key, once=f"once-{next(_once)}")


class TestOrder:
    def test_from_the_center_to_the_counter(self, sending: House) -> None:
        order = collected(sending, 2)
        (made,) = order["transfers"]
        assert [f["state"] for f in order["fulfillments"]] == ["waiting_for_transfer"]
        assert made["order_number"] == order["order_number"]
        assert made["allowed_actions"] == ["cancel", "pick"]
        for action in ("pick", "ship"):
            answer = act(sending, made, action)
            assert answer.status_code == 200, answer.text
            made = answer.json()
            assert answer.headers["etag"] == f'"{made["version"]}"'
        assert [line["in_transit"] for line in made["lines"]] == [2]
        came = [{"line_no": 1, "received": 1, "damaged": 1}]
        received = act(sending, made, "receive", receipt_id="r1", came=came).json()
        assert (received["state"], received["discrepancies"][0]["kind"]) == ("received", "damaged")
        again = act(sending, made, "receive", receipt_id="r1", came=came)
        assert (again.status_code, again.json()) == (200, received)
        now = sending.get(f"/v1/orders/{order['order_number']}").json()
        assert [t["state"] for t in now["transfers"]] == ["received", "allocated"]
        assert "transfer.shipped" in [each["type"] for each in now["events"]]

    def test_on_its_way_it_goes_elsewhere(self, sending: House) -> None:
        (made,) = collected(sending)["transfers"]
        for action in ("pick", "unpick", "pick", "ship"):
            made = act(sending, made, action).json()
        assert made["allowed_actions"] == ["receive", "redirect", "return"]
        nowhere = act(sending, made, "redirect")
        assert (nowhere.status_code, nowhere.json()["code"]) == (422, "DESTINATION_NEEDED")
        made = act(sending, made, "redirect", "DC", to_location_code="UTR").json()
        assert (made["to_location_code"], made["first_to_location_code"]) == ("UTR", "AMS")
        back = act(sending, made, "return").json()
        assert (back["to_location_code"], back["state"]) == ("DC", "shipped")
        assert back["allowed_actions"] == ["receive", "redirect"]
        again = act(sending, back, "return")
        assert (again.status_code, again.json()["code"]) == (409, "WRONG_STATE")

    def test_what_is_wrong_is_said(self, sending: House) -> None:
        (made,) = collected(sending)["transfers"]
        for action, status, code in (
            ("cancel", 422, "REASON_NEEDED"), ("receive", 422, "RECEIPT_NEEDED"),
            ("ship", 409, "WRONG_STATE"),
        ):  # fmt: skip
            answer = act(sending, made, action)
            assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer.json()["allowed_actions"] == ["cancel", "pick"]
        path = f"/v1/transfers/{made['transfer_number']}"
        assert sending.get(path).json() == made

    def test_who_has_seen_nothing_or_an_older_one_changes_nothing(self, sending: House) -> None:
        (made,) = collected(sending)["transfers"]
        path = f"/v1/transfers/{made['transfer_number']}/actions"
        unseen = sending.post(path, {"action": "pick"}, "store", once="unseen")
        assert (unseen.status_code, unseen.json()["code"]) == (428, "VERSION_NEEDED")
        act(sending, made, "pick")
        older = act(sending, made, "ship")
        assert (older.status_code, older.json()["code"]) == (412, "VERSION_CONFLICT")


class TestShelves:
    def test_are_filled_on_request(self, sending: House) -> None:
        answer = request(sending)
        made = answer.json()
        assert (answer.status_code, made["state"]) == (201, "requested")
        assert sending.get(answer.headers["location"], "store").json() == made
        for action in ("allocate", "pick", "ship"):
            made = act(sending, made, action).json()
        assert act(sending, made, "receive", receipt_id="r").json()["state"] == "received"
        assert sending.shop.shelf("AMS").on_hand == 2

    @pytest.mark.parametrize(
        ("said", "status", "code"),
        [
            ({"to_location_code": "DC"}, 422, "SAME_LOCATION"),
            ({"to_location_code": "NOWHERE"}, 404, "UNKNOWN_LOCATION"),
            ({"lines": [{"sku": "NOTHING", "quantity": 1}]}, 404, "UNKNOWN_SKU"),
            ({"lines": []}, 422, "VALIDATION"),
        ],
    )
    def test_what_cannot_be_is_refused(
        self, sending: House, said: dict[str, Any], status: int, code: str
    ) -> None:
        answer = request(sending, **said)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert sending.count("transfers") == 0

    def test_are_no_channels_business(self, sending: House) -> None:
        number = request(sending).json()["transfer_number"]
        refused = request(sending, "web admin")
        assert (refused.status_code, refused.json()["code"]) == (403, "SHELVES_FORBIDDEN")
        assert sending.get(f"/v1/transfers/{number}", "web admin").status_code == 404
        assert sending.get("/v1/transfers", "web admin").json()["items"] == []


class TestList:
    def test_is_by_place_direction_and_state_in_pages(self, sending: House) -> None:
        (first,) = collected(sending)["transfers"]
        second = request(sending, to_location_code="UTR").json()

        def numbers(query: str, key: str = "store") -> list[str]:
            page = sending.get(f"/v1/transfers?{query}", key).json()
            return [each["transfer_number"] for each in page["items"]]

        both = [first["transfer_number"], second["transfer_number"]]
        assert numbers("location=DC") == both
        assert numbers("location=DC&direction=in") == []
        assert numbers("location=UTR&direction=in") == both[1:]
        assert numbers("state=allocated&state=shipped") == both[:1]
        assert numbers("", "web admin") == both[:1]
        page = sending.get("/v1/transfers?limit=1").json()
        assert numbers(f"limit=1&after={page['next_after']}") == both[1:]


class TestStock:
    def test_what_comes_stands_beside_what_is_there(self, sending: House) -> None:
        def figures(code: str) -> Any:
            levels = sending.get("/v1/stock/PEN").json()["levels"]
            return next(
                ((at["on_hand"], at["in_transit"], at["incoming"])
                 for at in levels if at["location_code"] == code), None)  # fmt: skip

        (made,) = collected(sending, 3)["transfers"]
        before = figures("DC")[0]
        assert figures("AMS") == (0, 0, 3)
        for action, expected in (("pick", (0, 0, 3)), ("ship", (0, 3, 3))):
            made = act(sending, made, action).json()
            assert figures("AMS") == expected
        assert figures("DC") == (before - 3, 0, 0)
        came = [{"line_no": 1, "received": 1}]
        made = act(sending, made, "receive", receipt_id="r1", came=came, is_complete=False).json()
        assert figures("AMS") == (1, 2, 2)
        assert act(sending, made, "close").status_code == 200
        assert figures("AMS")[0] == 1
        (again,) = (t for t in sending.get("/v1/transfers").json()["items"])
        assert figures("AMS") == (1, 0, sum(line["quantity"] for line in again["lines"]))


class TestOnce:
    def test_a_line_that_is_said_twice_is_refused(self, sending: House) -> None:
        (made,) = collected(sending, 2)["transfers"]
        twice = [{"line_no": 1, "quantity": 1}, {"line_no": 1, "quantity": 2}]
        answer = act(sending, made, "pick", picked=twice)
        problem = answer.json()["errors"][0]
        assert (answer.status_code, problem["pointer"]) == (422, "/picked")
        assert problem["detail"] == "line_no 1 is named more than once"
        came = [{"line_no": 1, "received": 1}, {"line_no": 1, "received": 2}]
        assert act(sending, made, "receive", receipt_id="r", came=came).status_code == 422
        assert sending.get(f"/v1/transfers/{made['transfer_number']}").json() == made
