-- The statements of change orders.

-- name: draft
-- The next change order of an order; of one that is made at once with its end.
insert into change_orders (
    order_id, change_no, state, base_version, reason, asked, ship_to, currency, created_at,
    created_by, expires_at
)
select :order_id, coalesce(max(change_no), 0) + 1, 'draft', :base_version, :reason,
    cast(:asked as jsonb), cast(:ship_to as jsonb), :currency, :at, :by, :expires_at
from change_orders
where order_id = :order_id
returning change_no;

-- name: look
-- What it comes to, as it was just found out.
update change_orders
set state = 'previewed', outcome = cast(:outcome as jsonb), due_minor = :due_minor,
    owed_minor = :owed_minor
where order_id = :order_id and change_no = :change_no;

-- name: finish
-- It is over, in one way or another.
update change_orders
set state = :state, ended_at = :at, ended_by = :by, end_reason = :reason
where order_id = :order_id and change_no = :change_no and state in ('draft', 'previewed');

-- name: of_order
-- The change orders of an order, as they were made.
select change_no, state, base_version, reason, asked, ship_to, outcome, currency, due_minor,
    owed_minor, created_at, created_by, expires_at, ended_at, ended_by, end_reason
from change_orders
where order_id = :order_id
order by change_no;

-- name: due
-- Orders with change orders whose time is over.
select distinct order_id from change_orders
where state in ('draft', 'previewed') and expires_at <= :at
order by order_id
limit :limit;

-- name: expire
-- Change orders of these orders whose time is over are over.
update change_orders
set state = 'expired', ended_at = :at, ended_by = 'time'
where order_id = any (cast(:order_ids as bigint[])) and state in ('draft', 'previewed')
  and expires_at <= :at
returning order_id, change_no;
