with

changed as (
    select * from {{ ref('int_payments__orders_changed') }}
),

transactions as (
    select * from {{ ref('stg_ledger__payment_transactions') }}
    where
        transaction_state = 'succeeded'
        {% if is_incremental() %} and order_id in (select order_id from changed) {% endif %}
),

payments as (
    select * from {{ ref('stg_ledger__payments') }}
    {% if is_incremental() %} where order_id in (select order_id from changed) {% endif %}
),

orders as (
    select * from {{ ref('stg_ledger__orders') }}
    {% if is_incremental() %} where order_id in (select order_id from changed) {% endif %}
),

channels as (
    select * from {{ ref('stg_ledger__channels') }}
),

locations as (
    select * from {{ ref('stg_ledger__locations') }}
),

currencies as (
    select * from {{ ref('currencies') }}
),

signed as (
    select
        *,
        case transaction_type
            when 'capture' then amount_minor
            when 'refund' then -amount_minor
            when 'refund_reversal' then amount_minor
            when 'chargeback' then -amount_minor
            when 'chargeback_reversal' then amount_minor
            else 0
        end as cash_minor
    from transactions
),

final as (
    select
        signed.transaction_id,
        signed.transaction_number,
        signed.payment_id,
        payments.payment_number,
        signed.order_id,
        orders.order_number,
        channels.channel_code,
        locations.location_code,
        signed.transaction_type,
        payments.tender,
        payments.service,
        payments.brand,
        payments.managed_by,
        signed.source,
        signed.currency,
        {{ minor_to_amount('signed.amount_minor', 'currencies.exponent') }} as amount,
        {{ minor_to_amount('signed.cash_minor', 'currencies.exponent') }} as cash_amount,
        signed.requested_at,
        signed.occurred_at,
        {{ business_date('signed.occurred_at', 'channels.time_zone') }} as occurred_on,
        orders.placed_on,
        orders.is_test
    from signed
    left join payments on signed.payment_id = payments.payment_id
    left join orders on signed.order_id = orders.order_id
    left join channels on orders.channel_id = channels.channel_id
    left join locations on payments.location_id = locations.location_id
    left join currencies on signed.currency = currencies.currency
)

select * from final
