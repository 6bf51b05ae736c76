"""Carriers we make no labels with, but whose numbers, pages and codes are known."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from oms.shipments.model import TOLD_BY_CARRIERS, Label, LabelRefused, ParcelState, Scan
from oms.shipments.port import LabelRequest, Profile, Quote

# Whoever passes on what a carrier tells may say it in our words, whatever the carrier.
OWN_WORDS: Final[Mapping[str, ParcelState]] = {
    state.value.upper(): state for state in TOLD_BY_CARRIERS
}

PROFILES: Final = (
    Profile(
        code="postnl", numbers=re.compile(r"3S[0-9A-Z]{9,13}"), states=OWN_WORDS,
        url_template="https://jouw.postnl.nl/track-and-trace/{tracking_number}",
    ),
    Profile(
        code="dhl", numbers=re.compile(r"\d{10}|JJD\d{16,18}|JVGL\d{10,20}|3S[0-9A-Z]{9,13}"),
        states=OWN_WORDS,
        url_template="https://www.dhl.com/en/express/tracking.html?AWB={tracking_number}",
    ),
    Profile(
        code="dpd", numbers=re.compile(r"\d{14}"), states=OWN_WORDS,
        url_template="https://tracking.dpd.de/status/en_US/parcel/{tracking_number}",
    ),
    Profile(
        code="ups", numbers=re.compile(r"1Z[0-9A-Z]{16}"), states=OWN_WORDS,
        url_template="https://www.ups.com/track?tracknum={tracking_number}",
    ),
)  # fmt: skip


class ListedCarrier:
    """A carrier that tells us of parcels whose labels were made elsewhere."""

    is_asked = False
    points = None

    def __init__(self, profile: Profile) -> None:
        """Take what is known of it."""
        self.profile = profile

    def quote(self, asked: LabelRequest) -> Quote | None:  # noqa: ARG002 - as the port has it
        """Say nothing of what it would take."""
        return None

    def label(self, asked: LabelRequest) -> Label:  # noqa: ARG002 - as the port has it
        """Refuse: raises LabelRefused."""
        raise LabelRefused(
            "labels of this carrier are made elsewhere: give its tracking number",
            carrier=self.profile.code,
        )

    def void(self, tracking_number: str) -> None:
        """Do nothing: whoever made the label elsewhere takes it back there."""

    def track(
        self, tracking_number: str, *, handed_over_at: datetime, at: datetime  # noqa: ARG002 - as the port has it
    ) -> Sequence[Scan]:  # fmt: skip
        """Return nothing: it is not asked."""
        return ()
