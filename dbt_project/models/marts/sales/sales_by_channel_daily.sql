with

changed as (
    select * from {{ ref('int_sales__days_changed') }}
),

by_product as (
    select * from {{ ref('sales_by_channel_product_daily') }}
    {% if is_incremental() %} where sold_on in (select sold_on from changed) {% endif %}
),

orders as (
    select * from {{ ref('fct_orders') }}
    where
        not is_test
        {% if is_incremental() %} and placed_on in (select sold_on from changed) {% endif %}
),

-- An order has many products, so orders are counted from the orders.
placed as (
    select bases.basis, orders.placed_on as sold_on, orders.channel_code, orders.currency, count(*) as orders_count
    from orders
    cross join (values ('event'), ('placed')) as bases(basis)
    group by bases.basis, orders.placed_on, orders.channel_code, orders.currency
),

sold as (
    select
        basis,
        sold_on,
        channel_code,
        currency,
        sum(units) as units,
        sum(gross_amount) as gross_amount,
        sum(discount_amount) as discount_amount,
        sum(demand_amount) as demand_amount,
        sum(canceled_amount) as canceled_amount,
        sum(returned_amount) as returned_amount,
        sum(net_amount) as net_amount,
        sum(tax_amount) as tax_amount
    from by_product
    group by basis, sold_on, channel_code, currency
),

final as (
    select
        basis,
        sold_on,
        channel_code,
        currency,
        coalesce(placed.orders_count, 0) as orders_count,
        cast(coalesce(sold.units, 0) as bigint) as units,
        cast(coalesce(sold.gross_amount, 0) as decimal(18, 3)) as gross_amount,
        cast(coalesce(sold.discount_amount, 0) as decimal(18, 3)) as discount_amount,
        cast(coalesce(sold.demand_amount, 0) as decimal(18, 3)) as demand_amount,
        cast(coalesce(sold.canceled_amount, 0) as decimal(18, 3)) as canceled_amount,
        cast(coalesce(sold.returned_amount, 0) as decimal(18, 3)) as returned_amount,
        cast(coalesce(sold.net_amount, 0) as decimal(18, 3)) as net_amount,
        cast(coalesce(sold.tax_amount, 0) as decimal(18, 3)) as tax_amount
    from sold
    full join placed using (basis, sold_on, channel_code, currency)
)

select * from final
