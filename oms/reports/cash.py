"""The cash reports as tables: money on the day it moved, by channel."""

from typing import Any, Final

from oms.reports.facts import facts
from oms.reports.measures import CASH, columns
from oms.reports.model import Filters
from oms.reports.published import Publication
from oms.reports.sheet import Held, Sheet

_COUNTED: Final = ("Counted", "On the day the money moved, whenever its order was placed")
_NOT_OF_CASH: Final = frozenset(
    {"Basis", "Product types", "Categories", "Brands", "SKUs", "Locations"}
)
_SCOPE: Final = """
    with scope as (
        select occurred_on, cash.channel_code,
            coalesce(channels.channel_name, cash.channel_code) as channel_name,
            transactions_count, captured_amount, refunded_amount, charged_back_amount, cash_amount
        from cash_by_channel_daily as cash
        left join dim_channels as channels on channels.channel_code = cash.channel_code
        where cash.currency = $currency and occurred_on >= $from_on and occurred_on < $to_on
            and (len($channels::varchar[]) = 0
                or cash.channel_code in (select unnest($channels::varchar[])))
    )
"""
_SUMS: Final = """
    coalesce(sum(cash_amount), 0)::decimal(38,3) as cash_amount,
    coalesce(sum(captured_amount), 0)::decimal(38,3) as captured_amount,
    coalesce(sum(refunded_amount), 0)::decimal(38,3) as refunded_amount,
    coalesce(sum(charged_back_amount), 0)::decimal(38,3) as charged_back_amount,
    coalesce(sum(transactions_count), 0)::bigint as transactions_count
"""


def cash_by_day(publication: Publication, filters: Filters) -> Sheet:
    """Make the table of cash by day and channel."""
    keys = ("occurred_on", "channel_name", "channel_code")
    return _sheet(publication, filters, "day", keys, "occurred_on, channel_name, channel_code")


def cash_by_channel(publication: Publication, filters: Filters) -> Sheet:
    """Make the table of cash by channel, the most first."""
    keys = ("channel_name", "channel_code")
    return _sheet(publication, filters, "channel", keys, "cash_amount desc, channel_code")


def _sheet(
    publication: Publication, filters: Filters, by: str, keys: tuple[str, ...], order: str
) -> Sheet:
    listed = ", ".join(keys)
    sql = f"{_SCOPE} select {listed}, {_SUMS} from scope group by {listed} order by {order}"  # noqa: S608 - our own names
    return Sheet(
        name=f"cash_by_{by}",
        title=f"Cash by {by}",
        columns=columns((*keys, *CASH)),
        frames=Held(publication.ask(sql, filters.parameters())),
        facts=(_COUNTED, *facts(publication, filters, _NOT_OF_CASH)),
        currency=filters.currency,
        total=_total(publication, filters),
    )


def _total(publication: Publication, filters: Filters) -> dict[str, Any]:
    sql = f"{_SCOPE} select {_SUMS} from scope"  # noqa: S608 - our own names
    return publication.ask(sql, filters.parameters()).row(0, named=True)
