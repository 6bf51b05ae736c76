with

source as (
    select * from {{ source('ledger', 'fulfillment_lines') }}
),

final as (
    select
        fulfillment_id,
        line_no,
        order_id,
        product_id,
        quantity,
        picked,
        done,
        removed,
        _batch as batch
    from source
)

select * from final
