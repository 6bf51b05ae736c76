-- Guards: every document of the ledger is in the mart with its amounts, by currency, day and type.
{{ config(meta={'dagster': {'ref': {'name': 'fct_documents'}}}) }}

with

currencies as (
    select * from {{ ref('currencies') }}
),

ledger as (
    select currency, issued_on, document_type, count(*) as documents_count,
        sum(net_minor) as net_minor, sum(tax_minor) as tax_minor, sum(total_minor) as total_minor
    from {{ source('ledger', 'documents') }}
    group by currency, issued_on, document_type
),

mart as (
    select documents.currency, issued_on, document_type, count(*) as documents_count,
        sum(cast(net_amount * power(10, exponent) as bigint)) as net_minor,
        sum(cast(tax_amount * power(10, exponent) as bigint)) as tax_minor,
        sum(cast(total_amount * power(10, exponent) as bigint)) as total_minor
    from {{ ref('fct_documents') }} as documents
    left join currencies on documents.currency = currencies.currency
    group by documents.currency, issued_on, document_type
)

(select 'ledger' as only_in, * from ledger except select 'ledger', * from mart)
union all
(select 'mart' as only_in, * from mart except select 'mart', * from ledger)
