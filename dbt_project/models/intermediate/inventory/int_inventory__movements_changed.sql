with

builds as (
    select coalesce(max(batch), 0) as batch from {{ ref('stg_ledger__builds') }}
),

movements as (
    select * from {{ ref('stg_ledger__stock_movements') }}
),

final as (
    select movement_id
    from movements
    where batch > (select batch from builds)
)

select * from final
