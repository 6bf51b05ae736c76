with

builds as (
    select coalesce(max(batch), 0) as batch from {{ ref('stg_ledger__builds') }}
),

documents as (
    select * from {{ ref('stg_ledger__documents') }}
),

final as (
    select document_id
    from documents
    where batch > (select batch from builds)
)

select * from final
