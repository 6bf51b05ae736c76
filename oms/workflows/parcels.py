"""Parcels: packed with a label, told of by carriers, and moving their fulfillment orders on.

Whoever does something here holds the order first, then its fulfillment order, then parcels.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from oms.fulfillment import operations as fulfillments
from oms.fulfillment import queries as fulfillment_queries
from oms.fulfillment.model import (
    COLLECTED_METHODS,
    Action,
    FulfillmentOrder,
    FulfillmentOrderState,
    QuantityNotOpen,
    WrongState,
)
from oms.kernel import clock
from oms.ledger.database import Ledger, Tx
from oms.orders import operations as orders
from oms.shipments import operations, queries
from oms.shipments.model import (
    ARRIVED,
    NOT_ARRIVING,
    Label,
    Parcel,
    ParcelDraft,
    ParcelState,
    Scan,
    TrackingEvent,
    UnknownCarrier,
)
from oms.shipments.operations import Told
from oms.shipments.port import Carrier, LabelRequest
from oms.workflows import fulfillment
from oms.workflows.fulfillment import Doing

Carriers = Mapping[str, Carrier]

ASK_AGAIN_AFTER: Final = timedelta(seconds=10)
ASKED_AT_ONCE_MAX: Final = 200
_PACKABLE: Final = frozenset({FulfillmentOrderState.PICKED, FulfillmentOrderState.PACKED})
_SENT: Final = frozenset({FulfillmentOrderState.SHIPPED, FulfillmentOrderState.DELIVERY_FAILED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one scan of a batch."""

    outcome: str  # recorded, duplicate, unknown_parcel
    parcel_number: str | None = None
    state: ParcelState | None = None


def carrier_of(carriers: Carriers, code: str) -> Carrier:
    """Return a carrier by its code. Raises UnknownCarrier."""
    if code not in carriers:
        raise UnknownCarrier(carrier=code, known=sorted(carriers))
    return carriers[code]


def pack(
    tx: Tx, number: str, drafts: Sequence[ParcelDraft], carriers: Carriers, *, version: int,
    by: str, at: datetime,
) -> tuple[FulfillmentOrder, list[Parcel]]:  # fmt: skip
    """Put what was picked into parcels, each with a label; when all is in some, it is packed.

    Raises FulfillmentOrderNotFound, VersionConflict, WrongState, QuantityNotOpen for more than
    was picked, UnknownCarrier, InvalidTrackingNumber, TrackingInUse, LabelRefused.
    """
    orders.hold(tx, fulfillments.order_of(tx, number))
    held = fulfillments.hold(tx, number, version=version)
    if held.state not in _PACKABLE or held.method in COLLECTED_METHODS:
        raise WrongState(
            "only what was picked to be sent can be put into parcels",
            state=held.state, allowed_actions=sorted(held.allowed()),
        )  # fmt: skip
    left = _left(tx, held)
    made = []
    for nth, draft in enumerate(drafts, start=queries.labels_count(tx, held.fulfillment_id) + 1):
        _take(left, draft.lines)
        label, url = _label(carrier_of(carriers, draft.carrier), draft, f"{number.upper()}-{nth}")
        made.append(operations.make(
            tx, draft, label, fulfillment_id=held.fulfillment_id, order_id=held.order_id,
            tracking_url=url, at=at,
        ))  # fmt: skip
    parcels = [queries.parcel(tx, each) for each in made]
    orders.tell(
        tx, [(held.order_id, "parcel.label_created", _facts(each)) for each in parcels],
        actor_type="user", actor=by, at=at,
    )  # fmt: skip
    if held.state is FulfillmentOrderState.PICKED and not any(left.values()):
        held = fulfillment.act(tx, number, Action.PACK, Doing(by=by, at=at), version=version)
    return held, parcels


def _left(tx: Tx, held: FulfillmentOrder) -> dict[int, int]:
    packed = queries.packed(tx, held.fulfillment_id)
    return {line.line_no: line.picked - packed.get(line.line_no, 0) for line in held.lines}


def _take(left: dict[int, int], lines: Mapping[int, int]) -> None:
    for line_no, quantity in lines.items():
        if quantity > left.get(line_no, 0):
            raise QuantityNotOpen(line_no=line_no, max=left.get(line_no, 0))
        left[line_no] -= quantity


def _label(carrier: Carrier, draft: ParcelDraft, ref: str) -> tuple[Label, str]:
    if draft.tracking_number is None:
        label = carrier.label(LabelRequest(ref=ref, service=draft.service, size=draft.size))
    else:
        carrier.profile.check(draft.tracking_number)
        label = Label(tracking_number=draft.tracking_number, label_ref=draft.label_ref)
    return label, carrier.profile.url(label.tracking_number)


def void(tx: Tx, number: str, carriers: Carriers, *, by: str, at: datetime) -> Parcel:
    """Void a parcel that is with nobody yet; what was in it can be packed again.

    Raises ParcelNotFound, NotVoidable.
    """
    orders.hold(tx, queries.parcel(tx, number).order_id)
    parcel = queries.parcel(tx, number)
    operations.void(tx, parcel, at=at)
    if parcel.carrier in carriers:
        carriers[parcel.carrier].void(parcel.tracking_number)
    orders.tell(
        tx, [(parcel.order_id, "parcel.voided", _facts(parcel))],
        actor_type="user", actor=by, at=at,
    )  # fmt: skip
    return queries.parcel(tx, number)


