with

source as (
    select * from {{ source('ledger', 'documents') }}
),

final as (
    select
        document_id,
        document_number,
        document_type,
        fiscal_year,
        order_id,
        channel_id,
        preceding_id,
        issued_at,
        issued_on,
        currency,
        net_minor,
        tax_minor,
        total_minor,
        destination_code,
        seller_code,
        is_one_stop_shop,
        _batch as batch
    from source
)

select * from final
