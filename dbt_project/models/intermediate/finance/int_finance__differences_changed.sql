with

builds as (
    select coalesce(max(batch), 0) as batch from {{ ref('stg_ledger__builds') }}
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
    select difference_id from differences where batch > (select batch from builds)
    union
    -- What is known of the operation it is: when it was, and of whose order.
    select differences.difference_id
    from differences
    inner join transactions on differences.transaction_id = transactions.transaction_id
    where transactions.order_id in (select order_id from orders_changed)
)

select * from final
