-- Stock that comes back: on the shelf again, or there and not for sale.

-- name: open_levels
-- A level for each product that came to a place, so that it can be locked.
with missing as (
    select u.product_id, u.location_id
    from jsonb_to_recordset(cast(:places as jsonb)) as u(product_id integer, location_id integer)
    where not exists (
        select from stock_levels l
        where l.product_id = u.product_id and l.location_id = u.location_id)
),
held as (
    select product_id from products
    where product_id in (select product_id from missing)
    order by product_id
    for update
)
insert into stock_levels (product_id, location_id, updated_at)
select m.product_id, m.location_id, cast(:at as timestamptz)
from missing m
join held using (product_id)
on conflict do nothing;

-- name: take_back
-- The movement of each unit that came back once, and the level with it.
with told as (
    select * from jsonb_to_recordset(cast(:units as jsonb)) as u(
        cause_line text, product_id integer, location_id integer, quantity bigint,
        is_for_sale boolean, occurred_at timestamptz)
),
moved as (
    insert into stock_movements (
        product_id, location_id, kind, on_hand_delta, unavailable_delta, cause_type, cause_id,
        cause_line, occurred_at, occurred_on, recorded_at
    )
    select t.product_id, t.location_id,
        case when t.is_for_sale then 'return_restock' else 'return_unsellable' end, t.quantity,
        case when t.is_for_sale then 0 else t.quantity end, 'return', :cause, t.cause_line,
        t.occurred_at, cast(t.occurred_at at time zone x.time_zone as date), :at
    from told t
    join locations x using (location_id)
    on conflict on constraint one_cause_one_movement do nothing
    returning *
),
late as (
    insert into stock_movements (
        product_id, location_id, kind, on_hand_delta, cause_type, cause_id, cause_line,
        occurred_at, occurred_on, recorded_at
    )
    select c.*, m.recorded_at
    from moved m
    cross join lateral counted_already(
        m.product_id, m.location_id, m.on_hand_delta,
        concat_ws(':', m.cause_type, m.cause_id, m.cause_line, m.kind), m.occurred_at) c
    returning product_id, location_id, on_hand_delta
),
sums as (
    select product_id, location_id, sum(on_hand_delta) as on_hand, sum(unavailable_delta) as unavailable
    from (
        select product_id, location_id, on_hand_delta, unavailable_delta from moved
        union all
        select product_id, location_id, on_hand_delta, 0 from late
    ) both_ways
    group by product_id, location_id
)
update stock_levels l
set on_hand = l.on_hand + s.on_hand, unavailable = l.unavailable + s.unavailable,
    is_oversold = l.allocated > l.on_hand + s.on_hand - l.unavailable - s.unavailable,
    updated_at = :at
from sums s
where l.product_id = s.product_id and l.location_id = s.location_id
returning l.product_id, l.location_id, s.on_hand - s.unavailable as risen;
