"""Reads of customers: who they are, what is theirs, what anybody may know of an order."""

import base64
import hashlib
import hmac
import struct
from datetime import date, datetime, timedelta
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
    Tracking,
    TrackingNotFound,
)
from oms.ledger.database import Tx
from oms.orders.model import OrderNotFound

Codes = tuple[str, ...] | None
"""The channels whose orders may be known of; None is every channel."""

_VISIBLE: Final = "(cast(:channel_codes as text[]) is null or c.channel_code = any (:channel_codes))"
# Whoever is bound to channels knows of customers who have an account or an order there.
_IS_KNOWN: Final = text(f"""
    select cast(:channel_codes as text[]) is null or exists (
        select from customer_identifiers i join channels c using (channel_id)
        where i.customer_id = any (:customer_ids) and {_VISIBLE}
    ) or exists (
        select from customer_orders l join orders o using (order_id) join channels c using (channel_id)
        where l.customer_id = any (:customer_ids) and {_VISIBLE}
    )
""")  # noqa: S608 - put together from the constant above
_CUSTOMER: Final = text(f"""
    select
        k.customer_id, k.state, k.merged_into, k.created_at, last.customer_name as name,
        (
            select count(*)
            from customer_orders l join orders o using (order_id) join channels c using (channel_id)
            where l.customer_id = any (:customer_ids) and l.basis <> 'unverified' and {_VISIBLE}
        ) as orders_count
    from customers k
    left join lateral (
        select o.customer_name
        from customer_orders l join orders o using (order_id) join channels c using (channel_id)
        where l.customer_id = any (:customer_ids) and o.customer_name is not null and {_VISIBLE}
        order by l.placed_at desc, l.order_id desc
        limit 1
    ) last on true
    where k.customer_id = :customer_id
""")  # noqa: S608 - likewise
# Of one who knows of some channels only, nothing but those channels' own refs.
_IDENTIFIERS: Final = text("""
    select
        i.identifier_id, i.customer_id, i.kind, c.channel_code, i.value_normalized as value,
        i.is_verified, i.source, i.first_seen_at
    from customer_identifiers i
    left join channels c using (channel_id)
    where i.customer_id = any (:customer_ids)
      and (cast(:channel_codes as text[]) is null or c.channel_code = any (:channel_codes))
    order by i.identifier_id
""")
_EVENTS: Final = text("""
    select event_id, customer_id, type, occurred_at, actor, reason, data
    from customer_events
    where customer_id = any (:customer_ids)
    order by event_id
""")
_ORDERS: Final = text(f"""
    select l.order_id, l.placed_at, l.basis
    from customer_orders l join orders o using (order_id) join channels c using (channel_id)
    where l.customer_id = any (:customer_ids) and not o.is_test and {_VISIBLE}
      and (:with_unverified or l.basis <> 'unverified')
      and (cast(:after_at as timestamptz) is null
          or (l.placed_at, l.order_id) < (cast(:after_at as timestamptz), cast(:after_id as bigint)))
    order by l.placed_at desc, l.order_id desc
    limit :limit
""")  # noqa: S608 - likewise
_PURCHASES: Final = text("""
    select
        o.order_id, o.order_number, o.external_number, c.channel_code, x.location_code,
        x.name as location_name, o.placed_at, o.placed_on, o.order_state, o.fulfillment_state,
        o.fulfillment_method, o.currency, o.total_minor,
        upper(left(btrim(o.customer_name), 1)) as customer_initial,
        coalesce(o.ship_to ->> 'city', o.bill_to ->> 'city') as customer_city, l.basis
    from orders o
    join channels c using (channel_id)
    left join locations x on x.location_id = o.location_id
    left join customer_orders l using (order_id)
    where o.order_id = any (:order_ids)
    order by o.placed_at desc, o.order_id desc
""")
# The window begins when the last unit was handed over; of history we know the day it was sold.
_LINES: Final = text("""
    select
        k.order_id, k.line_no, k.sku, k.title, k.quantity, k.canceled, k.shipped, k.returned,
        greatest(0, k.shipped - k.returned) as returnable,
        case when k.shipped > 0
            then coalesce(s.last_on, o.placed_on) + cast(:days as integer) end as returnable_until,
        k.net_minor + k.tax_minor as total_minor
    from order_lines k
    join orders o using (order_id)
    left join lateral (
        select max(e.occurred_on) as last_on from line_events e
        where e.order_id = k.order_id and e.line_no = k.line_no and e.kind = 'ship'
    ) s on true
    where k.order_id = any (:order_ids)
    order by k.order_id, k.line_no
""")
_TRACKED: Final = """
    select o.order_id, o.order_state, o.fulfillment_state, o.fulfillment_method, o.placed_at,
        o.updated_at
    from orders o
"""
# A wrong address and an unknown number are the same to the statement, too: no row.
_BY_NUMBER: Final = text(
    f"{_TRACKED} where (o.order_number = upper(:number) or o.external_number in (:number, :hashed))"  # noqa: S608 - likewise
    " and lower(o.customer_email) = lower(:email) order by o.placed_at desc limit 1"
)
_BY_ID: Final = text(f"{_TRACKED} where o.order_id = :order_id")  # noqa: S608 - likewise
_STEPS: Final = text("""
    select type, occurred_at from order_events
    where order_id = :order_id
      and type in ('order.captured', 'order.shipped', 'order.canceled', 'order.returned')
    order by occurred_at, seq
""")
_LINK: Final = struct.Struct(">QI")
_SIGNATURE_BYTES: Final = 16


