-- The statements of transfers.

-- name: open_for_orders
-- A transfer per fulfillment order and location its units are kept at, with its lines. Returns
-- which units come with which.
with units as (
    select * from jsonb_to_recordset(cast(:units as jsonb)) as u(
        reservation_id bigint, order_id bigint, fulfillment_id bigint, line_no smallint,
        product_id integer, location_id integer, place_id integer, quantity bigint)
),
opened as (
    insert into transfers (
        from_location_id, to_location_id, order_id, fulfillment_id, state, created_at, changed_at
    )
    select location_id, place_id, order_id, fulfillment_id, 'allocated', :at, :at
    from (select distinct fulfillment_id, order_id, location_id, place_id from units) u
    order by fulfillment_id, location_id
    returning transfer_id, transfer_number, from_location_id, order_id, fulfillment_id
),
lines as (
    insert into transfer_lines (transfer_id, line_no, product_id, quantity)
    select o.transfer_id, u.line_no, min(u.product_id), sum(u.quantity)
    from units u
    join opened o on o.fulfillment_id = u.fulfillment_id and o.from_location_id = u.location_id
    group by o.transfer_id, u.line_no
)
select o.transfer_id, o.transfer_number, o.order_id, array_agg(u.reservation_id) as reservation_ids
from opened o
join units u on u.fulfillment_id = o.fulfillment_id and u.location_id = o.from_location_id
group by o.transfer_id, o.transfer_number, o.order_id
order by o.transfer_id;

-- name: request
-- A transfer that fills shelves.
insert into transfers (from_location_id, to_location_id, state, created_at, changed_at)
select a.location_id, b.location_id, 'requested', :at, :at
from locations a, locations b
where a.location_code = :from_code and b.location_code = :to_code
returning transfer_id, transfer_number;

-- name: request_lines
-- Its lines. Returns those whose SKU the catalog knows.
insert into transfer_lines (transfer_id, line_no, product_id, quantity)
select :transfer_id, u.line_no, p.product_id, u.quantity
from jsonb_to_recordset(cast(:lines as jsonb)) as u(line_no smallint, sku text, quantity bigint)
join products p using (sku)
returning line_no;

-- name: order_of
-- Whose transfer it is: an order's, or nobody's.
select order_id from transfers where transfer_number = :number;

-- name: hold
-- Hold a transfer, after its order.
select transfer_id from transfers where transfer_number = :number for update;

-- name: move
-- Write the next state of a transfer, if nobody else has meanwhile.
update transfers
set state = :state, changed_at = :at, version = version + 1, reason = coalesce(:reason, reason),
    carrier = coalesce(:carrier, carrier),
    tracking_number = coalesce(:tracking_number, tracking_number),
    shipped_at = coalesce(shipped_at, :shipped_at),
    first_to_location_id = case when cast(:to_location_id as integer) is null
        then first_to_location_id else coalesce(first_to_location_id, to_location_id) end,
    to_location_id = coalesce(:to_location_id, to_location_id)
where transfer_id = :transfer_id and version = :version;

-- name: location
-- A location by its code.
select location_id from locations where location_code = :code;

-- name: count_lines
-- Add to what is known of each line.
update transfer_lines l
set removed = l.removed + u.removed, picked = l.picked + u.picked, shipped = l.shipped + u.shipped,
    received = l.received + u.received, damaged = l.damaged + u.damaged,
    missing = l.missing + u.missing
from jsonb_to_recordset(cast(:lines as jsonb)) as u(
    line_no smallint, removed bigint, picked bigint, shipped bigint, received bigint,
    damaged bigint, missing bigint)
where l.transfer_id = :transfer_id and l.line_no = u.line_no;

-- name: receipt
-- What a receipt has said.
select told from transfer_receipts where transfer_id = :transfer_id and receipt_id = :receipt_id;

-- name: note_receipt
-- Keep what a store said when goods came.
insert into transfer_receipts (transfer_id, receipt_id, told, received_by, received_at)
values (:transfer_id, :receipt_id, cast(:told as jsonb), :by, :at);

-- name: note_discrepancies
-- Keep how what came differs from what left.
insert into transfer_discrepancies (transfer_id, receipt_id, line_no, kind, sku, quantity, found_at)
select :transfer_id, :receipt_id, u.line_no, u.kind, u.sku, u.quantity, :at
from jsonb_to_recordset(cast(:found as jsonb)) as u(
    line_no smallint, kind text, sku text, quantity bigint);

-- name: fit
-- The transfers of these orders that have not left have what is still kept for them; one that has
-- nothing left is canceled. Returns those that changed.
with kept as (
    select l.transfer_id, l.line_no, l.quantity - l.removed as open,
        coalesce((
            select sum(r.quantity) from reservations r
            where r.transfer_id = l.transfer_id and r.line_no = l.line_no
              and r.state = 'active'), 0)::bigint as reserved
    from transfer_lines l
    join transfers t using (transfer_id)
    where t.order_id = any (cast(:order_ids as bigint[])) and t.state = any (cast(:unsent as text[]))
),
fitted as (
    update transfer_lines l
    set removed = l.removed + k.open - k.reserved, picked = least(l.picked, k.reserved)
    from kept k
    where l.transfer_id = k.transfer_id and l.line_no = k.line_no and k.open > k.reserved
    returning l.transfer_id
)
update transfers t
set state = case when left_over.reserved = 0 then 'canceled' else t.state end, changed_at = :at,
    version = t.version + 1
from (select transfer_id, sum(reserved) as reserved from kept group by transfer_id) left_over
where t.transfer_id = left_over.transfer_id
  and t.transfer_id in (select transfer_id from fitted)
returning t.transfer_number, t.order_id, t.state;
