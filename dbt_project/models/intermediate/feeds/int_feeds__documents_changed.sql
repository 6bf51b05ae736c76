with

builds as (
    select coalesce(max(batch), 0) as batch from {{ ref('stg_ledger__builds') }}
),

quarantine as (
    select * from {{ ref('stg_ledger__quarantine') }}
),

final as (
    select quarantine_id
    from quarantine
    where batch > (select batch from builds)
)

select * from final
