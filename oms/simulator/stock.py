"""How the shelves are filled and counted: opening, replenishment, breakage, cycle counts."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from oms.simulator.network import DC, STOCKED, STORES
from oms.simulator.rhythm import day_number, local, minutes_open
from oms.simulator.streams import scatter, stream

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Sequence
    from datetime import date, datetime

    from oms.simulator.model import Place, Plan, Product
    from oms.simulator.shelves import Shelves

COVER_DAYS = {"dc": 45, "store": 28}
DC_SHARE = 0.68  # of all units are sold from the DC
UNITS_PER_ORDER = 2.6
DC_DELIVERY_WEEKDAY = 1  # suppliers come on Tuesdays
STORE_DELIVERY_WEEKDAYS = frozenset({0, 3})  # trucks go on Mondays and Thursdays
REORDER_RATIO = 0.55  # of the target; below it is filled up
COUNT_WEEKS = 8  # a store has counted everything after so many weeks
MISCOUNT_RATIO = 0.03
RANGE_OF = 4  # a store leaves out one product in so many: the DC has it
RECALLED = 3  # products so many are taken off every shelf, a few days before the present
RECALL_DAYS = 2
BREAKAGE_RATIO = 0.0015  # of the products of a store, each week


class Movement(NamedTuple):
    """Units that came, went or broke."""

    ref: str
    kind: str
    product: Product
    place: Place
    quantity: int
    at: datetime
    reason: str = ""


class Count(NamedTuple):
    """What somebody counted of one product."""

    ref: str
    product: Product
    place: Place
    counted: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StockNews:
    """What the back office tells of one day."""

    movements: list[Movement] = field(default_factory=list)
    counts: list[Count] = field(default_factory=list)


class StockRoom:
    """The people who fill the shelves."""

    def __init__(self, plan: Plan, products: Sequence[Product], shelves: Shelves) -> None:
        """Compute how much of each product should lie where."""
        self._plan, self._products, self._shelves = plan, products, shelves
        share = sum(store.share for store in STORES)
        self._targets = {
            place.code: self._target(place, DC_SHARE if place is DC
                                     else (1 - DC_SHARE) * place.share / share)
            for place in STOCKED
        }  # fmt: skip

    def _target(self, place: Place, share: float) -> list[int]:
        """Compute the units of each product that cover a place's expected sales."""
        units = self._plan.orders_per_day * UNITS_PER_ORDER * share * COVER_DAYS[place.kind]
        total = sum(product.weight for product in self._products)
        return [
            max(3, math.ceil(units * product.weight * max(product.season) / total))
            if place is DC or scatter(place.number, product.index) % RANGE_OF
            else 0
            for product in self._products
        ]

    def morning(self, on: date) -> StockNews:
        """Receive and move goods before the doors open."""
        news = StockNews()
        rng = stream(self._plan.seed, "stock", on)
        if on == self._plan.first:
            for place in STOCKED:
                news.movements.extend(self._receipts(place, on, "OPEN", 0.0))
            return news
        news.movements.extend(self._recall(on))
        if on.weekday() == DC_DELIVERY_WEEKDAY:
            news.movements.extend(self._receipts(DC, on, "PO", REORDER_RATIO))
        if on.weekday() in STORE_DELIVERY_WEEKDAYS:
            for store in STORES:
                news.movements.extend(self._transfers(store, on))
        if on.weekday() == 0:
            for store in STORES:
                news.movements.extend(self._breakage(store, on, rng))
        return news

    def evening(self, on: date, news: StockNews) -> None:
        """Count a part of each store's range after closing, once a week."""
        for store in STORES:
            if on.weekday() == store.number % 5:
                rng = stream(self._plan.seed, "counts", store.code, on)
                news.counts.extend(self._cycle_count(store, on, rng))

    def _receipts(self, place: Place, on: date, word: str, below: float) -> Iterator[Movement]:
        """Fill up what fell below a share of its target; everything when the share is zero."""
        at = local(on, 6 * 60, 0, place.time_zone)
        for product in self._products:
            target = self._targets[place.code][product.index]
            there = self._shelves.free(place.code, product.index)
            is_wanted = product.launched_on <= on + timedelta(days=7)
            if is_wanted and there < target * (below or 1):
                self._shelves.put(place.code, product.index, target - there)
                ref = f"{word}-{place.number}-{day_number(on)}-{product.index}"
                yield Movement(ref=ref, kind="receipt", product=product, place=place,
                               quantity=target - there, at=at)  # fmt: skip

    def _transfers(self, store: Place, on: date) -> Iterator[Movement]:
        """Send a store from the DC what it runs short of."""
        left, came = local(on, 6 * 60 + 30, 0, DC.time_zone), local(on, 9 * 60, 0, store.time_zone)
        targets = self._targets[store.code]
        for index, short in enumerate(self._shelves.missing(store.code, targets)):
            if short <= targets[index] * (1 - REORDER_RATIO):
                continue
            product = self._products[index]
            quantity = min(short, self._shelves.free(DC.code, index))
            if product.launched_on > on or quantity <= 0:
                continue
            self._shelves.take(DC.code, index, quantity)
            self._shelves.put(store.code, index, quantity)
            ref = f"TR-{store.number}-{day_number(on)}-{index}"
            yield Movement(ref=f"{ref}-OUT", kind="transfer_out", product=product, place=DC,
                           quantity=quantity, at=left)  # fmt: skip
            yield Movement(ref=f"{ref}-IN", kind="transfer_in", product=product, place=store,
                           quantity=quantity, at=came)  # fmt: skip

    def _recall(self, on: date) -> Iterator[Movement]:
        """Take some of the best sold off every shelf: what is ordered of them waits."""
        until = self._plan.routed_until
        if until is None or on != until - timedelta(days=RECALL_DAYS):
            return
        at = local(on, 6 * 60 + 10, 0, DC.time_zone)
        sold = [product for product in self._products if product.launched_on <= on]
        for product in sorted(sold, key=lambda each: (-each.weight, each.index))[:RECALLED]:
            for place in STOCKED:
                quantity = self._shelves.free(place.code, product.index)
                if quantity > 0:
                    self._shelves.take(place.code, product.index, quantity)
                    ref = f"RC-{place.number}-{day_number(on)}-{product.index}"
                    yield Movement(ref=ref, kind="write_off", product=product, place=place,
                                   quantity=quantity, at=at, reason="recalled")  # fmt: skip

    def _breakage(self, store: Place, on: date, rng: random.Random) -> Iterator[Movement]:
        """Write off what broke or disappeared."""
        at = local(on, 9 * 60 + 15, 0, store.time_zone)
        for product in self._products:
            if rng.random() < BREAKAGE_RATIO and self._shelves.free(store.code, product.index) > 1:
                self._shelves.take(store.code, product.index, 1)
                ref = f"WO-{store.number}-{day_number(on)}-{product.index}"
                reason = rng.choice(("damaged", "lost", "theft"))
                yield Movement(ref=ref, kind="write_off", product=product, place=store, quantity=1,
                               at=at, reason=reason)  # fmt: skip

    def _cycle_count(self, store: Place, on: date, rng: random.Random) -> Iterator[Count]:
        """Count every eighth product of a store, another eighth each week, and err a little."""
        week = day_number(on) // 7 % COUNT_WEEKS
        _, closes = minutes_open(store, on)
        at = local(on, (closes or 12 * 60) + 20, 0, store.time_zone)
        ref = f"CC-{store.number}-{day_number(on)}"
        for product in self._products:
            if product.index % COUNT_WEEKS != week or product.launched_on > on:
                continue
            there = self._shelves.on_hand[store.code][product.index]
            error = rng.choice((-2, -1, -1, 1)) if rng.random() < MISCOUNT_RATIO else 0
            counted = max(0, there + error)
            self._shelves.put(store.code, product.index, counted - there)
            yield Count(ref=ref, product=product, place=store, counted=counted, at=at)
