with

changed as (
    select * from {{ ref('int_finance__settlements_changed') }}
),

settled as (
    select * from {{ ref('stg_ledger__settlement_rows') }}
    {% if is_incremental() %} where report_id in (select report_id from changed) {% endif %}
),

reports as (
    select * from {{ ref('stg_ledger__settlement_reports') }}
),

differences as (
    select * from {{ ref('stg_ledger__settlement_differences') }}
    where report_id is not null
),

transactions as (
    select * from {{ ref('stg_ledger__payment_transactions') }}
),

orders as (
    select * from {{ ref('stg_ledger__orders') }}
),

channels as (
    select * from {{ ref('stg_ledger__channels') }}
),

currencies as (
    select * from {{ ref('currencies') }}
),

payouts as (
    select report_id, payout_ref, net_currency, min(occurred_at) as paid_out_at
    from settled
    where row_type = 'payout'
    group by report_id, payout_ref, net_currency
),

final as (
    select
        settled.report_id,
        settled.row_no,
        reports.report_number,
        settled.service,
        settled.entry_ref,
        settled.payout_ref,
        settled.row_type,
        settled.finding,
        settled.finding in ('matched', 'own') as is_agreed,
        differences.difference_number,
        differences.difference_state,
        settled.transaction_id,
        transactions.transaction_number,
        orders.order_number,
        channels.channel_code,
        settled.currency,
        {{ minor_to_amount('settled.amount_minor', 'currencies.exponent') }} as amount,
        settled.net_currency,
        {{ minor_to_amount('settled.fee_minor', 'net_currencies.exponent') }} as fee_amount,
        {{ minor_to_amount('settled.net_minor', 'net_currencies.exponent') }} as net_amount,
        settled.occurred_at,
        -- A service is of no channel, and so of no calendar but that of all.
        {{ business_date('coalesce(settled.occurred_at, reports.received_at)', "'UTC'") }} as settled_on,
        payouts.paid_out_at,
        case when settled.row_type = 'capture' then {{ seconds_between('transactions.occurred_at', 'payouts.paid_out_at') }} end as payout_seconds,
        reports.received_at,
        coalesce(orders.is_test, false) as is_test
    from settled
    inner join reports on settled.report_id = reports.report_id
    left join differences on settled.report_id = differences.report_id and settled.row_no = differences.row_no
    left join transactions on settled.transaction_id = transactions.transaction_id
    left join orders on transactions.order_id = orders.order_id
    left join channels on orders.channel_id = channels.channel_id
    left join payouts
        on settled.report_id = payouts.report_id
        and settled.payout_ref = payouts.payout_ref
        and settled.net_currency = payouts.net_currency
    left join currencies on settled.currency = currencies.currency
    left join currencies as net_currencies on settled.net_currency = net_currencies.currency
)

select * from final
