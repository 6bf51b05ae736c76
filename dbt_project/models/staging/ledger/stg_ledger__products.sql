with

source as (
    select * from {{ source('ledger', 'products') }}
),

final as (
    select
        product_id,
        sku,
        gtin,
        title,
        product_type,
        category,
        brand,
        tax_class,
        is_sellable,
        updated_at,
        _batch as batch
    from source
)

select * from final
