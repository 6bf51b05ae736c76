with

source as (
    select * from {{ source('ledger', 'tracking_events') }}
),

final as (
    select
        parcel_id,
        event_ref,
        occurred_at,
        recorded_at,
        state as parcel_state,
        status as carrier_status,
        _batch as batch
    from source
)

select * from final
