with

source as (
    select * from {{ source('ledger', 'sourcing_decisions') }}
),

final as (
    select
        decision_id,
        order_id,
        group_no,
        version as rules_version,
        decided_at,
        cast(outcome ->> '$.parts' as bigint) as parts_count,
        cast(outcome ->> '$.cost_minor' as bigint) as cost_minor,
        cast(outcome ->> '$.distance_km' as double) as distance_km,
        cast(outcome ->> '$.late_parts' as bigint) as late_parts_count,
        cast(outcome ->> '$.left_units' as bigint) as left_units,
        _batch as batch
    from source
)

select * from final
