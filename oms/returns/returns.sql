-- The statements of returns.

-- name: order_of
-- Whose return it is.
select order_id from returns where return_number = :number;

-- name: place_of
-- Where a channel's goods come back to: a place that is named, or the first of its network.
select location_code
from (
    select location_code, 0 as priority from locations
    where location_code = cast(:location_code as text)
    union all
    select x.location_code, n.priority + 1
    from channel_locations n join locations x using (location_id)
    where n.channel_id = :channel_id and cast(:location_code as text) is null
) places
order by priority, location_code
limit 1;

-- name: hold
-- Hold a return, after its order.
select return_id from returns where return_number = :number for update;

-- name: open
-- A return, with where it is to come.
insert into returns (
    order_id, kind, state, method, location_id, requested_by, carrier, tracking_number, note,
    override_reason, expires_at, created_at, changed_at
)
values (
    :order_id, :kind, :state, :method,
    (select location_id from locations where location_code = :location_code), :by, :carrier,
    :tracking_number, :note, :override_reason, :expires_at, :at, :at
)
returning return_id, return_number;

-- name: open_lines
-- Its lines.
insert into return_lines (return_id, line_no, product_id, expected, reason, resolution)
select :return_id, u.line_no, k.product_id, u.quantity, u.reason, u.resolution
from jsonb_to_recordset(cast(:lines as jsonb)) as u(
    line_no smallint, quantity bigint, reason text, resolution text)
join order_lines k on k.order_id = :order_id and k.line_no = u.line_no;

-- name: facts
-- What is known of the lines of an order: how much of each left when, arrived when and came back.
select
    k.line_no, k.product_id, k.sku, k.title, p.product_type, p.category, k.quantity, k.canceled,
    k.shipped, k.returned, k.net_minor, k.tax_minor,
    coalesce((
        select sum(case
            when r.state in ('requested', 'approved', 'in_transit', 'partially_received')
                then l.expected - l.missing - l.accepted - l.rejected
            when r.state in ('received', 'inspected') then l.received - l.accepted - l.rejected
            else 0 end)
        from return_lines l
        join returns r using (return_id)
        where r.order_id = k.order_id and l.line_no = k.line_no
          and (r.state not in ('requested', 'approved') or r.expires_at is null
               or r.expires_at > :at)), 0)::bigint as in_returns,
    e.shared,
    case when o.is_historical then coalesce(e.shipped_at, o.placed_at) else e.shipped_at end as shipped_at,
    (
        select max(v.occurred_at)
        from parcels b
        join parcel_lines c using (parcel_id)
        join tracking_events v using (parcel_id)
        where b.order_id = k.order_id and c.line_no = k.line_no and b.voided_at is null
          and v.state in ('delivered', 'collected')
    ) as delivered_at,
    coalesce(g.method, o.fulfillment_method) in ('carry_out', 'collect_store', 'reserve') as is_handed_over
from order_lines k
join orders o using (order_id)
join products p using (product_id)
left join order_groups g on g.order_id = k.order_id and g.group_no = k.group_no
cross join lateral (
    select
        coalesce(-sum(v.quantity) filter (
            where v.kind in ('cancel', 'return') and not v.is_money_given), 0)::bigint as shared,
        max(v.occurred_at) filter (where v.kind = 'ship') as shipped_at
    from line_events v
    where v.order_id = k.order_id and v.line_no = k.line_no
) e
where k.order_id = :order_id
order by k.line_no;

-- name: move
-- Write the next state of a return, if nobody else has meanwhile.
update returns
set state = :state, changed_at = :at, version = version + 1, reason = coalesce(:reason, reason),
    carrier = coalesce(:carrier, carrier), label_ref = coalesce(:label_ref, label_ref),
    tracking_number = coalesce(:tracking_number, tracking_number),
    is_after_expiry = is_after_expiry or :is_after_expiry,
    expires_at = coalesce(:expires_at, expires_at),
    location_id = coalesce(
        (select location_id from locations where location_code = :location_code), location_id)
where return_id = :return_id and version = :version;

-- name: count_lines
-- Add to what is known of each line.
update return_lines l
set received = l.received + u.received, missing = l.missing + u.missing,
    inspected = l.inspected + u.inspected, accepted = l.accepted + u.accepted,
    rejected = l.rejected + u.rejected
from jsonb_to_recordset(cast(:lines as jsonb)) as u(
    line_no smallint, received bigint, missing bigint, inspected bigint, accepted bigint,
    rejected bigint)
