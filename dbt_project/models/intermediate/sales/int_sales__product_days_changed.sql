with

builds as (
    select coalesce(max(batch), 0) as batch from {{ ref('stg_ledger__builds') }}
),

order_days as (
    select * from {{ ref('int_sales__order_days_changed') }}
),

order_lines as not materialized (
    select * from {{ ref('stg_ledger__order_lines') }}
),

lines_replaced as (
    select * from {{ ref('stg_ledger__order_lines_replaced') }}
    where batch > (select batch from builds)
),

orders as not materialized (
    select * from {{ ref('stg_ledger__orders') }}
),

line_events as (
    select * from {{ ref('stg_ledger__line_events') }}
),

channels as (
    select * from {{ ref('stg_ledger__channels') }}
),

products as (
    select * from {{ ref('stg_ledger__products') }}
    where batch > (select batch from builds)
),

changed_lines as (
    select order_id, sku from order_lines where order_id in (select order_id from order_days)
    union
    -- What a line was sold as before is counted anew as well.
    select order_id, sku from lines_replaced
),

-- A product that changed carries its new attributes to every day it was sold on.
relabeled_lines as (
    select order_lines.order_id, order_lines.line_no, order_lines.sku
    from products
    inner join order_lines on products.product_id = order_lines.product_id
),

sold as (
    select order_days.order_id, order_days.basis, order_days.sold_on, changed_lines.sku
    from order_days
    inner join changed_lines on order_days.order_id = changed_lines.order_id
    union
    select orders.order_id, 'placed', orders.placed_on, relabeled_lines.sku
    from relabeled_lines
    inner join orders on relabeled_lines.order_id = orders.order_id
    union
    select line_events.order_id, 'event', line_events.occurred_on, relabeled_lines.sku
    from relabeled_lines
    inner join line_events
        on relabeled_lines.order_id = line_events.order_id
        and relabeled_lines.line_no = line_events.line_no
),

final as (
    select distinct sold.basis, sold.sold_on, channels.channel_code, sold.sku
    from sold
    inner join orders on sold.order_id = orders.order_id
    inner join channels on orders.channel_id = channels.channel_id
)

select * from final
