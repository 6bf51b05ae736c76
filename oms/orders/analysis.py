"""The list of orders added up: by channel, place, state, day, type of product and the like."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import text

from oms.kernel.errors import Rejected
from oms.kernel.limits import ANALYSIS_ORDERS_MAX
from oms.ledger.database import Tx
from oms.orders.estimates import Search
from oms.orders.filters import Filters, search_of
from oms.orders.finding import FEW, found_by, parameters_of

GROUPS_MAX: Final = 5_000


class TooWide(Rejected):
    """The filters leave more than can be answered at once; narrow them, or ask the reports."""

    code = "RESULT_TOO_WIDE"


class Dimension(StrEnum):
    """What a result may be added up by."""

    CHANNEL = "channel"
    LOCATION = "location"
    METHOD = "method"
    ORDER_STATE = "order_state"
    FULFILLMENT_STATE = "fulfillment_state"
    COUNTRY = "country"
    PRODUCT_TYPE = "product_type"
    TAG = "tag"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The orders with the same values, in one currency: as ordered, without shipping."""

    values: tuple[str | None, ...]
    currency: str
    orders_count: int
    units: int
    net_minor: int
    gross_minor: int


_FOUND: Final = """
    o.order_id, o.channel_id, o.location_id, o.fulfillment_method, o.order_state,
    o.fulfillment_state, o.country_code, o.placed_on, o.currency, o.tags
"""
# The days are those of the channel's calendar.
_VALUES: Final[dict[Dimension, str]] = {
    Dimension.CHANNEL: "(select channel_code from channels k where k.channel_id = f.channel_id)",
    Dimension.LOCATION: (
        "(select location_code from locations k where k.location_id = f.location_id)"
    ),
    Dimension.METHOD: "f.fulfillment_method",
    Dimension.ORDER_STATE: "f.order_state",
    Dimension.FULFILLMENT_STATE: "f.fulfillment_state",
    Dimension.COUNTRY: "f.country_code",
    Dimension.PRODUCT_TYPE: "l.product_type",
    Dimension.TAG: "t.tag",
    Dimension.DAY: "f.placed_on::text",
    Dimension.WEEK: "date_trunc('week', f.placed_on::timestamp)::date::text",
    Dimension.MONTH: "date_trunc('month', f.placed_on::timestamp)::date::text",
}
_LINES: Final = """
    lines as (
        select
            l.order_id, {type} as product_type, sum(l.quantity)::bigint as units,
            sum(l.net_minor)::bigint as net_minor,
            sum(l.net_minor + l.tax_minor)::bigint as gross_minor
        from found
        join order_lines l using (order_id)
        join products p using (product_id)
        where not (select is_capped from capped)
        group by 1, 2
    )
"""


def analyze(tx: Tx, filters: Filters, by: Sequence[Dimension]) -> list[Group]:
    """Return what was ordered per combination of values and currency, in their order.

    An order with products of two types counts for each of them, one with two tags whole for each.
    Raises TooWide for more than
    ANALYSIS_ORDERS_MAX orders or GROUPS_MAX groups.
    """
    search = search_of(tx, filters)
    rows = tx.execute(
        text(_statement(search, by)),
        parameters_of(
            search, search.terms, hits_max=ANALYSIS_ORDERS_MAX + 1, groups_max=GROUPS_MAX + 1
        ),
    ).all()
    if rows[0].is_capped or len(rows) > GROUPS_MAX:
        raise TooWide
    return [
        Group(
            values=tuple(row[: len(by)]), currency=row.currency, orders_count=row.orders_count,
            units=row.units, net_minor=row.net_minor, gross_minor=row.gross_minor,
        )
        for row in rows
        if row.currency is not None
    ]  # fmt: skip


def _statement(search: Search, by: Sequence[Dimension]) -> str:
    """Write the question; its first row tells whether there is too much to add up."""
    kind = "p.product_type" if Dimension.PRODUCT_TYPE in by else "null::text"
    keys = ", ".join([*(f"value_{n}" for n in range(len(by))), "currency"])
    tags = " left join unnest(f.tags) as t (tag) on true" if Dimension.TAG in by else ""
    values = ", ".join(f"{_VALUES[each]} as value_{n}" for n, each in enumerate(by))
    return (
        f"with {found_by(search, _FOUND, search.terms)},"
        f" capped as materialized (select not {FEW} as is_capped),"
        f" {_LINES.format(type=kind)}"
        f" select {keys}, orders_count, units, net_minor, gross_minor, is_capped from capped"
        f" left join (select {keys}, count(*) as orders_count, sum(units)::bigint as units,"
        " sum(net_minor)::bigint as net_minor, sum(gross_minor)::bigint as gross_minor"
        f" from (select {values}, f.currency, l.units, l.net_minor, l.gross_minor"
        f" from found f join lines l using (order_id){tags}) g group by {keys}) g on true"
        f" order by {keys} nulls first limit :groups_max"
    )
