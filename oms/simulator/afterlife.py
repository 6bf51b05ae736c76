"""What becomes of an order: added lines, cancellations, shipments, collections and returns."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from oms.kernel.money import share_of_units
from oms.simulator.baskets import Terms, line_of, quantity_of
from oms.simulator.fates import comes, is_ours
from oms.simulator.model import FINE, Change, Part
from oms.simulator.network import DC, SHOP_STORES, TILL_STORES
from oms.simulator.refs import ref_of
from oms.simulator.rhythm import local, minutes_open, open_day
from oms.simulator.streams import scatter, wheel
from oms.simulator.tenders import is_invoiced
from oms.simulator.trouble import WRONG_TOTALS, is_refused

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from oms.simulator.model import Line, Order, Place, Plan, Product, Trouble
    from oms.simulator.shelves import Shelves

CANCEL_RATIO = {
    "webshop-eu": 0.024, "webshop-uk": 0.022, "kiosk": 0.01, "marketplace": 0.031, "phone": 0.012,
    "pos": 0.0,
}  # fmt: skip
CANCEL_PART_RATIO = 0.008
OUT_OF_STOCK_RATIO = 0.006  # beside what the shelves say: units that could not be found
RETURN_SCALE = {
    "webshop-eu": 1.0, "webshop-uk": 0.9, "kiosk": 0.5, "marketplace": 1.2, "phone": 0.4,
    "pos": 0.3,
}  # fmt: skip
IN_STORE_RATIO = 0.27  # of what was bought online and returned
SAME_STORE_RATIO = 0.85  # of what was bought in a store and returned
WHOLE_RATIO = 0.7  # of the returned lines come back with all their units
EDIT_SECONDS_MAX = 21_600  # after placing: the DC ships on the next day
ADD_RATIO = 0.008
NOTE_RATIO = 0.006
SPLIT_RATIO = 0.09
RESTOCK_RATIO = 0.93
LATE_AT_MOST = timedelta(days=3)
RETURN_DAYS_MIN, RETURN_DAYS_MAX = 5, 40
PAY_DAYS_MIN, PAY_DAYS_MAX = 6, 30  # after the goods have left
_PAY_SALT = 43

_SHIP_DAYS = wheel({1: 61, 2: 25, 3: 9, 5: 5})
_COLLECT_DAYS = wheel({1: 30, 2: 34, 3: 20, 4: 10, 6: 6})
_FASHION = frozenset({"Women", "Men", "Kids", "Shoes"})
_REASONS = {
    True: wheel({"too_small": 34, "too_large": 27, "not_as_expected": 21, "changed_mind": 14,
                 "defective": 4}),
    False: wheel({"changed_mind": 38, "not_as_expected": 27, "defective": 24, "wrong_item": 11}),
}  # fmt: skip
# What becomes of goods, and is left to locations where orders are routed to them.
_HANDLING = frozenset({"out_of_stock", "not_collected"})
_EDITABLE = frozenset({"webshop-eu", "webshop-uk", "kiosk"})


class Facts(NamedTuple):
    """What else is known of a change: the last fields of a Change."""

    place: Place | None = None
    restock: bool = True
    reason: str = ""
    closes: bool = False


NOWHERE = Facts()


class _Fate:
    """The changes of one order while they are being thought out."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.open = [
            0 if index < order.carried else line.quantity for index, line in enumerate(order.lines)
        ]
        self.gone = [0] * len(order.lines)  # canceled or returned, in money
        self.changes: list[Change] = []

    def happen(
        self, kind: str, at: datetime, quantities: Mapping[int, int], facts: Facts = NOWHERE
    ) -> None:
        """Add a change of some units; nothing happens to none."""
        quantities = {line: quantity for line, quantity in quantities.items() if quantity}
        if not quantities:
            return
        last = self.changes[-1].at if self.changes else self.order.placed_at
        at = max(at, last + timedelta(minutes=2))
        parts = tuple(self._part(kind, line, count) for line, count in quantities.items())
        number = len(self.changes) + 1
        self.changes.append(Change(kind, at, number, parts, *facts))

    def _part(self, kind: str, index: int, quantity: int) -> Part:
        """Take units of a line: canceled and returned ones have their share of its money."""
        line = self.order.lines[index]
        if kind in {"ship", "cancel"}:
            self.open[index] -= quantity
        if kind == "add":
            self.open.append(quantity)
            return Part(index, quantity, line.total, line.tax)
        if kind not in {"cancel", "return"}:
            return Part(index, quantity, 0, 0)
        gone, self.gone[index] = self.gone[index], self.gone[index] + quantity
        return Part(
            index,
            quantity,
            share_of_units(line.total, line.quantity, gone, quantity),
            share_of_units(line.tax, line.quantity, gone, quantity),
        )


