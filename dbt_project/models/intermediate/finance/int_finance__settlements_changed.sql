with

builds as (
    select coalesce(max(batch), 0) as batch from {{ ref('stg_ledger__builds') }}
),

reports as not materialized (
    select * from {{ ref('stg_ledger__settlement_reports') }}
),

settled as not materialized (
    select * from {{ ref('stg_ledger__settlement_rows') }}
),

differences as not materialized (
    select * from {{ ref('stg_ledger__settlement_differences') }}
),

orders_changed as (
    select * from {{ ref('int_payments__orders_changed') }}
),

transactions as not materialized (
    select * from {{ ref('stg_ledger__payment_transactions') }}
),

final as (
    select report_id from reports where batch > (select batch from builds)
    union
    select report_id from settled where batch > (select batch from builds) and report_id is not null
    union
    select report_id from differences where batch > (select batch from builds) and report_id is not null
    union
    -- What is known of the operation it is: when it was, and of whose order.
    select settled.report_id
    from settled
    inner join transactions on settled.transaction_id = transactions.transaction_id
    where transactions.order_id in (select order_id from orders_changed)
)

select * from final
