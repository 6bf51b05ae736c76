with

changed as (
    select * from {{ ref('int_inventory__places_changed') }}
),

levels as (
    select * from {{ ref('stg_ledger__stock_levels') }}
    {% if is_incremental() %}
    where (product_id, location_id) in (select product_id, location_id from changed)
    {% endif %}
),

reservations as (
    select * from {{ ref('stg_ledger__reservations') }}
),

products as (
    select * from {{ ref('stg_ledger__products') }}
),

locations as (
    select * from {{ ref('stg_ledger__locations') }}
),

-- A hold counts until the ledger has ended it, so that the same load gives the same answer.
held as (
    select product_id, location_id, sum(quantity) as quantity
    from reservations
    where reservation_kind = 'hold' and reservation_state = 'active'
    group by product_id, location_id
),

final as (
    select
        levels.product_id,
        products.sku,
        levels.location_id,
        locations.location_code,
        levels.on_hand,
        levels.unavailable,
        levels.allocated,
        levels.safety_stock,
        cast(greatest(
            0,
            levels.on_hand - levels.unavailable - levels.allocated
            - coalesce(held.quantity, 0) - levels.safety_stock
        ) as bigint) as available_to_fulfill,
        levels.is_oversold,
        levels.updated_at
    from levels
    left join products on levels.product_id = products.product_id
    left join locations on levels.location_id = locations.location_id
    left join held on levels.product_id = held.product_id and levels.location_id = held.location_id
)

select * from final
