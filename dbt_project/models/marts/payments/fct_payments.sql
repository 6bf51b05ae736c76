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
        coalesce(service = 'store_credit', false) as is_store_credit,
        case
            when service = 'store_credit' then 0
            when transaction_type = 'capture' then amount_minor
            when transaction_type = 'refund' then -amount_minor - coalesce(rounding_minor, 0)
            when transaction_type = 'chargeback' then -amount_minor
            when transaction_type in ('refund_reversal', 'chargeback_reversal') then amount_minor
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
        coalesce(signed.tender, payments.tender) as tender,
        -- What a till gave back no service has to do with.
        case
            when signed.tender is null then coalesce(signed.service, payments.service)
        end as service,
        payments.brand,
        payments.managed_by,
        signed.source,
        signed.is_store_credit,
        signed.currency,
        {{ minor_to_amount('signed.amount_minor', 'currencies.exponent') }} as amount,
        {{ minor_to_amount('signed.cash_minor', 'currencies.exponent') }} as cash_amount,
        {{ minor_to_amount('coalesce(signed.rounding_minor, 0)', 'currencies.exponent') }} as rounding_amount,
        signed.requested_at,
        signed.occurred_at,
        {{ business_date('signed.occurred_at', 'channels.time_zone') }} as occurred_on,
        orders.placed_on,
        orders.is_test
    from signed
    left join payments on signed.payment_id = payments.payment_id
    left join orders on signed.order_id = orders.order_id
    left join channels on orders.channel_id = channels.channel_id
    left join locations on coalesce(signed.location_id, payments.location_id) = locations.location_id
    left join currencies on signed.currency = currencies.currency
)

select * from final
