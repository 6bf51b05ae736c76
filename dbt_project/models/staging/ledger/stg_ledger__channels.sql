with

source as (
    select * from {{ source('ledger', 'channels') }}
),

final as (
    select
        channel_id,
        channel_code,
        name as channel_name,
        kind as channel_kind,
        currency,
        prices_include_tax,
        time_zone,
        threshold,
        is_enabled,
        updated_at,
        _batch as batch
    from source
)

select * from final