where l.return_id = :return_id and l.line_no = u.line_no;

-- name: lock_receipts
-- Who else has these receipts waits, and finds them taken in.
select pg_advisory_xact_lock(hash)
from (
    select distinct hashtextextended('return receipt ' || u.location_code || ' ' || u.receipt_id, 0) as hash
    from jsonb_to_recordset(cast(:receipts as jsonb)) as u(location_code text, receipt_id text)
    order by hash
) sorted;

-- name: goods
-- The products of orders, and the locations whose levels may change when some of them come back.
select
    array(
        select distinct product_id from order_lines
        where order_id = any (cast(:order_ids as bigint[]))
    ) as product_ids,
    array(
        select n.location_id from orders o join channel_locations n using (channel_id)
        where o.order_id = any (cast(:order_ids as bigint[]))
        union
        select unnest(array[r.location_id, r.place_id]) from reservations r
        where r.order_id = any (cast(:order_ids as bigint[]))
            and r.state in ('active', 'queued', 'in_transit')
        union
        select location_id from locations
        where location_code = any (cast(:location_codes as text[]))
    ) as location_ids;

-- name: came
-- What told units of orders are, where they came to: products and locations.
select distinct k.product_id, x.location_id
from jsonb_to_recordset(cast(:told as jsonb)) as u(location_code text, sku text, line_no smallint)
join locations x using (location_code)
join order_lines k on k.order_id = any (cast(:order_ids as bigint[]))
    and (k.sku = u.sku or k.line_no = u.line_no);

-- name: receipt
-- What a receipt has said.
select t.told, array(
    select distinct r.return_number
    from return_receipt_lines l join returns r using (return_id)
    where l.receipt_no = t.receipt_no order by r.return_number) as return_numbers
from return_receipts t
join locations x using (location_id)
where x.location_code = :location_code and t.receipt_id = :receipt_id;

-- name: note_receipt
-- Keep what a location said when goods came.
insert into return_receipts (location_id, receipt_id, told, received_by, received_at, recorded_at)
select location_id, :receipt_id, cast(:told as jsonb), :by, :received_at, :at
from locations
where location_code = :location_code
returning receipt_no;

-- name: note_rows
-- Its lines, and what they are to the return they came for.
insert into return_receipt_lines (
    receipt_no, state, return_id, line_no, sku, quantity, condition, disposition, return_ref,
    order_ref, tracking_number, reason
)
select :receipt_no, u.state, :return_id, u.line_no, u.sku, u.quantity, u.condition,
    u.disposition, :return_ref, :order_ref, :tracking_number, :reason
from jsonb_to_recordset(cast(:rows as jsonb)) as u(
    state text, line_no smallint, sku text, quantity bigint, condition text, disposition text);

-- name: inspect
-- Keep what units that came are like, each unit once.
with told as (
    select * from jsonb_to_recordset(cast(:units as jsonb)) as u(
        row_id bigint, units_before bigint, line_no smallint, quantity bigint, condition text,
        disposition text)
),
counted as (
    update return_receipt_lines l
    set inspected = l.inspected + t.quantity
    from (select row_id, sum(quantity) as quantity from told group by row_id) t
    where l.row_id = t.row_id
)
insert into return_inspections (
    row_id, units_before, return_id, line_no, quantity, condition, disposition, inspected_by,
    inspected_at
)
select row_id, units_before, :return_id, line_no, quantity, condition, disposition, :by, :at
from told;

-- name: decide
-- Keep what was accepted or rejected, and what is owed for it.
insert into return_decisions (
    return_id, line_no, act, verdict, quantity, told_before, change_ref, goods_net_minor,
    goods_tax_minor, shipping_net_minor, shipping_tax_minor, fee_minor, reason, decided_by,
    decided_at
)
select :return_id, u.line_no, :act, u.verdict, u.quantity, u.told_before, u.change_ref,
    u.goods_net_minor, u.goods_tax_minor, u.shipping_net_minor, u.shipping_tax_minor, u.fee_minor,
    u.reason, :by, :at
from jsonb_to_recordset(cast(:decisions as jsonb)) as u(
    line_no smallint, verdict text, quantity bigint, told_before bigint, change_ref text,
    goods_net_minor bigint, goods_tax_minor bigint, shipping_net_minor bigint,
    shipping_tax_minor bigint, fee_minor bigint, reason text);

