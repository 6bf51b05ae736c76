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

-- name: page
-- Holds of all orders, those placed on the oldest orders first.
select h.order_id, h.hold_no, h.type, h.comment, h.placed_at, h.placed_by, h.released_at,
    h.released_by, h.release_comment, o.order_number, o.version, o.customer_name,
    o.placed_at as ordered_at, c.channel_code
from order_holds h
join orders o using (order_id)
join channels c using (channel_id)
where (h.released_at is null) = :is_active
  and (h.order_id, h.hold_no) > (:after_order_id, :after_hold_no)
  and (cast(:types as text[]) is null or h.type = any (:types))
  and (cast(:channels as text[]) is null or c.channel_code = any (:channels))
order by h.order_id, h.hold_no
limit :limit;
