"""Milestones as a pure function: what counts of a story, and what does not."""

from datetime import UTC, datetime, timedelta

from oms.fulfillment.model import FulfillmentOrder, FulfillmentOrderState
from oms.orders.history import Step
from oms.orders.model import Event, FulfillmentState, OrderState
from oms.workflows.milestones import milestones

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
S = FulfillmentOrderState


def a_work(state: FulfillmentOrderState, number: str = "F1") -> FulfillmentOrder:
    return FulfillmentOrder(
        fulfillment_id=1, fulfillment_number=number, order_id=1, order_number="R1",
        channel_code="web", group_no=1, method="ship_home", location_code="DC", state=state,
        created_at=START, changed_at=START, accept_by=None, collect_code=None, collect_by=None,
        carrier=None, tracking_number=None, reason=None, version=1, lines=(), holds=(),
    )  # fmt: skip


def a_step(hours: int, before: str | None, after: str, number: str = "F1") -> Step:
    """Return a step of work that came after so many hours."""
    at = START + timedelta(hours=hours)
    event = Event(
        seq=hours, type=f"fulfillment.{after}", occurred_at=at, recorded_at=at, actor_type="user",
        actor="ann", data=None, transaction_id="1", correlation_id=None,
    )  # fmt: skip
    return Step(
        event=event, entity="fulfillment", entity_id=number, from_state=before, to_state=after,
        order_state=OrderState.PLACED, fulfillment_state=FulfillmentState.ALLOCATED,
        caused_by_seq=None,
    )  # fmt: skip


def reached(works: list[FulfillmentOrder], *story: Step) -> dict[str, int]:
    """Return after how many hours each milestone was reached, of those that were."""
    found = milestones(works, story)[1]
    return {each.name: int((each.at - START) / timedelta(hours=1)) for each in found if each.at}


def test_what_is_told_of_work_that_does_not_move_is_no_milestone() -> None:
    story = [
        a_step(1, None, "assigned"), a_step(2, "assigned", "accepted"),
        a_step(5, "accepted", "accepted"),
    ]  # fmt: skip
    assert reached([a_work(S.ACCEPTED)], *story) == {"assigned": 1, "accepted": 2}


def test_what_was_done_again_counts_as_it_was_last() -> None:
    story = [
        a_step(1, None, "assigned"), a_step(2, "assigned", "accepted"),
        a_step(3, "picking", "picked"), a_step(4, "picked", "accepted"),
        a_step(6, "picking", "picked"),
    ]  # fmt: skip
    assert reached([a_work(S.PICKED)], *story) == {"assigned": 1, "accepted": 4, "picked": 6}


def test_work_that_was_given_up_is_not_waited_for() -> None:
    story = [a_step(1, None, "assigned"), a_step(2, None, "assigned", "F2")]
    works = [a_work(S.REJECTED), a_work(S.ASSIGNED, "F2")]
    assert reached(works, *story) == {"assigned": 2}
    assert milestones([a_work(S.CANCELED)], story) == {}