def record(
    tx: Tx, carrier: Carrier, scans: Sequence[Scan], *, at: datetime,
    may_see: Callable[[str], bool] = lambda _: True,
) -> list[Outcome]:  # fmt: skip
    """Take in what a carrier tells, in any order and any number of times; say what became of it.

    A code we do not know is kept as it is. What arrives or does not moves its fulfillment order.
    """
    code = carrier.profile.code
    found = queries.find(tx, code, sorted({scan.tracking_number for scan in scans}))
    known = {number: each for number, each in found.items() if may_see(each.channel_code)}
    for order_id in sorted({each.order_id for each in known.values()}):
        orders.hold(tx, order_id)
    told = {
        (known[scan.tracking_number].parcel_id, scan.identity): scan
        for scan in reversed(scans) if scan.tracking_number in known
    }  # fmt: skip
    new = operations.record(
        tx, [Told(parcel_id=of, event=_event(carrier, scan)) for (of, _), scan in told.items()],
        at=at,
    )  # fmt: skip
    steps = sorted((told[each] for each in new), key=lambda scan: scan.occurred_at)
    orders.tell(
        tx,
        [
            (known[scan.tracking_number].order_id,
             f"parcel.{carrier.profile.state_of(scan.status) or 'scanned'}",
             {"parcel": known[scan.tracking_number].parcel_number, "carrier": code,
              "tracking_number": scan.tracking_number, "status": scan.status,
              "occurred_at": scan.occurred_at.isoformat()})
            for scan in steps
        ],
        actor_type="system", actor=code, at=at,
    )  # fmt: skip
    _move_on(tx, sorted({parcel_id for parcel_id, _ in new}), by=code, at=at)
    return _outcomes(tx, scans, known, new)


def _event(carrier: Carrier, scan: Scan) -> TrackingEvent:
    return TrackingEvent(
        event_ref=scan.identity, occurred_at=scan.occurred_at, status=scan.status,
        state=carrier.profile.state_of(scan.status), place=scan.place, reason=scan.reason,
        eta_at=scan.eta_at,
    )  # fmt: skip


def _outcomes(
    tx: Tx, scans: Sequence[Scan], known: Mapping[str, queries.Found], new: set[tuple[int, str]]
) -> list[Outcome]:
    states = queries.states_of(tx, [each.parcel_id for each in known.values()])
    outcomes, left = [], set(new)
    for scan in scans:
        found = known.get(scan.tracking_number)
        if found is None:
            outcomes.append(Outcome(outcome="unknown_parcel"))
            continue
        key = (found.parcel_id, scan.identity)
        outcomes.append(
            Outcome(
                outcome="recorded" if key in left else "duplicate",
                parcel_number=found.parcel_number, state=states[found.parcel_id],
            )
        )  # fmt: skip
        left.discard(key)
    return outcomes


def _move_on(tx: Tx, parcel_ids: Sequence[int], *, by: str, at: datetime) -> None:
    """Let fulfillment orders follow what became of their parcels."""
    for number, states in queries.states(tx, parcel_ids).items():
        held = fulfillment_queries.fulfillment_order(tx, number)
        action = action_of(held.state, states)
        if action is not None:
            doing = Doing(by=by, at=at, actor_type="system")
            fulfillment.act(tx, number, action, doing, version=held.version)


def action_of(state: FulfillmentOrderState, parcels: Sequence[ParcelState]) -> Action | None:
    """Return what parcels mean for a fulfillment order that was sent; None when nothing new."""
    if state not in _SENT:
        return None
    if all(each in ARRIVED for each in parcels):
        return Action.DELIVER
    is_failing = any(each in NOT_ARRIVING for each in parcels)
    if is_failing and state is FulfillmentOrderState.SHIPPED:
        return Action.FAIL_DELIVERY
    if not is_failing and state is FulfillmentOrderState.DELIVERY_FAILED:
        return Action.RESHIP
    return None


def ask(ledger: Ledger, carriers: Carriers) -> bool:
    """Ask carriers that do not tell by themselves about parcels underway; tell if more wait.

    A worker's step. A carrier is asked outside of a transaction.
    """
    is_any = False
    for code, carrier in carriers.items():
        if not carrier.is_asked:
            continue
        at = clock.now()
        with ledger.snapshot() as tx:
            asked = queries.to_ask_about(
                tx, code, asked_before=at - ASK_AGAIN_AFTER, limit=ASKED_AT_ONCE_MAX
            )
        if asked:
            is_any = is_any or len(asked) == ASKED_AT_ONCE_MAX
            scans = [
                scan for each in asked
                for scan in carrier.track(
                    each.tracking_number, handed_over_at=each.handed_over_at, at=at)
            ]  # fmt: skip
            ids = [each.parcel_id for each in asked]
            ledger.run(partial(_take_in, carrier=carrier, scans=scans, asked=ids, at=at))
    return is_any


def _take_in(
    tx: Tx, *, carrier: Carrier, scans: Sequence[Scan], asked: Sequence[int], at: datetime
) -> None:
    record(tx, carrier, scans, at=at)
    operations.note_asked(tx, asked, at=at)


def _facts(parcel: Parcel) -> dict[str, str]:
    return {
        "parcel": parcel.parcel_number, "fulfillment": parcel.fulfillment_number,
        "carrier": parcel.carrier, "tracking_number": parcel.tracking_number,
    }  # fmt: skip
