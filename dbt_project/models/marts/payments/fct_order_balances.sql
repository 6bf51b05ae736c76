with

changed as (
    select * from {{ ref('int_payments__orders_changed') }}
),

balances as (
    select * from {{ ref('stg_ledger__order_balances') }}
    {% if is_incremental() %} where order_id in (select order_id from changed) {% endif %}
),

orders as (
    select * from {{ ref('stg_ledger__orders') }}
    {% if is_incremental() %} where order_id in (select order_id from changed) {% endif %}
),

channels as (
    select * from {{ ref('stg_ledger__channels') }}
),

currencies as (
    select * from {{ ref('currencies') }}
),

final as (
    select
        balances.order_id,
        orders.order_number,
        channels.channel_code,
        balances.payment_state,
        balances.currency,
        {{ minor_to_amount('balances.due_minor', 'currencies.exponent') }} as due_amount,
        {{ minor_to_amount('balances.authorized_minor', 'currencies.exponent') }} as authorized_amount,
        {{ minor_to_amount('balances.captured_minor', 'currencies.exponent') }} as captured_amount,
        {{ minor_to_amount('balances.refunded_minor', 'currencies.exponent') }} as refunded_amount,
        orders.placed_on,
        balances.changed_at,
        orders.is_test
    from balances
    left join orders on balances.order_id = orders.order_id
    left join channels on orders.channel_id = channels.channel_id
    left join currencies on balances.currency = currencies.currency
)

select * from final
