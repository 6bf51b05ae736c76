with

source as (
    select * from {{ source('ledger', 'orders_replaced') }}
),

final as (
    select
        order_id,
        customer_key,
        placed_on,
        _batch as batch
    from source
)

select * from final
