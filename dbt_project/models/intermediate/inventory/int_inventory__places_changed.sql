with

builds as (
    select coalesce(max(batch), 0) as batch from {{ ref('stg_ledger__builds') }}
),

stock_levels as (
    select * from {{ ref('stg_ledger__stock_levels') }}
),

reservations as (
    select * from {{ ref('stg_ledger__reservations') }}
),

final as (
    select product_id, location_id from stock_levels where batch > (select batch from builds)
    union
    -- Soft holds change what is available without touching the level.
    select product_id, location_id
    from reservations
    where reservation_kind = 'hold' and batch > (select batch from builds)
)

select * from final
