with

source as (
    select * from {{ source('ledger', 'order_events') }}
),

final as (
    select
        order_id,
        seq,
        type as event_type,
        occurred_at,
        data ->> '$.fulfillment' as fulfillment_number,
        data ->> '$.transfer' as transfer_number,
        data ->> '$.reason' as reason,
        data -> '$.short' as short,
        _batch as batch
    from source
)

select * from final
