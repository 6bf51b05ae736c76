with

changed as (
    select * from {{ ref('int_payments__days_changed') }}
),

payments as (
    select * from {{ ref('fct_payments') }}
    where
        not is_test
        and not is_store_credit
        and transaction_type not in ('authorize', 'void')
        {% if is_incremental() %} and occurred_on in (select occurred_on from changed) {% endif %}
),

final as (
    select
        occurred_on,
        channel_code,
        currency,
        count(*) as transactions_count,
        cast(coalesce(sum(cash_amount) filter (transaction_type = 'capture'), 0) as decimal(18, 3)) as captured_amount,
        cast(coalesce(sum(cash_amount) filter (transaction_type in ('refund', 'refund_reversal')), 0) as decimal(18, 3)) as refunded_amount,
        cast(coalesce(sum(cash_amount) filter (transaction_type in ('chargeback', 'chargeback_reversal')), 0) as decimal(18, 3)) as charged_back_amount,
        cast(sum(cash_amount) as decimal(18, 3)) as cash_amount
    from payments
    group by occurred_on, channel_code, currency
)

select * from final
