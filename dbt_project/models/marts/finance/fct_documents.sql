with

changed as (
    select * from {{ ref('int_finance__documents_changed') }}
),

documents as (
    select * from {{ ref('stg_ledger__documents') }}
    {% if is_incremental() %} where document_id in (select document_id from changed) {% endif %}
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
        documents.document_id,
        documents.document_number,
        documents.document_type,
        documents.fiscal_year,
        documents.preceding_id,
        documents.order_id,
        orders.order_number,
        channels.channel_code,
        documents.issued_at,
        documents.issued_on,
        documents.currency,
        {{ minor_to_amount('documents.net_minor', 'currencies.exponent') }} as net_amount,
        {{ minor_to_amount('documents.tax_minor', 'currencies.exponent') }} as tax_amount,
        {{ minor_to_amount('documents.total_minor', 'currencies.exponent') }} as total_amount,
        case documents.document_type when 'invoice' then 1 when 'credit_note' then -1 else 0 end as billed_sign
    from documents
    left join orders on documents.order_id = orders.order_id
    left join channels on documents.channel_id = channels.channel_id
    left join currencies on documents.currency = currencies.currency
)

select * from final