-- name: told_by_channel
-- Units of each line the channel has told to be returned since this return was opened, and of
-- which no return of ours has made use.
select e.line_no, greatest(0, e.quantity - coalesce(d.quantity, 0))::bigint as quantity
from (
    select v.line_no, -sum(v.quantity) as quantity
    from line_events v
    join returns r on r.return_id = :return_id and r.order_id = v.order_id
    where v.kind = 'return' and v.change_ref !~ '^[*]([^*]|$)' and exists (
        select from order_events s
        where s.order_id = v.order_id and s.type = 'order.returned'
          and s.data ->> 'change_ref' = v.change_ref and s.recorded_at >= r.created_at)
    group by v.line_no
) e
left join (
    select c.line_no, sum(c.told_before) as quantity
    from return_decisions c
    join returns r using (return_id)
    where r.order_id = (select order_id from returns where return_id = :return_id)
    group by c.line_no
) d using (line_no);

-- name: shipping_owed
-- Whether an order's shipping is owed by one of its returns already.
select exists (
    select from return_decisions d
    join returns r using (return_id)
    where r.order_id = :order_id and (d.shipping_net_minor, d.shipping_tax_minor) <> (0, 0));

-- name: due
-- A return whose time is over.
select return_number
from returns
where state in ('requested', 'approved') and expires_at <= :at
order by expires_at, return_id
limit 1;

-- name: paid_by_channel
-- A return that waits for its money, of an order we have none of, whose channel has told of all
-- that we accepted of it: whoever tells of a return has refunded it. Its word counts for the
-- returns of a line in their order.
select r.return_number
from returns r
where r.state = 'resolved'
  and not exists (
      select from payments p
      where p.order_id = r.order_id and p.managed_by = 'oms' and p.psp_reference is not null)
  and not exists (
      select from return_decisions d
      where d.return_id = r.return_id and d.verdict = 'accepted'
        and coalesce((
            select sum(e.quantity) from line_echoes e
            where e.order_id = r.order_id and e.line_no = d.line_no), 0) < (
            select sum(c.quantity - c.told_before)
            from returns o
            join return_decisions c using (return_id)
            where o.order_id = r.order_id and o.return_id <= r.return_id
              and c.line_no = d.line_no and c.verdict = 'accepted'))
order by r.return_id
limit 1;

-- name: take_unidentified
-- Hold units nobody knows the owner of.
select l.row_id, l.sku, l.quantity, l.condition, l.disposition, t.receipt_id, t.received_at,
    x.location_code
from return_receipt_lines l
join return_receipts t using (receipt_no)
join locations x using (location_id)
where l.row_id = :row_id and l.state = 'unidentified'
for update of l;

-- name: assign
-- Somebody found out whose they are.
update return_receipt_lines set state = 'assigned' where row_id = :row_id;

-- name: open_with_sku
-- The returns of orders that wait for a SKU, the oldest first.
select r.return_number
from returns r
join return_lines l using (return_id)
join products p using (product_id)
where r.order_id = any (cast(:order_ids as bigint[])) and p.sku = any (cast(:skus as text[]))
  and r.state = any (cast(:states as text[]))
group by r.return_id
order by r.return_id;

-- name: by_tracking
-- The returns that come under a carrier's number.
select return_number
from returns
where tracking_number = :tracking_number and state = any (cast(:states as text[]))
order by return_id;

-- name: orders_by_tracking
-- The orders of the returns that come under carriers' numbers.
select order_id
from returns
where tracking_number = any (cast(:tracking_numbers as text[])) and order_id is not null
  and state = any (cast(:states as text[]));

-- name: orders_of
-- Orders by our number, or by the number their customers know.
select o.order_id, o.order_number, c.channel_code
from (
    select order_id from orders where order_number = upper(:order_ref)
    union
    select order_id from orders where external_number = :order_ref
) found
join orders o using (order_id)
join channels c using (channel_id)
order by o.order_id
limit 2;

-- name: erase
-- What was remarked on returns of these orders, and why what was done with them, says nothing of
-- anybody any more.
with decided as (
    update return_decisions d set reason = '[erased]'
    from returns r
    where r.return_id = d.return_id and r.order_id = any (cast(:order_ids as bigint[]))
      and d.reason <> '[erased]'
)
update returns
set note = case when note is not null then '[erased]' end,
    reason = case when reason is not null then '[erased]' end,
    override_reason = case when override_reason is not null then '[erased]' end
where order_id = any (cast(:order_ids as bigint[]))
  and exists (select from unnest(array[note, reason, override_reason]) said
      where said <> '[erased]');
