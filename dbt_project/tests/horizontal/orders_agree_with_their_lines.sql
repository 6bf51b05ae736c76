-- Guards: what fct_orders says was canceled and returned is what the lines say, order by order.
{{ config(meta={'dagster': {'ref': {'name': 'fct_orders'}}}) }}

with

orders as (
    select * from {{ ref('fct_orders') }}
),

order_lines as (
    select * from {{ ref('fct_order_lines') }}
),

lines as (
    select
        order_id,
        coalesce(sum(net_amount) filter (where event_kind = 'cancel'), 0) as canceled_net_amount,
        coalesce(sum(net_amount) filter (where event_kind = 'return'), 0) as returned_net_amount
    from order_lines
    group by order_id
)

select orders.order_id, orders.canceled_net_amount, lines.canceled_net_amount, orders.returned_net_amount, lines.returned_net_amount
from orders
inner join lines on orders.order_id = lines.order_id
where
    orders.canceled_net_amount <> lines.canceled_net_amount
    or orders.returned_net_amount <> lines.returned_net_amount
