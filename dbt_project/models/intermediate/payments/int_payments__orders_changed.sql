with

builds as (
    select coalesce(max(batch), 0) as batch from {{ ref('stg_ledger__builds') }}
),

orders as not materialized (
    select * from {{ ref('stg_ledger__orders') }}
),

payments as not materialized (
    select * from {{ ref('stg_ledger__payments') }}
),

transactions as not materialized (
    select * from {{ ref('stg_ledger__payment_transactions') }}
),

refunds as not materialized (
    select * from {{ ref('stg_ledger__refunds') }}
),

balances as not materialized (
    select * from {{ ref('stg_ledger__order_balances') }}
),

final as (
    select order_id from orders where batch > (select batch from builds)
    union
    select order_id from payments where batch > (select batch from builds)
    union
    select order_id from transactions where batch > (select batch from builds)
    union
    select order_id from refunds where batch > (select batch from builds)
    union
    select order_id from balances where batch > (select batch from builds)
)

select * from final
