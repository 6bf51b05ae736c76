"""Questions about returns: why and where goods come back, what becomes of them, how fast we pay."""

from enum import StrEnum
from typing import Any, Final

import polars as pl

from oms.reports.facts import facts
from oms.reports.measures import columns
from oms.reports.model import NO_VALUE, Filters
from oms.reports.published import Publication
from oms.reports.sheet import Held, Sheet

# In the Union a customer has the money back within so many days of sending goods back.
LEGAL_DAYS: Final = 14
BEHIND: Final = (
    "return_number", "order_number", "channel_name", "location_name", "sku", "return_reason",
    "resolution", "return_state", "came_back_units", "received_at", "refunded_seconds",
)  # fmt: skip
_WITHOUT: Final = frozenset({"Basis", "Currency", "Product types", "Categories", "Brands", "SKUs"})


class Subject(StrEnum):
    """What is asked about."""

    RETURNS = "returns"
    DISPOSITIONS = "dispositions"

    @property
    def label(self) -> str:
        """Name it for people."""
        return self.value.capitalize()

    @property
    def groups(self) -> "tuple[Group, ...]":
        """What it is divided by, the usual first."""
        return _GROUPS[self]

    @property
    def counted(self) -> str:
        """What tells whether there is any of it, and its rows are sorted by."""
        return {"returns": "came_back_units", "dispositions": "looked_at_units"}[self.value]


class Group(StrEnum):
    """What returns are divided by."""

    REASON = "reason"
    RESOLUTION = "resolution"
    DISPOSITION = "disposition"
    CONDITION = "condition"
    LOCATION = "location"
    CHANNEL = "channel"
    PRODUCT_TYPE = "product_type"
    KIND = "kind"

    @property
    def label(self) -> str:
        """Name it for people, in a sentence."""
        return self.value.replace("_", " ")

    @property
    def column(self) -> str:
        """Name the column it is written in."""
        return _COLUMNS.get(self, self.value)


_COLUMNS: Final = {
    Group.REASON: "return_reason", Group.LOCATION: "location_name", Group.CHANNEL: "channel_name",
    Group.KIND: "return_kind",
}  # fmt: skip
_GROUPS: Final = {
    Subject.RETURNS: (
        Group.REASON, Group.RESOLUTION, Group.LOCATION, Group.CHANNEL, Group.PRODUCT_TYPE,
        Group.KIND,
    ),
    Subject.DISPOSITIONS: (
        Group.DISPOSITION, Group.CONDITION, Group.REASON, Group.LOCATION, Group.CHANNEL,
        Group.PRODUCT_TYPE,
    ),
}  # fmt: skip
_SCOPE: Final = """
    with scope as (
        select facts.* exclude (reason), facts.reason as return_reason,
            coalesce(channels.channel_name, facts.channel_code) as channel_name,
            coalesce(locations.location_name, facts.location_code) as location_name
        from {table} as facts
        left join dim_channels as channels on channels.channel_code = facts.channel_code
        left join dim_locations as locations on locations.location_code = facts.location_code
        where not facts.is_test and facts.{day} >= $from_on and facts.{day} < $to_on
            and (len($channels::varchar[]) = 0
                or facts.channel_code in (select unnest($channels::varchar[])))
            and (len($locations::varchar[]) = 0
                or facts.location_code in (select unnest($locations::varchar[])))
    )
"""
_SCOPES: Final = {
    Subject.RETURNS: _SCOPE.format(table="fct_returns", day="asked_on"),
    Subject.DISPOSITIONS: _SCOPE.format(table="fct_return_units", day="inspected_on"),
}
_EVERY: Final = _SCOPE.partition("and facts.{day}")[0].format(table="fct_returns") + ")"
_SUMS: Final = {
    Subject.RETURNS: f"""
        count(distinct return_id) as coming_back_count,
        coalesce(sum(expected_units), 0)::bigint as asked_back_units,
        coalesce(sum(received_units), 0)::bigint as came_back_units,
        coalesce(sum(accepted_units), 0)::bigint as accepted_units,
        coalesce(sum(rejected_units), 0)::bigint as rejected_units,
        round(quantile_cont(refund_seconds, 0.5))::bigint as refunded_p50_seconds,
        round(quantile_cont(refund_seconds, 0.9))::bigint as refunded_p90_seconds,
        count(*) filter (refund_seconds <= {LEGAL_DAYS * 86_400})
            / nullif(count(refund_seconds), 0) as in_time_ratio
    """,
    Subject.DISPOSITIONS: """
        coalesce(sum(units), 0)::bigint as looked_at_units,
        coalesce(sum(units) filter (disposition = 'restock'), 0)::bigint as restocked_units,
        restocked_units / nullif(looked_at_units, 0) as restocked_ratio,
        coalesce(sum(units) filter (disposition = 'scrap'), 0)::bigint as scrapped_units,
        round(quantile_cont(inspect_seconds, 0.5))::bigint as looked_at_p50_seconds
    """,
}
_DATED: Final = {
    Subject.RETURNS: "By the day the return was asked for",
    Subject.DISPOSITIONS: "By the day units were looked at",
}
_BEHIND: Final = f"""
    select {", ".join(BEHIND[:-3])}, received_units as came_back_units, received_at,
        refund_seconds as refunded_seconds
    from scope
"""  # noqa: S608 - our own names


