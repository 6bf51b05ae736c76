with

source as (
    select * from {{ source('ledger', 'parcels') }}
),

final as (
    select
        parcel_id,
        parcel_number,
        fulfillment_id,
        order_id,
        carrier,
        service,
        weight_grams,
        cost_minor,
        cost_currency,
        state as parcel_state,
        eta_at,
        handed_over_at,
        voided_at,
        created_at,
        changed_at,
        _batch as batch
    from source
)

select * from final
