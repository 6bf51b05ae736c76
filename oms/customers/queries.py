"""Reads of customers: who they are, what is theirs, what anybody may know of an order."""

import base64
import hashlib
import hmac
import struct
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import text

from oms.customers import store
from oms.customers.model import (
    RETURN_DAYS,
    TRACKING_LINK_DAYS,
    Customer,
    CustomerNotFound,
    Event,
    Family,
    Identifier,
    Purchase,
    PurchaseLine,
    TrackedParcel,
    Tracking,
    TrackingNotFound,
    Written,
)
from oms.ledger.database import Tx
from oms.ledger.rows import by_name
from oms.orders.model import OrderNotFound

Codes = tuple[str, ...] | None
"""The channels whose orders may be known of; None is every channel."""

_LINK: Final = struct.Struct(">QI")
_SIGNATURE_BYTES: Final = 16


def family(tx: Tx, customer_id: int, *, channel_codes: Codes) -> Family:
    """Return who is one person with a customer.

    Raises CustomerNotFound, too, for who has neither an account nor an order in the channels.
    """
    found = store.family(tx, customer_id)
    if not store.READ.run(tx, "is_known", **_names(found, channel_codes)).scalar():
        raise CustomerNotFound
    return found


def customer(tx: Tx, customer_id: int, among: Family, *, channel_codes: Codes) -> Customer:
    """Return a customer as the whole of their family."""
    names = _names(among, channel_codes)
    row = store.READ.run(tx, "customer", customer_id=customer_id, **names).one()
    return Customer(**by_name(row))


def identifiers(tx: Tx, among: Family, *, channel_codes: Codes) -> list[Identifier]:
    """Return what a family is known by: to who is bound to channels, their refs alone."""
    rows = store.READ.run(tx, "identifiers", **_names(among, channel_codes))
    return [Identifier(**by_name(row)) for row in rows]


def events(tx: Tx, among: Family) -> list[Event]:
    """Return what was done to a family, in order."""
    rows = store.READ.run(tx, "events", customer_ids=list(among.customer_ids))
    return [Event(**by_name(row)) for row in rows]


def orders(
    tx: Tx, among: Family, *, channel_codes: Codes, with_unverified: bool,
    after: tuple[datetime, int] | None, limit: int,
) -> list[Purchase]:  # fmt: skip
    """Return a family's orders, newest first; those that only claim to be theirs if asked for."""
    after_at, after_id = after or (None, None)
    rows = store.READ.run(
        tx, "orders", with_unverified=with_unverified, after_at=after_at, after_id=after_id,
        limit=limit, **_names(among, channel_codes),
    )  # fmt: skip
    return purchases(tx, [row.order_id for row in rows])


def purchases(tx: Tx, order_ids: list[int]) -> list[Purchase]:
    """Return orders as their customer sees them, newest first."""
    lines: dict[int, list[PurchaseLine]] = {}
    for row in store.READ.run(tx, "purchase_lines", order_ids=order_ids, days=RETURN_DAYS):
        values = by_name(row)
        lines.setdefault(values.pop("order_id"), []).append(PurchaseLine(**values))
    written = _written(tx, order_ids)
    return [
        Purchase(
            **by_name(row),
            lines=tuple(lines.get(row.order_id, ())),
            notes=tuple(note for note, _ in written.get(row.order_id, ())),
        )
        for row in store.READ.run(tx, "purchases", order_ids=order_ids)
    ]


def tracked(tx: Tx, *, number: str, email: str) -> Tracking:
    """Return how an order is, by its number and the address it was placed with.

    Raises TrackingNotFound, after the same look-up whichever of the two is wrong.
    """
    return _tracking(tx, "tracked_by_number", number=number, email=email)


def tracked_by(tx: Tx, link: str, *, at: datetime) -> Tracking:
    """Return how an order is, by a link we signed; raises TrackingNotFound."""
    key = store.known_secret(tx, "tracking") or b""
    order_id = _opened(link, key, at=at)
    if order_id is None:
        raise TrackingNotFound
    return _tracking(tx, "tracked_by_id", order_id=order_id)


def tracking_link(tx: Tx, order_number: str, *, at: datetime) -> tuple[str, datetime]:
    """Return a signed link to how an order is, and until when it holds; raises OrderNotFound."""
    order_id = tx.execute(
        text("select order_id from orders where order_number = :number"), {"number": order_number}
    ).scalar()
    if order_id is None:
        raise OrderNotFound
    until = (at + timedelta(days=TRACKING_LINK_DAYS)).replace(microsecond=0)
    content = _LINK.pack(order_id, int(until.timestamp()))
    signature = _signature(content, store.secret(tx, "tracking"))
    return base64.urlsafe_b64encode(content + signature).decode().rstrip("="), until


def _opened(link: str, key: bytes, *, at: datetime) -> int | None:
    """Return the order of a link that is ours and still holds."""
    try:
        given = base64.urlsafe_b64decode(link + "=" * (-len(link) % 4))
    except ValueError:
        return None
    content, signature = given[: _LINK.size], given[_LINK.size :]
    if not key or not hmac.compare_digest(signature, _signature(content, key)):
        return None
    order_id, until = _LINK.unpack(content)
    return int(order_id) if at.timestamp() < until else None


def _signature(content: bytes, key: bytes) -> bytes:
    return hmac.new(key, content, hashlib.sha256).digest()[:_SIGNATURE_BYTES]


def _tracking(tx: Tx, statement: str, **names: Any) -> Tracking:
    row = store.READ.run(tx, statement, **names).one_or_none()
    if row is None:
        raise TrackingNotFound
    values = by_name(row)
    order_id = values.pop("order_id")
    steps = store.READ.run(tx, "steps", order_id=order_id)
    parcels = store.READ.run(tx, "parcels", order_id=order_id)
    return Tracking(
        **values, steps=tuple((step.type, step.occurred_at) for step in steps),
        parcels=tuple(TrackedParcel(**by_name(row)) for row in parcels),
        notes=tuple(
            note for note, is_ours in _written(tx, [order_id]).get(order_id, ()) if is_ours
        ),
    )  # fmt: skip


def _written(tx: Tx, order_ids: list[int]) -> dict[int, list[tuple[Written, bool]]]:
    """Return what is for the customers of orders to read, and whether it is our word or theirs."""
    found: dict[int, list[tuple[Written, bool]]] = {}
    for row in store.READ.run(tx, "written", order_ids=order_ids):
        note = Written(kind=row.kind, body=row.body, written_at=row.written_at)
        found.setdefault(row.order_id, []).append((note, not row.is_captured))
    return found


def _names(among: Family, channel_codes: Codes) -> dict[str, Any]:
    return {
        "customer_ids": list(among.customer_ids),
        "channel_codes": None if channel_codes is None else list(channel_codes),
    }