def totals(publication: Publication, filters: Filters, subject: Subject) -> dict[str, Any]:
    """Measure a subject as a whole."""
    sql = f"{_SCOPES[subject]} select {_SUMS[subject]} from scope"  # noqa: S608 - our own names
    return publication.ask(sql, filters.parameters()).row(0, named=True)


def rows(
    publication: Publication, filters: Filters, subject: Subject, group: Group
) -> pl.DataFrame:
    """Measure a subject group by group, the most units first."""
    shown = f"coalesce({group.column}, '{NO_VALUE}') as {group.column}"
    sql = f"""
        {_SCOPES[subject]} select {shown}, {_SUMS[subject]} from scope group by 1
        order by {subject.counted} desc, 1
    """  # noqa: S608 - our own names
    return publication.ask(sql, filters.parameters())


def coming_back_by(
    publication: Publication, filters: Filters, subject: Subject, group: Group
) -> Sheet:
    """Make the table of a subject, group by group."""
    frame = rows(publication, filters, subject, group)
    return Sheet(
        name=f"coming_back_{subject.value}_by_{group.value}",
        title=f"{subject.label} by {group.label}",
        columns=columns(frame.columns),
        frames=Held(frame),
        facts=(("Counted", _DATED[subject]), *facts(publication, filters, _WITHOUT)),
        total=totals(publication, filters, subject),
    )


def returns_behind(
    publication: Publication, filters: Filters, subject: Subject, group: Group, value: str
) -> Sheet:
    """Make the list of the lines of returns that a row of a table counts, the newest first."""
    chosen = f"coalesce({group.column}, '{NO_VALUE}') = $chosen"
    if subject is Subject.RETURNS:
        sql = f"{_SCOPES[subject]} {_BEHIND} where {chosen}"
    else:  # those of whose units some were looked at then, whenever they were asked for
        looked = f"{_SCOPES[subject]} select return_id, line_no from scope where {chosen}"  # noqa: S608 - our own names
        sql = f"{_EVERY} {_BEHIND} where (return_id, line_no) in ({looked})"
    sql += " order by return_number desc, sku"
    return Sheet(
        name="returns_behind",
        title=f"Returns: {group.label} {value}",
        columns=columns(BEHIND),
        frames=Held(publication.ask(sql, filters.parameters(chosen=value))),
        facts=(("Counted", _DATED[subject]), *facts(publication, filters, _WITHOUT)),
    )
