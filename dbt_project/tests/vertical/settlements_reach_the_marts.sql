-- Guards: no row of a settlement report and no difference is lost, doubled or changed on its way from
-- the ledger's journal to the marts, per service, currency and day, to the minor unit.
{{ config(meta={'dagster': {'ref': {'name': 'fct_settlements'}}}) }}

with

currencies as (
    select * from {{ ref('currencies') }}
),

reports as (
    select * from {{ source('ledger', 'settlement_reports') }}
),

ledger as (
    select
        settled.psp as service, type || ' ' || finding as what, currency, net_currency,
        {{ business_date('coalesce(occurred_at, received_at)', "'UTC'") }} as on_day,
        count(*) as rows_count, sum(amount_minor) as minor, sum(fee_minor) as fee_minor, sum(net_minor) as net_minor
    from {{ source('ledger', 'settlement_rows') }} as settled
    inner join reports on settled.report_id = reports.report_id
    group by all
    union all
    select
        psp, 'difference ' || finding || ' ' || state, coalesce(theirs_currency, ours_currency), null,
        {{ business_date('found_at', "'UTC'") }}, count(*), sum(theirs_minor), null, null
    from {{ source('ledger', 'settlement_differences') }}
    group by all
),

counted as (
    select
        service, row_type || ' ' || finding as what, currency, net_currency, settled_on as on_day,
        count(*) as rows_count, sum(amount) as amount, sum(fee_amount) as fee_amount, sum(net_amount) as net_amount
    from {{ ref('fct_settlements') }}
    group by all
    union all
    select
        service, 'difference ' || finding || ' ' || difference_state, currency, null, found_on, count(*),
        sum(theirs_amount), null, null
    from {{ ref('fct_settlement_differences') }}
    group by all
),

mart as (
    select
        service, what, counted.currency, net_currency, on_day, rows_count,
        amount * cast(power(10, own.exponent) as integer) as minor,
        fee_amount * cast(power(10, net.exponent) as integer) as fee_minor,
        net_amount * cast(power(10, net.exponent) as integer) as net_minor
    from counted
    left join currencies as own on counted.currency = own.currency
    left join currencies as net on counted.net_currency = net.currency
)

(select 'ledger' as only_in, * from ledger except select 'ledger', * from mart)
union all
(select 'mart' as only_in, * from mart except select 'mart', * from ledger)
