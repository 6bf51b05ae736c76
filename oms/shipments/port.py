"""What carries parcels: a carrier's own service, its sandbox, or only what is known of it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from oms.points.port import PointFinder
from oms.shipments.model import InvalidTrackingNumber, Label, ParcelState, Scan, Size


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What is known of a carrier: its numbers, its pages, and what its codes stand for."""

    code: str
    numbers: re.Pattern[str]
    url_template: str
    states: Mapping[str, ParcelState]  # by code, in capitals

    def check(self, tracking_number: str) -> None:
        """Raise InvalidTrackingNumber for what is no number of this carrier's."""
        if not self.numbers.fullmatch(tracking_number):
            raise InvalidTrackingNumber(carrier=self.code)

    def url(self, tracking_number: str) -> str:
        """Return the page where a parcel can be followed."""
        return self.url_template.format(tracking_number=tracking_number)

    def state_of(self, status: str) -> ParcelState | None:
        """Return what a code of the carrier's stands for; None for one we do not know."""
        return self.states.get(status.strip().upper())


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRequest:
    """A parcel that needs a label; asked for again under its ref it is the same label."""

    ref: str
    service: str | None
    size: Size
    pickup_point: Mapping[str, Any] | None = None  # None: it goes to the customer's address


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What a carrier would take."""

    cost_minor: int
    cost_currency: str


class Carrier(Protocol):
    """A carrier, as parcels know it."""

    @property
    def profile(self) -> Profile:
        """What is known of it."""
        ...

    @property
    def points(self) -> PointFinder | None:
        """What knows its pick-up points; None where nothing here does."""
        ...

    def quote(self, asked: LabelRequest) -> Quote | None:
        """Return what a parcel would cost; None where the carrier does not say."""
        ...

    def label(self, asked: LabelRequest) -> Label:
        """Make a label. Raises LabelRefused."""
        ...

    def void(self, tracking_number: str) -> None:
        """Take a label back that was not used."""
        ...

    def track(
        self, tracking_number: str, *, handed_over_at: datetime, at: datetime
    ) -> Sequence[Scan]:
        """Return all that has happened to a parcel up to now, for a carrier that is asked."""
        ...

    @property
    def is_asked(self) -> bool:
        """Whether it has to be asked; otherwise it tells us by itself."""
        ...
