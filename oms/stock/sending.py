"""Writes on stock that goes from one location to another: kept there, sent, received."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

from oms.ledger.database import Tx
from oms.stock import operations, store
from oms.stock.model import Arrival, Correction, InsufficientStock, Moving


def assign_transfer(tx: Tx, transfer_of: Mapping[int, int]) -> None:
    """Say with which transfer units will come, by their reservation."""
    pairs = [
        {"reservation_id": reservation_id, "transfer_id": transfer_id}
        for reservation_id, transfer_id in transfer_of.items()
    ]
    store.TRANSFERS.run(tx, "assign_transfer", pairs=json.dumps(pairs))


def keep_for_shelves(
    tx: Tx, moving: Moving, units: Sequence[Mapping[str, int]], *, at: datetime
) -> None:
    """Keep units (line_no, product_id, quantity) at a location for the shelves of another.

    Raises InsufficientStock when it cannot spare them.
    """
    operations.hold(tx, sorted({unit["product_id"] for unit in units}), [moving.from_id])
    facts = {"units": json.dumps(list(units)), "location_id": moving.from_id, "at": at}
    short = [
        {"sku": row.sku, "requested": int(row.requested), "available": int(row.available)}
        for row in store.TRANSFERS.run(tx, "short_for_shelves", **facts)
    ]
    if short:
        raise InsufficientStock(items=short)
    store.TRANSFERS.run(
        tx, "keep_for_shelves", **facts, transfer_id=moving.transfer_id, cause=moving.number
    )


def let_off(
    tx: Tx, moving: Moving, units: Sequence[Mapping[str, int]], *, location_code: str,
    correction: Correction, act: int, at: datetime,
) -> frozenset[tuple[int, int]]:  # fmt: skip
    """Let a location off units it keeps for other shelves; return where stock became free."""
    products = sorted({unit["product_id"] for unit in units})
    operations.hold(tx, products, [moving.from_id])
    asked = json.dumps(list(units))
    freed = store.UNITS.run(
        tx, "release_units", order_id=None, fulfillment_id=None, transfer_id=moving.transfer_id,
        units=asked, at=at,
    ).all()  # fmt: skip
    if correction is not Correction.NONE:
        store.UNITS.run(
            tx, "correct", units=asked, kind=correction.value, cause_type="transfer",
            cause_id=moving.number, act=act, location_code=location_code, at=at,
        )  # fmt: skip
    return frozenset((row.product_id, moving.from_id) for row in freed)


def send(tx: Tx, moving: Moving, product_ids: Sequence[int], *, at: datetime) -> None:
    """Let what is kept for a transfer leave; an order's units stay its own on their way."""
    operations.hold(tx, product_ids, [moving.from_id])
    store.TRANSFERS.run(
        tx, "send", transfer_id=moving.transfer_id, cause=moving.number,
        to_location_id=moving.to_id, at=at,
    )  # fmt: skip


def redirect(tx: Tx, transfer_id: int, location_id: int) -> None:
    """Have the units of an order that are on their way with a transfer come to another location."""
    store.TRANSFERS.run(tx, "redirect", transfer_id=transfer_id, location_id=location_id)


def receive(
    tx: Tx, moving: Moving, arrivals: Sequence[Arrival], *, receipt_id: str, at: datetime
) -> frozenset[tuple[int, int]]:
    """Put what came with a transfer on the shelves, kept for the order that waits for it.

    Returns where stock rose: what nobody waits for is free there, and to be offered around.
    """
    places = {"product_ids": sorted({each.product_id for each in arrivals})}
    store.TRANSFERS.run(tx, "open_level", **places, location_id=moving.to_id, at=at)
    operations.hold(tx, places["product_ids"], [moving.to_id])
    rows = store.TRANSFERS.run(
        tx, "receive", units=json.dumps(list(map(asdict, arrivals))), receipt_id=receipt_id,
        transfer_id=moving.transfer_id, cause=moving.number, location_id=moving.to_id, at=at,
    )  # fmt: skip
    return frozenset((product_id, moving.to_id) for product_id in {row.product_id for row in rows})
