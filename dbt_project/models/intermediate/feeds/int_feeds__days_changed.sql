with

builds as (
    select coalesce(max(batch), 0) as batch from {{ ref('stg_ledger__builds') }}
),

payloads as (
    select * from {{ ref('int_feeds__payloads_dated') }}
),

final as (
    select distinct received_on
    from payloads
    where batch > (select batch from builds)
)

select * from final
