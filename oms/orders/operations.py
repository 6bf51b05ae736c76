"""Writes on orders: capture, what stock says of them, their stories."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from oms.ledger.database import Tx
from oms.orders import indexing, store
from oms.orders.model import Captured

# What capture leaves for stock to do, as queries over its staged batch. Goods of historical and
# test orders have never been ours to move; an order found to be a test wants nothing any more.
OPEN_LINES: Final = """
    select k.order_id, k.line_no, k.product_id, o.channel_id, o.placed_at,
        case when o.is_test then 0
            else k.quantity - k.canceled - greatest(k.shipped, k.returned) end as quantity,
        d.is_new,
        case when g.method in ('collect_store', 'reserve') then g.location_id end as place_id
    from (
        select order_id, bool_and(outcome = 'captured') as is_new
        from draft_orders
        where outcome in ('captured', 'updated')
        group by order_id
    ) d
    join orders o using (order_id)
    join order_lines k using (order_id)
    left join order_groups g on g.order_id = k.order_id and g.group_no = coalesce(k.group_no, 1)
    where not o.is_historical
"""
# The same of one order, whose id is a parameter; and of one of its delivery groups.
OPEN_LINES_OF: Final = """
    select k.order_id, k.line_no, k.product_id, o.channel_id, o.placed_at,
        k.quantity - k.canceled - greatest(k.shipped, k.returned) as quantity, false as is_new,
        case when g.method in ('collect_store', 'reserve') then g.location_id end as place_id
    from order_lines k
    join orders o using (order_id)
    left join order_groups g on g.order_id = k.order_id and g.group_no = coalesce(k.group_no, 1)
    where o.order_id = :order_id and not o.is_historical and not o.is_test
"""
OPEN_LINES_OF_GROUP: Final = f"{OPEN_LINES_OF} and coalesce(k.group_no, 1) = :group_no"
GOODS_MOVED: Final = """
    select c.order_id, c.line_no, k.product_id,
        case when c.kind = 'return' then 'return_restock'
             when coalesce(g.method, o.fulfillment_method) = 'carry_out' then 'pos_sale'
             else 'ship' end as kind,
        coalesce(c.location_id, case when c.kind = 'return' then o.location_id end) as location_id,
        c.quantity as taken, c.change_ref, c.occurred_at,
        case when c.change_ref ~ '^[*]F[0-9]+$' then substring(c.change_ref from 3)::bigint
            end as fulfillment_id
    from staged_changes c
    join orders o using (order_id)
    join order_lines k using (order_id, line_no)
    left join order_groups g on g.order_id = k.order_id and g.group_no = coalesce(k.group_no, 1)
    where not o.is_historical and not o.is_test
      and (c.kind = 'ship' or (c.kind = 'return' and c.restock and c.quantity <> 0))
