with

source as (
    select * from {{ source('ledger', 'inbox') }}
),

final as (
    select
        inbox_id,
        channel_id,
        transport,
        topic,
        size_bytes,
        file_name,
        received_at,
        state as inbox_state,
        documents_count,
        captured_count,
        updated_count,
        duplicate_count,
        stale_count,
        quarantined_count,
        finished_at,
        _batch as batch
    from source
)

select * from final
