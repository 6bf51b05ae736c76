"""Reads of orders: one with everything about it, and what was sold of late."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Final

from sqlalchemy import Row, text

from oms.ledger.database import Tx
from oms.ledger.rows import by_name
from oms.orders.filters import NEVER
from oms.orders.model import (
    Change,
    Event,
    Group,
    Line,
    Order,
    OrderException,
    OrderNotFound,
    Summary,
)
from oms.points.model import Chosen

SUMMARY: Final = f"""
    o.order_id, o.order_number, c.channel_code, o.external_ref, o.external_number,
    o.order_state, o.fulfillment_state, o.fulfillment_method, x.location_code, o.placed_at,
    o.placed_on, o.updated_at, coalesce(o.state_since, o.placed_at) as state_since, o.currency,
    o.customer_name, o.customer_email, o.country_code,
    o.total_minor, o.has_exception, o.is_on_hold, o.is_test, o.is_historical,
    o.tags, (
        select nullif(k.promised_at, {NEVER}) from order_search k where k.order_id = o.order_id
    ) as promised_at, o.version
"""  # noqa: S608 - our own columns
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
# What an order was captured with are the sales of its lines, append-only like its events and
# written down once, and the remark that came with it.
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
            || (select case when count(*) = 0 then '{}'
                    else jsonb_build_object('notes', jsonb_agg(n.note_id order by n.note_id)) end
                from notes n where n.order_id = e.order_id and n.is_captured)
        end as data
    from order_events e
    join orders o using (order_id)
    where e.order_id = any (cast(:order_ids as bigint[]))
    order by e.order_id, e.seq
""")
_EXCEPTIONS: Final = text("""
    select code, detail, opened_at, resolved_at
    from order_exceptions
    where order_id = :order_id
    order by opened_at, code
""")


# Groups that go to points of some carriers: those something is to be sent to, and those of orders
# that somebody looks at for it.
_AT_POINTS: Final = """
    select g.order_id, g.group_no, g.pickup_point, x.order_id is not null as is_flagged,
        exists (
            select from order_lines k
            where k.order_id = g.order_id and coalesce(k.group_no, 1) = g.group_no
              and k.quantity - k.canceled > greatest(k.shipped, k.returned)) as is_to_be_sent
    from order_groups g
    join orders o using (order_id)
    left join order_exceptions x on x.order_id = g.order_id
        and x.code = 'PICKUP_POINT_UNAVAILABLE' and x.resolved_at is null
    where g.pickup_point is not null and not o.is_historical and not o.is_test
      and (o.order_state in ('placed', 'in_progress') or x.order_id is not null)
      and g.pickup_point ->> 'provider' = any (cast(:providers as text[]))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AtPoint:
    """A delivery group that goes to a pick-up point."""

    order_id: int
    group_no: int
    chosen: Chosen
    is_flagged: bool  # whether somebody is to look at its order for such a point
    is_to_be_sent: bool


# How a channel has sold a product last, to which country is all the same to its price and not to
# its tax; neither a line of ours nor one whose price we changed says what a channel asks.
_LAST_SOLD: Final = text("""
    select k.quantity, k.unit_price_minor, k.list_minor, k.discount_minor, k.tax_minor,
        o.country_code
    from order_lines k
    join orders o using (order_id)
    where k.product_id = :product_id and o.channel_id = (
            select channel_id from orders where order_id = :order_id)
      and (o.currency, o.prices_include_tax) = (
          select currency, prices_include_tax from orders where order_id = :order_id)
      and not o.is_test and not k.is_ours and k.told is null and k.quantity > 0
    order by k.order_id desc, k.line_no
    limit 1
""")


# The dearest line of an order of a class of tax: what it shows of the rate is the least rounded.
_OF_TAX_CLASS: Final = text("""
    select k.quantity, k.unit_price_minor, k.list_minor, k.discount_minor, k.tax_minor,
        o.country_code
    from order_lines k
    join orders o using (order_id)
    join products p using (product_id)
    where k.order_id = :order_id and p.tax_class = :tax_class and k.quantity > 0
    order by k.list_minor - k.discount_minor desc, k.line_no
    limit 1
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sold:
    """A line as a channel sold it, in the channel's tax mode, and to which country."""

    quantity: int
    unit_price_minor: int | None
    list_minor: int
    discount_minor: int
    tax_minor: int
    country_code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSales:
    """What was sold by a channel on a date, in one currency, without tax."""

    channel_code: str
    currency: str
    event_on: date
    orders_count: int
    units: int
    net_minor: int


