"""The sandbox carrier: labels at once, and parcels that move along a timetable of their own."""

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from oms.adapters.carriers.listed import OWN_WORDS
from oms.shipments.model import Label, LabelRefused, Scan
from oms.shipments.port import LabelRequest, Profile, Quote

WEIGHT_GRAMS_MAX: Final = 31_500

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


class SandboxCarrier:
    """A carrier of which everything is decided by its tracking numbers."""

    is_asked = True
    profile = Profile(
        code="sandbox", numbers=re.compile(r"SB\d{12}"), states=OWN_WORDS,
        url_template="https://sandbox.example/track/{tracking_number}",
    )  # fmt: skip

    def __init__(self, *, hour_seconds: float = 3600.0) -> None:
        """Take how long an hour of its timetables lasts."""
        self._hour = timedelta(seconds=hour_seconds)

    def quote(self, asked: LabelRequest) -> Quote | None:
        """Return what a parcel costs: by weight, in euros."""
        grams = asked.size.weight_grams or 0
        return Quote(cost_minor=495 + grams // 1000 * 50, cost_currency="EUR")

    def label(self, asked: LabelRequest) -> Label:
        """Make the label of a ref, always the same. Raises LabelRefused for what is too heavy."""
        if (asked.size.weight_grams or 0) > WEIGHT_GRAMS_MAX:
            raise LabelRefused("the parcel is too heavy", max=WEIGHT_GRAMS_MAX)
        digest = int(hashlib.sha256(asked.ref.encode()).hexdigest(), 16)
        number = f"SB{digest % 10**12:012}"
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
                place="sandbox depot",
            )
            for nth, (hours, status) in enumerate(TIMETABLES[fate_of(tracking_number)], start=1)
            if handed_over_at + hours * self._hour <= at
        ]  # fmt: skip


def fate_of(tracking_number: str) -> str:
    """Return which timetable a parcel follows; a number that is not ours is simply delivered."""
    digits = tracking_number[-2:]
    return _FATES[int(digits)] if digits.isascii() and digits.isdigit() else "delivered"
