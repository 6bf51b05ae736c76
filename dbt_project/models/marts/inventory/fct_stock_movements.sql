with

changed as (
    select * from {{ ref('int_inventory__movements_changed') }}
),

movements as (
    select * from {{ ref('stg_ledger__stock_movements') }}
    {% if is_incremental() %} where movement_id in (select movement_id from changed) {% endif %}
),

products as (
    select * from {{ ref('stg_ledger__products') }}
),

locations as (
    select * from {{ ref('stg_ledger__locations') }}
),

final as (
    select
        movements.movement_id,
        movements.product_id,
        products.sku,
        movements.location_id,
        locations.location_code,
        movements.movement_kind,
        movements.on_hand_delta,
        movements.unavailable_delta,
        movements.cause_type,
        movements.cause_id,
        movements.occurred_at,
        movements.occurred_on
    from movements
    left join products on movements.product_id = products.product_id
    left join locations on movements.location_id = locations.location_id
)

select * from final
