"""Reads of orders: one with everything about it, and what was sold of late."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Final

from sqlalchemy import Row, text

from oms.ledger.database import Tx
from oms.ledger.rows import by_name
from oms.orders.model import (
    Change,
    Event,
    Group,
    Line,
    Note,
    Order,
    OrderException,
    OrderNotFound,
    Summary,
)

SUMMARY: Final = """
    o.order_id, o.order_number, c.channel_code, o.external_ref, o.external_number,
    o.order_state, o.fulfillment_state, o.fulfillment_method, x.location_code, o.placed_at,
    o.placed_on, o.updated_at, o.currency, o.customer_name, o.customer_email, o.country_code,
    o.total_minor, o.has_exception, o.is_on_hold, o.is_test, o.is_historical, o.version
"""
_FROM: Final = """
    from orders o
    join channels c using (channel_id)
    left join locations x on x.location_id = o.location_id
"""
_LINES: Final = text("""
    select
        l.line_no, l.line_ref, l.sku, l.title, p.product_type, l.quantity, l.canceled, l.shipped,
        l.returned,
        case when o.is_historical then 0
            else l.quantity - l.canceled - greatest(l.shipped, l.returned) - l.backordered
        end as allocated,
        l.backordered, l.unit_price_minor, l.list_minor, l.discount_minor, l.net_minor, l.tax_minor,
        coalesce(l.group_no, 1) as group_no
    from order_lines l
    join orders o using (order_id)
    join products p using (product_id)
    where l.order_id = :order_id
    order by l.line_no
""")
_GROUPS: Final = text("""
    select g.group_no, g.method, x.location_code, g.ship_to, g.pickup_point
    from delivery_groups g
    left join locations x using (location_id)
    where g.order_id = :order_id
    order by g.group_no
""")
_CHANGES: Final = text("""
    select
        e.line_no, e.kind, e.change_ref, e.quantity, e.net_minor, e.tax_minor, e.occurred_at,
        x.location_code, e.reason
    from line_events e
    left join locations x using (location_id)
    where e.order_id = :order_id
    order by e.occurred_at, e.line_no, e.kind, e.change_ref
""")
# What an order was captured with are the sales of its lines: append-only like its events, and
# written down once.
_EVENTS: Final = text("""
    select e.order_id, e.seq, e.type, e.occurred_at, e.recorded_at, e.actor_type, e.actor,
        e.changed_xid::text as transaction_id, e.correlation_id,
        case when e.type <> 'order.captured' then e.data
            else coalesce(e.data, '{}') || jsonb_build_object(
                'is_historical', o.is_historical,
                'lines', (
                    select jsonb_agg(
                        jsonb_build_object('line_no', s.line_no, 'quantity', s.quantity)
                        order by s.line_no)
                    from line_events s where s.order_id = e.order_id and s.kind = 'sale'))
        end as data
    from order_events e
    join orders o using (order_id)
    where e.order_id = any (cast(:order_ids as bigint[]))
    order by e.order_id, e.seq
""")
_NOTES: Final = text("""
    select note_id, visibility, body, author, created_at
    from order_notes
    where order_id = :order_id
    order by note_id
""")
_EXCEPTIONS: Final = text("""
    select code, detail, opened_at, resolved_at
    from order_exceptions
    where order_id = :order_id
    order by opened_at, code
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSales:
    """What was sold by a channel on a date, in one currency, without tax."""

    channel_code: str
    currency: str
    event_on: date
    orders_count: int
    units: int
    net_minor: int


