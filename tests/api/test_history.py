"""The story of an order: of each step what it was about, who did it, for what, and from what."""

from typing import Any

from tests.api.conftest import House
from tests.api.wire import an_order


def act(house: House, fulfillment: dict[str, Any], action: str, **headers: str) -> dict[str, Any]:
    answer = house.post(
        f"/v1/fulfillments/{fulfillment['fulfillment_number']}/actions",
        {"action": action, "reason": "other"}, "store", once=f"{action}-once",
        headers={"If-Match": str(fulfillment["version"]), **headers},
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


class TestHistory:
    def test_names_what_it_is_about_and_its_states(self, routed: House) -> None:
        order = routed.routed_order(an_order())
        (work,) = order["fulfillments"]
        act(routed, work, "accept", **{"X-Request-Id": "tap-1"})
        captured, assigned, accepted = routed.get(f"/v1/orders/{order['order_number']}").json()[
            "events"
        ]
        number = work["fulfillment_number"]
        assert [
            (each["entity"], each["entity_id"], each["from_state"], each["to_state"])
            for each in (captured, assigned, accepted)
        ] == [
            ("order", None, None, "placed"), ("fulfillment", number, None, "assigned"),
            ("fulfillment", number, "assigned", "accepted"),
        ]  # fmt: skip
        assert captured["data"] == {
            "is_historical": False,
            "lines": [{"line_no": 1, "quantity": 1}],
        }
        assert accepted["data"]["fulfillment_lines"] == [
            {"line_no": 1, "quantity": 1, "picked": 0, "done": 0, "removed": 0}
        ]
        assert (accepted["actor_type"], accepted["actor"]) == ("user", "store")
        assert (accepted["correlation_id"], accepted["causation_id"]) == ("tap-1", None)
        assert assigned["correlation_id"].startswith("tx-")

    def test_joins_the_steps_of_one_command(self, routed: House) -> None:
        order = routed.routed_order(an_order())
        (work,) = order["fulfillments"]
        act(routed, act(routed, work, "accept"), "reject", **{"X-Request-Id": "tap-2"})
        told = routed.get(f"/v1/orders/{order['order_number']}").json()["events"]
        of_tap = [each for each in told if each["correlation_id"] == "tap-2"]
        assert [each["type"] for each in of_tap] == ["fulfillment.rejected", "order.backordered"]
        assert of_tap[0]["causation_id"] is None
        assert of_tap[1]["causation_id"] == of_tap[0]["event_id"]
        assert of_tap[0]["reason"] == "other"
