-- Guards: no event of a line is lost, doubled or changed on its way from the ledger's journal to
-- fct_order_lines, in count, units and money, per currency, channel, day and kind.
{{ config(meta={'dagster': {'ref': {'name': 'fct_order_lines'}}}) }}

with

line_events as (
    select * from {{ source('ledger', 'line_events') }}
    where kind <> 'ship'
),

orders as (
    select * from {{ source('ledger', 'orders') }}
),

channels as (
    select * from {{ source('ledger', 'channels') }}
),

currencies as (
    select * from {{ ref('currencies') }}
),

order_lines as (
    select * from {{ ref('fct_order_lines') }}
),

ledger as (
    select
        orders.currency,
        channels.channel_code,
        line_events.occurred_on as event_on,
        line_events.kind as event_kind,
        count(*) as events_count,
        sum(line_events.quantity) as units,
        sum({{ minor_to_amount('line_events.net_minor', 'currencies.exponent') }}) as net_amount,
        sum({{ minor_to_amount('line_events.tax_minor', 'currencies.exponent') }}) as tax_amount,
        sum({{ minor_to_amount('line_events.discount_net_minor', 'currencies.exponent') }}) as discount_amount
    from line_events
    left join orders on line_events.order_id = orders.order_id
    left join channels on orders.channel_id = channels.channel_id
    left join currencies on orders.currency = currencies.currency
    group by orders.currency, channels.channel_code, line_events.occurred_on, line_events.kind
),

mart as (
    select
        currency,
        channel_code,
        event_on,
        event_kind,
        count(*) as events_count,
        sum(quantity) as units,
        sum(net_amount) as net_amount,
        sum(tax_amount) as tax_amount,
        sum(discount_amount) as discount_amount
    from order_lines
    group by currency, channel_code, event_on, event_kind
)

(select 'ledger' as only_in, * from ledger except select 'ledger', * from mart)
union all
(select 'mart' as only_in, * from mart except select 'mart', * from ledger)
