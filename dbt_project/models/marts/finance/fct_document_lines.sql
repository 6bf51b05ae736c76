with

changed as (
    select * from {{ ref('int_finance__documents_changed') }}
),

document_lines as (
    select * from {{ ref('stg_ledger__document_lines') }}
    {% if is_incremental() %} where document_id in (select document_id from changed) {% endif %}
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
        document_lines.document_id,
        document_lines.line_no,
        documents.document_number,
        documents.document_type,
        documents.order_id,
        orders.order_number,
        channels.channel_code,
        case
            when document_lines.line_no > 0 then 'goods'
            when document_lines.line_no = 0 then 'shipping'
            else 'return_fee'
        end as line_kind,
        documents.seller_code,
        documents.destination_code,
        case document_lines.tax_category
            when 'AE' then 'reverse_charge'
            when 'K' then 'intra_community'
            when 'G' then 'export'
            else case
                when documents.is_one_stop_shop then 'one_stop_shop'
                when documents.destination_code <> documents.seller_code then 'local_registration'
                else 'domestic'
            end
        end as tax_scheme,
        cast(document_lines.rate_ppm * 0.000001 as decimal(18, 6)) as tax_rate,
        documents.issued_on,
        documents.currency,
        {{ minor_to_amount('document_lines.net_minor', 'currencies.exponent') }} as net_amount,
        {{ minor_to_amount('document_lines.tax_minor', 'currencies.exponent') }} as tax_amount,
        {{ minor_to_amount('(document_lines.net_minor + document_lines.tax_minor)', 'currencies.exponent') }} as total_amount,
        case documents.document_type when 'invoice' then 1 when 'credit_note' then -1 else 0 end as billed_sign
    from document_lines
    inner join documents on document_lines.document_id = documents.document_id
    left join orders on documents.order_id = orders.order_id
    left join channels on documents.channel_id = channels.channel_id
    left join currencies on documents.currency = currencies.currency
)

select * from final
