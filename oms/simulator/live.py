"""The present: endless days of payloads, each with the moment it is due, after a history."""

from __future__ import annotations

from datetime import UTC, timedelta
from itertools import groupby
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from oms.simulator.backoffice import feeds
from oms.simulator.book import Expected, Unkept
from oms.simulator.delivery import Courier, Window
from oms.simulator.model import Plan, Rates
from oms.simulator.network import CHANNELS, DC
from oms.simulator.retailer import Retailer
from oms.simulator.settling import Clearing
from oms.simulator.timeline import DAY, Waiting, midnight

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from oms.simulator.model import Payload
    from oms.simulator.retailer import Day, Happening

FILE_MINUTES = 60  # files are dropped every hour


def live(  # a story is told on with all that it began with
    seed: int,
    start: datetime,
    speed: float,
    *,
    days: int = 90,
    orders_per_day: int = 400,
    book: Expected | None = None,
    rates: Rates | None = None,
    is_routed: bool = False,
) -> Iterator[Payload]:
    """Go on where history(seed, days, orders_per_day, until=the day of start) ended, for ever.

    The retailer's clock begins at start and runs so many times faster; `at` is when the payload
    is due by the caller's own clock. What happened earlier on the day of start is due at once.
    The days before are lived through again without being told: stock and orders go on from there.
    """
    assert start.tzinfo is not None, "an instant has an offset"
    today = start.astimezone(ZoneInfo(DC.time_zone)).date()
    rates = Rates() if rates is None else rates
    plan = Plan(
        seed=seed, first=today - days * DAY, orders_per_day=orders_per_day, rates=rates,
        routed_until=today if is_routed else None,
    )  # fmt: skip
    book = Unkept() if book is None else book
    retailer, courier, waiting = Retailer(plan), Courier(plan, book), Waiting()
    clearing = Clearing()
    for _ in range(days):
        day = retailer.day()
        clearing.reports(day)
        _remember(day, book)
    while True:
        day = retailer.day()
        told = [
            *feeds(day, retailer.products, plan.first, book), *_told(day, courier),
            *book.noted(clearing.reports(day)),
        ]  # fmt: skip
        for payload in waiting.due(told, midnight(day.on + DAY)):
            yield payload._replace(at=start + max(timedelta(), payload.at - start) / speed)


def _remember(day: Day, book: Expected) -> None:
    """Note what the history has told, so that it is not counted again."""
    for happenings in day.happenings.values():
        for happening in happenings:
            if happening.upto or not happening.order.trouble.is_late:
                book.know(happening.order, happening.upto)


def _told(day: Day, courier: Courier) -> Iterator[Payload]:
    """Bring a day's news: one by one where a channel can, else in hourly files."""
    for channel in CHANNELS:
        happenings = day.happenings[channel.code]
        if courier.has_moments(channel.code):
            for happening in happenings:
                yield from courier.moment(channel.code, happening)
            continue
        for end, hour in groupby(happenings, _file_end):
            window = Window(
                label=f"{end:%Y-%m-%d-%H%M}", end=end, length=timedelta(minutes=FILE_MINUTES)
            )
            yield from courier.window(channel.code, list(hour), window)


def _file_end(happening: Happening) -> datetime:
    """Say when the file is written that tells a happening."""
    at = happening.at.astimezone(UTC)
    minute = at.minute // FILE_MINUTES * FILE_MINUTES
    return at.replace(minute=minute, second=0) + timedelta(minutes=FILE_MINUTES)
