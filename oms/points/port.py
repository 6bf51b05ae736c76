"""What knows the pick-up points of a carrier: the carrier's own service, or its sandbox."""

from collections.abc import Sequence
from typing import Protocol

from oms.points.model import Near, PickupPoint, Sought


class PointFinder(Protocol):
    """The pick-up points of one carrier. Whatever is asked may raise CarrierAway."""

    def near(self, sought: Sought) -> Sequence[Near]:
        """Return the points near something, nearest first; none where nothing is near."""
        ...

    def point(self, point_id: str) -> PickupPoint | None:
        """Return a point as it is now; None for one the carrier does not know."""
        ...
