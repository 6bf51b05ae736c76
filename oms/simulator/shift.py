"""Staff on a running system: every few seconds somebody does what has waited longest."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from sqlalchemy import text

from oms.fulfillment import queries as fulfillments
from oms.fulfillment.model import Action, FulfillmentOrderState
from oms.kernel.errors import Conflict, Rejected
from oms.simulator import fates, regrets, steps
from oms.transfers import queries as transfers
from oms.transfers.model import TransferState
from oms.transfers.queries import Sought

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from oms.fulfillment.model import FulfillmentOrder
    from oms.ledger.database import Ledger, Tx
    from oms.simulator.staff import Staff
    from oms.transfers.model import Transfer

_S, _T = FulfillmentOrderState, TransferState
T = TypeVar("T", "FulfillmentOrder", "Transfer")

# Of a hundred orders a day so much is left lying, for whoever looks at the queues.
KEPT: Final[dict[str, int]] = {
    _S.ASSIGNED: 8, _S.ACCEPTED: 3, _S.PICKING: 2, _S.PICKED: 2, _S.PACKED: 3,
    _S.READY_FOR_COLLECTION: 9,
    f"transfer {_T.REQUESTED}": 1, f"transfer {_T.ALLOCATED}": 2, f"transfer {_T.PICKED}": 1,
    f"transfer {_T.SHIPPED}": 2, f"transfer {_T.PARTIALLY_RECEIVED}": 1,
}  # fmt: skip
AT_ONCE_MAX: Final = 20
ROUNDS_TO_CATCH_UP: Final = 40
LOOKED_AT_MAX: Final = 1000
HELD: Final = "on hold"
BROUGHT: Final = "brought back"
_HELD: Final = text("""
    select o.order_number, o.external_ref, h.hold_no, h.type, h.placed_at
    from order_holds h
    join orders o using (order_id)
    where h.released_at is null
    order by h.placed_at, h.order_id
""")
_REFS: Final = text("""
    select order_number, external_ref from orders
    where order_number = any (cast(:numbers as text[]))
