with

inbox as (
    select * from {{ ref('stg_ledger__inbox') }}
),

channels as (
    select * from {{ ref('stg_ledger__channels') }}
),

final as (
    select
        inbox.*,
        channels.channel_code,
        {{ business_date('inbox.received_at', 'channels.time_zone') }} as received_on
    from inbox
    inner join channels on inbox.channel_id = channels.channel_id
)

select * from final
