with

source as (
    select * from {{ source('ledger', 'sourcing_rule_sets') }}
),

final as (
    select
        version as rules_version,
        state as rules_state,
        cast(rules ->> '$.promise_hours' as bigint) as promise_hours,
        created_at,
        activated_at,
        archived_at,
        _batch as batch
    from source
)

select * from final
