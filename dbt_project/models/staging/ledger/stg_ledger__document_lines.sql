with

source as (
    select * from {{ source('ledger', 'document_lines') }}
),

final as (
    select
        document_id,
        line_no,
        quantity,
        net_minor,
        tax_minor,
        rate_ppm,
        category as tax_category,
        _batch as batch
    from source
)

select * from final
