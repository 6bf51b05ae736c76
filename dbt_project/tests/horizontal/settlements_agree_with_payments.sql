-- Guards: what a service settled and we agree with is, operation by operation, what fct_payments says
-- it did to our money; a row that differs has its difference, and no other row has one.
{{ config(meta={'dagster': {'ref': {'name': 'fct_settlements'}}}) }}

with

settled as (
    select * from {{ ref('fct_settlements') }}
),

payments as (
    select * from {{ ref('fct_payments') }}
),

matched as (
    select transaction_id, currency, sum(amount) as amount
    from settled
    where finding = 'matched'
    group by transaction_id, currency
)

select cast(matched.transaction_id as varchar) as what
from matched
left join payments on matched.transaction_id = payments.transaction_id
-- One that turned out later not to have succeeded is in no mart of payments.
where payments.transaction_id is not null and (matched.amount, matched.currency) <> (payments.cash_amount, payments.currency)
union all
select report_number || ' ' || row_no
from settled
where is_agreed = (difference_number is not null)
