"""Holds over HTTP: placed, released, in the way of commands; refusals are in the story."""

import itertools
from typing import Any

import httpx
import pytest

from oms.workflows import actions
from tests.api.conftest import House
from tests.api.wire import a_receipt, an_order

_once = itertools.count(1)


def post(
    house: House, path: str, body: Any, *, key: str = "admin", seen: int | None = None,
    once: str | None = None,
) -> httpx.Response:  # fmt: skip
    """Post a command under a key of its own, in the version that was seen."""
    headers = {} if seen is None else {"If-Match": f'"{seen}"'}
    return house.post(path, body, key, once=once or f"hold-{next(_once)}", headers=headers)


def place(house: House, number: str, hold_type: str = "manual", **said: Any) -> httpx.Response:
    body = {"type": hold_type, "comment": "Ask first."}
    return post(house, f"/v1/orders/{number}/holds", body, **said)


def release(house: House, number: str, hold_no: int = 1, **said: Any) -> httpx.Response:
    path = f"/v1/orders/{number}/holds/{hold_no}/release"
    return post(house, path, {"comment": "Asked."}, **said)


def order(house: House, number: str) -> dict[str, Any]:
    found: dict[str, Any] = house.get(f"/v1/orders/{number}").json()
    return found


@pytest.fixture
def number(stocked: House) -> str:
    """Give the number of an order that is there."""
    return str(stocked.order(an_order()).json()["order_number"])


class TestPlace:
    def test_answers_with_the_hold_and_the_new_version(self, house: House, number: str) -> None:
        answer = place(house, number, "fraud", key="agent")
        assert answer.status_code == 201, answer.text
        hold = answer.json()
        assert (hold["hold_no"], hold["type"], hold["placed_by"]) == (1, "fraud", "agent")
        assert hold["blocks"] == ["cancel", "edit", "pick", "route", "ship"]
        now = order(house, number)
        assert now["holds"] == [hold]
        assert answer.headers["etag"] == f'"{now["version"]}"'

    def test_is_found_by_the_list(self, house: House, number: str) -> None:
        place(house, number)
        for asked, count in (("true", 1), ("false", 0)):
            assert len(house.get(f"/v1/orders?is_on_hold={asked}").json()["items"]) == count

    def test_acts_once(self, house: House, number: str) -> None:
        first, second = (place(house, number, once="one") for _ in range(2))
        assert (first.status_code, first.json()) == (201, second.json())
        assert house.count("order_holds") == 1

    @pytest.mark.parametrize("body", [{"type": "mood", "comment": "x"}, {"type": "manual"}])
    def test_says_which_type_and_why(self, house: House, number: str, body: Any) -> None:
        assert post(house, f"/v1/orders/{number}/holds", body).status_code == 422

    def test_of_another_channels_order_finds_none(self, house: House) -> None:
        receipt = house.order(a_receipt()).json()["order_number"]
        answer = place(house, receipt, key="web admin")
        assert (answer.status_code, answer.json()["code"]) == (404, "ORDER_NOT_FOUND")


class TestRelease:
    def test_ends_it(self, house: House, number: str) -> None:
        seen = int(place(house, number).headers["etag"].strip('"'))
        answer = release(house, number, seen=seen)
        assert answer.status_code == 200, answer.text
        assert (answer.json()["release_comment"], answer.json()["blocks"]) == ("Asked.", [])
        assert not order(house, number)["is_on_hold"]

    def test_needs_the_version_that_was_seen(self, house: House, number: str) -> None:
        place(house, number)
        assert release(house, number).status_code == 428
        assert release(house, number, seen=1).status_code == 412
        assert release(house, number, 7, seen=2).json()["code"] == "HOLD_NOT_FOUND"

    def test_is_for_whom_its_type_names(self, house: House, number: str) -> None:
        place(house, number, "payment_review")
        refused = release(house, number, seen=2, key="agent")
        assert (refused.status_code, refused.json()["scope"]) == (403, "orders:review")
        assert release(house, number, seen=2, key="finance").status_code == 200