def order(tx: Tx, number: str) -> Order:
    """Return an order with everything about it, by our number.

    Raises OrderNotFound.
    """
    row = tx.execute(
        text(
            f"select {SUMMARY}, o.customer_ref, o.customer_phone, o.ship_to, o.bill_to,"
            " o.prices_include_tax, o.items_net_minor, o.items_tax_minor, o.shipping_net_minor,"
            f" o.shipping_tax_minor, o.stated_total_minor {_FROM} where o.order_number = :number"
        ),
        {"number": number.upper()},
    ).one_or_none()
    if row is None:
        raise OrderNotFound
    values = by_name(row)
    summary = summary_of(row)
    for field in fields(Summary):
        del values[field.name]
    key = {"order_id": summary.order_id}

    def all_of(kind: type, query: Any) -> tuple[Any, ...]:
        return tuple(kind(**by_name(each)) for each in tx.execute(query, key))

    return Order(
        summary=summary, **values, lines=all_of(Line, _LINES), groups=all_of(Group, _GROUPS),
        changes=all_of(Change, _CHANGES),
        events=stories(tx, [summary.order_id])[summary.order_id], notes=all_of(Note, _NOTES),
        exceptions=all_of(OrderException, _EXCEPTIONS),
    )  # fmt: skip


def stories(tx: Tx, order_ids: Sequence[int]) -> Mapping[int, tuple[Event, ...]]:
    """Return everything that happened to orders, each from its first step on."""
    found: dict[int, list[Event]] = defaultdict(list)
    for row in tx.execute(_EVENTS, {"order_ids": list(order_ids)}):
        facts = by_name(row)
        found[facts.pop("order_id")].append(Event(**facts))
    return {order_id: tuple(events) for order_id, events in found.items()}


def summary_of(row: Row[Any]) -> Summary:
    """Return the summary among the columns of a row."""
    return Summary(**{field.name: getattr(row, field.name) for field in fields(Summary)})


def sales_after(tx: Tx, watermark: int, *, since: date) -> list[LiveSales]:
    """Return the sales events written from a watermark on, per channel, currency and date.

    Together with marts published at that watermark they are everything up to this moment:
    events are append-only, and a publication holds exactly those below its watermark.
    """
    rows = tx.execute(
        text("""
            select
                c.channel_code, o.currency, e.occurred_on as event_on,
                count(distinct e.order_id) filter (where e.kind = 'sale') as orders_count,
                sum(e.quantity) as units, sum(e.net_minor) as net_minor
            from line_events e
            join orders o using (order_id)
            join channels c using (channel_id)
            where e.changed_xid >= cast(:watermark as text)::xid8 and e.kind <> 'ship'
              and e.occurred_on >= :since and not o.is_test
            group by c.channel_code, o.currency, e.occurred_on
            order by c.channel_code, o.currency, e.occurred_on
        """),
        {"watermark": str(watermark), "since": since},
    )
    return [
        LiveSales(
            channel_code=row.channel_code, currency=row.currency, event_on=row.event_on,
            orders_count=row.orders_count, units=int(row.units), net_minor=int(row.net_minor),
        )
        for row in rows
    ]  # fmt: skip


def personal_texts(tx: Tx, order_ids: Sequence[int]) -> tuple[set[str], set[str]]:
    """Return what orders say of who bought: what is one person's alone, and everything."""
    rows = tx.execute(
        text("""
            select v.value, v.is_own
            from orders o
            cross join lateral (
                select o.customer_email as value, true as is_own
                union all select o.customer_phone, true
                union all select o.customer_name, false
                union all
                select a.value, false
                from (
                    values (o.ship_to), (o.bill_to)
                    union all
                    select g.ship_to from order_groups g where g.order_id = o.order_id
                ) as given (address)
                cross join lateral jsonb_each_text(given.address) a
                where a.key in ('name', 'street')
            ) v
            where o.order_id = any (:order_ids) and v.value is not null
        """),
        {"order_ids": list(order_ids)},
    ).all()
    return {row.value for row in rows if row.is_own}, {row.value for row in rows}


def open_orders(tx: Tx, order_ids: Sequence[int]) -> list[str]:
    """Return the numbers of those orders whose goods have still to go somewhere."""
    rows = tx.execute(
        text(
            "select order_number from orders where order_id = any (:order_ids)"
            " and order_state in ('placed', 'in_progress') and not is_test order by order_id"
        ),
        {"order_ids": list(order_ids)},
    )
    return [row.order_number for row in rows]
