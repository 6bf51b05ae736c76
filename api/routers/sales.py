"""Live sales: the published marts, and what the ledger has since."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request

from api.dependencies import Now, Snapshot
from api.routes import LedgerRoute
from api.schemas.common import MoneyOut
from api.schemas.sales import (
    ChannelSalesOut,
    PublicationOut,
    SalesOut,
    SalesQuery,
    TotalsOut,
)
from api.security import SalesRead
from oms.channels import queries as channels
from oms.kernel.clock import business_date
from oms.kernel.money import exponent_of
from oms.ledger.database import Tx
from oms.orders.queries import LiveSales, sales_after
from oms.reports.published import NothingPublished, Publication, Publications

router: Final = APIRouter(prefix="/v1", tags=["sales"], route_class=LedgerRoute)

_PUBLISHED: Final = """
    select channel_code, currency, sold_on, orders_count, units, net_amount
    from sales_by_channel_daily
    where basis = 'event' and sold_on >= $since
"""


@router.get("/sales/live")
def get_live_sales(
    query: Annotated[SalesQuery, Query()], caller: SalesRead, tx: Snapshot, now: Now,
    request: Request,
) -> SalesOut:  # fmt: skip
    """Return what was sold today and in a period, per channel and currency, up to this moment."""
    todays = {
        channel.code: business_date(now, channel.time_zone)
        for channel in channels.channels(tx)
        if caller.may_see(channel.code) and query.channel in {None, channel.code}
    }
    publication = _current(request.app.state.publications)
    since = min([query.from_on or date.max, *todays.values()])
    sales = _sales(tx, publication, since)
    return SalesOut(
        as_of=now, from_on=query.from_on, to_on=query.to_on,
        publication=None if publication is None else _stamp(publication, now),
        items=_totals(sales, todays, query),
    )  # fmt: skip


def _current(publications: Publications) -> Publication | None:
    try:
        return publications.current()
    except NothingPublished:
        return None


def _sales(tx: Tx, publication: Publication | None, since: date) -> list[LiveSales]:
    """Everything from a day on: what is published, and what was written after its watermark."""
    if publication is None:
        return sales_after(tx, 0, since=since)
    rows = publication.ask(_PUBLISHED, {"since": since}).to_dicts()
    published = [
        LiveSales(
            channel_code=row["channel_code"], currency=row["currency"], event_on=row["sold_on"],
            orders_count=row["orders_count"], units=row["units"],
            net_minor=_minor(row["net_amount"], row["currency"]),
        )
        for row in rows
    ]  # fmt: skip
    return published + sales_after(tx, publication.stamp.watermark, since=since)


def _totals(
    sales: Iterable[LiveSales], todays: dict[str, date], query: SalesQuery
) -> list[ChannelSalesOut]:
    by_channel: dict[tuple[str, str], list[LiveSales]] = defaultdict(list)
    for each in sales:
        if each.channel_code in todays:
            by_channel[each.channel_code, each.currency].append(each)
    items = []
    for (code, currency), found in sorted(by_channel.items()):
        today = todays[code]
        first, last = query.from_on or today, query.to_on or today
        items.append(
            ChannelSalesOut(
                channel_code=code, currency=currency, today_on=today,
                today=_total((s for s in found if s.event_on == today), currency),
                period=_total((s for s in found if first <= s.event_on <= last), currency),
            )
        )  # fmt: skip
    return items


def _total(sales: Iterable[LiveSales], currency: str) -> TotalsOut:
    found = list(sales)
    return TotalsOut(
        orders_count=sum(each.orders_count for each in found),
        units=sum(each.units for each in found),
        net=MoneyOut.of(sum(each.net_minor for each in found), currency),
    )


def _minor(amount: Decimal, currency: str) -> int:
    return int(amount.scaleb(exponent_of(currency)))


def _stamp(publication: Publication, now: datetime) -> PublicationOut:
    stamp = publication.stamp
    return PublicationOut(
        version=stamp.version, watermark=stamp.watermark, published_at=stamp.published_at,
        age_seconds=round((now - stamp.published_at).total_seconds(), 1),
    )  # fmt: skip
