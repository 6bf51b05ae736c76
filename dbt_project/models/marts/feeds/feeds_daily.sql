with

changed as (
    select * from {{ ref('int_feeds__days_changed') }}
),

payloads as (
    select * from {{ ref('int_feeds__payloads_dated') }}
    {% if is_incremental() %}
    where
        received_on in (select received_on from changed)
        -- Coarse but cheap: a calendar day begins at most a day before its date does in UTC.
        and received_at >= (select cast(min(received_on) - 1 as timestamptz) from changed)
    {% endif %}
),

final as (
    select
        received_on,
        channel_code,
        transport,
        topic,
        count(*) as payloads_count,
        cast(sum(documents_count) as bigint) as documents_count,
        cast(sum(captured_count) as bigint) as captured_count,
        cast(sum(updated_count) as bigint) as updated_count,
        cast(sum(duplicate_count) as bigint) as duplicate_count,
        cast(sum(stale_count) as bigint) as stale_count,
        cast(sum(quarantined_count) as bigint) as quarantined_count,
        count(*) filter (where inbox_state = 'failed') as failed_count,
        cast(sum(size_bytes) as bigint) as size_bytes,
        max(received_at) as last_received_at
    from payloads
    group by received_on, channel_code, transport, topic
)

select * from final
