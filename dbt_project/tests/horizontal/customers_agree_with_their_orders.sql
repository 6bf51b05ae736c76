-- Guards: every customer of an order is a customer, with as many orders as there are.
{{ config(meta={'dagster': {'ref': {'name': 'dim_customers'}}}) }}

with

customers as (
    select * from {{ ref('dim_customers') }}
),

orders as (
    select * from {{ ref('fct_orders') }}
    where customer_key is not null
),

counted as (
    select customer_key, count(*) filter (where not is_test) as orders_count
    from orders
    group by customer_key
)

select customer_key, customers.orders_count, counted.orders_count
from customers
full join counted using (customer_key)
where customers.orders_count is distinct from counted.orders_count
