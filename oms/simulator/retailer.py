"""The retailer in motion: one day after the other, what is ordered and what becomes of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from oms.simulator.afterlife import Afterlife
from oms.simulator.catalogue import catalogue, revisions
from oms.simulator.demand import Demand
from oms.simulator.network import CHANNELS, KIOSK
from oms.simulator.shelves import Shelves
from oms.simulator.stock import StockRoom
from oms.simulator.streams import stream
from oms.simulator.trouble import trouble_of

if TYPE_CHECKING:
    from datetime import date, datetime

    from oms.simulator.catalogue import Revision
    from oms.simulator.model import Change, Channel, Order, Plan
    from oms.simulator.stock import StockNews


class Happening(NamedTuple):
    """An order placed, or one change of it: from then on a document can tell it."""

    at: datetime
    order: Order
    upto: int  # so many of the order's changes are known then; 0: just placed


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """All that happens on one day."""

    on: date
    happenings: dict[str, list[Happening]]  # per channel, in time's order
    stock: StockNews
    launched: tuple[int, ...]  # products on sale from this day
    revised: tuple[Revision, ...]


class Retailer:
    """A retailer that lives day by day, from the first day of its plan on."""

    def __init__(self, plan: Plan) -> None:
        """Stock the shelves for the first day."""
        self.plan = plan
        self.products = catalogue(plan.seed, plan.first)
        self._revisions = revisions(self.products, plan.first)
        self._titles: dict[int, str] = {}
        self._shelves = Shelves(len(self.products))
        self._stock = StockRoom(plan, self.products, self._shelves)
        self._demand = Demand(plan, self.products, self._shelves)
        self._afterlife = Afterlife(plan, self._shelves, self.products)
        self._due: defaultdict[date, list[Happening]] = defaultdict(list)
        self._quiet: defaultdict[date, list[tuple[Order, Change]]] = defaultdict(list)
        self._next = plan.first

    def day(self) -> Day:
        """Live the next day."""
        on, self._next = self._next, self._next + timedelta(days=1)
        news = self._stock.morning(on)
        revised = tuple(revision for revision in self._revisions if revision.on == on)
        self._titles.update({r.product.index: r.title for r in revised})
        happenings: dict[str, list[Happening]] = {channel.code: [] for channel in CHANNELS}
        for channel in CHANNELS:
            for order in self._orders(channel, on):
                happenings[channel.code].append(Happening(at=order.placed_at, order=order, upto=0))
                self._remember(order)
        for happening in self._due.pop(on, ()):
            self._shelves.follow(happening.order, happening.order.changes[happening.upto - 1])
            happenings[happening.order.channel.code].append(happening)
        for order, change in self._quiet.pop(on, ()):
            self._shelves.follow(order, change)
        for told in happenings.values():
            told.sort(key=lambda h: (h.at, h.order.number, h.upto))
        self._stock.evening(on, news)
        launched = tuple(p.index for p in self.products if p.launched_on == on)
        return Day(on=on, happenings=happenings, stock=news, launched=launched, revised=revised)

    def _orders(self, channel: Channel, on: date) -> list[Order]:
        """Let the orders of a day come in and think out what becomes of them."""
        seed, rates = self.plan.seed, self.plan.rates
        mishaps, fates = (
            stream(seed, "trouble", channel.code, on),
            stream(seed, "afterlife", channel.code, on),
        )
        orders = []
        for order in self._demand.orders(channel, on, self._titles):
            trouble = trouble_of(channel, len(order.lines), rates, mishaps)
            lived = self._afterlife.of(order._replace(trouble=trouble), on, fates)
            orders.append(lived._replace(is_captured_here=self._is_captured_here(channel, on)))
        return orders

    def _is_captured_here(self, channel: Channel, on: date) -> bool:
        """Tell whether a day's payments are left to us: of kiosks, in the present."""
        until = self.plan.routed_until
        return channel is KIOSK and until is not None and on >= until

    def _remember(self, order: Order) -> None:
        """Note each change in the diary, under its day in the channel's calendar."""
        zone = ZoneInfo(order.channel.time_zone)
        for upto, change in enumerate(order.changes, 1):
            on = change.at.astimezone(zone).date()
            self._due[on].append(Happening(at=change.at, order=order, upto=upto))
        for change in order.quiet:
            self._quiet[change.at.astimezone(zone).date()].append((order, change))
