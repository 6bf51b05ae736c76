with

builds as (
    select coalesce(max(batch), 0) as batch from {{ ref('stg_ledger__builds') }}
),

changed as (
    select * from {{ ref('int_sales__orders_changed') }}
),

orders as (
    select * from {{ ref('stg_ledger__orders') }}
    where order_id in (select order_id from changed)
),

line_events as (
    select * from {{ ref('stg_ledger__line_events') }}
    where order_id in (select order_id from changed)
),

orders_replaced as (
    select * from {{ ref('stg_ledger__orders_replaced') }}
    where batch > (select batch from builds)
),

final as (
    select order_id, 'placed' as basis, placed_on as sold_on from orders
    union
    select order_id, 'event', occurred_on from line_events
    union
    -- The day an order has left is counted anew as well.
    select order_id, 'placed', placed_on from orders_replaced
)

select * from final
