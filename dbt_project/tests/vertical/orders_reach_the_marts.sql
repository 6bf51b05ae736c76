-- Guards: every order of the ledger's journal is in fct_orders once, with its total, per
-- currency, channel, day and state.
{{ config(meta={'dagster': {'ref': {'name': 'fct_orders'}}}) }}

with

orders as (
    select * from {{ source('ledger', 'orders') }}
),

channels as (
    select * from {{ source('ledger', 'channels') }}
),

currencies as (
    select * from {{ ref('currencies') }}
),

fct_orders as (
    select * from {{ ref('fct_orders') }}
),

ledger as (
    select
        orders.currency,
        channels.channel_code,
        orders.placed_on,
        orders.order_state,
        count(*) as orders_count,
        sum({{ minor_to_amount('orders.total_minor', 'currencies.exponent') }}) as total_amount
    from orders
    left join channels on orders.channel_id = channels.channel_id
    left join currencies on orders.currency = currencies.currency
    group by orders.currency, channels.channel_code, orders.placed_on, orders.order_state
),

mart as (
    select
        currency,
        channel_code,
        placed_on,
        order_state,
        count(*) as orders_count,
        sum(total_amount) as total_amount
    from fct_orders
    group by currency, channel_code, placed_on, order_state
)

(select 'ledger' as only_in, * from ledger except select 'ledger', * from mart)
union all
(select 'mart' as only_in, * from mart except select 'mart', * from ledger)
