-- Guards: no operation on a payment that succeeded, no refund and no balance is lost, doubled or
-- changed on its way from the ledger's journal to the marts; the cash of each day is what moved on
-- it, per channel and currency, to the minor unit.
{{ config(meta={'dagster': {'ref': {'name': 'fct_payments'}}}) }}

with

transactions as (
    select
        *,
        case
            when psp = 'store_credit' then null  -- no money moved
            when type = 'capture' or type like '%_reversal' then amount_minor
            when type in ('refund', 'chargeback') then -amount_minor
        end as cash_minor
    from {{ source('ledger', 'payment_transactions') }}
    where state = 'succeeded'
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

dated as (
    select
        transactions.*,
        channels.channel_code,
        orders.is_test,
        {{ business_date('least(transactions.psp_at, transactions.finished_at)', 'channels.time_zone') }} as occurred_on
    from transactions
    left join orders on transactions.order_id = orders.order_id
    left join channels on orders.channel_id = channels.channel_id
),

ledger as (
    select type as what, currency, channel_code, occurred_on, count(*) as rows_count, sum(amount_minor) as minor
    from dated
    group by type, currency, channel_code, occurred_on
    union all
    select 'cash', currency, channel_code, occurred_on, count(*), sum(cash_minor)
    from dated
    where cash_minor is not null and not is_test
    group by currency, channel_code, occurred_on
    union all
    select 'refunds ' || state || ' ' || paid_as, currency, null, null, count(*), sum(amount_minor)
    from {{ source('ledger', 'refunds') }}
    group by state, paid_as, currency
    union all
    select
        'balances ' || payment_state, currency, null, null, count(*),
        sum(due_minor + authorized_minor * 3 + captured_minor * 5 + refunded_minor * 7)
    from {{ source('ledger', 'order_balances') }}
    group by payment_state, currency
),

-- In minor units, a table's own amounts times whatever their currency says.
counted as (
    select transaction_type as what, currency, channel_code, occurred_on, count(*) as rows_count, sum(amount) as amount
    from {{ ref('fct_payments') }}
    group by transaction_type, currency, channel_code, occurred_on
    union all
    select 'cash', currency, channel_code, occurred_on, transactions_count, cash_amount
    from {{ ref('cash_by_channel_daily') }}
    union all
    select 'refunds ' || refund_state || ' ' || paid_as, currency, null, null, count(*), sum(amount)
    from {{ ref('fct_refunds') }}
    group by refund_state, paid_as, currency
    union all
    select
        'balances ' || payment_state, currency, null, null, count(*),
        sum(due_amount + authorized_amount * 3 + captured_amount * 5 + refunded_amount * 7)
    from {{ ref('fct_order_balances') }}
    group by payment_state, currency
),

mart as (
    select
        counted.what, counted.currency, counted.channel_code, counted.occurred_on, counted.rows_count,
        counted.amount * cast(power(10, currencies.exponent) as integer) as minor
    from counted
    left join currencies on counted.currency = currencies.currency
)

(select 'ledger' as only_in, * from ledger except select 'ledger', * from mart)
union all
(select 'mart' as only_in, * from mart except select 'mart', * from ledger)