def family(tx: Tx, customer_id: int, *, channel_codes: Codes) -> Family:
    """Return who is one person with a customer.

    Raises CustomerNotFound, too, for who has neither an account nor an order in the channels.
    """
    found = store.family(tx, customer_id)
    if not tx.execute(_IS_KNOWN, _names(found, channel_codes)).scalar():
        raise CustomerNotFound
    return found


def customer(tx: Tx, customer_id: int, among: Family, *, channel_codes: Codes) -> Customer:
    """Return a customer as the whole of their family."""
    names = {**_names(among, channel_codes), "customer_id": customer_id}
    return Customer(**tx.execute(_CUSTOMER, names).one()._mapping)  # noqa: SLF001 - its public name


def identifiers(tx: Tx, among: Family, *, channel_codes: Codes) -> list[Identifier]:
    """Return what a family is known by: to who is bound to channels, their refs alone."""
    rows = tx.execute(_IDENTIFIERS, _names(among, channel_codes))
    return [Identifier(**row._mapping) for row in rows]  # noqa: SLF001 - its public name


def events(tx: Tx, among: Family) -> list[Event]:
    """Return what was done to a family, in order."""
    rows = tx.execute(_EVENTS, {"customer_ids": list(among.customer_ids)})
    return [Event(**row._mapping) for row in rows]  # noqa: SLF001 - its public name


def orders(
    tx: Tx, among: Family, *, channel_codes: Codes, with_unverified: bool,
    after: tuple[datetime, int] | None, limit: int,
) -> list[Purchase]:  # fmt: skip
    """Return a family's orders, newest first; those that only claim to be theirs if asked for."""
    after_at, after_id = after or (None, None)
    rows = tx.execute(
        _ORDERS,
        {
            **_names(among, channel_codes), "with_unverified": with_unverified,
            "after_at": after_at, "after_id": after_id, "limit": limit,
        },
    )  # fmt: skip
    return purchases(tx, [row.order_id for row in rows])


def purchases(tx: Tx, order_ids: list[int]) -> list[Purchase]:
    """Return orders as their customer sees them, newest first."""
    names = {"order_ids": order_ids, "days": RETURN_DAYS}
    lines: dict[int, list[PurchaseLine]] = {}
    for row in tx.execute(_LINES, names):
        values = dict(row._mapping)  # noqa: SLF001 - its public name
        lines.setdefault(values.pop("order_id"), []).append(PurchaseLine(**values))
    return [
        Purchase(**row._mapping, lines=tuple(lines.get(row.order_id, ())))  # noqa: SLF001 - its public name
        for row in tx.execute(_PURCHASES, names)
    ]


def tracked(tx: Tx, *, number: str, email: str) -> Tracking:
    """Return how an order is, by its number and the address it was placed with.

    Raises TrackingNotFound, after the same look-up whichever of the two is wrong.
    """
    return _tracking(tx, _BY_NUMBER, number=number, hashed=f"#{number}", email=email)


def tracked_by(tx: Tx, link: str, *, at: datetime) -> Tracking:
    """Return how an order is, by a link we signed; raises TrackingNotFound."""
    key = store.known_secret(tx, "tracking") or b""
    order_id = _opened(link, key, at=at)
    if order_id is None:
        raise TrackingNotFound
    return _tracking(tx, _BY_ID, order_id=order_id)


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


def _tracking(tx: Tx, query: Any, **names: Any) -> Tracking:
    row = tx.execute(query, names).one_or_none()
    if row is None:
        raise TrackingNotFound
    values = dict(row._mapping)  # noqa: SLF001 - its public name
    steps = tx.execute(_STEPS, {"order_id": values.pop("order_id")})
    return Tracking(**values, steps=tuple((step.type, step.occurred_at) for step in steps))


def returnable(line: PurchaseLine, *, today: date) -> int:
    """Return how much of a line may come back on a day."""
    if line.returnable_until is None or today > line.returnable_until:
        return 0
    return line.returnable


def _names(among: Family, channel_codes: Codes) -> dict[str, Any]:
    return {
        "customer_ids": list(among.customer_ids),
        "channel_codes": None if channel_codes is None else list(channel_codes),
    }
