with

channels as (
    select * from {{ ref('stg_ledger__channels') }}
),

final as (
    select channel_id, channel_code, channel_name, channel_kind, currency, time_zone
    from channels
)

select * from final
