"""Writes on transfers: opening them, moving them on, noting what came."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from oms.kernel.errors import VersionConflict
from oms.ledger.database import Tx
from oms.stock.model import UnknownLocation, UnknownSku
from oms.transfers import queries, store
from oms.transfers.model import (
    UNSENT,
    Found,
    ReceiptDiffers,
    SameLocation,
    Sourced,
    Transfer,
    TransferNotFound,
    TransferState,
    Wanted,
)

UNSENT_STATES = sorted(UNSENT)
COUNTED = ("removed", "picked", "shipped", "received", "damaged", "missing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A transfer that was just opened for an order, and the reservations it brings."""

    transfer_id: int
    transfer_number: str
    order_id: int
    reservation_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A transfer that lost units, and what it is now."""

    transfer_number: str
    order_id: int
    state: TransferState


def open_for(tx: Tx, units: Sequence[Sourced], *, at: datetime) -> list[Opened]:
    """Open a transfer per fulfillment order and location these units are kept at."""
    if not units:
        return []
    rows = store.SQL.run(tx, "open_for_orders", units=json.dumps(list(map(asdict, units))), at=at)
    return [
        Opened(
            transfer_id=row.transfer_id, transfer_number=row.transfer_number,
            order_id=row.order_id, reservation_ids=tuple(row.reservation_ids),
        )
        for row in rows
    ]  # fmt: skip


def request(
    tx: Tx, from_code: str, to_code: str, wanted: Sequence[Wanted], *, at: datetime
) -> Transfer:
    """Ask one location to fill the shelves of another; return the transfer.

    Raises SameLocation, UnknownLocation or UnknownSku.
    """
    if from_code == to_code:
        raise SameLocation
    made = store.SQL.run(tx, "request", from_code=from_code, to_code=to_code, at=at).one_or_none()
    if made is None:
        raise UnknownLocation
    lines = [{"line_no": no, **asdict(each)} for no, each in enumerate(wanted, 1)]
    known = store.SQL.run(
        tx, "request_lines", transfer_id=made.transfer_id, lines=json.dumps(lines)
    )
    unknown = {line["line_no"] for line in lines} - set(known.scalars())
    if unknown:
        raise UnknownSku(f"the catalog has no {wanted[min(unknown) - 1].sku[:60]!r}")
    return queries.transfer(tx, made.transfer_number)


def order_of(tx: Tx, number: str) -> int | None:
    """Return the order a transfer is of, None when it fills shelves. Raises TransferNotFound."""
    found = store.SQL.run(tx, "order_of", number=number.upper()).one_or_none()
    if found is None:
        raise TransferNotFound
    order_id: int | None = found.order_id
    return order_id


def location(tx: Tx, code: str) -> int:
    """Return a location by its code. Raises UnknownLocation."""
    found: int | None = store.SQL.run(tx, "location", code=code).scalar()
    if found is None:
        raise UnknownLocation
    return found


def hold(tx: Tx, number: str) -> Transfer:
    """Hold a transfer, whose order is held already, and return it."""
    store.SQL.run(tx, "hold", number=number.upper())
    return queries.transfer(tx, number)


def move(tx: Tx, moved: Transfer, state: TransferState, *, at: datetime, **facts: Any) -> None:
    """Write the next state of a transfer that is held, with what is newly known of it.

    Raises VersionConflict when somebody else has changed it.
    """
    known = {
        name: facts.get(name) for name in ("reason", "carrier", "tracking_number", "to_location_id")
    }
    done = store.SQL.run(
        tx, "move", transfer_id=moved.transfer_id, version=moved.version, state=state.value, at=at,
        shipped_at=at if state is TransferState.SHIPPED else None, **known,
    )  # fmt: skip
    if done.rowcount != 1:
        raise VersionConflict


def count_lines(tx: Tx, transfer_id: int, counted: Mapping[int, Mapping[str, int]]) -> None:
    """Add to what is known of each line: removed, picked, shipped, received, damaged, missing."""
    lines = [
        {"line_no": no, **{name: known.get(name, 0) for name in COUNTED}}
        for no, known in counted.items()
    ]
    store.SQL.run(tx, "count_lines", transfer_id=transfer_id, lines=json.dumps(lines))


def has_receipt(tx: Tx, transfer_id: int, receipt_id: str, told: Mapping[str, Any]) -> bool:
    """Tell whether this receipt was taken in already. Raises ReceiptDiffers."""
    known = store.SQL.run(
        tx, "receipt", transfer_id=transfer_id, receipt_id=receipt_id
    ).scalar_one_or_none()
    if known is not None and known != told:
        raise ReceiptDiffers(receipt_id=receipt_id)
    return known is not None


def note_receipt(
    tx: Tx, transfer_id: int, receipt_id: str, told: Mapping[str, Any], *, by: str, at: datetime
) -> None:
    """Keep what a store said when goods came."""
    store.SQL.run(
        tx, "note_receipt", transfer_id=transfer_id, receipt_id=receipt_id,
        told=json.dumps(told), by=by, at=at,
    )  # fmt: skip


def note_discrepancies(
    tx: Tx, transfer_id: int, found: Sequence[Found], *, receipt_id: str | None, at: datetime
) -> None:
    """Keep how what came differs from what left."""
    if found:
        rows = [
            {"line_no": each.line_no, "kind": each.kind, "sku": each.sku, "quantity": each.quantity}
            for each in found
        ]
        store.SQL.run(
            tx, "note_discrepancies", transfer_id=transfer_id, receipt_id=receipt_id,
            found=json.dumps(rows), at=at,
        )  # fmt: skip


def fit(tx: Tx, order_ids: Sequence[int], *, at: datetime) -> list[Fitted]:
    """Fit the transfers of orders that have not left to what is still kept for them."""
    rows = store.SQL.run(tx, "fit", order_ids=list(order_ids), unsent=UNSENT_STATES, at=at)
    return [
        Fitted(
            transfer_number=row.transfer_number, order_id=row.order_id,
            state=TransferState(row.state),
        )
        for row in rows
    ]  # fmt: skip
