with

changed as (
    select * from {{ ref('int_sales__customers_changed') }}
),

orders as (
    select * from {{ ref('stg_ledger__orders') }}
    where
        customer_key is not null
        {% if is_incremental() %}
        and customer_key in (select customer_key from changed)
        {% endif %}
),

final as (
    select
        customer_key,
        arg_max(country_code, (placed_at, order_id)) as country_code,
        min(placed_on) filter (where not is_test) as first_order_on,
        max(placed_on) filter (where not is_test) as last_order_on,
        count(*) filter (where not is_test) as orders_count
    from orders
    group by customer_key
)

select * from final
