"""The people of DC and stores at work, by the same commands a person gives, at any clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from oms.fulfillment.model import COLLECTED_METHODS, Action, FulfillmentOrderState, Reason
from oms.holds import operations as holding
from oms.holds.model import RULES, HoldType
from oms.orders import queries as orders
from oms.shipments.model import ParcelDraft, Size
from oms.simulator import fates
from oms.simulator.steps import PLACE_OF
from oms.transfers.model import Came, TransferAction
from oms.workflows import changes, fulfillment, parcels, transfers
from oms.workflows.fulfillment import Doing
from oms.workflows.transfers import Moved, Receipt

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from oms.fulfillment.model import FulfillmentOrder
    from oms.ledger.database import Tx
    from oms.shipments.port import Carrier
    from oms.simulator.book import Worked
    from oms.simulator.steps import Leg, Step
    from oms.transfers.model import Transfer

CARRIER: Final = "sandbox"
SERVICE_DESK: Final = "Service desk"
GRAMS_PER_UNIT: Final = 450
_GONE: Final = frozenset({Action.SHIP, Action.COLLECT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """Everybody who works: what they will do is decided by the seed, and noted in a book."""

    seed: int
    carriers: Mapping[str, Carrier]
    book: Worked

    def fate_of(
        self, work: FulfillmentOrder, ref: str, of_order: Iterable[FulfillmentOrder]
    ) -> fates.WorkFate:
        """Say how a piece of work goes: what is missing at a place is missing there once."""
        place = work.location_code
        fate = fates.of_work(self.seed, ref, place, PLACE_OF[place].kind)
        is_again = any(
            each.location_code == place and each.fulfillment_id < work.fulfillment_id
            for each in of_order
        )
        return fate.again() if is_again else fate

    def comes(self, work: FulfillmentOrder, ref: str) -> bool:
        """Tell whether its customer comes for it."""
        return work.method in COLLECTED_METHODS and fates.comes(self.seed, ref, work.method)

    def do(
        self, tx: Tx, work: FulfillmentOrder, step: Step, fate: fates.WorkFate, at: datetime
    ) -> FulfillmentOrder:
        """Do the next thing with a piece of work; return what it is then."""
        who = PLACE_OF[work.location_code].name
        if step.action is Action.PACK and work.method not in COLLECTED_METHODS:
            done = self._pack(tx, work, fate, who, at)
        else:
            doing = Doing(
                by=who, at=at, picked=_found(work, step), collect_code=work.collect_code,
                reason=Reason(step.reason) if step.reason else None,
            )  # fmt: skip
            done = fulfillment.act(tx, work.fulfillment_number, step.action, doing,
                                   version=work.version)  # fmt: skip
        self._note(work, step, done)
        return done

    def _pack(
        self, tx: Tx, work: FulfillmentOrder, fate: fates.WorkFate, who: str, at: datetime
    ) -> FulfillmentOrder:
        """Put it into one parcel, or two where there are lines enough."""
        lines = [(line.line_no, line.picked) for line in work.lines if line.picked]
        half = len(lines) // 2 if fate.is_two_parcels else 0
        drafts = [
            ParcelDraft(
                lines=dict(part), carrier=CARRIER,
                size=Size(weight_grams=GRAMS_PER_UNIT * min(60, sum(n for _, n in part))),
            )
            for part in (lines[:half], lines[half:])
            if part
        ]  # fmt: skip
        self.book.parcels[work.location_code] += len(drafts)
        packed, _ = parcels.pack(
            tx, work.fulfillment_number, drafts, self.carriers, version=work.version, by=who, at=at
        )
        return packed

    def _note(self, work: FulfillmentOrder, step: Step, done: FulfillmentOrder) -> None:
        place = work.location_code
        self.book.steps[place, done.state.value] += 1
        for line in work.lines:
            if step.action in _GONE:
                self.book.handed_over[place, line.sku] += line.open
            elif step.action is Action.NO_SHOW:
                self.book.not_collected[place, line.sku] += line.open
        if step.reason:
            lost = sum(line.open for line in work.lines) - sum(line.open for line in done.lines)
            self.book.lost[place, step.reason] += lost
            if done.state is FulfillmentOrderState.REJECTED:
                self.book.rejected[place, step.reason] += 1

    def move(self, tx: Tx, transfer: Transfer, leg: Leg, at: datetime) -> Transfer:
        """Do the next thing with a transfer; return what it is then."""
        moved = Moved(
            by=PLACE_OF[leg.place].name, at=at, picked=_sent(transfer, leg),
            reason=Reason(leg.reason) if leg.reason else None,
            receipt=_receipt(transfer, leg) if leg.action is TransferAction.RECEIVE else None,
        )  # fmt: skip
        done = transfers.act(
            tx, transfer.transfer_number, leg.action, moved, version=transfer.version
        )
        if leg.action is TransferAction.SHIP:
            self.book.sent[leg.place] += sum(line.shipped for line in done.lines)
        came = sum(line.received + line.damaged for line in done.lines)
        self.book.came[transfer.to_location_code] += came - sum(
            line.received + line.damaged for line in transfer.lines
        )
        if leg.reason:
            lost = sum(line.open for line in transfer.lines) - sum(line.open for line in done.lines)
            self.book.lost[leg.place, leg.reason] += lost
        return done

    def put_on_hold(self, tx: Tx, number: str, kind: str, at: datetime) -> int:
        """Put an order on hold; return the number of the hold."""
        hold, _ = holding.place(
            tx, number, HoldType(kind), "please look at this one", by=SERVICE_DESK, at=at
        )
        self.book.held[kind] += 1
        return hold.hold_no

    def release(self, tx: Tx, number: str, hold_no: int, kind: str, at: datetime) -> None:
        """Let an order go on; it is given to locations in the same moment."""
        version = orders.order(tx, number).summary.version
        scopes = frozenset({RULES[HoldType(kind)].release_scope})
        fulfillment.release_hold(
            tx, number, hold_no, "looked at, all is well", version=version, scopes=scopes,
            by=SERVICE_DESK, at=at,
        )  # fmt: skip
        self.book.released[kind] += 1

    def call_off(self, tx: Tx, number: str, at: datetime) -> None:
        """Cancel an order by the customer's call."""
        before = orders.order(tx, number)
        after = changes.cancel(
            tx, number, None, reason="customer", version=before.summary.version, by=SERVICE_DESK,
            at=at,
        )  # fmt: skip
        for was, now in zip(before.lines, after.lines, strict=True):
            self.book.called_off[before.summary.channel_code, was.sku] += (
                now.canceled - was.canceled
            )


def _found(work: FulfillmentOrder, step: Step) -> dict[int, int]:
    """Say how much of the first line is found where one unit of it is short."""
    if step.action is not Action.PICK or not step.reason:
        return {}
    line = next(line for line in work.lines if line.open)
    return {line.line_no: line.open - 1}


def _sent(transfer: Transfer, leg: Leg) -> dict[int, int]:
    if leg.action is not TransferAction.PICK or not leg.reason:
        return {}
    line = next(line for line in transfer.lines if line.open)
    return {line.line_no: line.open - 1}


def _receipt(transfer: Transfer, leg: Leg) -> Receipt:
    """Say what came: of the first line one unit may be broken, lost, or come the next time."""
    line = next(line for line in transfer.lines if line.in_transit)
    came = {
        "damaged": {line.line_no: Came(received=line.in_transit - 1, damaged=1)},
        "short": {line.line_no: Came(received=line.in_transit - 1)},
        "part": {line.line_no: Came(received=line.in_transit - 1)},
    }.get(leg.trouble, {})
    return Receipt(
        receipt_id=f"{transfer.transfer_number}-{transfer.version}", came=came,
        is_complete=leg.trouble != "part",
    )  # fmt: skip