class Afterlife:
    """The hand that moves orders on after they are placed."""

    def __init__(self, plan: Plan, shelves: Shelves, products: Sequence[Product]) -> None:
        """Know what lies where: what is not there cannot be shipped."""
        self._plan, self._shelves, self._products = plan, shelves, products

    def of(self, order: Order, on: date, rng: random.Random) -> Order:
        """Think out all that becomes of an order placed on a day."""
        if is_refused(order.trouble):
            return order
        source = self._source(order, rng)
        order, fate = self._edited(order, rng)
        if order.method != "carry_out":
            if order.method != "mixed":  # part of it is at the customer's already
                self._cancel_early(fate, source, rng)
            self._promise(fate, source)
            self._hand_over(fate, on, source, rng)
        _bring_back(fate, on, rng)
        _pay_invoice(fate)
        place, until = order.pickup.code if order.pickup else None, self._plan.routed_until
        is_routed = is_ours(order.channel.code, order.method, place, on, until)
        told, quiet = _shared(fate.changes, is_routed=is_routed)
        return order._replace(changes=told, quiet=quiet, trouble=_possible(order, told))

    def _source(self, order: Order, rng: random.Random) -> Place:
        """Say where the units come from."""
        if order.method == "carry_out":
            assert order.store is not None, "what is carried out is carried out of a store"
            return order.store
        if order.method in {"collect_store", "reserve"}:
            assert order.pickup is not None, "what is collected is collected somewhere"
            return order.pickup if self._has_all(order.pickup, order) else DC
        if order.method != "ship_from_store":
            return DC
        stores = [
            store
            for store in rng.sample(TILL_STORES, len(TILL_STORES))
            if self._has_all(store, order)
        ]
        return stores[0] if stores else DC

    def _has_all(self, place: Place, order: Order) -> bool:
        return all(
            self._shelves.free(place.code, line.product.index) >= line.quantity
            for line in order.lines
        )

    def _edited(self, order: Order, rng: random.Random) -> tuple[Order, _Fate]:
        """Let the customer add something or correct the address shortly after ordering."""
        chance = rng.random()
        is_editable = order.channel.code in _EDITABLE and order.method == "ship_home"
        if not is_editable or order.trouble.broken == WRONG_TOTALS or chance > 2 * ADD_RATIO:
            return order, _Fate(order)
        at = order.placed_at + timedelta(seconds=rng.randint(240, EDIT_SECONDS_MAX))
        if chance > ADD_RATIO or order.trouble.is_late:
            fate = _Fate(order)
            fate.happen("note", at, {0: order.lines[0].quantity}, Facts(reason="address"))
            return order, fate
        line = self._extra(order, rng)
        if line is None:
            return order, _Fate(order)
        count = len(order.lines)
        fate = _Fate(order._replace(lines=(*order.lines, line)))
        fate.open.pop()  # the line is there only once it is added
        fate.happen("add", at, {count: line.quantity})
        return fate.order, fate

    def _extra(self, order: Order, rng: random.Random) -> Line | None:
        """Draw one more product that is not in the order yet, if there is one."""
        inside = {line.product.index for line in order.lines}
        launched = [p for p in self._products if p.is_bulk and p.index not in inside]
        there = [p for p in launched if p.launched_on <= order.placed_at.date()]
        if not there:
            return None
        product = rng.choice(there)
        terms = Terms(
            currency=order.currency,
            country_code=order.country_code,
            with_tax=order.channel.prices_include_tax,
            markdown=0,
            promotion=0,
            is_business=False,
        )
        return line_of(product, product.title, quantity_of(product, terms, rng), terms)

    def _cancel_early(self, fate: _Fate, source: Place, rng: random.Random) -> None:
        """Cancel what is not there, and what the customer does not want any more."""
        order = fate.order
        soon = order.placed_at + timedelta(minutes=rng.randint(60, 420))
        missing = {
            index: line.quantity
            for index, line in enumerate(order.lines)
            if self._shelves.free(source.code, line.product.index) < line.quantity
            or rng.random() < OUT_OF_STOCK_RATIO
        }
        chance = rng.random()
        if chance < CANCEL_RATIO[order.channel.code]:
            fate.happen("cancel", soon, _all_open(fate), Facts(reason="customer", closes=True))
            return
        if missing:
            closes = len(missing) == len(order.lines)
            fate.happen("cancel", soon, missing, Facts(reason="out_of_stock", closes=closes))
        elif chance > 1 - CANCEL_PART_RATIO and sum(fate.open) > 1:
            one = {rng.randrange(len(fate.open)): 1}
            fate.happen("cancel", soon, one, Facts(reason="customer"))

    def _promise(self, fate: _Fate, source: Place) -> None:
        """Keep the units for the order until they leave or are canceled."""
        for index, quantity in enumerate(fate.open):
            product = fate.order.lines[index].product.index
            self._shelves.promise(source.code, product, quantity)

    def _hand_over(self, fate: _Fate, on: date, source: Place, rng: random.Random) -> None:
        """Ship what is open in one parcel or two, or let the customer collect it."""
        order = fate.order
        if order.method in {"collect_store", "reserve"}:
            self._collect(fate, on, source, rng)
            return
        day = open_day(source, on + timedelta(days=_SHIP_DAYS.spin(rng)))
        is_open = [index for index, quantity in enumerate(fate.open) if quantity]
        if len(is_open) > 1 and rng.random() < SPLIT_RATIO:
            first = is_open[: len(is_open) // 2]
            parcel = {index: fate.open[index] for index in first}
            fate.happen("ship", _within_hours(source, day, rng), parcel, Facts(source))
            day = open_day(source, day + timedelta(days=1))
        fate.happen("ship", _within_hours(source, day, rng), _all_open(fate), Facts(source))

    def _collect(self, fate: _Fate, on: date, source: Place, rng: random.Random) -> None:
        """Let the customer collect it, or not."""
        if not comes(self._plan.seed, ref_of(fate.order), fate.order.method):
            day = open_day(source, on + timedelta(days=7))
            facts = Facts(place=source, reason="not_collected", closes=True)
            fate.happen("cancel", _within_hours(source, day, rng), _all_open(fate), facts)
            return
        day = open_day(source, on + timedelta(days=_COLLECT_DAYS.spin(rng)))
        fate.happen("ship", _within_hours(source, day, rng), _all_open(fate), Facts(source))


def _shared(
    changes: Sequence[Change], *, is_routed: bool
) -> tuple[tuple[Change, ...], tuple[Change, ...]]:
    """Part what the channel tells of an order from what locations see to."""
    if not is_routed:
        return tuple(changes), ()
    quiet = tuple(c for c in changes if c.kind == "ship" or c.reason in _HANDLING)
    told = [change for change in changes if change not in quiet]
    return tuple(change._replace(number=no) for no, change in enumerate(told, 1)), quiet


def _possible(order: Order, changes: Sequence[Change]) -> Trouble:
    """Keep a late creation only where an update follows soon, that can overtake it."""
    if not order.trouble.is_late:
        return order.trouble
    is_soon = bool(changes) and changes[0].at - order.placed_at <= LATE_AT_MOST
    return order.trouble if is_soon else FINE


def _all_open(fate: _Fate) -> dict[int, int]:
    return dict(enumerate(fate.open))


def _within_hours(place: Place, on: date, rng: random.Random) -> datetime:
    """Draw a moment at which a place is open on a day, with an hour to spare."""
    opens, closes = minutes_open(place, on)
    minute = opens + 30 + int(rng.random() * (closes - opens - 60))
    return local(on, minute, int(rng.random() * 60), place.time_zone)


def _bring_back(fate: _Fate, on: date, rng: random.Random) -> None:
    """Let the customer return some of what left, days to weeks later."""
    order = fate.order
    unwanted = _unwanted(fate, rng)
    if not unwanted:
        return
    left = on
    for change in fate.changes:
        if change.kind == "ship":
            left = change.at.astimezone(ZoneInfo(order.channel.time_zone)).date()
    span = RETURN_DAYS_MAX - RETURN_DAYS_MIN
    days = RETURN_DAYS_MIN + int(span * rng.random() * rng.random())
    place = _returned_to(order, rng)
    at = _within_hours(place, open_day(place, left + timedelta(days=days)), rng)
    lines = [order.lines[index] for index in unwanted]
    is_fashion = lines[0].product.category in _FASHION
    reason = _REASONS[is_fashion].spin(rng)
    restock = reason != "defective" and rng.random() < RESTOCK_RATIO
    fate.happen("return", at, unwanted, Facts(place, restock, reason))


def _pay_invoice(fate: _Fate) -> None:
    """Let who is invoiced pay what is kept, days to weeks after it has left."""
    order = fate.order
    left = [change.at for change in fate.changes if change.kind == "ship"]
    total = sum(line.total for line in order.lines)
    if not is_invoiced(order) or not left or sum(fate.gone) >= total:
        return
    span = PAY_DAYS_MAX - PAY_DAYS_MIN
    days = PAY_DAYS_MIN + scatter(_PAY_SALT, order.number) % span
    fate.happen("pay", left[-1] + timedelta(days=days), {0: order.lines[0].quantity})


def _unwanted(fate: _Fate, rng: random.Random) -> dict[int, int]:
    """Draw which of the units that left come back."""
    order = fate.order
    scale = RETURN_SCALE[order.channel.code]
    left = [0] * len(order.lines)
    carried = len(left) if order.method == "carry_out" else order.carried
    for index in range(carried):
        left[index] = order.lines[index].quantity
    for change in fate.changes:
        if change.kind == "ship":
            for part in change.parts:
                left[part.line] += part.quantity
    return {
        index: quantity if rng.random() < WHOLE_RATIO else rng.randint(1, quantity)
        for index, quantity in enumerate(left)
        if quantity and rng.random() < order.lines[index].product.return_ratio * scale
    }


def _returned_to(order: Order, rng: random.Random) -> Place:
    """Say where it comes back to: the DC, the store that sold it, or another store."""
    chance = rng.random()
    if order.store is not None and order.method == "carry_out":
        others = SHOP_STORES if order.store in SHOP_STORES else TILL_STORES
        return order.store if chance < SAME_STORE_RATIO else rng.choice(others)
    if order.channel.kind in {"marketplace", "phone"} or chance >= IN_STORE_RATIO:
        return DC
    return rng.choice(SHOP_STORES if order.currency == "GBP" else TILL_STORES)
