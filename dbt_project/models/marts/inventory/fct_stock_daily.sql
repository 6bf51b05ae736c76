with

changed as (
    select * from {{ ref('int_inventory__place_days_changed') }}
),

movements as not materialized (
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

-- Before the first day that changed a place has what it had; in a full build, nothing.
openings as (
    select
        movements.product_id,
        movements.location_id,
        sum(movements.on_hand_delta) as on_hand,
        sum(movements.unavailable_delta) as unavailable
    from movements
    inner join (
        select product_id, location_id, min(stock_on) as from_on
        from changed
        group by product_id, location_id
    ) as places
        on movements.product_id = places.product_id
        and movements.location_id = places.location_id
        and movements.occurred_on < places.from_on
    where {% if is_incremental() %} true {% else %} false {% endif %}
    group by movements.product_id, movements.location_id
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
    {% if is_incremental() %}
    where (occurred_on, product_id, location_id) in (
        select stock_on, product_id, location_id from changed
    )
    {% endif %}
    group by occurred_on, product_id, location_id
),

closed as (
    select
        stock_on,
        product_id,
        location_id,
        sum(on_hand_delta) over place as on_hand,
        sum(unavailable_delta) over place as unavailable,
        sold_units,
        received_units
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
        cast(coalesce(openings.on_hand, 0) + closed.on_hand as bigint) as on_hand,
        cast(coalesce(openings.unavailable, 0) + closed.unavailable as bigint) as unavailable,
        cast(closed.sold_units as bigint) as sold_units,
        cast(closed.received_units as bigint) as received_units
    from closed
    left join products on closed.product_id = products.product_id
    left join locations on closed.location_id = locations.location_id
    left join openings
        on closed.product_id = openings.product_id
        and closed.location_id = openings.location_id
)

select * from final
