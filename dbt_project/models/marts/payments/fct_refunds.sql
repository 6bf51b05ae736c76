with

changed as (
    select * from {{ ref('int_payments__orders_changed') }}
),

refunds as (
    select * from {{ ref('stg_ledger__refunds') }}
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

-- What failed, whole or in part, is not over: somebody tries again or cancels it.
ended as (
    select *, case when refund_state in ('succeeded', 'rejected', 'canceled') then changed_at end as ended_at
    from refunds
),

final as (
    select
        ended.refund_id,
        ended.refund_number,
        ended.order_id,
        orders.order_number,
        channels.channel_code,
        ended.refund_kind,
        ended.refund_state,
        ended.paid_as,
        ended.currency,
        {{ minor_to_amount('ended.amount_minor', 'currencies.exponent') }} as amount,
        {{ business_date('ended.created_at', 'channels.time_zone') }} as requested_on,
        ended.created_at as requested_at,
        ended.ended_at,
        {{ seconds_between('ended.created_at', 'ended.ended_at') }} as refund_seconds,
        orders.placed_on,
        orders.is_test
    from ended
    left join orders on ended.order_id = orders.order_id
    left join channels on orders.channel_id = channels.channel_id
    left join currencies on ended.currency = currencies.currency
)

select * from final
