"""Milestones of an order: since when its work has reached each step, as long as it has."""

from typing import Any

from tests.api.conftest import House
from tests.api.test_fulfillments import act
from tests.api.wire import a_line, a_receipt, an_order

SENT = ["assigned", "accepted", "picked", "packed", "shipped", "delivered"]


def reached(house: House, number: str) -> dict[str, Any]:
    """Return the milestones of the order's one delivery group."""
    (group,) = house.get(f"/v1/orders/{number}").json()["groups"]
    return {each["name"]: each["at"] for each in group["milestones"]}


class TestMilestones:
    def test_follow_the_work_and_are_taken_back_with_it(self, routed: House) -> None:
        order = routed.routed_order(an_order())
        number = order["order_number"]
        (work,) = order["fulfillments"]
        seen = reached(routed, number)
        assert list(seen) == SENT
        assert [name for name, at in seen.items() if at] == ["assigned"]
        for action in ("accept", "start_pick", "pick", "pack"):
            work = act(routed, work, action).json()
        assert [name for name, at in reached(routed, number).items() if at] == SENT[:4]
        for action in ("unpack", "unpick"):
            work = act(routed, work, action).json()
        assert [name for name, at in reached(routed, number).items() if at] == SENT[:2]
        for action in ("start_pick", "pick", "pack", "ship"):
            work = act(routed, work, action).json()
        story = routed.get(f"/v1/orders/{number}").json()["events"]
        told = [each for each in story if each["to_state"] == "shipped" and
                each["entity"] == "fulfillment"]  # fmt: skip
        assert reached(routed, number)["shipped"] == told[-1]["occurred_at"]

    def test_are_reached_by_the_last_of_all_work(self, routed: House) -> None:
        order = routed.routed_order(an_order(lines=[a_line(quantity=2)]))
        number = order["order_number"]
        (work,) = order["fulfillments"]
        lines = [{"line_no": 1, "quantity": 1}]
        split = act(routed, work, "split", "agent", split_off=lines)
        assert split.status_code == 200, split.text
        first, second = routed.get(f"/v1/orders/{number}").json()["fulfillments"]
        act(routed, first, "accept")
        assert reached(routed, number)["accepted"] is None
        act(routed, second, "accept")
        assert reached(routed, number)["accepted"] is not None

    def test_of_what_is_collected_end_with_its_customer(self, routed: House) -> None:
        groups = [{"method": "collect_store", "line_refs": ["PEN"], "location_code": "DC"}]
        order = routed.routed_order(an_order(groups=groups))
        seen = reached(routed, order["order_number"])
        assert list(seen)[-2:] == ["ready_for_collection", "collected"]

    def test_of_what_was_given_up_and_carried_out_are_none(self, routed: House) -> None:
        order = routed.routed_order(an_order())
        act(routed, order["fulfillments"][0], "reject", reason="damaged")
        taken = routed.order(a_receipt("T-9")).json()["order_number"]
        assert reached(routed, taken) == {}
