with

source as (
    select * from {{ source('ledger', 'locations') }}
),

final as (
    select
        location_id,
        location_code,
        name as location_name,
        kind as location_kind,
        city,
        region,
        country_code,
        latitude,
        longitude,
        time_zone,
        is_enabled,
        updated_at,
        _batch as batch
    from source
)

select * from final
