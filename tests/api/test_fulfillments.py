"""Fulfillment over HTTP: the work of a location, step by step, seen by whoever may."""

import itertools
from typing import Any

import httpx
import pytest

from api.routers import fulfillments
from oms.fulfillment.model import Action, FulfillmentOrderState
from tests.api.conftest import House
from tests.api.wire import a_line, an_order
from tests.builders import a_movement

_once = itertools.count(1)


def act(house: House, of: dict[str, Any], action: str, key: str = "store", **said: Any) -> Any:
    """Do something with a fulfillment order, in the version it was seen in."""
    number, version = of["fulfillment_number"], of["version"]
    headers = {
        **house.keys.header(key), "If-Match": f'"{version}"',
        "Idempotency-Key": f"once-{next(_once)}",
    }  # fmt: skip
    return house.client.post(
        f"/v1/fulfillments/{number}/actions", json={"action": action, **said}, headers=headers
    )


class TestWork:
    def test_from_the_queue_to_the_carrier(self, routed: House) -> None:
        order = routed.routed_order(an_order(lines=[a_line(quantity=2)]))
        (work,) = routed.get("/v1/fulfillments?location=DC", "store").json()["items"]
        assert work["order_number"] == order["order_number"]
        assert work["allowed_actions"] == ["accept", "move", "reject", "split"]
        for action in ("accept", "start_pick", "pick", "pack"):
            answer = act(routed, work, action)
            assert answer.status_code == 200, answer.text
            work = answer.json()
            assert answer.headers["etag"] == f'"{work["version"]}"'
        shipped = act(routed, work, "ship", carrier="sandbox", tracking_number="T-1").json()
        assert (shipped["state"], shipped["tracking_number"]) == ("shipped", "T-1")
        now = routed.get(f"/v1/orders/{order['order_number']}").json()
        assert (now["order_state"], now["fulfillment_state"]) == ("completed", "shipped")
        assert now["fulfillments"] == [shipped]
        assert routed.get("/v1/fulfillments", "store").json()["items"] == []

    def test_says_which_holds_are_in_its_way(self, routed: House) -> None:
        order = routed.routed_order(an_order())
        (work,) = order["fulfillments"]
        assert work["holds"] == []
        path = f"/v1/orders/{order['order_number']}/holds"
        body = {"type": "fraud", "comment": "Ask first."}
        routed.post(path, body, once=f"hold-{next(_once)}")
        (held,) = routed.get("/v1/fulfillments?location=DC", "store").json()["items"]
        assert held["holds"] == ["fraud"]
        seen = {"If-Match": f'"{routed.get(path[:-6]).json()["version"]}"'}
        comment = {"comment": "Asked."}
        routed.post(f"{path}/1/release", comment, once=f"hold-{next(_once)}", headers=seen)
        (free,) = routed.get("/v1/fulfillments?location=DC", "store").json()["items"]
        assert free["holds"] == []

    def test_the_code_is_for_the_customer_only(self, routed: House) -> None:
        groups = [{"method": "collect_store", "line_refs": ["PEN"], "location_code": "DC"}]
        (work,) = routed.routed_order(an_order(groups=groups))["fulfillments"]
        for action in ("accept", "start_pick", "pick", "pack", "ready"):
            work = act(routed, work, action).json()
        assert work["state"] == "ready_for_collection"
        code = routed.shop.value("select collect_code from fulfillment_orders")
        assert code not in routed.get(f"/v1/fulfillments/{work['fulfillment_number']}").text
        wrong = act(routed, work, "collect", collect_code="nothing")
        assert (wrong.status_code, wrong.json()["code"]) == (409, "WRONG_COLLECTION_CODE")
        assert act(routed, work, "collect", collect_code=code).json()["state"] == "collected"

    def test_what_lies_ready_is_found_by_its_code(self, routed: House) -> None:
        groups = [{"method": "collect_store", "line_refs": ["PEN"], "location_code": "DC"}]
        (work,) = routed.routed_order(an_order(groups=groups))["fulfillments"]
        for action in ("accept", "start_pick", "pick", "pack", "ready"):
            work = act(routed, work, action).json()
        code = routed.shop.value("select collect_code from fulfillment_orders")

        def found(location: str, said: str, key: str = "DC") -> Any:
            body = {"location_code": location, "collect_code": said}
            return routed.post("/v1/fulfillments:byCode", body, key).json()

        assert found("DC", code) == [work | {"notes": []}]
        assert code not in str(found("DC", code))
        for location, said, key in (
            ("DC", "nothing", "DC"), ("AMS", code, "store"), ("AMS", code, "DC"),
        ):  # fmt: skip
            assert found(location, said, key) == []
        assert act(routed, work, "collect", collect_code=code).status_code == 200
        assert found("DC", code) == []

    def test_a_code_is_not_found_by_trying(
        self, routed: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(fulfillments, "CODES_PER_HOUR_MAX", 3)
        body = {"location_code": "DC", "collect_code": "000000"}
        tries = [routed.post("/v1/fulfillments:byCode", body, "store") for _ in range(4)]
        assert [each.status_code for each in tries] == [200, 200, 200, 429]

    def test_a_rejection_goes_elsewhere(self, routed: House) -> None:
        (work,) = routed.routed_order(an_order())["fulfillments"]
        refused = act(routed, work, "reject")
        assert (refused.status_code, refused.json()["code"]) == (422, "REASON_NEEDED")
        assert act(routed, work, "reject", reason="closed").json()["state"] == "rejected"
        (order,) = routed.get("/v1/orders").json()["items"]
        assert order["fulfillment_state"] == "backordered"


class TestMoving:
    def test_an_agent_gives_work_to_another_location(self, routed: House) -> None:
        routed.shop.take(a_movement(2, location="AMS"))
        order = routed.routed_order(an_order(lines=[a_line(quantity=3)]))
        (work,) = order["fulfillments"]
        refused = act(routed, work, "move", "agent", to_location_code="AMS")
        assert (refused.status_code, refused.json()["code"]) == (409, "NOT_MOVABLE")
        assert refused.json()["reasons"] == [
            {"code": "INSUFFICIENT_STOCK", "sku": "PEN", "requested": 3, "available": 2}
        ]
        off = [{"line_no": 1, "quantity": 2}]
        split = act(routed, work, "split", "agent", split_off=off, to_location_code="AMS")
        assert (split.status_code, split.json()["state"]) == (200, "assigned")
        now = routed.get(f"/v1/orders/{order['order_number']}").json()
        assert [(f["location_code"], f["lines"][0]["open"]) for f in now["fulfillments"]] == [
            ("DC", 1), ("AMS", 2),
        ]  # fmt: skip
        told = [(each["type"], each["to_state"]) for each in now["events"][-3:]]
        assert told == [
            ("command.refused", "placed"), ("fulfillment.split", "assigned"),
            ("fulfillment.assigned", "assigned"),
        ]  # fmt: skip

    def test_a_location_gives_its_work_to_nobody(self, routed: House) -> None:
        routed.shop.take(a_movement(2, location="AMS"))
        (work,) = routed.routed_order(an_order(lines=[a_line(quantity=2)]))["fulfillments"]
        off = [{"line_no": 1, "quantity": 1}]
        for action, said in (("move", {}), ("split", {"split_off": off})):
            answer = act(routed, work, action, "DC", to_location_code="AMS", **said)
            assert (answer.status_code, answer.json()["code"]) == (403, "OTHER_LOCATION")
        assert act(routed, work, "split", "DC", split_off=off).status_code == 200

    def test_two_works_of_a_location_become_one(self, routed: House) -> None:
        order = routed.routed_order(an_order(lines=[a_line(quantity=3)]))
        (work,) = order["fulfillments"]
        assert (work["merges_with"], "merge" in work["allowed_actions"]) == ([], False)
        none = act(routed, work, "merge")
        assert (none.status_code, none.json()["code"]) == (409, "WRONG_STATE")
        act(routed, work, "split", "DC", split_off=[{"line_no": 1, "quantity": 1}])
        path = f"/v1/orders/{order['order_number']}"
        one, two = routed.get(path).json()["fulfillments"]
        assert (one["merges_with"], "merge" in one["allowed_actions"]) == (
            [two["fulfillment_number"]], True,
        )  # fmt: skip
        itself = act(routed, one, "merge", merge_number=one["fulfillment_number"])
        assert (itself.status_code, itself.json()["code"]) == (409, "NOT_MERGEABLE")
        assert itself.json()["reasons"] == [
            {"code": "ITSELF", "fulfillment_number": one["fulfillment_number"]}
        ]
        merged = act(routed, one, "merge", "DC", merge_number=two["fulfillment_number"])
        assert (merged.status_code, merged.json()["lines"][0]["open"]) == (200, 3)
        now = routed.get(path).json()
        assert [(f["state"], f["reason"]) for f in now["fulfillments"]] == [
            ("assigned", None), ("canceled", "merged"),
        ]  # fmt: skip
        stale = act(routed, one, "merge", "DC")
        assert stale.status_code == 412

    def test_what_is_said_twice_or_nowhere_is_refused(self, routed: House) -> None:
        (work,) = routed.routed_order(an_order(lines=[a_line(quantity=3)]))["fulfillments"]
        twice = [{"line_no": 1, "quantity": 1}] * 2
        for action, said, status, code in (
            ("split", {"split_off": twice}, 422, "VALIDATION"),
            ("split", {}, 422, "NOTHING_SPLIT"),
            ("move", {}, 422, "TARGET_NEEDED"),
            ("move", {"to_location_code": "NOWHERE"}, 404, "UNKNOWN_LOCATION"),
        ):
            answer = act(routed, work, action, "agent", **said)
            assert (answer.status_code, answer.json()["code"]) == (status, code)


class TestTable:
    """Every state by every action: allowed, or refused without side effect."""

    @pytest.mark.parametrize("state", list(FulfillmentOrderState))
    def test_what_is_not_allowed_is_409_and_says_what_is(
        self, routed: House, state: FulfillmentOrderState
    ) -> None:
        order = routed.routed_order(an_order())
        number = order["fulfillments"][0]["fulfillment_number"]
        self.put(routed, state)
        work = routed.get(f"/v1/fulfillments/{number}").json()
        said = {"reason": "other", "collect_code": "x"}
        for action in set(Action) - set(work["allowed_actions"]):
            answer = act(routed, work, action, **said)
            assert (answer.status_code, answer.json()["code"]) == (409, "WRONG_STATE")
            assert answer.json()["allowed_actions"] == work["allowed_actions"]
        assert routed.get(f"/v1/fulfillments/{number}").json() == work
        self.put(routed, FulfillmentOrderState.ASSIGNED)

    @staticmethod
    def put(house: House, state: FulfillmentOrderState) -> None:
        with house.system.ledger.transaction() as tx:
            tx.exec_driver_sql(f"update fulfillment_orders set state = '{state}'")


class TestVersions:
    def test_who_has_seen_nothing_changes_nothing(self, routed: House) -> None:
        (work,) = routed.routed_order(an_order())["fulfillments"]
        path = f"/v1/fulfillments/{work['fulfillment_number']}/actions"
        for given in (None, "*", "x", ""):
            headers = {**routed.keys.header("store"), "Idempotency-Key": f"once-{next(_once)}"}
            if given is not None:
                headers["If-Match"] = given
            answer = routed.client.post(path, json={"action": "accept"}, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (428, "VERSION_NEEDED")

    def test_who_has_seen_an_older_one_neither(self, routed: House) -> None:
        (work,) = routed.routed_order(an_order())["fulfillments"]
        act(routed, work, "accept")
        again = act(routed, work, "reject", reason="other")
        assert (again.status_code, again.json()["code"]) == (412, "VERSION_CONFLICT")
        assert again.json()["version"] == work["version"] + 1


class TestScope:
    def test_a_channel_knows_its_own_only(self, routed: House) -> None:
        (work,) = routed.routed_order(an_order())["fulfillments"]
        path = f"/v1/fulfillments/{work['fulfillment_number']}"
        assert routed.get(path, "web admin").status_code == 200
        assert routed.get(path, "web").status_code == 403
        assert routed.get("/v1/fulfillments/F1", "web admin").json()["code"] == (
            "FULFILLMENT_NOT_FOUND"
        )


class TestCancel:
    def cancel(self, house: House, order: dict[str, Any], **body: Any) -> httpx.Response:
        headers = {
            **house.keys.header("agent"), "If-Match": str(order["version"]),
            "Idempotency-Key": f"once-{next(_once)}",
        }  # fmt: skip
        return house.client.post(
            f"/v1/orders/{order['order_number']}/cancel", headers=headers,
            json={"reason": "customer", **body},
        )  # fmt: skip

    def test_of_all_frees_all(self, routed: House) -> None:
        order = routed.routed_order(an_order(lines=[a_line(quantity=2)]))
        answer = self.cancel(routed, order)
        assert answer.status_code == 200, answer.text
        now = routed.get(f"/v1/orders/{order['order_number']}").json()
        assert (now["order_state"], now["fulfillments"][0]["state"]) == ("canceled", "canceled")
        assert routed.shop.shelf().allocated == 0
        assert [change["reason"] for change in now["changes"] if change["kind"] == "cancel"] == [
            "customer"
        ]

    def test_of_some_leaves_the_rest(self, routed: House) -> None:
        order = routed.routed_order(an_order(lines=[a_line(quantity=3)]))
        answer = self.cancel(routed, order, lines=[{"line_no": 1, "quantity": 2}])
        assert answer.json()["lines"][0]["canceled"] == 2
        assert routed.shop.shelf().allocated == 1

    def test_what_is_in_hand_must_be_put_back_first(self, routed: House) -> None:
        order = routed.routed_order(an_order(lines=[a_line(quantity=2)]))
        (work,) = order["fulfillments"]
        for action in ("accept", "start_pick", "pick"):
            work = act(routed, work, action).json()
        order = routed.get(f"/v1/orders/{order['order_number']}").json()
        assert order["cancelable"] == {"1": 0}
        answer = self.cancel(routed, order, lines=[{"line_no": 1, "quantity": 1}])
        assert (answer.status_code, answer.json()["code"]) == (409, "QTY_NOT_CANCELABLE")
        assert answer.json()["max"] == 0
        act(routed, work, "unpick")
        assert self.cancel(routed, order).status_code == 200

    def test_another_channel_finds_no_such_order(self, routed: House) -> None:
        order = routed.routed_order(an_order())
        headers = {
            **routed.keys.header("market"),
            "If-Match": "1",
            "Idempotency-Key": f"once-{next(_once)}",
        }
        path = f"/v1/orders/{order['order_number']}/cancel"
        answer = routed.client.post(path, json={"reason": "x"}, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (404, "ORDER_NOT_FOUND")
