with

changed as (
    select * from {{ ref('int_finance__differences_changed') }}
),

differences as (
    select * from {{ ref('stg_ledger__settlement_differences') }}
    {% if is_incremental() %} where difference_id in (select difference_id from changed) {% endif %}
),

reports as (
    select * from {{ ref('stg_ledger__settlement_reports') }}
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

final as (
    select
        differences.difference_id,
        differences.difference_number,
        differences.service,
        reports.report_number,
        differences.row_no,
        differences.finding,
        differences.difference_state,
        transactions.transaction_number,
        orders.order_number,
        channels.channel_code,
        coalesce(differences.theirs_currency, differences.ours_currency) as currency,
        {{ minor_to_amount('differences.ours_minor', 'ours.exponent') }} as ours_amount,
        differences.ours_currency,
        {{ minor_to_amount('differences.theirs_minor', 'theirs.exponent') }} as theirs_amount,
        -- In two currencies there is no amount by which they differ.
        case
            when differences.ours_currency is null or differences.theirs_currency is null or differences.ours_currency = differences.theirs_currency
                then cast(coalesce(theirs_amount, 0) - coalesce(ours_amount, 0) as decimal(18, 3))
        end as differs_amount,
        differences.found_at,
        {{ business_date('differences.found_at', "'UTC'") }} as found_on,
        differences.resolved_at,
        {{ seconds_between('differences.found_at', 'differences.resolved_at') }} as open_seconds
    from differences
    left join reports on differences.report_id = reports.report_id
    left join transactions on differences.transaction_id = transactions.transaction_id
    left join orders on transactions.order_id = orders.order_id
    left join channels on orders.channel_id = channels.channel_id
    left join currencies as ours on differences.ours_currency = ours.currency
    left join currencies as theirs on differences.theirs_currency = theirs.currency
)

select * from final
