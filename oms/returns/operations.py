"""Writes on returns: opening them, moving them on, noting what came and what was decided."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from oms.kernel.errors import VersionConflict
from oms.ledger.database import Tx
from oms.orders import operations as orders
from oms.returns import queries, store
from oms.returns.model import (
    Asked,
    Decision,
    Inspected,
    Kind,
    Method,
    NothingUnidentified,
    Return,
    ReturnNotFound,
    ReturnState,
    Sorted,
    Told,
)
from oms.transfers.model import ReceiptDiffers

COUNTED = ("received", "missing", "inspected", "accepted", "rejected")
KNOWN = ("reason", "carrier", "tracking_number", "label_ref", "expires_at", "location_code")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A return that is to be opened."""

    order_id: int
    kind: Kind
    state: ReturnState
    method: Method
    location_code: str | None
    expires_at: datetime | None
    lines: tuple[Asked, ...]
    carrier: str | None = None
    tracking_number: str | None = None
    note: str | None = None
    override_reason: str | None = None


def open_return(tx: Tx, draft: Draft, *, by: str, at: datetime) -> Return:
    """Open a return of an order that is held; return it."""
    values = asdict(draft)
    lines = values.pop("lines")
    made = store.SQL.run(
        tx, "open", **{**values, "kind": draft.kind.value, "state": draft.state.value,
                       "method": draft.method.value}, by=by, at=at,
    ).one()  # fmt: skip
    store.SQL.run(
        tx, "open_lines", return_id=made.return_id, order_id=draft.order_id, lines=json.dumps(lines)
    )
    return queries.return_of(tx, made.return_number)


def order_of(tx: Tx, number: str) -> int:
    """Return the order a return is of. Raises ReturnNotFound."""
    found: int | None = store.SQL.run(tx, "order_of", number=number.upper()).scalar()
    if found is None:
        raise ReturnNotFound
    return found


def hold(tx: Tx, number: str) -> Return:
    """Hold a return, whose order is held already, and return it."""
    store.SQL.run(tx, "hold", number=number.upper())
    return queries.return_of(tx, number)


def move(tx: Tx, moved: Return, state: ReturnState, *, at: datetime, **facts: Any) -> Return:
    """Write the next state of a return that is held, with what is newly known of it.

    Returns it as it is then. Raises VersionConflict when somebody else has changed it.
    """
    done = store.SQL.run(
        tx, "move", return_id=moved.return_id, version=moved.version, state=state.value, at=at,
        is_after_expiry=facts.get("is_after_expiry", False),
        **{name: facts.get(name) for name in KNOWN},
    )  # fmt: skip
    if done.rowcount != 1:
        raise VersionConflict
    return queries.return_of(tx, moved.return_number)


def tell(
    tx: Tx, of: Return, step: str, *, actor_type: str, actor: str, at: datetime, **facts: Any
) -> None:
    """Add a step to the story of a return's order: what it is by now, and what is new of it."""
    told = {name: value for name, value in facts.items() if value is not None}
    data = {"return": of.return_number, "state": of.state.value, **told}
    orders.tell(tx, [(of.order_id, f"return.{step}", data)], actor_type=actor_type, actor=actor,
                at=at)  # fmt: skip


def count_lines(tx: Tx, return_id: int, counted: Mapping[int, Mapping[str, int]]) -> None:
    """Add to what is known of each line: received, missing, inspected, accepted, rejected."""
    lines = [
        {"line_no": no, **{name: known.get(name, 0) for name in COUNTED}}
        for no, known in counted.items()
    ]
    store.SQL.run(tx, "count_lines", return_id=return_id, lines=json.dumps(lines))


def lock_receipts(tx: Tx, receipts: Sequence[tuple[str, str]]) -> None:
    """Keep everybody else from receipts (location, its name of it) until the transaction ends."""
    listed = [{"location_code": code, "receipt_id": receipt} for code, receipt in receipts]
    store.SQL.run(tx, "lock_receipts", receipts=json.dumps(listed)).all()


