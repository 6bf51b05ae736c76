"""The sandbox carrier: labels at once, and parcels that move along a timetable of their own."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from oms.adapters.carriers.listed import OWN_WORDS
from oms.adapters.carriers.sandbox_points import SandboxPoints
from oms.shipments.model import Label, LabelRefused, Scan
from oms.shipments.port import LabelRequest, Profile, Quote

WEIGHT_GRAMS_MAX: Final = 31_500
READY: Final = "READY_FOR_PICKUP"
# So long a parcel lies at a pick-up point.
KEPT_HOURS: Final = 7 * 24

# What happens to a parcel so many hours after it was handed over.
_USUAL: Final = ((4, "IN_TRANSIT"), (20, "OUT_FOR_DELIVERY"), (26, "DELIVERED"))
_FAILED: Final = (*_USUAL[:2], (27, "DELIVERY_FAILED"))
TIMETABLES: Final[dict[str, tuple[tuple[int, str], ...]]] = {
    "delivered": _USUAL,
    "delayed": (_USUAL[0], (22, "DELIVERY_DELAYED"), (44, "OUT_FOR_DELIVERY"), (50, "DELIVERED")),
    "failed": (*_FAILED, (44, "OUT_FOR_DELIVERY"), (49, "DELIVERED")),
    "returned": (*_FAILED, (44, "DELIVERY_FAILED"), (96, "RETURNED_TO_SENDER")),
    "lost": (_USUAL[0], (72, "DELIVERY_DELAYED"), (240, "LOST")),
    "damaged": (_USUAL[0], (18, "DAMAGED"), (96, "RETURNED_TO_SENDER")),
}
# Of a hundred parcels so many fare this way, by the last two digits of their number.
_FATES: Final = ("delivered",) * 82 + ("delayed",) * 8 + ("failed",) * 5 + ("returned",) * 2 + (
    "lost", "lost", "damaged",
)  # fmt: skip
assert len(_FATES) == 100  # noqa: PLR2004 - two digits
# The same of parcels for a pick-up point, which have numbers of their own.
_AT_POINT: Final = ((4, "IN_TRANSIT"), (20, READY))
_AT_COUNTER: Final = frozenset({READY, "COLLECTED", "EXPIRED"})
POINT_TIMETABLES: Final[dict[str, tuple[tuple[int, str], ...]]] = {
    "collected": (*_AT_POINT, (27, "COLLECTED")),
    "collected late": (*_AT_POINT, (92, "COLLECTED")),
    "expired": (*_AT_POINT, (20 + KEPT_HOURS, "EXPIRED"), (236, "RETURNED_TO_SENDER")),
    "refused": (*_AT_POINT, (44, "DELIVERY_FAILED"), (96, "RETURNED_TO_SENDER")),
    "lost": TIMETABLES["lost"],
}
_POINT_FATES: Final = ("collected",) * 70 + ("collected late",) * 21 + ("expired",) * 6 + (
    "refused", "refused", "lost",
)  # fmt: skip
assert len(_POINT_FATES) == 100  # noqa: PLR2004 - two digits


class SandboxCarrier:
    """A carrier of which everything is decided by its tracking numbers."""

    is_asked = True
    profile = Profile(
        code="sandbox", numbers=re.compile(r"SB\d{12}|SBP\d{11}"), states=OWN_WORDS,
        url_template="https://sandbox.example/track/{tracking_number}",
    )  # fmt: skip

    def __init__(
        self, *, hour_seconds: float = 3600.0, points: Mapping[str, str] | None = None
    ) -> None:
        """Take how long an hour of its timetables lasts, and what is said of its points."""
        self._hour = timedelta(seconds=hour_seconds)
        self.points = SandboxPoints(points)

    def quote(self, asked: LabelRequest) -> Quote | None:
        """Return what a parcel costs: by weight, in euros; less to a pick-up point."""
        grams = asked.size.weight_grams or 0
        begin = 495 if asked.pickup_point is None else 395
        return Quote(cost_minor=begin + grams // 1000 * 50, cost_currency="EUR")

    def label(self, asked: LabelRequest) -> Label:
        """Make the label of a ref, always the same. Raises LabelRefused for what is too heavy."""
        if (asked.size.weight_grams or 0) > WEIGHT_GRAMS_MAX:
            raise LabelRefused("the parcel is too heavy", max=WEIGHT_GRAMS_MAX)
        digest = int(hashlib.sha256(asked.ref.encode()).hexdigest(), 16)
        number = f"SB{digest % 10**12:012}"
        if asked.pickup_point is not None:
            number = f"SBP{digest % 10**11:011}"
        quote = self.quote(asked)
        assert quote is not None
        return Label(
            tracking_number=number, label_ref=f"sandbox/{number}", cost_minor=quote.cost_minor,
            cost_currency=quote.cost_currency,
        )  # fmt: skip

    def void(self, tracking_number: str) -> None:
        """Take a label back: it was never more than a number."""

    def track(
        self, tracking_number: str, *, handed_over_at: datetime, at: datetime
    ) -> Sequence[Scan]:
        """Return what its timetable has for a parcel up to now."""
        return [
            Scan(
                tracking_number=tracking_number, event_ref=f"{tracking_number}-{nth}",
                occurred_at=handed_over_at + hours * self._hour, status=status,
                place="pick-up point" if status in _AT_COUNTER else "sandbox depot",
                collect_by=handed_over_at + (hours + KEPT_HOURS) * self._hour
                if status == READY else None,
            )
            for nth, (hours, status) in enumerate(_timetable(tracking_number), start=1)
            if handed_over_at + hours * self._hour <= at
        ]  # fmt: skip


def fate_of(tracking_number: str) -> str:
    """Return which timetable a parcel follows; a number that is not ours is simply delivered."""
    digits = tracking_number[-2:]
    fates = _POINT_FATES if is_for_point(tracking_number) else _FATES
    return fates[int(digits)] if digits.isascii() and digits.isdigit() else fates[0]


def is_for_point(tracking_number: str) -> bool:
    """Tell whether a number is of a parcel for a pick-up point."""
    return tracking_number.startswith("SBP")


def _timetable(tracking_number: str) -> tuple[tuple[int, str], ...]:
    tables = POINT_TIMETABLES if is_for_point(tracking_number) else TIMETABLES
    return tables[fate_of(tracking_number)]