"""


def capture(
    tx: Tx, drafts: Mapping[str, bytes], *, channel_id: int, currencies: Sequence[str],
    time_zone: str, inbox_id: int | None, actor_type: str, actor: str, at: datetime,
    unusable: Callable[[Tx], Sequence[tuple[int, str, str, str]]] | None = None,
) -> list[Captured]:  # fmt: skip
    """Write down a batch of order documents of one channel, each whole or not at all.

    A document is captured, updates its order, is a duplicate, is stale or is rejected with
    its problems; it is idempotent by (channel, external ref, version). `drafts` holds the
    CSV of the draft tables orders, lines and changes. `unusable` tells what is wrong with what
    else comes with the documents, once they are loaded: position, field, code and detail.
    """
    store.load(tx, drafts)
    if unusable is not None:
        store.object_to(tx, unusable(tx))
    store.stage(
        tx, channel_id=channel_id, currencies=list(currencies), time_zone=time_zone,
        inbox_id=inbox_id, at=at,
    )  # fmt: skip
    store.write(tx, time_zone=time_zone, actor_type=actor_type, actor=actor, at=at)
    return store.outcomes(tx)


def known_of_batch(tx: Tx) -> list[int]:
    """Return the orders of the batch just captured that were there before."""
    query = "select distinct order_id from draft_orders where outcome = 'updated' order by 1"
    return list(tx.execute(text(query)).scalars())


def record_backorders(tx: Tx, quantities: Mapping[tuple[int, int], int], *, at: datetime) -> None:
    """Note how much of each (order, line) nobody can supply now; zero when all is found."""
    if not quantities:
        return
    told = [
        {"order_id": order_id, "line_no": line_no, "quantity": quantity}
        for (order_id, line_no), quantity in quantities.items()
    ]
    changed = store.SQL.run(tx, "mark_backordered", shortages=json.dumps(told)).scalar_one()
    if changed is not None:
        store.SQL.run(tx, "fold_backorders", changed=changed, at=at)


def hold(tx: Tx, order_id: int) -> None:
    """Hold an order: whoever changes it or what is done for it does so first."""
    tx.execute(text("select from orders where order_id = :id for update"), {"id": order_id})


def hold_all(tx: Tx, order_ids: Sequence[int]) -> None:
    """Hold orders, in the one order everybody holds several in."""
    query = """
        select count(*) from (
            select 1 from orders where order_id = any (cast(:ids as bigint[]))
            order by order_id for update
        ) held
    """
    tx.execute(text(query), {"ids": list(order_ids)})


def redirect(
    tx: Tx, order_id: int, group_no: int, ship_to: Mapping[str, Any], *, at: datetime
) -> None:
    """Send a delivery group of an order that is held to another address, whatever comes later.

    It is written to the group, which a channel's newer document leaves as it is.
    """
    names = {"order_id": order_id, "group_no": group_no, "ship_to": json.dumps(ship_to), "at": at}
    tx.execute(_REDIRECT, names)
    tx.execute(_TOUCH, {"order_id": order_id, "at": at})


def choose_point(
    tx: Tx, order_id: int, group_no: int, point: Mapping[str, Any], *, at: datetime
) -> None:
    """Send a delivery group of an order that is held to another pick-up point."""
    keep_point(tx, order_id, group_no, point)
    tx.execute(_TOUCH, {"order_id": order_id, "at": at})


def keep_point(tx: Tx, order_id: int, group_no: int, point: Mapping[str, Any]) -> None:
    """Keep what is known of the pick-up point a delivery group goes to."""
    names = {"order_id": order_id, "group_no": group_no, "point": json.dumps(point)}
    tx.execute(_KEEP_POINT, names)


def flag(tx: Tx, order_id: int, code: str, detail: Mapping[str, Any], *, at: datetime) -> bool:
    """Show an order that is held to a person; tell whether it was not shown for this before."""
    names = {"order_id": order_id, "code": code, "detail": json.dumps(detail), "at": at}
    return bool(tx.execute(_FLAG, names).scalar())


def unflag(tx: Tx, order_id: int, code: str, *, at: datetime) -> bool:
    """Show an order that is held no more for this; tell whether it was."""
    is_open = tx.execute(_UNFLAG, {"order_id": order_id, "code": code, "at": at}).scalar()
    if is_open:
        tx.execute(_HAS_EXCEPTION, {"order_id": order_id})
    return bool(is_open)


def reroute(
    tx: Tx, order_id: int, group_no: int, method: str, location_code: str | None, *, at: datetime
) -> None:
    """Have a delivery group of an order that is held go another way, whatever its channel says.

    What is collected has its location; an address stays where there is one.
    """
    names = {"order_id": order_id, "group_no": group_no, "method": method,
             "location_code": location_code, "at": at}  # fmt: skip
    tx.execute(_REROUTE, names)
    tx.execute(_FOLD_METHOD, names)


def tell(
    tx: Tx, steps: Sequence[tuple[int, str, Mapping[str, Any]]], *, actor_type: str, actor: str,
    at: datetime,
) -> None:  # fmt: skip
    """Add steps to the stories of orders: whose, what happened, and its facts."""
    if steps:
        told = [
            {"order_id": order_id, "type": kind, "data": dict(data)}
            for order_id, kind, data in steps
        ]
        store.SQL.run(tx, "tell", steps=json.dumps(told), actor_type=actor_type, actor=actor, at=at)


def record_oversold(tx: Tx, oversold: Sequence[tuple[int, str, str, int]], *, at: datetime) -> None:
    """Note the orders whose goods left less at a location than is promised there."""
    if not oversold:
        return
    told = [
        {"order_id": order_id, "sku": sku, "location_code": location_code, "on_hand": on_hand}
        for order_id, sku, location_code, on_hand in oversold
    ]
    store.SQL.run(tx, "flag_oversold", told=json.dumps(told), at=at)


def erase_customers(
    tx: Tx, order_ids: Sequence[int], *, by: str | None = None, at: datetime
) -> None:
    """Remove who bought from orders: name, addresses, references. Totals stay.

    With `by` it is a step of each order's story; without, it only keeps out what came back.
    """
    names = {"order_ids": list(order_ids), "at": at, "by": by}
    tx.execute(_FORGET, names)
    indexing.index(tx, order_ids)  # who is erased is found no more, not even for a second
    tx.execute(
        text("update order_groups set ship_to = null where order_id = any (:order_ids)"), names
    )
    tx.execute(_FORGET_COMMENTS, names)
    tx.execute(_FORGET_CHANGES, names)
    if by is not None:
        tx.execute(_TELL_ERASED, names)


_FORGET: Final = text("""
    update orders
    set customer_ref = null, customer_name = null, customer_email = null, customer_phone = null,
        ship_to = null, bill_to = null
    where order_id in (
        select order_id from orders where order_id = any (:order_ids) order by order_id for update)
