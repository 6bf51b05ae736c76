with

source as (
    select * from {{ source('ledger', 'fulfillment_orders') }}
),

final as (
    select
        fulfillment_id,
        fulfillment_number,
        order_id,
        group_no,
        location_id,
        method as fulfillment_method,
        state as fulfillment_state,
        created_at,
        changed_at,
        collect_by,
        carrier,
        reason,
        _batch as batch
    from source
)

select * from final
