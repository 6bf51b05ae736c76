"""Writes on parcels: made, voided, handed over, and moved on by what their carriers tell."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from oms.ledger.database import Tx
from oms.shipments import queries
from oms.shipments.model import (
    Label,
    NotVoidable,
    Parcel,
    ParcelDraft,
    ParcelState,
    TrackingEvent,
    TrackingInUse,
    progress_of,
)
from oms.shipments.store import SQL

# What we tell of parcels ourselves is named with a star, as our changes of orders are.
HANDED_OVER_REF = "*handed_over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An event of a parcel, to be recorded."""

    parcel_id: int
    event: TrackingEvent


def make(
    tx: Tx, draft: ParcelDraft, label: Label, *, fulfillment_id: int, order_id: int,
    tracking_url: str | None, at: datetime,
) -> str:  # fmt: skip
    """Make a parcel and return its number. Raises TrackingInUse."""
    made = SQL.run(
        tx, "make", fulfillment_id=fulfillment_id, order_id=order_id, carrier=draft.carrier,
        service=draft.service, tracking_url=tracking_url, at=at, **asdict(draft.size),
        **asdict(label),
    ).one_or_none()  # fmt: skip
    if made is None:
        raise TrackingInUse(carrier=draft.carrier, tracking_number=label.tracking_number)
    lines = [{"line_no": no, "quantity": quantity} for no, quantity in draft.lines.items()]
    SQL.run(tx, "fill", parcel_id=made.parcel_id, lines=json.dumps(lines))
    return str(made.parcel_number)


def void(tx: Tx, parcel: Parcel, *, at: datetime) -> None:
    """Void a parcel that is with nobody yet. Raises NotVoidable."""
    done = SQL.run(
        tx, "void", fulfillment_id=parcel.fulfillment_id, parcel_id=parcel.parcel_id, at=at
    )
    if done.scalar() is None:
        raise NotVoidable(state=parcel.state)


def void_all(tx: Tx, fulfillment_id: int, *, at: datetime) -> list[str]:
    """Void what a fulfillment order was packed into; return the parcels' numbers."""
    return list(SQL.run(tx, "void", fulfillment_id=fulfillment_id, parcel_id=None, at=at).scalars())


def note_void_told(tx: Tx, *, parcel_id: int, at: datetime) -> None:
    """Note that the carrier of a voided parcel knows of it."""
    SQL.run(tx, "note_void_told", parcel_id=parcel_id, at=at)


def ship(
    tx: Tx, *, fulfillment_id: int, order_id: int, carrier: str | None,
    tracking_number: str | None, lines: Mapping[int, int], at: datetime,
) -> None:  # fmt: skip
    """Note that parcels have been handed over to their carrier.

    Whoever ships with a tracking number and without parcels has one parcel of all; its number is
    a fact and not checked. Raises TrackingInUse.
    """
    waiting = list(SQL.run(tx, "waiting", fulfillment_id=fulfillment_id).scalars())
    if not waiting and carrier is not None and tracking_number is not None:
        draft = ParcelDraft(lines=lines, carrier=carrier)
        label = Label(tracking_number=tracking_number)
        make(
            tx, draft, label, fulfillment_id=fulfillment_id, order_id=order_id, tracking_url=None,
            at=at,
        )  # fmt: skip
        waiting = list(SQL.run(tx, "waiting", fulfillment_id=fulfillment_id).scalars())
    if waiting:
        SQL.run(tx, "note_handed_over", parcel_ids=waiting, at=at)
        record(tx, [Told(parcel_id=each, event=_handed_over(at)) for each in waiting], at=at)


def _handed_over(at: datetime) -> TrackingEvent:
    return TrackingEvent(
        event_ref=HANDED_OVER_REF, occurred_at=at, state=ParcelState.HANDED_OVER,
        status=HANDED_OVER_REF, place=None, reason=None, eta_at=None, collect_by=None,
    )  # fmt: skip


def record(tx: Tx, told: Sequence[Told], *, at: datetime) -> set[tuple[int, str]]:
    """Record what was told of parcels and move them on; return what of it is new.

    Their orders are held: who tells of the same parcel at the same time comes after.
    """
    events = [{"parcel_id": each.parcel_id, **asdict(each.event)} for each in told]
    rows = SQL.run(tx, "record", events=json.dumps(events, default=_text), at=at)
    new = {(row.parcel_id, row.event_ref) for row in rows}
    moved = sorted({parcel_id for parcel_id, _ in new})
    if moved:
        known = queries.events(tx, moved)
        voided = set(SQL.run(tx, "voided", parcel_ids=moved).scalars())
        settled = [
            {"parcel_id": each, **asdict(progress_of(known[each], is_voided=each in voided))}
            for each in moved
        ]
        SQL.run(tx, "settle", parcels=json.dumps(settled, default=_text), at=at)
    return new


def note_asked(tx: Tx, parcel_ids: Sequence[int], *, at: datetime) -> None:
    """Note that a carrier was asked about parcels."""
    SQL.run(tx, "note_asked", parcel_ids=list(parcel_ids), at=at)


def _text(value: datetime) -> str:
    return value.isoformat()