""")
_REDIRECT: Final = text("""
    insert into order_groups (order_id, group_no, method, location_id, ship_to, pickup_point)
    select order_id, group_no, method, location_id, cast(:ship_to as jsonb), pickup_point
    from delivery_groups
    where order_id = :order_id and group_no = :group_no
    on conflict (order_id, group_no) do update set ship_to = excluded.ship_to
""")
_TOUCH: Final = text(
    "update orders set version = version + 1, updated_at = :at where order_id = :order_id"
)
_KEEP_POINT: Final = text("""
    update order_groups set pickup_point = cast(:point as jsonb)
    where order_id = :order_id and group_no = :group_no
""")
_FLAG: Final = text("""
    with opened as (
        insert into order_exceptions (order_id, code, detail, opened_at)
        values (:order_id, :code, cast(:detail as jsonb), :at)
        on conflict (order_id, code) do update
            set detail = excluded.detail, opened_at = excluded.opened_at, resolved_at = null
            where order_exceptions.resolved_at is not null
        returning order_id
    )
    update orders set has_exception = true
    where order_id in (select order_id from opened)
    returning true
""")
_UNFLAG: Final = text("""
    update order_exceptions set resolved_at = :at
    where order_id = :order_id and code = :code and resolved_at is null
    returning true
""")
_HAS_EXCEPTION: Final = text("""
    update orders o
    set has_exception = exists (
        select from order_exceptions x where x.order_id = o.order_id and x.resolved_at is null)
    where o.order_id = :order_id
""")
_REROUTE: Final = text("""
    insert into order_groups (order_id, group_no, method, location_id, ship_to, is_ours)
    select g.order_id, g.group_no, :method, x.location_id, g.ship_to, true
    from delivery_groups g
    left join locations x on x.location_code = :location_code
    where g.order_id = :order_id and g.group_no = :group_no
    on conflict (order_id, group_no) do update
    set method = excluded.method, location_id = excluded.location_id, pickup_point = null,
        is_ours = true
""")
_FOLD_METHOD: Final = text("""
    update orders
    set version = version + 1, updated_at = :at, fulfillment_method = (
        select case when count(distinct g.method) = 1 then min(g.method) else 'mixed' end
        from delivery_groups g where g.order_id = :order_id)
    where order_id = :order_id
""")
_FORGET_CHANGES: Final = text(
    "update change_orders set ship_to = null, reason = '[erased]',"
    " end_reason = case when end_reason is not null then '[erased]' end"
    " where order_id = any (:order_ids)"
)
_FORGET_COMMENTS: Final = text("""
    update order_holds
    set comment = '[erased]',
        release_comment = case when release_comment is not null then '[erased]' end
    where order_id = any (:order_ids)
""")
_TELL_ERASED: Final = text("""
    with told as (
        update orders set last_seq = last_seq + 1, updated_at = :at
        where order_id = any (:order_ids)
        returning order_id, last_seq
    )
    insert into order_events (order_id, seq, type, occurred_at, recorded_at, actor_type, actor)
    select order_id, last_seq, 'order.erased', :at, :at, 'user', :by from told
""")
