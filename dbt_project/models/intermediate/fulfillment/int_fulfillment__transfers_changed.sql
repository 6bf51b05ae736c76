with

builds as (
    select coalesce(max(batch), 0) as batch from {{ ref('stg_ledger__builds') }}
),

transfers as (
    select * from {{ ref('stg_ledger__transfers') }}
),

lines as (
    select * from {{ ref('stg_ledger__transfer_lines') }}
),

receipts as (
    select * from {{ ref('stg_ledger__transfer_receipts') }}
),

discrepancies as (
    select * from {{ ref('stg_ledger__transfer_discrepancies') }}
),

final as (
    select transfer_id from transfers where batch > (select batch from builds)
    union
    select transfer_id from lines where batch > (select batch from builds)
    union
    select transfer_id from receipts where batch > (select batch from builds)
    union
    select transfer_id from discrepancies where batch > (select batch from builds)
)

select * from final
