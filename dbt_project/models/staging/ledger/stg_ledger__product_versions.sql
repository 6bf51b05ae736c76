with

source as (
    select * from {{ source('ledger', 'product_versions') }}
),

final as (
    select
        product_id,
        version,
        valid_from_at,
        sku,
        gtin,
        title,
        product_type,
        category,
        brand,
        tax_class,
        is_sellable,
        _batch as batch
    from source
)

select * from final
