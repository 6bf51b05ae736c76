-- The statements of holds.

-- name: place
-- The next hold of an order.
insert into order_holds (order_id, hold_no, type, comment, placed_at, placed_by)
select :order_id, coalesce(max(hold_no), 0) + 1, :type, :comment, :at, :by
from order_holds
where order_id = :order_id
returning hold_no;

-- name: release
-- End a hold.
update order_holds
set released_at = :at, released_by = :by, release_comment = :comment
where order_id = :order_id and hold_no = :hold_no and released_at is null;

-- name: flag
-- The order says whether it is on hold, and is another version.
update orders o
set version = o.version + 1, updated_at = :at,
    is_on_hold = exists (
        select from order_holds h where h.order_id = o.order_id and h.released_at is null)
where o.order_id = :order_id;

-- name: of_orders
-- The holds of orders, in the order they were placed.
select order_id, hold_no, type, comment, placed_at, placed_by, released_at, released_by,
    release_comment
from order_holds
where order_id = any (cast(:order_ids as bigint[]))
order by order_id, hold_no;
