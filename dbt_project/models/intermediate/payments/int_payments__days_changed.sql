with

builds as (
    select coalesce(max(batch), 0) as batch from {{ ref('stg_ledger__builds') }}
),

changed as (
    select * from {{ ref('int_payments__orders_changed') }}
),

transactions as (
    select * from {{ ref('stg_ledger__payment_transactions') }}
    where order_id in (select order_id from changed)
),

transactions_replaced as (
    select * from {{ ref('stg_ledger__payment_transactions_replaced') }}
    where batch > (select batch from builds)
),

orders as (
    select * from {{ ref('stg_ledger__orders') }}
    where order_id in (select order_id from changed)
),

channels as (
    select * from {{ ref('stg_ledger__channels') }}
),

moments as (
    select order_id, occurred_at
    from transactions
    where transaction_state = 'succeeded'
    union
    -- The day a transaction has left is counted anew as well.
    select transactions.order_id, transactions_replaced.occurred_at
    from transactions_replaced
    inner join transactions on transactions_replaced.transaction_id = transactions.transaction_id
    where transactions_replaced.transaction_state = 'succeeded'
),

final as (
    select distinct {{ business_date('moments.occurred_at', 'channels.time_zone') }} as occurred_on
    from moments
    inner join orders on moments.order_id = orders.order_id
    inner join channels on orders.channel_id = channels.channel_id
)

select * from final
