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
from oms.returns import queries as awaited
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
from oms.workflows import fulfillment, points, returns
from oms.workflows.fulfillment import Doing

Carriers = Mapping[str, Carrier]

ASK_AGAIN_AFTER: Final = timedelta(seconds=10)
ASKED_AT_ONCE_MAX: Final = 200
_PACKABLE: Final = frozenset({FulfillmentOrderState.PICKED, FulfillmentOrderState.PACKED})
_AT_POINT: Final = ARRIVED | {ParcelState.READY_FOR_PICKUP}
_S: Final = FulfillmentOrderState
# What was sent, by how far all of its parcels are together, and what leads there.
_LEADING: Final[Mapping[FulfillmentOrderState, Action]] = {
    _S.SHIPPED: Action.RESHIP, _S.AT_PICKUP_POINT: Action.ARRIVE, _S.DELIVERED: Action.DELIVER,
    _S.DELIVERY_FAILED: Action.FAIL_DELIVERY, _S.RETURNED_TO_SENDER: Action.RETURN_TO_SENDER,
}  # fmt: skip


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
    was picked, UnknownCarrier, InvalidTrackingNumber, TrackingInUse, LabelRefused;
    PickupPointUnavailable or CarrierAway where it goes to a pick-up point.
    """
    orders.hold(tx, fulfillments.order_of(tx, number))
    held = fulfillments.hold(tx, number, version=version)
    if held.state not in _PACKABLE or held.method in COLLECTED_METHODS:
        raise WrongState(
            "only what was picked to be sent can be put into parcels",
            state=held.state, allowed_actions=sorted(held.allowed()),
        )  # fmt: skip
    left = _left(tx, held)
    to_point = points.addressed(tx, held, drafts, carriers)
    made = []
    for nth, draft in enumerate(drafts, start=queries.labels_count(tx, held.fulfillment_id) + 1):
        _take(left, draft.lines)
        asked = LabelRequest(
            ref=f"{number.upper()}-{nth}", service=draft.service, size=draft.size,
            pickup_point=to_point,
        )  # fmt: skip
        label, url = _label(carrier_of(carriers, draft.carrier), draft, asked)
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


def _label(carrier: Carrier, draft: ParcelDraft, asked: LabelRequest) -> tuple[Label, str]:
    if draft.tracking_number is None:
        label = carrier.label(asked)
    else:
        carrier.profile.check(draft.tracking_number)
        label = Label(tracking_number=draft.tracking_number, label_ref=draft.label_ref)
    return label, carrier.profile.url(label.tracking_number)


def void(tx: Tx, number: str, *, by: str, at: datetime) -> Parcel:
    """Void a parcel that is with nobody yet; what was in it can be packed again.

    Its carrier is told by the worker, once it is so.

    Raises ParcelNotFound, NotVoidable.
    """
    orders.hold(tx, queries.parcel(tx, number).order_id)
    parcel = queries.parcel(tx, number)
    operations.void(tx, parcel, at=at)
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
    strange = [scan for scan in scans if scan.tracking_number not in known]
    coming = awaited.orders_by_tracking(tx, sorted({scan.tracking_number for scan in strange}))
    orders.hold_all(tx, sorted({each.order_id for each in known.values()} | coming))
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
    return _outcomes(tx, scans, known, new, _coming_back(tx, carrier, strange, may_see, at=at))


def _coming_back(
    tx: Tx, carrier: Carrier, scans: Sequence[Scan], may_see: Callable[[str], bool], *, at: datetime
) -> dict[str, str]:
    """Let returns be on their way whose parcels were scanned; say what became of each number."""
    outcomes: dict[str, str] = {}
    for scan in scans:
        state, number = carrier.profile.state_of(scan.status), scan.tracking_number
        if number in outcomes or state in {None, ParcelState.LABEL_CREATED, ParcelState.VOIDED}:
            continue
        is_new = returns.scanned(tx, carrier.profile.code, number, may_see=may_see, at=at)
        if is_new is not None:
            outcomes[number] = "recorded" if is_new else "duplicate"
    return outcomes


def _event(carrier: Carrier, scan: Scan) -> TrackingEvent:
    return TrackingEvent(
        event_ref=scan.identity, occurred_at=scan.occurred_at, status=scan.status,
        state=carrier.profile.state_of(scan.status), place=scan.place, reason=scan.reason,
        eta_at=scan.eta_at, collect_by=scan.collect_by,
    )  # fmt: skip


def _outcomes(
    tx: Tx, scans: Sequence[Scan], known: Mapping[str, queries.Found], new: set[tuple[int, str]],
    back: Mapping[str, str],
) -> list[Outcome]:  # fmt: skip
    states = queries.states_of(tx, [each.parcel_id for each in known.values()])
    outcomes, left = [], set(new)
    for scan in scans:
        found = known.get(scan.tracking_number)
        if found is None:
            outcome = back.get(scan.tracking_number, "unknown_parcel")
            outcomes.append(Outcome(outcome=outcome))
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
    if state not in _LEADING or state in {_S.DELIVERED, _S.RETURNED_TO_SENDER}:
        return None
    if all(each in ARRIVED for each in parcels):
        now = _S.DELIVERED
    elif all(each is ParcelState.RETURNED_TO_SENDER for each in parcels):
        now = _S.RETURNED_TO_SENDER
    elif any(each in NOT_ARRIVING for each in parcels):
        now = _S.DELIVERY_FAILED
    else:
        now = _S.AT_PICKUP_POINT if all(each in _AT_POINT for each in parcels) else _S.SHIPPED
    return _LEADING[now] if now is not state else None


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


def tell_voids(ledger: Ledger, carriers: Carriers) -> bool:
    """Tell carriers which labels were taken back unused; tell if more wait.

    A worker's step. What a carrier was told and we could not note is told again.
    """
    is_any = False
    for code, carrier in carriers.items():
        with ledger.snapshot() as tx:
            waiting = queries.voids_to_tell(tx, code, limit=ASKED_AT_ONCE_MAX)
        for each in waiting:
            carrier.void(each.tracking_number)
            ledger.run(partial(operations.note_void_told, parcel_id=each.parcel_id, at=clock.now()))
        is_any = is_any or len(waiting) == ASKED_AT_ONCE_MAX
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
