"""The last days as staff lived through them: each order's work, one thing after the other."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

from sqlalchemy import text

from oms.fulfillment import queries as fulfillments
from oms.fulfillment.model import Action
from oms.shipments import queries as shipments
from oms.shipments.model import ARRIVED, NOT_ARRIVING, ParcelState
from oms.simulator import fates, steps
from oms.simulator.book import Worked
from oms.simulator.staff import CARRIER
from oms.simulator.timeline import midnight
from oms.transfers import queries as transfers
from oms.workflows import parcels
from oms.workflows.fulfillment import open_work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date, datetime

    from oms.fulfillment.model import FulfillmentOrder
    from oms.ledger.database import Ledger, Tx
    from oms.shipments.model import Scan
    from oms.shipments.port import Carrier
    from oms.simulator.staff import Staff
    from oms.transfers.model import Transfer

ROUTED_AFTER: Final = timedelta(minutes=2)
TOGETHER: Final = timedelta(minutes=30)  # orders placed within are given to locations at once

# What is kept for orders of the last days that nobody was asked to pick, in the order it came.
_WANTED: Final = text("""
    select o.order_id, o.order_number, o.external_ref, o.placed_at, o.placed_on,
        o.fulfillment_method as method, c.channel_code, (
            select x.location_code from order_groups g join locations x using (location_id)
            where g.order_id = o.order_id order by g.group_no limit 1) as place
    from orders o
    join channels c using (channel_id)
    where c.is_routed and o.placed_on >= :since and not o.is_historical
      and exists (
          select from reservations r
          where r.order_id = o.order_id and r.kind = 'order' and r.state = 'active'
            and r.fulfillment_id is null)
    order by o.placed_at, o.order_id
