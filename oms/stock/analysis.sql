-- Why a stock number is what it is: the movements and the reservations behind it.

-- name: movements
-- Movements of a product, the newest first, each with what was on hand after it.
with told as (
    select
        v.movement_id, v.kind, v.on_hand_delta, v.unavailable_delta, v.cause_type, v.cause_id,
        v.occurred_at, v.recorded_at, v.product_id, x.location_code,
        (l.on_hand - coalesce(sum(v.on_hand_delta) over (
            partition by v.location_id order by v.movement_id desc
            rows between unbounded preceding and 1 preceding), 0))::bigint as on_hand_after
    from products p
    join stock_movements v using (product_id)
    join stock_levels l using (product_id, location_id)
    join locations x using (location_id)
    where p.sku = :sku
      and (cast(:location_code as text) is null or x.location_code = :location_code)
),
found as (
    select * from told
    where (cast(:after as bigint) is null or movement_id < :after)
      and (cast(:kinds as text[]) is null or kind = any (:kinds))
      and (cast(:from_at as timestamptz) is null or occurred_at >= :from_at)
      and (cast(:to_at as timestamptz) is null or occurred_at < :to_at)
    order by movement_id desc
    limit :limit
)
select
    m.movement_id, m.location_code, m.kind, m.on_hand_delta, m.unavailable_delta, m.on_hand_after,
    m.cause_type, case when m.cause_type = 'order' then o.order_number else m.cause_id end as cause,
    o.order_number, c.channel_code, m.occurred_at, m.recorded_at
from found m
left join fulfillment_orders f
    on m.cause_type = 'fulfillment' and f.fulfillment_number = m.cause_id
left join transfers t on m.cause_type = 'transfer' and t.transfer_number = m.cause_id
left join returns r on m.cause_type = 'return' and r.return_number = m.cause_id
left join orders o on o.order_id = case
    when m.cause_type = 'order' then m.cause_id::bigint else coalesce(f.order_id, t.order_id, r.order_id) end
left join channels c using (channel_id)
order by m.movement_id desc;

-- name: moved
-- What the movements of a product come to, by location and kind.
select
    x.location_code, v.kind, sum(v.on_hand_delta)::bigint as on_hand,
    sum(v.unavailable_delta)::bigint as unavailable, count(*) as movements_count
from products p
join stock_movements v using (product_id)
join locations x using (location_id)
where p.sku = :sku
group by x.location_code, v.kind
order by x.location_code, v.kind;

-- name: reservations
-- What is kept of a product or wanted of it, the oldest first; a hold whose time is over keeps
-- nothing.
select
    r.reservation_id, r.kind, r.state, r.quantity, x.location_code, c.channel_code,
    o.order_number, r.line_no, f.fulfillment_number, t.transfer_number, r.expires_at, r.wanted_at,
    r.created_at
from products p
join reservations r using (product_id)
left join locations x using (location_id)
left join channels c on c.channel_id = r.channel_id
left join orders o using (order_id)
left join fulfillment_orders f on f.fulfillment_id = r.fulfillment_id
left join transfers t on t.transfer_id = r.transfer_id
where p.sku = :sku
  and r.state in ('queued', 'active', 'in_transit')
  and (r.expires_at is null or r.expires_at > :at)
  and r.reservation_id > :after
  and (cast(:location_code as text) is null or x.location_code = :location_code)
  and (cast(:kinds as text[]) is null or r.kind = any (:kinds))
  and (cast(:states as text[]) is null or r.state = any (:states))
order by r.reservation_id
limit :limit;

-- name: reserved
-- What is kept of a product or wanted of it, by location, kind and state.
select
    x.location_code, r.kind, r.state, sum(r.quantity)::bigint as quantity,
    count(*) as reservations_count
from products p
join reservations r using (product_id)
left join locations x using (location_id)
where p.sku = :sku
  and r.state in ('queued', 'active', 'in_transit')
  and (r.expires_at is null or r.expires_at > :at)
group by x.location_code, r.kind, r.state
order by x.location_code, r.kind, r.state;
