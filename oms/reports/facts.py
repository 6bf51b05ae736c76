"""What a table was asked for and where it comes from, in words: the head of every file."""

from typing import Final

from oms.reports.model import Filters
from oms.reports.published import Publication

CALENDAR: Final = "Dates are days in each channel's own time zone; instants are UTC."
# Sales belong to a channel; which location ships them is no part of these numbers.
OF_SALES: Final = frozenset({"Locations"})


def facts(
    publication: Publication, filters: Filters, without: frozenset[str] = OF_SALES
) -> tuple[tuple[str, str], ...]:
    """Name the filters, the calendar, and the publication the numbers are from."""
    stamp = publication.stamp
    asked = tuple(fact for fact in filters.facts() if fact[0] not in without)
    return (
        *asked,
        ("Time zone", CALENDAR),
        ("As of", f"{stamp.published_at:%Y-%m-%d %H:%M:%S} UTC"),
        ("Publication", f"version {stamp.version}, ledger watermark {stamp.watermark}"),
    )
