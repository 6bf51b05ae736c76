with

source as (
    select * from {{ source('ledger', 'quarantine') }}
),

final as (
    select
        quarantine_id,
        inbox_id,
        channel_id,
        topic,
        position,
        line,
        external_ref,
        code,
        problems,
        state as quarantine_state,
        attempts,
        first_seen_at,
        last_tried_at,
        resolved_at,
        _batch as batch
    from source
)

select * from final
