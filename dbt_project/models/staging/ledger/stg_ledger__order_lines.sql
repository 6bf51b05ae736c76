with

source as (
    select * from {{ source('ledger', 'order_lines') }}
),

final as (
    select
        order_id,
        line_no,
        line_ref,
        product_id,
        sku,
        title,
        quantity,
        canceled,
        shipped,
        returned,
        backordered,
        unit_price_minor,
        list_minor,
        discount_minor,
        net_minor,
        tax_minor,
        group_no,
        _batch as batch
    from source
)

select * from final
