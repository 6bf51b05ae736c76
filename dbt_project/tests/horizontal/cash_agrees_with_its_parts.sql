-- Guards: cash is what was captured, refunded and charged back, day by day, and over all days what
-- every operation did to our money.
{{ config(meta={'dagster': {'ref': {'name': 'cash_by_channel_daily'}}}) }}

with

days as (
    select * from {{ ref('cash_by_channel_daily') }}
),

payments as (
    select * from {{ ref('fct_payments') }}
    where not is_test
        and not is_store_credit
),

by_days as (
    select currency, sum(cash_amount) as cash_amount, sum(captured_amount + refunded_amount + charged_back_amount) as parts_amount
    from days
    group by currency
),

by_payments as (
    select currency, sum(cash_amount) as cash_amount
    from payments
    where transaction_type not in ('authorize', 'void')
    group by currency
)

select *
from by_days
full join by_payments using (currency)
where
    by_days.cash_amount is distinct from by_payments.cash_amount
    or by_days.cash_amount is distinct from by_days.parts_amount