def known_receipt(
    tx: Tx, location_code: str, receipt_id: str, told: Mapping[str, Any]
) -> list[str] | None:
    """Return the returns a receipt came for that was taken in already; None when it is new.

    Who takes in the same one at this moment is waited for. Raises ReceiptDiffers when it has said
    something else.
    """
    names = {"location_code": location_code, "receipt_id": receipt_id}
    lock_receipts(tx, [(location_code, receipt_id)])
    known = store.SQL.run(tx, "receipt", **names).one_or_none()
    if known is None:
        return None
    if known.told != told:
        raise ReceiptDiffers(receipt_id=receipt_id)
    return list(known.return_numbers)


def note_receipt(
    tx: Tx, location_code: str, receipt_id: str, told: Mapping[str, Any], *, received_at: datetime,
    by: str, at: datetime,
) -> int:  # fmt: skip
    """Keep what a location said when goods came; return the number of the receipt."""
    number: int = store.SQL.run(
        tx, "note_receipt", location_code=location_code, receipt_id=receipt_id,
        told=json.dumps(told), received_at=received_at, by=by, at=at,
    ).scalar_one()  # fmt: skip
    return number


def note_rows(
    tx: Tx, receipt_no: int, rows: Sequence[Sorted], *, return_id: int | None,
    return_ref: str | None = None, order_ref: str | None = None,
    tracking_number: str | None = None, reason: str | None = None,
) -> None:  # fmt: skip
    """Keep the lines of a receipt, and what they are to the return they came for."""
    listed = [
        {
            "state": row.state, "line_no": row.line_no, "sku": row.sku, "quantity": row.quantity,
            "condition": row.told.condition, "disposition": row.told.disposition,
        }
        for row in rows
    ]  # fmt: skip
    store.SQL.run(
        tx, "note_rows", receipt_no=receipt_no, return_id=return_id, rows=json.dumps(listed),
        return_ref=return_ref, order_ref=order_ref, tracking_number=tracking_number, reason=reason,
    )  # fmt: skip


def note_inspections(
    tx: Tx, return_id: int, units: Sequence[tuple[int, int, Inspected]], *, by: str, at: datetime
) -> None:
    """Keep what units are like: of which row of a receipt, after how many of it."""
    told = [
        {"row_id": row_id, "units_before": before, **asdict(found)}
        for row_id, before, found in units
    ]
    store.SQL.run(tx, "inspect", return_id=return_id, units=json.dumps(told), by=by, at=at)


def note_decisions(
    tx: Tx, of: Return, decisions: Sequence[Decision], *, by: str, at: datetime
) -> None:
    """Keep what was accepted or rejected, and what is owed for it."""
    store.SQL.run(
        tx, "decide", return_id=of.return_id, act=of.version, by=by, at=at,
        decisions=json.dumps(list(map(asdict, decisions))),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Units that came without anybody knowing whose they are, held by who found out."""

    row_id: int
    receipt_id: str
    received_at: datetime
    location_code: str
    told: Told


def take_unidentified(tx: Tx, row_id: int) -> Found:
    """Hold units nobody knows the owner of. Raises NothingUnidentified."""
    row = store.SQL.run(tx, "take_unidentified", row_id=row_id).one_or_none()
    if row is None:
        raise NothingUnidentified
    told = Told(
        sku=row.sku, quantity=row.quantity, condition=row.condition, disposition=row.disposition
    )
    return Found(
        row_id=row.row_id, receipt_id=row.receipt_id, received_at=row.received_at,
        location_code=row.location_code, told=told,
    )  # fmt: skip


def mark_assigned(tx: Tx, row_id: int) -> None:
    """Note that somebody found out whose units are."""
    store.SQL.run(tx, "assign", row_id=row_id)


def erase(tx: Tx, order_ids: Sequence[int]) -> None:
    """Remove what was remarked on the returns of orders."""
    store.SQL.run(tx, "erase", order_ids=list(order_ids))
