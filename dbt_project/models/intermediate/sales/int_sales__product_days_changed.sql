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

orders as (
    select * from {{ ref('stg_ledger__orders') }}
),

line_events as (
    select * from {{ ref('stg_ledger__line_events') }}
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

final as (
    select order_days.sold_on, changed_lines.sku
    from order_days
    inner join changed_lines on order_days.order_id = changed_lines.order_id
    union
    select orders.placed_on, relabeled_lines.sku
    from relabeled_lines
    inner join orders on relabeled_lines.order_id = orders.order_id
    union
    select line_events.occurred_on, relabeled_lines.sku
    from relabeled_lines
    inner join line_events
        on relabeled_lines.order_id = line_events.order_id
        and relabeled_lines.line_no = line_events.line_no
)

select * from final
