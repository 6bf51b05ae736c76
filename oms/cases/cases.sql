-- The statements of cases.

-- name: link
-- A case of an order, or what it says anew. Returns nothing where it says so already.
insert into order_cases (
    order_id, tool, case_id, url, state, linked_at, linked_by, changed_at, changed_by
)
values (:order_id, :tool, :case_id, :url, :state, :at, :by, :at, :by)
on conflict (order_id, tool, case_id) do update
set url = excluded.url, state = excluded.state, changed_at = excluded.changed_at,
    changed_by = excluded.changed_by
where (order_cases.url, order_cases.state) <> (excluded.url, excluded.state)
returning order_id;

-- name: unlink
-- Take a case off an order. Returns it where it was there.
delete from order_cases
where order_id = :order_id and tool = :tool and case_id = :case_id
returning tool;

-- name: of_orders
-- The cases of orders, in the order they were linked.
select order_id, tool, case_id, url, state, linked_at, linked_by, changed_at, changed_by
from order_cases
where order_id = any (cast(:order_ids as bigint[]))
order by order_id, linked_at, tool, case_id;
