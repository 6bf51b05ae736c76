with

changed as (
    select * from {{ ref('int_inventory__place_days_changed') }}
),

movements as (
    select * from {{ ref('fct_stock_movements') }}
    {% if is_incremental() %}
    where (product_id, location_id) in (select product_id, location_id from changed)
    {% endif %}
),

products as (
    select * from {{ ref('stg_ledger__products') }}
),

locations as (
    select * from {{ ref('stg_ledger__locations') }}
),

days as (
    select
        occurred_on as stock_on,
        product_id,
        location_id,
        sum(on_hand_delta) as on_hand_delta,
        sum(unavailable_delta) as unavailable_delta,
        coalesce(-sum(on_hand_delta) filter (where movement_kind in ('pos_sale', 'ship')), 0) as sold_units,
        coalesce(sum(on_hand_delta) filter (where movement_kind in ('receipt', 'transfer_in')), 0) as received_units
    from movements
    group by occurred_on, product_id, location_id
),

closed as (
    select
        stock_on,
        product_id,
        location_id,
        cast(sum(on_hand_delta) over place as bigint) as on_hand,
        cast(sum(unavailable_delta) over place as bigint) as unavailable,
        cast(sold_units as bigint) as sold_units,
        cast(received_units as bigint) as received_units
    from days
    window place as (
        partition by product_id, location_id order by stock_on
        rows between unbounded preceding and current row
    )
),

final as (
    select
        closed.stock_on,
        closed.product_id,
        products.sku,
        closed.location_id,
        locations.location_code,
        closed.on_hand,
        closed.unavailable,
        closed.sold_units,
        closed.received_units
    from closed
    left join products on closed.product_id = products.product_id
    left join locations on closed.location_id = locations.location_id
    {% if is_incremental() %}
    where (stock_on, closed.product_id, closed.location_id) in (
        select stock_on, product_id, location_id from changed
    )
    {% endif %}
)

select * from final
