-- A late movement changes the closing quantities of every later day of its place.
with

builds as (
    select coalesce(max(batch), 0) as batch from {{ ref('stg_ledger__builds') }}
),

movements as not materialized (
    select * from {{ ref('stg_ledger__stock_movements') }}
),

places as (
    select product_id, location_id, min(occurred_on) as from_on
    from movements
    where batch > (select batch from builds)
    group by product_id, location_id
),

final as (
    select distinct movements.occurred_on as stock_on, movements.product_id, movements.location_id
    from movements
    inner join places
        on movements.product_id = places.product_id
        and movements.location_id = places.location_id
        and movements.occurred_on >= places.from_on
)

select * from final
