"""The past, as the world would have delivered it: days of payloads up to a date."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from oms.simulator.backoffice import feeds
from oms.simulator.book import Expected, Unkept
from oms.simulator.delivery import Courier, Window
from oms.simulator.model import Plan, Rates
from oms.simulator.network import CHANNELS, WEBSHOP_EU
from oms.simulator.retailer import Retailer
from oms.simulator.rhythm import local
from oms.simulator.settling import Clearing
from oms.simulator.timeline import DAY, Waiting, midnight

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from oms.simulator.model import Payload
    from oms.simulator.retailer import Day


def history(  # those by name only are for who checks or measures
    seed: int,
    days: int,
    orders_per_day: int,
    until: date,
    *,
    book: Expected | None = None,
    rates: Rates | None = None,
    is_routed: bool = False,
) -> Iterator[Payload]:
    """Tell the days up to, and without, a date, in the order their payloads arrive.

    An answer book, if one is given, is complete when the iterator is exhausted. Orders whose
    creation is late, and that nothing has happened to yet, are left to live. With `is_routed` the
    last days' orders are left to locations: no document tells that they were sent.
    """
    rates = Rates() if rates is None else rates
    plan = Plan(
        seed=seed, first=until - days * DAY, orders_per_day=orders_per_day, rates=rates,
        routed_until=until if is_routed else None,
    )  # fmt: skip
    book = Unkept() if book is None else book
    retailer, courier, waiting = Retailer(plan), Courier(plan, book), Waiting()
    clearing = Clearing()
    for _ in range(days):
        day = retailer.day()
        tomorrow = day.on + DAY
        told = [
            *feeds(day, retailer.products, plan.first, book),
            *_told(day, courier, is_last=tomorrow == until),
            *book.noted(clearing.reports(day)),
        ]
        yield from waiting.due(told, midnight(tomorrow))
    # The last day's files would arrive after midnight: the story ends just before.
    end = midnight(until) - timedelta(seconds=1)
    yield from (payload._replace(at=end) for payload in waiting.rest())


def _told(day: Day, courier: Courier, *, is_last: bool) -> Iterator[Payload]:
    """Bring the channels' news of a day: the last day of the European shop by webhooks."""
    for channel in CHANNELS:
        happenings = day.happenings[channel.code]
        if is_last and channel is WEBSHOP_EU:
            for happening in happenings:
                yield from courier.moment(channel.code, happening)
        else:
            end = local(day.on + DAY, 0, 0, channel.time_zone)
            window = Window(label=day.on.isoformat(), end=end, length=DAY)
            yield from courier.window(channel.code, happenings, window)