""")


class Wanted(NamedTuple):
    """An order that waits for somebody to pick it."""

    order_id: int
    number: str
    ref: str
    placed_at: datetime


class Due(NamedTuple):
    """Something that happens next, and when."""

    at: datetime
    do: Callable[[datetime], None]


def wanted(tx: Tx, until: date) -> list[Wanted]:
    """Return the orders of the last days that are ours to send, oldest first."""
    since = until - timedelta(days=fates.PILOT_DAYS)
    return [
        Wanted(row.order_id, row.order_number, row.external_ref, row.placed_at)
        for row in tx.execute(_WANTED, {"since": since})
        if fates.is_ours(row.channel_code, row.method, row.place, row.placed_on, until)
    ]


def play(ledger: Ledger, staff: Staff, until: date, *, stop: Callable[[], bool]) -> Iterator[int]:
    """Let staff work on the orders of the last days, up to a date; yield how many are left."""
    with ledger.snapshot() as tx:
        todo = wanted(tx, until)
    left, end = len(todo), midnight(until)
    for _, some in groupby(todo, key=_slot):
        if stop():
            return
        batch = list(some)
        book = ledger.run(partial(_work_through, staff=staff, batch=batch, end=end))
        staff.book.add(book)  # once it is done for good
        left -= len(batch)
        yield left


def _slot(order: Wanted) -> int:
    return int(order.placed_at.timestamp() // TOGETHER.total_seconds())


def _work_through(tx: Tx, *, staff: Staff, batch: Sequence[Wanted], end: datetime) -> Worked:
    """Give orders to locations, and go on with each as far as its time goes."""
    staff = replace(staff, book=Worked())
    lives = [Life(tx, staff, order, end) for order in batch]
    for life in lives:
        life.begin()
    routed_at = min(end, batch[-1].placed_at + ROUTED_AFTER)
    open_work(tx, [order.order_id for order in batch], at=routed_at)
    for life in lives:
        life.go_on(routed_at)
    return staff.book


class Life:
    """What happens to one order, in the order in which it happens."""

    def __init__(self, tx: Tx, staff: Staff, order: Wanted, end: datetime) -> None:
        """Know the order, and when the story ends."""
        self._tx, self._staff, self._order, self._end = tx, staff, order, end
        self._fate = fates.of_order(staff.seed, order.ref)
        self._works: list[FulfillmentOrder] = []
        self._transfers: list[Transfer] = []
        self._scans: list[tuple[datetime, list[Scan]]] = []
        self._once: list[Due] = []

    def begin(self) -> None:
        """Put it on hold before anybody is asked, where somebody should look at it."""
        fate, order = self._fate, self._order
        if fate.held and order.placed_at < self._end:
            hold_no = self._staff.put_on_hold(self._tx, order.number, fate.held, order.placed_at)
            if not fate.is_still_held:
                at = order.placed_at + ROUTED_AFTER + timedelta(minutes=fate.held_minutes)
                self._once.append(Due(at, partial(self._release, hold_no)))

    def go_on(self, since: datetime) -> None:
        """Let everything happen that happens before the end."""
        if self._fate.is_called_off and not self._fate.held:
            at = since + timedelta(minutes=self._fate.called_off_minutes)
            self._once.append(Due(at, self._call_off))
        self._look()
        while due := min(self._due(), key=lambda each: each.at, default=None):
            if due.at > self._end:
                return
            since = max(since, due.at)
            due.do(since)

    def _due(self) -> Iterator[Due]:
        """List what could happen next."""
        yield from self._once
        for work in self._works:
            fate = self._staff.fate_of(work, self._order.ref, self._works)
            step = steps.next_step(work, fate, comes=self._staff.comes(work, self._order.ref))
            if step is not None:
                at = steps.moment_of(step, work, self._fate)
                yield Due(at, partial(self._do, work, step, fate))
        for transfer in self._transfers:
            fate_of = fates.of_transfer(
                self._staff.seed, self._order.ref, transfer.from_location_code
            )
            leg = steps.next_leg(transfer, fate_of)
            if leg is not None:
                at = steps.moment_of_leg(leg, transfer, fate_of)
                yield Due(at, partial(self._move, transfer, leg))
        for at, scans in self._scans:
            yield Due(at, partial(self._scan, scans))

    def _look(self) -> None:
        """See what work there is, and what is on its way."""
        number = self._order.number
        self._works = fulfillments.of_order(self._tx, number)
        self._transfers = transfers.of_order(self._tx, self._order.order_id)

    def _do(
        self, work: FulfillmentOrder, step: steps.Step, fate: fates.WorkFate, at: datetime
    ) -> None:
        done = self._staff.do(self._tx, work, step, fate, at)
        if step.reason or step.action is Action.NO_SHOW:
            self._look()  # what is not supplied here is sought elsewhere
            return
        self._works[self._works.index(work)] = done
        if done.state == "shipped":
            self._follow(done)

    def _follow(self, work: FulfillmentOrder) -> None:
        """Know beforehand what the carrier will tell of its parcels."""
        carrier = self._staff.carriers[CARRIER]
        for parcel in shipments.of_fulfillment(self._tx, work.fulfillment_id):
            if parcel.handed_over_at is not None:
                told = carrier.track(
                    parcel.tracking_number, handed_over_at=parcel.handed_over_at, at=self._end
                )
                self._scans += _tellings(carrier, told)

    def _scan(self, scans: list[Scan], at: datetime) -> None:
        parcels.record(self._tx, self._staff.carriers[CARRIER], scans, at=at)
        self._scans = [each for each in self._scans if each[1] is not scans]

    def _move(self, transfer: Transfer, leg: steps.Leg, at: datetime) -> None:
        self._staff.move(self._tx, transfer, leg, at)
        self._look()

    def _release(self, hold_no: int, at: datetime) -> None:
        self._once = []
        self._staff.release(self._tx, self._order.number, hold_no, self._fate.held, at)
        self._look()

    def _call_off(self, at: datetime) -> None:
        self._once = []
        self._look()
        if any(work.state in {"assigned", "accepted"} for work in self._works):
            self._staff.call_off(self._tx, self._order.number, at)
            self._look()


_DECISIVE: Final = ARRIVED | NOT_ARRIVING | {ParcelState.READY_FOR_PICKUP}


def _tellings(carrier: Carrier, scans: Sequence[Scan]) -> list[tuple[datetime, list[Scan]]]:
    """Take together what a carrier tells up to each moment that decides something."""
    told: list[tuple[datetime, list[Scan]]] = []
    since: list[Scan] = []
    for scan in scans:
        since.append(scan)
        state = carrier.profile.state_of(scan.status)
        if state in _DECISIVE or scan is scans[-1]:
            told.append((scan.occurred_at, since))
            since = []
    return told