def has_changes(tx: Tx, after: int, upto: int) -> bool:
    """Tell whether transactions from one up to another wrote any order."""
    query = text(
        "select exists (select from orders"
        " where changed_xid >= cast(:after as xid8) and changed_xid < cast(:upto as xid8))"
    )
    return bool(tx.execute(query, {"after": str(after), "upto": str(upto)}).scalar())


def with_exceptions(tx: Tx, order_ids: Sequence[int], codes: Sequence[str]) -> set[int]:
    """Return those of some orders that are shown to a person for any of these."""
    query = text(
        "select order_id from order_exceptions where resolved_at is null"
        " and order_id = any (:order_ids) and code = any (:codes)"
    )
    names = {"order_ids": list(order_ids), "codes": list(codes)}
    return set(tx.execute(query, names).scalars())


def number_of(tx: Tx, order_id: int) -> str:
    """Return the number of an order that is there."""
    query = text("select order_number from orders where order_id = :order_id")
    return str(tx.execute(query, {"order_id": order_id}).scalar_one())


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
        events=stories(tx, [summary.order_id])[summary.order_id],
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


def last_sold(tx: Tx, order_id: int, product_id: int) -> Sold | None:
    """Return how the channel of an order has sold a product last, in the order's currency."""
    row = tx.execute(_LAST_SOLD, {"order_id": order_id, "product_id": product_id}).one_or_none()
    return None if row is None else Sold(**by_name(row))


def sold_beside(tx: Tx, order_id: int, tax_class: str) -> Sold | None:
    """Return the dearest line of an order whose product is of a class of tax."""
    names = {"order_id": order_id, "tax_class": tax_class}
    row = tx.execute(_OF_TAX_CLASS, names).one_or_none()
    return None if row is None else Sold(**by_name(row))


def lines_with_given_money(tx: Tx, order_id: int) -> set[int]:
    """Return the lines of which a channel has said itself what a cancel or return is worth."""
    rows = tx.execute(
        text(
            "select distinct line_no from line_events where order_id = :order_id"
            " and is_money_given and kind in ('cancel', 'return')"
        ),
        {"order_id": order_id},
    )
    return set(rows.scalars())


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


def is_known(tx: Tx, channel_id: int, external_ref: str) -> bool:
    """Tell whether a channel's order has come before."""
    query = """
        select exists (select from orders
            where channel_id = :channel_id and external_ref = :external_ref)
    """
    names = {"channel_id": channel_id, "external_ref": external_ref}
    return bool(tx.execute(text(query), names).scalar())


def at_points(tx: Tx, providers: Sequence[str], *, after: int, limit: int) -> list[AtPoint]:
    """Return the groups that go to points of carriers, of about so many at a time.

    They are those of the orders after one; an order comes with all of its groups.
    """
    query = f"""
        with chosen as ({_AT_POINTS} and g.order_id > :after order by g.order_id limit :limit)
        {_AT_POINTS} and g.order_id in (select order_id from chosen)
        order by g.order_id, g.group_no
    """  # noqa: S608 - put together from a constant
    names = {"providers": list(providers), "after": after, "limit": limit}
    return [_at_point(row) for row in tx.execute(text(query), names)]


def at_points_of(tx: Tx, order_id: int, providers: Sequence[str]) -> list[AtPoint]:
    """Return an order's groups that go to points of carriers."""
    query = f"{_AT_POINTS} and g.order_id = :order_id order by g.group_no"
    names = {"providers": list(providers), "order_id": order_id}
    return [_at_point(row) for row in tx.execute(text(query), names)]


def _at_point(row: Row[Any]) -> AtPoint:
    values = by_name(row)
    return AtPoint(chosen=Chosen.of(values.pop("pickup_point")), **values)
