with

builds as (
    select coalesce(max(batch), 0) as batch from {{ ref('stg_ledger__builds') }}
),

orders as (
    select * from {{ ref('stg_ledger__orders') }}
),

orders_replaced as (
    select * from {{ ref('stg_ledger__orders_replaced') }}
),

final as (
    select customer_key from orders where batch > (select batch from builds)
    union
    -- The customer an order has left is counted anew as well.
    select customer_key from orders_replaced where batch > (select batch from builds)
)

select * from final where customer_key is not null