""")


class Held(NamedTuple):
    """An order on hold."""

    number: str
    ref: str
    hold_no: int
    kind: str
    placed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """What lies where, oldest first, by state."""

    works: Mapping[str, Sequence[FulfillmentOrder]]
    transfers: Mapping[str, Sequence[Transfer]]
    refs: Mapping[str, str]  # the channel's ids, by order number
    held: Sequence[Held]
    left: Sequence[regrets.Left]


def chosen(waiting: Mapping[str, int], kept: Mapping[str, int]) -> list[str]:
    """Say of which states something is done now, the fullest first: so much that it is caught up.

    What is kept lies there to be looked at.
    """
    left = {state: count - kept.get(state, 1) for state, count in waiting.items()}
    excess = sum(over for over in left.values() if over > 0)
    count = min(AT_ONCE_MAX, -(-excess // ROUNDS_TO_CATCH_UP))
    states = []
    for _ in range(count):
        state = max(sorted(left), key=lambda each: left[each])
        states.append(state)
        left[state] -= 1
    return states


class Shift:
    """People at work, one round after the other."""

    def __init__(self, ledger: Ledger, staff: Staff, *, orders_per_day: int) -> None:
        """Know how much work there usually is."""
        self._ledger, self._staff = ledger, staff
        self._kept = {state: max(1, count * orders_per_day // 100) for state, count in KEPT.items()}

    def work(self, at: datetime) -> int:
        """Do a round; return how many things were done."""
        with self._ledger.snapshot() as tx:
            todo = self._todo(look(tx), at)
        done = 0
        for state in chosen({state: len(each) for state, each in todo.items()}, self._kept):
            do = todo[state].pop(0)
            try:
                self._ledger.run(do)
            except (Conflict, Rejected):  # somebody was quicker, or it cannot be done just now
                continue
            done += 1
        return done

    def _todo(self, queue: Queue, at: datetime) -> dict[str, list[Callable[[Tx], object]]]:
        """List what can be done, by the state it is in."""
        todo: defaultdict[str, list[Callable[[Tx], object]]] = defaultdict(list)
        for state, works in queue.works.items():
            for work in works:
                do = self._for_work(work, queue.refs[work.order_number], at)
                if do is not None:
                    todo[state].append(do)
        for state, moved in queue.transfers.items():
            for transfer in moved:
                ref = queue.refs.get(transfer.order_number or "", transfer.transfer_number)
                fate = fates.of_transfer(self._staff.seed, ref, transfer.from_location_code)
                leg = steps.next_leg(transfer, fate)
                if leg is not None:
                    do = partial(self._staff.move, transfer=transfer, leg=leg, at=at)
                    todo[f"transfer {state}"].append(do)
        todo[HELD] = [
            partial(
                self._staff.release, number=held.number, hold_no=held.hold_no, kind=held.kind, at=at
            )
            for held in queue.held
            if self._is_looked_at(held, at)
        ]
        todo[BROUGHT] = list(self._brought(queue.left, at))
        return todo

    def _brought(
        self, left: Sequence[regrets.Left], at: datetime
    ) -> Iterator[Callable[[Tx], object]]:
        """List what customers bring back: of each order the first line they regret."""
        seen: set[str] = set()
        for what in left:
            regret = regrets.regret_of(self._staff.seed, what)
            if regret is None or what.order_number in seen:
                continue
            if regrets.is_due(what, regret, at):
                seen.add(what.order_number)
                yield partial(regrets.bring, what=what, regret=regret, at=at)

    def _is_looked_at(self, held: Held, at: datetime) -> bool:
        """Tell whether somebody has looked at an order that is on hold."""
        fate = fates.of_order(self._staff.seed, held.ref)
        ends_at = held.placed_at + timedelta(minutes=fate.held_minutes)
        return not fate.is_still_held and ends_at <= at

    def _for_work(
        self, work: FulfillmentOrder, ref: str, at: datetime
    ) -> Callable[[Tx], object] | None:
        """Return what is done next with a piece of work, by staff or the service desk."""
        staff, order = self._staff, fates.of_order(self._staff.seed, ref)
        is_new = work.state is _S.ASSIGNED and work.version == 1
        if is_new and order.held and not work.holds:
            return partial(staff.put_on_hold, number=work.order_number, kind=order.held, at=at)
        if is_new and order.is_called_off and not work.holds:
            return partial(staff.call_off, number=work.order_number, at=at)
        comes = staff.comes(work, ref)
        step = steps.next_step(work, staff.fate_of(work, ref, ()), comes=comes)
        if step is None or step.action is Action.NO_SHOW:
            return None  # it is on hold, or nobody comes: the worker takes it back in time
        return partial(self._do, work=work, ref=ref, at=at)

    def _do(self, tx: Tx, work: FulfillmentOrder, ref: str, at: datetime) -> None:
        of_order = fulfillments.of_order(tx, work.order_number)
        fate = self._staff.fate_of(work, ref, of_order)
        step = steps.next_step(work, fate, comes=self._staff.comes(work, ref))
        if step is not None:
            self._staff.do(tx, work, step, fate, at)


def look(tx: Tx) -> Queue:
    """See what lies where."""
    states = sorted({state for state in KEPT if " " not in state})
    works, _ = fulfillments.page(
        tx, location_codes=None, states=states, channel_codes=None, after=0, limit=LOOKED_AT_MAX
    )
    moving = tuple(sorted(state.split()[1] for state in KEPT if " " in state))
    moved, _ = transfers.page(tx, Sought(states=moving), after=0, limit=LOOKED_AT_MAX)
    numbers = {work.order_number for work in works}
    numbers |= {transfer.order_number for transfer in moved if transfer.order_number}
    rows = tx.execute(_REFS, {"numbers": sorted(numbers)})
    refs = {row.order_number: row.external_ref for row in rows}
    held = [
        Held(row.order_number, row.external_ref, row.hold_no, row.type, row.placed_at)
        for row in tx.execute(_HELD)
    ]
    return Queue(
        works=_by_state(works), transfers=_by_state(moved), refs=refs, held=held,
        left=regrets.left(tx),
    )  # fmt: skip


def _by_state(items: Sequence[T]) -> dict[str, list[T]]:
    found: defaultdict[str, list[T]] = defaultdict(list)
    for each in items:
        found[each.state].append(each)
    return found
