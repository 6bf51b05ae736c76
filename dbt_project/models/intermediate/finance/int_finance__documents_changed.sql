with

builds as (
    select coalesce(max(batch), 0) as batch from {{ ref('stg_ledger__builds') }}
),

documents as (
    select * from {{ ref('stg_ledger__documents') }}
),

document_lines as not materialized (
    select * from {{ ref('stg_ledger__document_lines') }}
),

final as (
    select document_id
    from documents
    where batch > (select batch from builds)
    union
    select document_id
    from document_lines
    where batch > (select batch from builds)
)

select * from final
