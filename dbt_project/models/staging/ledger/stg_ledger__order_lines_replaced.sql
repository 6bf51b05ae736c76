with

source as (
    select * from {{ source('ledger', 'order_lines_replaced') }}
),

final as (
    select
        order_id,
        line_no,
        sku,
        _batch as batch
    from source
)

select * from final
