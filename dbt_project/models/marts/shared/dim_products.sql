with

versions as (
    select * from {{ ref('int_catalog__product_versions_ranged') }}
),

final as (
    select
        product_key,
        product_id,
        version,
        sku,
        gtin,
        title,
        product_type,
        category,
        brand,
        tax_class,
        is_sellable,
        valid_from_at,
        valid_to_at,
        valid_to_at = timestamptz '9999-12-31 00:00:00+00' as is_current
    from versions
)

select * from final
