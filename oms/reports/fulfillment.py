"""Questions about fulfillment: times, splits, rejections, collection, flows and what carries."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Final

import polars as pl

from oms.reports.fulfillment_sql import MEASURED, SCOPES, SPAN
from oms.reports.model import Filters
from oms.reports.published import Publication

_ONE_DAY: Final = timedelta(days=1)


class Group(StrEnum):
    """What a subject is divided by."""

    LOCATION = "location"
    METHOD = "method"
    CHANNEL = "channel"
    CARRIER = "carrier"
    ROUTE = "route"
    TYPE = "type"
    WAY = "way"

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the columns that make a row of it."""
        return _COLUMNS[self]


_COLUMNS: Final = {
    Group.LOCATION: ("location_name", "location_code"),
    Group.METHOD: ("fulfillment_method",),
    Group.CHANNEL: ("channel_name", "channel_code"),
    Group.CARRIER: ("carrier",),
    Group.ROUTE: ("from_location_name", "to_location_name"),
    Group.TYPE: ("hold_type",),
    Group.WAY: ("channel_name", "sold_location_name", "fulfilled_location_name",
                "returned_location_name"),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """How a subject may be divided, and by which of its counts its rows are sorted."""

    groups: tuple[Group, ...]
    sorted_by: str


class Subject(StrEnum):
    """What is asked about."""

    TIMES = "times"
    SPLITS = "splits"
    REJECTIONS = "rejections"
    COLLECTION = "collection"
    FLOW = "flow"
    TRANSFERS = "transfers"
    CARRIERS = "carriers"
    HOLDS = "holds"

    @property
    def label(self) -> str:
        """Name it for people."""
        return self.value.capitalize()

    @property
    def groups(self) -> tuple[Group, ...]:
        """Return what it may be divided by, the usual first."""
        return _SHAPES[self].groups

    @property
    def sorted_by(self) -> str:
        """Return what tells whether there is any of it, and its rows are sorted by."""
        return _SHAPES[self].sorted_by


_SHAPES: Final = {
    Subject.TIMES: _Shape(
        groups=(Group.LOCATION, Group.METHOD, Group.CHANNEL), sorted_by="fulfillments_count"
    ),
    Subject.SPLITS: _Shape(groups=(Group.METHOD, Group.CHANNEL), sorted_by="groups_count"),
    Subject.REJECTIONS: _Shape(
        groups=(Group.LOCATION, Group.METHOD, Group.CHANNEL), sorted_by="fulfillments_count"
    ),
    Subject.COLLECTION: _Shape(groups=(Group.LOCATION, Group.CHANNEL), sorted_by="ready_count"),
    Subject.FLOW: _Shape(groups=(Group.WAY,), sorted_by="flow_units"),
    Subject.TRANSFERS: _Shape(groups=(Group.ROUTE,), sorted_by="transfers_count"),
    Subject.CARRIERS: _Shape(groups=(Group.CARRIER, Group.LOCATION), sorted_by="parcels_count"),
    Subject.HOLDS: _Shape(groups=(Group.TYPE, Group.CHANNEL), sorted_by="holds_count"),
}


def totals(publication: Publication, filters: Filters, subject: Subject) -> dict[str, Any]:
    """Measure a subject as a whole."""
    sql = f"{SCOPES[subject]} select {MEASURED[subject]} from scope"
    return publication.ask(sql, filters.parameters()).row(0, named=True)


def rows(
    publication: Publication, filters: Filters, subject: Subject, group: Group
) -> pl.DataFrame:
    """Measure a subject group by group, the largest first."""
    keys = ", ".join(group.columns)
    sql = (
        f"{SCOPES[subject]} select {keys}, {MEASURED[subject]} from scope"
        f" group by {keys} order by {subject.sorted_by} desc, {keys}"
    )
    return publication.ask(sql, filters.parameters())


def span(publication: Publication) -> tuple[date | None, date | None]:
    """Return the first and the last day anything was done for an order."""
    until = {"after_on": publication.stamp.published_at.date() + _ONE_DAY}
    first_on, last_on = publication.ask(SPAN, until).row(0)
    return first_on, last_on
