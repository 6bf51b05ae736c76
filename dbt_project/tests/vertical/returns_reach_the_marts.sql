-- Guards: no line of a return is lost or doubled on its way from the ledger's journal to the
-- marts, in units and in what is owed, and no unit that was looked at.
{{ config(meta={'dagster': {'ref': {'name': 'fct_returns'}}}) }}

with

ledger as (
    select 'units' as what, count(*) as rows_count,
        sum(expected + 1000 * received + 1000000 * accepted + 1000000000 * rejected) as total
    from {{ source('ledger', 'return_lines') }}
    union all
    select 'owed', 0,
        sum(goods_net_minor + goods_tax_minor + shipping_net_minor + shipping_tax_minor - fee_minor)
    from {{ source('ledger', 'return_decisions') }}
    union all
    select 'looked at', count(*), sum(quantity) from {{ source('ledger', 'return_inspections') }}
),

mart as (
    select 'units' as what, count(*) as rows_count,
        sum(expected_units + 1000 * received_units + 1000000 * accepted_units + 1000000000 * rejected_units) as total
    from {{ ref('fct_returns') }}
    union all
    select 'owed', 0, sum(goods_net_minor + goods_tax_minor + shipping_minor - fee_minor)
    from {{ ref('fct_returns') }}
    union all
    select 'looked at', count(*), sum(units) from {{ ref('fct_return_units') }}
)

select ledger.what
from ledger
inner join mart on ledger.what = mart.what
where ledger.rows_count <> mart.rows_count or coalesce(ledger.total, 0) <> coalesce(mart.total, 0)
