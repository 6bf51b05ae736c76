"""Milestones of a delivery group: when its work reached each, read from the story of the order."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from oms.fulfillment.model import COLLECTED_METHODS, FulfillmentOrder, FulfillmentOrderState
from oms.orders.history import Step
from oms.orders.model import FulfillmentMethod

_S = FulfillmentOrderState

# How far along its way work in a state is; what was given up is on none.
_RANKS: Final[Mapping[FulfillmentOrderState, int]] = {
    _S.WAITING_FOR_TRANSFER: 0, _S.ASSIGNED: 1, _S.ACCEPTED: 2, _S.PICKING: 3, _S.PICKED: 4,
    _S.PACKED: 5, _S.READY_FOR_COLLECTION: 6, _S.UNCOLLECTED: 6, _S.SHIPPED: 6,
    _S.DELIVERY_FAILED: 6, _S.RETURNED_TO_SENDER: 6, _S.TAKEN_BACK: 6, _S.AT_PICKUP_POINT: 7,
    _S.COLLECTED: 8, _S.DELIVERED: 8,
}  # fmt: skip
_GIVEN_UP: Final = frozenset({_S.REJECTED, _S.CANCELED})
_FIRST: Final = (_S.ASSIGNED, _S.ACCEPTED, _S.PICKED, _S.PACKED)
_SENT: Final = (_S.SHIPPED, _S.DELIVERED)
_COLLECTED: Final = (_S.READY_FOR_COLLECTION, _S.COLLECTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestone:
    """A state all work of a delivery group is to reach, and since when the last of it has."""

    name: FulfillmentOrderState
    at: datetime | None  # None: not all of it yet, or nobody told of it apart


def milestones(
    works: Iterable[FulfillmentOrder], story: Iterable[Step]
) -> dict[int, tuple[Milestone, ...]]:
    """Return the milestones of each delivery group somebody works on, in their order.

    What was put back is not reached any more, and of work that was given up nothing counts.
    """
    reached: dict[str, dict[str, datetime]] = defaultdict(dict)
    for step in story:
        if step.entity != "fulfillment" or step.from_state == step.to_state:
            continue  # told of it, and nothing moved
        if step.entity_id and step.to_state:
            reached[step.entity_id][step.to_state] = step.event.occurred_at
    groups: dict[int, list[FulfillmentOrder]] = defaultdict(list)
    for work in works:
        if work.state not in _GIVEN_UP:
            groups[work.group_no].append(work)
    return {
        group_no: tuple(
            Milestone(name=name, at=_reached_by_all(name, of_group, reached))
            for name in (*_FIRST, *_last(of_group))
        )
        for group_no, of_group in groups.items()
    }


def _last(works: Iterable[FulfillmentOrder]) -> tuple[FulfillmentOrderState, ...]:
    """Return how goods of a group get to their customer in the end."""
    methods = {work.method for work in works}
    if not methods.isdisjoint(COLLECTED_METHODS):
        return _COLLECTED
    at_point = (_S.SHIPPED, _S.AT_PICKUP_POINT, _S.DELIVERED)
    return at_point if FulfillmentMethod.PICKUP_POINT in methods else _SENT


def _reached_by_all(
    name: FulfillmentOrderState, works: Iterable[FulfillmentOrder],
    reached: Mapping[str, Mapping[str, datetime]],
) -> datetime | None:  # fmt: skip
    found = []
    for work in works:
        at = reached[work.fulfillment_number].get(name)
        if at is None or _RANKS[work.state] < _RANKS[name]:
            return None
        found.append(at)
    return max(found)
