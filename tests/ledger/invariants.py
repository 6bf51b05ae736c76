"""What must hold of a ledger at any time, as SQL that returns what violates it."""

from typing import Any, Final

from sqlalchemy import text

from oms.ledger.database import Tx

# A line's open quantity, where stock is ours to promise.
_OPEN: Final = """
    select k.order_id, k.line_no, k.product_id, k.backordered,
        case when o.is_historical or o.is_test then 0
            else k.quantity - k.canceled - greatest(k.shipped, k.returned) end as open
    from order_lines k join orders o using (order_id)
"""
INVARIANTS: Final = {
    "a store credit is the sum of its entries, none left out": """
        select k.account_number, k.balance_minor, k.version, e.*
        from credit_accounts k
        cross join lateral (
            select coalesce(sum(amount_minor), 0) as minor, count(*) as entries,
                coalesce(max(entry_no), 0) as last_no
            from credit_entries where account_id = k.account_id
        ) e
        where (k.balance_minor, k.version, k.version) <> (e.minor, e.entries, e.last_no)
    """,
    "what payments take from store credit and give to it is what its entries say": """
        select x.*, e.*
        from (
            select coalesce(sum(amount_minor) filter (where type = 'capture'), 0) as taken,
                coalesce(sum(amount_minor) filter (where type = 'refund'), 0) as given
            from payment_transactions where psp = 'store_credit' and state = 'succeeded'
        ) x
        cross join (
            select coalesce(-sum(amount_minor) filter (where kind = 'redeemed'), 0) as taken,
                coalesce(sum(amount_minor) filter (where kind in ('issued', 'restored')), 0)
                    as given
            from credit_entries
        ) e
        where (x.taken, x.given) <> (e.taken, e.given)
    """,
    "the numbers of a series have no gap": """
        select s.entity_id, s.document_type, s.fiscal_year, s.last_number, d.count, d.highest
        from document_series s
        full join (
            select entity_id, document_type, fiscal_year, count(*) as count,
                max(series_number) as highest
            from documents group by entity_id, document_type, fiscal_year
        ) d using (entity_id, document_type, fiscal_year)
        where s.last_number is distinct from d.count or d.count is distinct from d.highest
    """,
    "a document is the sum of its lines, and says so": """
        select d.document_number from documents d
        left join lateral (
            select coalesce(sum(l.net_minor), 0) as net_minor,
                coalesce(sum(l.tax_minor), 0) as tax_minor
            from document_lines l where l.document_id = d.document_id
        ) l on true
        where (d.net_minor, d.tax_minor) <> (l.net_minor, l.tax_minor)
           or d.document_number <> d.value ->> 'number'
           or d.total_minor <> (d.value ->> 'total_minor')::bigint
    """,
    "a level is the fold of its movements": """
        select l.product_id, l.location_id, l.on_hand, m.on_hand as moved
        from stock_levels l
        full join (
            select product_id, location_id, sum(on_hand_delta) as on_hand,
                sum(unavailable_delta) as unavailable
            from stock_movements group by product_id, location_id
        ) m using (product_id, location_id)
        where coalesce(l.on_hand, 0) <> coalesce(m.on_hand, 0)
           or coalesce(l.unavailable, 0) <> coalesce(m.unavailable, 0)
    """,
    "allocated is the sum of the active reservations": """
        select l.product_id, l.location_id, l.allocated, r.quantity
        from stock_levels l
        full join (
            select product_id, location_id, sum(quantity) as quantity from reservations
            where kind in ('order', 'transfer') and state = 'active'
            group by product_id, location_id
        ) r using (product_id, location_id)
        where coalesce(l.allocated, 0) <> coalesce(r.quantity, 0)
    """,
    "what is open of a line is reserved or queued, of its own product": f"""
        select w.order_id, w.line_no, w.open, w.backordered, r.active, r.queued
        from ({_OPEN}) w
        left join lateral (
            select coalesce(sum(r.quantity) filter (where r.state in ('active', 'in_transit')
                    and r.product_id = w.product_id), 0) as active,
                coalesce(sum(r.quantity) filter (where r.state = 'queued'
                    and r.product_id = w.product_id), 0) as queued,
                coalesce(bool_or(r.product_id <> w.product_id), false) as is_strange
            from reservations r
            where r.order_id = w.order_id and r.line_no = w.line_no
              and r.state in ('active', 'queued', 'in_transit')
        ) r on true
        where r.active + r.queued <> w.open or r.queued <> w.backordered or r.is_strange
    """,
    "a reservation has a line": """
        select r.reservation_id from reservations r
        where r.kind = 'order' and r.state in ('active', 'queued') and not exists (
            select from order_lines k where k.order_id = r.order_id and k.line_no = r.line_no)
    """,
    "nobody waits for what could be given": """
        select r.reservation_id, l.location_id
        from reservations r
        join stock_levels l on l.product_id = r.product_id
        join locations x on x.location_id = l.location_id and x.is_enabled
        where r.state = 'queued' and r.kind = 'order'
          and (r.place_id = l.location_id or exists (
              select from channel_locations n
              join channels c using (channel_id)
              where n.channel_id = r.channel_id and n.location_id = l.location_id
                and (r.place_id is null or c.collect_supply = 'any')))
          -- It was let off by that place, and is sought elsewhere first.
          and not exists (
              select from fulfillment_orders f
              where f.order_id = r.order_id and f.location_id = l.location_id
                and f.reason is not null)
          and not exists (
              select from transfers t
              where t.order_id = r.order_id and t.from_location_id = l.location_id
                and t.reason is not null)
          and available_to_fulfill(l.on_hand, l.unavailable, l.allocated, coalesce((
              select sum(h.quantity) from reservations h
              where h.product_id = l.product_id and h.location_id = l.location_id
                and h.kind = 'hold' and h.state = 'active'), 0)::bigint, l.safety_stock) > 0
    """,
    "a hold keeps units as long as it is active": """
        select h.hold_ref, h.state, r.units, r.all_units
        from stock_holds h
        left join lateral (
            select count(*) filter (
                    where state = 'active' and r.expires_at = h.expires_at) as units,
                count(*) filter (where state = 'active') as all_units
            from reservations r where r.hold_ref = h.hold_ref
        ) r on true
        where (h.state = 'active') <> (r.units > 0) or r.units <> r.all_units
    """,
    "what is collected is kept where it is collected, or is sent there": """
        select r.reservation_id from reservations r join channels c using (channel_id)
        where r.state = 'active' and r.place_id <> r.location_id
          and (c.collect_supply <> 'any'
              or (r.fulfillment_id is not null and r.transfer_id is null))
    """,
    "work is where its units are, or are sent to": """
        select r.reservation_id, f.fulfillment_number
        from reservations r join fulfillment_orders f using (fulfillment_id)
        where r.state = 'active' and (
            f.location_id <> coalesce(r.place_id, r.hub_id, r.location_id)
            or (f.location_id <> r.location_id and r.transfer_id is null))
    """,
    "what has come to its hub is sent nowhere": """
        select reservation_id from reservations where state = 'active' and hub_id = location_id
    """,
    "a transfer that has not left has the units kept for it": """
        select l.transfer_id, l.line_no, l.quantity - l.removed as open, r.quantity
        from transfer_lines l
        join transfers t using (transfer_id)
        left join lateral (
            select coalesce(sum(r.quantity), 0) as quantity from reservations r
            where r.transfer_id = l.transfer_id and r.line_no = l.line_no and r.state = 'active'
              and r.location_id = t.from_location_id and r.product_id = l.product_id
        ) r on true
        where case when t.state in ('allocated', 'picked') then l.quantity - l.removed else 0 end
            <> r.quantity
    """,
    "what comes to an order is on its way": """
        select r.transfer_id, r.line_no, sum(r.quantity) as expected, min(t.state) as state
        from reservations r
        join transfers t using (transfer_id)
        join transfer_lines l using (transfer_id, line_no)
        where r.state = 'in_transit'
        group by r.transfer_id, r.line_no
        having sum(r.quantity) > min(greatest(0, l.shipped - l.received - l.damaged - l.missing))
            or min(t.state) not in ('shipped', 'partially_received')
    """,
    "what a transfer moved is what its lines say": """
        select l.transfer_id, l.line_no, l.shipped, l.received, l.damaged, m.*
        from transfer_lines l
        join transfers t using (transfer_id)
        left join lateral (
            select
                coalesce(-sum(on_hand_delta) filter (where kind = 'transfer_out'), 0) as shipped,
                coalesce(sum(on_hand_delta) filter (where kind = 'transfer_in'), 0) as arrived,
                coalesce(sum(unavailable_delta) filter (where kind = 'transfer_in'), 0) as damaged
            from stock_movements m
            where m.cause_type = 'transfer' and m.cause_id = t.transfer_number
              and split_part(m.cause_line, ':', 1) = l.line_no::text
        ) m on true
        where (l.shipped, l.received + l.damaged, l.damaged)
            is distinct from (m.shipped, m.arrived, m.damaged)
    """,
    "a transfer is received when nothing is on its way": """
        select t.transfer_id, t.state from transfers t join transfer_lines l using (transfer_id)
        group by t.transfer_id, t.state
        having (sum(greatest(0, l.shipped - l.received - l.damaged - l.missing)) > 0)
            <> (t.state in ('shipped', 'partially_received'))
    """,
    "a return's line is what came of it, was looked at and decided": """
        select l.return_id, l.line_no, l.received, l.inspected, l.accepted, l.rejected,
            w.*, i.*, d.*
        from return_lines l
        cross join lateral (
            select coalesce(sum(quantity), 0) as came, coalesce(sum(inspected), 0) as seen
            from return_receipt_lines w
            where w.return_id = l.return_id and w.line_no = l.line_no and w.state = 'taken'
        ) w
        cross join lateral (
            select coalesce(sum(quantity), 0) as looked_at from return_inspections i
            where i.return_id = l.return_id and i.line_no = l.line_no
        ) i
        cross join lateral (
            select coalesce(sum(quantity) filter (where verdict = 'accepted'), 0) as yes,
                coalesce(sum(quantity) filter (where verdict = 'rejected'), 0) as no
            from return_decisions d
            where d.return_id = l.return_id and d.line_no = l.line_no
        ) d
        where (l.received, l.inspected, l.inspected, l.accepted, l.rejected)
            is distinct from (w.came, w.seen, i.looked_at, d.yes, d.no)
    """,
    "what returns accepted is returned of the order, once, with what is owed": """
        select order_id, line_no, d.*, e.*
        from (
            select r.order_id, d.line_no, sum(d.quantity - d.told_before) as units,
                sum(d.goods_net_minor) as net_minor, sum(d.goods_tax_minor) as tax_minor
            from return_decisions d join returns r using (return_id)
            where d.verdict = 'accepted'
            group by r.order_id, d.line_no
        ) d
        full join (
            select order_id, line_no, -sum(quantity) as returned, -sum(net_minor) as back_net,
                -sum(tax_minor) as back_tax
            from line_events
            where kind = 'return' and change_ref like '*RMA%'
            group by order_id, line_no
        ) e using (order_id, line_no)
        where (coalesce(d.units, 0), coalesce(d.net_minor, 0), coalesce(d.tax_minor, 0))
            is distinct from (coalesce(e.returned, 0), coalesce(e.back_net, 0),
                coalesce(e.back_tax, 0))
    """,
    "what returns put away is what was looked at and kept": """
        select return_number, i.*, m.*
        from (
            select r.return_number, sum(i.quantity) as kept,
                sum(i.quantity) filter (where i.disposition <> 'restock') as unsellable
            from return_inspections i
            join returns r using (return_id)
            join orders o using (order_id)
            where not o.is_test and i.disposition not in ('scrap', 'send_back')
            group by r.return_number
        ) i
        full join (
            select cause_id as return_number, sum(on_hand_delta) as moved,
                sum(unavailable_delta) as moved_unsellable
            from stock_movements where cause_type = 'return' group by cause_id
        ) m using (return_number)
        where (coalesce(i.kept, 0), coalesce(i.unsellable, 0))
            is distinct from (coalesce(m.moved, 0), coalesce(m.moved_unsellable, 0))
    """,
    "a return is as far as its goods are": """
        select r.return_id, r.state
        from returns r join return_lines l using (return_id)
        group by r.return_id, r.state
        having case
            when r.state in (
                'requested', 'approved', 'declined', 'in_transit', 'canceled', 'expired')
                then sum(l.received) > 0
            when r.state = 'partially_received' then sum(l.received + l.missing) >= sum(l.expected)
            when r.state = 'received' then sum(l.received + l.missing) < sum(l.expected)
            when r.state = 'inspected' then sum(l.inspected) < sum(l.received)
                or sum(l.accepted + l.rejected) >= sum(l.received)
            else sum(l.accepted + l.rejected) < sum(l.received) end
    """,
    "a fulfillment order waits as long as something is to come": """
        select f.fulfillment_id, f.state, r.quantity
        from fulfillment_orders f
        cross join lateral (
            select count(*) as quantity from reservations r
            where r.order_id = f.order_id and r.fulfillment_id = f.fulfillment_id
              and r.transfer_id is not null and r.state in ('active', 'in_transit')
        ) r
        where (f.state = 'waiting_for_transfer') <> (r.quantity > 0)
    """,
    "a fulfillment order has the units kept for it": """
        select l.fulfillment_id, l.line_no, l.quantity - l.done - l.removed as open, r.quantity
        from fulfillment_lines l
        join fulfillment_orders f using (fulfillment_id)
        left join lateral (
            select coalesce(sum(r.quantity), 0) as quantity from reservations r
            where r.fulfillment_id = l.fulfillment_id and r.line_no = l.line_no
              and r.order_id = l.order_id and r.state in ('active', 'in_transit')
        ) r on true
        where l.quantity - l.done - l.removed <> r.quantity
    """,
    "a fulfillment order is open as long as it has units": """
        select f.fulfillment_id, f.state, sum(l.quantity - l.done - l.removed) as open
        from fulfillment_orders f join fulfillment_lines l using (fulfillment_id)
        group by f.fulfillment_id, f.state
        having (sum(l.quantity - l.done - l.removed) > 0) <> (f.state in (
            'waiting_for_transfer', 'assigned', 'accepted', 'picking', 'picked', 'packed',
            'ready_for_collection'))
    """,
    "oversold says that more is promised than is there": """
        select product_id, location_id, on_hand, unavailable, allocated, is_oversold
        from stock_levels where is_oversold <> (allocated > on_hand - unavailable)
    """,
    "a line is the sum of its events": """
        select k.order_id, k.line_no
        from order_lines k
        join orders o using (order_id)
        left join lateral (
            select
                sum(quantity) filter (where kind in ('sale', 'edit')) as quantity,
                sum(net_minor) filter (where kind in ('sale', 'edit')) as net_minor,
                sum(tax_minor) filter (where kind in ('sale', 'edit')) as tax_minor,
                coalesce(-sum(quantity) filter (where kind = 'cancel'), 0) as canceled,
                coalesce(-sum(quantity) filter (where kind = 'return'), 0) as returned,
                coalesce(sum(quantity) filter (where kind = 'ship'), 0) as shipped
            from line_events v where v.order_id = k.order_id and v.line_no = k.line_no
        ) e on true
        where (k.quantity, k.net_minor, k.tax_minor, k.canceled, k.returned)
            is distinct from (e.quantity, e.net_minor, e.tax_minor, e.canceled, e.returned)
           or (not o.is_historical and k.shipped <> e.shipped)
    """,
    "money nobody gave is the share of the line": """
        select k.order_id, k.line_no, e.shared, e.net_minor, e.tax_minor, e.discount_net_minor
        from order_lines k
        cross join lateral (
            select coalesce(-sum(quantity) filter (where is_shared), 0)::bigint as shared,
                coalesce(-sum(quantity) filter (where is_gone), 0)::bigint as gone,
                coalesce(-sum(net_minor) filter (where is_shared), 0) as net_minor,
                coalesce(-sum(tax_minor) filter (where is_shared), 0) as tax_minor,
                coalesce(-sum(discount_net_minor) filter (where is_gone), 0) as discount_net_minor,
                sum(discount_net_minor) filter (where not is_gone)::bigint as line_discount_minor
            from (
                select *, kind in ('cancel', 'return') as is_gone,
                    kind in ('cancel', 'return') and not is_money_given as is_shared
                from line_events
            ) v where v.order_id = k.order_id and v.line_no = k.line_no
        ) e
        -- Of an order canceled whole the last units take what is left of the line.
        where (k.canceled < k.quantity or e.shared = e.gone)
          and (e.net_minor, e.tax_minor, e.discount_net_minor) is distinct from (
              first_units_net_minor(k.net_minor, k.tax_minor, k.quantity, e.shared),
              first_units_minor(k.tax_minor, k.quantity, e.shared),
              first_units_minor(e.line_discount_minor, k.quantity, e.gone))
    """,
    "no more is gone than was bought": """
        select order_id, line_no from order_lines
        where canceled + greatest(shipped, returned) > quantity
           or least(quantity, canceled, shipped, returned, backordered) < 0
    """,
    "an order is the sum of its lines and its shipping": """
        select o.order_id, o.items_net_minor, o.items_tax_minor, o.total_minor
        from orders o
        left join lateral (
            select sum(net_minor) as net_minor, sum(tax_minor) as tax_minor
            from order_lines k where k.order_id = o.order_id
        ) k on true
        where (o.items_net_minor, o.items_tax_minor) is distinct from (k.net_minor, k.tax_minor)
           or o.total_minor <> o.items_net_minor + o.items_tax_minor + o.shipping_net_minor
               + o.shipping_tax_minor
    """,
    "a story is numbered 1..n without gaps": """
        select o.order_id, o.last_seq, s.steps
        from orders o
        left join lateral (
            select count(*) as steps, min(seq) as first_seq, max(seq) as last_seq
            from order_events e where e.order_id = o.order_id
        ) s on true
        where (s.steps, s.first_seq, s.last_seq) is distinct from (o.last_seq, 1, o.last_seq)
    """,
    "the roll-ups are those of the lines": """
        select o.order_id, o.order_state, o.fulfillment_state
        from orders o
        join (
            select order_id, sum(quantity) as ordered, sum(canceled) as canceled,
                sum(greatest(shipped, returned)) as gone, sum(returned) as returned,
                sum(backordered) as backordered
            from order_lines group by order_id
        ) k using (order_id)
        where o.order_state <> order_state_of(ordered, canceled, gone)
           or o.fulfillment_state
               <> fulfillment_state_of(ordered, canceled, gone, returned, backordered)
    """,
    "an exception is open exactly while its reason lasts": """
        select o.order_id, x.codes, o.has_exception
        from orders o
        left join lateral (
            select coalesce(array_agg(code order by code), '{}') as codes from order_exceptions x
            where x.order_id = o.order_id and x.resolved_at is null
        ) x on true
        where o.has_exception <> (cardinality(x.codes) > 0)
           or ('BACKORDERED' = any (x.codes)) <> exists (
               select from order_lines k where k.order_id = o.order_id and k.backordered > 0)
           or ('TOTALS_MISMATCH' = any (x.codes)) <> (
               o.stated_total_minor <> o.total_minor - coalesce((
                   -- What we added or changed is no part of what its channel adds up.
                   select sum(k.net_minor + k.tax_minor - case when k.is_ours then 0
                       else (k.told ->> 'total_minor')::bigint + case when o.prices_include_tax
                           then 0 else (k.told ->> 'tax_minor')::bigint end end)
                   from order_lines k
                   where k.order_id = o.order_id and (k.is_ours or k.told is not null)), 0)
               and o.stated_total_minor is not null)
    """,
}  # fmt: skip


_ALL: Final = text(
    " union all ".join(
        f"select {number} as number, to_jsonb(i)::text as row from ({query}) i"
        for number, query in enumerate(INVARIANTS.values())
    )
)


def violations(tx: Tx) -> dict[str, list[Any]]:
    """Return the invariants that do not hold, each with the rows that say so."""
    found: dict[str, list[Any]] = {}
    for number, row in tx.execute(_ALL):
        found.setdefault(list(INVARIANTS)[number], []).append(row)
    return found
