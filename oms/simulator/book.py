"""The answer book: what a ledger must say once it has read every document of the simulation."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from oms.simulator.rhythm import date_of
from oms.simulator.snapshot import Snapshot
from oms.simulator.trouble import WRONG_TOTALS, is_refused

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from oms.simulator.model import Change, Order, Part, Payload

_KINDS = frozenset({"cancel", "ship", "return"})


class SaleKey(NamedTuple):
    """Which line events are added up: kind is sale, edit, cancel, ship or return."""

    kind: str
    channel: str
    currency: str
    placed_on: date
    event_on: date
    sku: str
    is_test: bool


class OrderKey(NamedTuple):
    """Which orders are counted: those of a channel and a day of its calendar."""

    channel: str
    currency: str
    placed_on: date
    is_test: bool


@dataclass(slots=True)
class Sums:
    """Units and minor units; what was canceled or returned is positive here."""

    events: int = 0
    units: int = 0
    net: int = 0
    tax: int = 0

    def add(self, units: int, net: int, tax: int) -> None:
        """Add one event."""
        self.events += 1
        self.units += units
        self.net += net
        self.tax += tax


@dataclass(slots=True)
class OrderSums:
    """Orders with their lines and money, as they were when last told, before cancellations."""

    orders: int = 0
    lines: int = 0
    shipping_net: int = 0
    shipping_tax: int = 0
    total: int = 0


@dataclass(slots=True)
class Expected:
    """What was told, added up while it was told: pass an empty one to history or live."""

    sales: defaultdict[SaleKey, Sums] = field(default_factory=lambda: defaultdict(Sums))
    orders: defaultdict[OrderKey, OrderSums] = field(default_factory=lambda: defaultdict(OrderSums))
    broken: Counter[tuple[str, str]] = field(default_factory=Counter)  # channel, reason
    mismatched: Counter[str] = field(default_factory=Counter)  # orders with a wrong total, captured
    duplicates: Counter[str] = field(default_factory=Counter)  # documents told again unchanged
    stale: Counter[str] = field(default_factory=Counter)  # documents told after a newer one
    repeated_payloads: Counter[str] = field(default_factory=Counter)
    late_payloads: Counter[str] = field(default_factory=Counter)
    payloads: Counter[tuple[str, str, str]] = field(
        default_factory=Counter
    )  # channel, transport, topic
    moved: Counter[tuple[str, str]] = field(
        default_factory=Counter
    )  # movement kind, location: units
    counts: Counter[str] = field(default_factory=Counter)  # per location
    products: int = 0  # documents of the catalogue feed
    _told: dict[tuple[str, int], int] = field(default_factory=dict)

    def tell(self, order: Order, upto: int) -> None:
        """Note that a sound document told an order with its first so many changes."""
        if is_refused(order.trouble):
            self.broken[order.channel.code, order.trouble.broken] += 1
            return
        key = (order.channel.code, order.number)
        told = self._told.get(key, -1)
        assert told < upto, "an order is told anew only when something happened to it"
        snapshot = Snapshot(order, upto)
        if told < 0:
            self._tell_new(snapshot)
        for change in order.changes[max(told, 0) : upto]:
            self._tell_change(order, change, snapshot.updated_at, is_new=told < 0)
        self.know(order, upto)

    def know(self, order: Order, upto: int) -> None:
        """Note how much of an order is told already, without counting it."""
        key = (order.channel.code, order.number)
        if upto < len(order.changes):
            self._told[key] = upto
        else:
            self._told.pop(key, None)

    def noted(self, payloads: Sequence[Payload]) -> Sequence[Payload]:
        """Count payloads that tell of no order."""
        for payload in payloads:
            self.payloads[payload.channel_code, payload.transport, payload.topic] += 1
        return payloads

    def orders_count(self, channel: str | None = None) -> int:
        """Count the orders a ledger must have, test orders among them."""
        return sum(s.orders for k, s in self.orders.items() if channel in {None, k.channel})

    def total(self, kind: str, channel: str, currency: str) -> Sums:
        """Add up one kind of line event of a channel in a currency, test orders among them."""
        whole = Sums()
        for key, sums in self.sales.items():
            if (key.kind, key.channel, key.currency) == (kind, channel, currency):
                whole.events += sums.events
                whole.units += sums.units
                whole.net += sums.net
                whole.tax += sums.tax
        return whole

    def _tell_new(self, snapshot: Snapshot) -> None:
        """Count an order that is told for the first time."""
        order = snapshot.order
        if order.trouble.broken == WRONG_TOTALS:
            self.mismatched[order.channel.code] += 1
        placed_on = date_of(order.day)
        sums = self.orders[_order_key(order)]
        sums.orders += 1
        sums.lines += len(snapshot.lines)
        with_tax = order.channel.prices_include_tax
        sums.shipping_net += order.shipping - order.shipping_tax if with_tax else order.shipping
        sums.shipping_tax += order.shipping_tax
        sums.total += snapshot.total
        for line in snapshot.lines:
            net = line.total - line.tax if with_tax else line.total
            sales = self._sums("sale", order, placed_on, line.product.sku)
            sales.add(line.quantity, net, line.tax)

    def _tell_change(
        self, order: Order, change: Change, told_at: datetime, *, is_new: bool
    ) -> None:
        """Count one change; a line added before the order was first told is part of the sale."""
        if change.kind in _KINDS:
            on = _date(order, change.at)
            for part in change.parts:
                self._add(change.kind, order, on, part)
        elif change.kind == "add" and not is_new:
            sums = self.orders[_order_key(order)]
            for part in change.parts:
                self._add("edit", order, _date(order, told_at), part)
                sums.lines += 1
                sums.total += part.total

    def _add(self, kind: str, order: Order, on: date, part: Part) -> None:
        with_tax = order.channel.prices_include_tax
        net = part.total - part.tax if with_tax else part.total
        sku = order.lines[part.line].product.sku
        self._sums(kind, order, on, sku).add(part.quantity, net, part.tax)

    def _sums(self, kind: str, order: Order, on: date, sku: str) -> Sums:
        code, placed_on = order.channel.code, date_of(order.day)
        return self.sales[SaleKey(kind, code, order.currency, placed_on, on, sku, order.is_test)]


@dataclass(slots=True)
class Worked:
    """What the staff did, added up while it was done; units by location, or by what they are of."""

    steps: Counter[tuple[str, str]] = field(default_factory=Counter)  # location, state: so often
    handed_over: Counter[tuple[str, str]] = field(default_factory=Counter)  # location, SKU: units
    not_collected: Counter[tuple[str, str]] = field(default_factory=Counter)  # likewise
    rejected: Counter[tuple[str, str]] = field(default_factory=Counter)  # location, reason: works
    lost: Counter[tuple[str, str]] = field(default_factory=Counter)  # likewise: units not supplied
    parcels: Counter[str] = field(default_factory=Counter)  # per location
    sent: Counter[str] = field(default_factory=Counter)  # per location: units, to another one
    came: Counter[str] = field(default_factory=Counter)  # likewise, from another one
    held: Counter[str] = field(default_factory=Counter)  # per type of hold
    released: Counter[str] = field(default_factory=Counter)
    called_off: Counter[tuple[str, str]] = field(default_factory=Counter)  # channel, SKU: units

    def add(self, other: Worked) -> None:
        """Add what somebody else has noted."""
        for each in fields(self):
            getattr(self, each.name).update(getattr(other, each.name))


class Unkept(Expected):
    """A book that nobody will read: it leaves out what takes time to add up."""

    __slots__ = ()

    def tell(self, order: Order, upto: int) -> None:
        """Leave it out."""

    def know(self, order: Order, upto: int) -> None:
        """Leave it out."""


def _order_key(order: Order) -> OrderKey:
    return OrderKey(order.channel.code, order.currency, date_of(order.day), order.is_test)


def _date(order: Order, at: datetime) -> date:
    return at.astimezone(ZoneInfo(order.channel.time_zone)).date()