class TestRefused:
    def test_names_the_hold_and_is_told_without_a_new_version(
        self, house: House, number: str
    ) -> None:
        place(house, number, "fraud")
        before = order(house, number)
        for _ in range(2):  # the second is the answer of the first
            answer = post(
                house, f"/v1/orders/{number}/cancel", {"reason": "asked"}, seen=2, key="agent",
                once="refused",
            )  # fmt: skip
            assert (answer.status_code, answer.json()["code"]) == (409, "ORDER_ON_HOLD")
            assert (answer.json()["hold_no"], answer.json()["hold_type"]) == (1, "fraud")
        now = order(house, number)
        assert now["version"] == before["version"]
        (told,) = now["events"][len(before["events"]) :]
        assert (told["type"], told["actor"]) == ("command.refused", "agent")
        assert told["data"] == {
            "command": "cancel", "code": "ORDER_ON_HOLD", "hold_no": 1, "hold_type": "fraud",
            "reason": answer.json()["detail"],
        }  # fmt: skip

    def test_of_a_location_are_told_too(self, routed: House) -> None:
        found = routed.routed_order(an_order())
        (work,) = found["fulfillments"]
        path = f"/v1/fulfillments/{work['fulfillment_number']}/actions"
        answer = post(routed, path, {"action": "ship"}, seen=work["version"], key="store")
        assert answer.json()["code"] == "WRONG_STATE"
        told = order(routed, found["order_number"])["events"][-1]
        assert (told["type"], told["actor"], told["data"]["state"]) == (
            "command.refused", "store", "assigned",
        )  # fmt: skip

    def test_who_only_came_late_is_not(self, house: House, number: str) -> None:
        place(house, number)
        post(house, f"/v1/orders/{number}/cancel", {"reason": "asked"}, seen=1)
        post(house, f"/v1/orders/{number}/holds", {"type": "mood", "comment": "x"})
        assert order(house, number)["events"][-1]["type"] == "hold.placed"


class TestAllowedActions:
    def test_ask_for_the_scopes_the_routes_ask_for(self, house: House) -> None:
        """Guards the page: what it calls allowed must not end in 403."""
        asked = {
            operation["operationId"]: operation.get("x-permission")
            for methods in house.app.openapi()["paths"].values()
            for operation in methods.values()
        }
        commands = {
            "cancel": "cancel_order",
            "edit": "change_order",
            "hold": "place_hold",
            "note": "add_note",
        }
        assert {name: actions.SCOPES[name] for name in commands} == {
            name: asked[operation] for name, operation in commands.items()
        }
        assert set(actions.SCOPES) == {*commands, "route"}
        assert asked["release_hold"] == actions.RELEASE_SCOPE
        assert asked["act_on_fulfillment"] == actions.FULFILLMENT_SCOPE

    def test_name_hold_and_fulfillment_order(self, routed: House) -> None:
        found = routed.routed_order(an_order())
        place(routed, found["order_number"], "stock_check")
        said = order(routed, found["order_number"])["allowed_actions"]
        (released,) = (each for each in said if each["action"] == "release")
        assert (released["hold_no"], released["is_allowed"]) == (1, True)
        picked = {each["action"]: each for each in said if each["fulfillment_number"]}
        assert picked["accept"]["is_allowed"]
        assert picked["start_pick"]["code"] == "WRONG_STATE"
        (canceled,) = (each for each in said if each["action"] == "cancel")
        assert canceled == {
            "action": "cancel", "is_allowed": True, "code": None, "reason": None,
            "fulfillment_number": None, "hold_no": None,
        }  # fmt: skip


class TestList:
    def test_tells_which_orders_are_held_and_who_may_release_them(self, stocked: House) -> None:
        numbers = [
            stocked.order(an_order(f"L-{at}")).json()["order_number"] for at in range(3)
        ]  # fmt: skip
        for number, hold_type in zip(numbers, ("fraud", "manual", "manual"), strict=True):
            place(stocked, number, hold_type)
        found = stocked.get("/v1/holds", "agent").json()["items"]
        assert [(each["order_number"], each["may_release"]) for each in found] == [
            (numbers[0], False), (numbers[1], True), (numbers[2], True),
        ]  # fmt: skip
        page = stocked.get("/v1/holds?type=manual&limit=1").json()
        rest = stocked.get(f"/v1/holds?type=manual&after={page['next_after']}").json()
        assert [each["order_number"] for each in page["items"] + rest["items"]] == numbers[1:]
        assert stocked.get("/v1/holds", "market").json()["items"] == []
        assert stocked.get("/v1/holds?after=x").status_code == 422
        assert release(stocked, numbers[2], seen=found[2]["version"]).status_code == 200
        assert len(stocked.get("/v1/holds?type=manual").json()["items"]) == 1
        (over,) = stocked.get("/v1/holds?is_active=false").json()["items"]
        assert (over["order_number"], over["release_comment"]) == (numbers[2], "Asked.")
