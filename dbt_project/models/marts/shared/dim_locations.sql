with

locations as (
    select * from {{ ref('stg_ledger__locations') }}
),

final as (
    select
        location_id,
        location_code,
        location_name,
        location_kind,
        city,
        region,
        country_code,
        latitude,
        longitude,
        time_zone,
        is_enabled
    from locations
)

select * from final
