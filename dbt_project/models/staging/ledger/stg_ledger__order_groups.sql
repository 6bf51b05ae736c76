with

source as (
    select * from {{ source('ledger', 'order_groups') }}
),

final as (
    select
        order_id,
        group_no,
        method as fulfillment_method,
        location_id,
        _batch as batch
    from source
)

select * from final
