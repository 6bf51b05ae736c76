-- The statements of tags.

-- name: change
-- Put tags on orders and take tags off them. Returns the orders that are tagged otherwise now.
update orders o
set tags = n.after
from (
    select order_id, tags as before, array(
        select distinct tag from unnest(tags || cast(:added as text[])) as t (tag)
        where tag <> all (cast(:removed as text[])) order by tag
    ) as after
    from orders
    where order_id = any (cast(:order_ids as bigint[]))
) n
where n.order_id = o.order_id and n.after <> n.before
returning o.order_id, n.before, n.after;
