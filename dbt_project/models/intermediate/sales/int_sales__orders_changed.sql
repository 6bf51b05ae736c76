with

builds as (
    select coalesce(max(batch), 0) as batch from {{ ref('stg_ledger__builds') }}
),

orders as not materialized (
    select * from {{ ref('stg_ledger__orders') }}
),

order_lines as not materialized (
    select * from {{ ref('stg_ledger__order_lines') }}
),

line_events as (
    select * from {{ ref('stg_ledger__line_events') }}
),

order_groups as (
    select * from {{ ref('stg_ledger__order_groups') }}
),

versions as (
    select * from {{ ref('int_catalog__product_versions_ranged') }}
    where batch > (select batch from builds)
),

-- A version that became known after the orders it applies to names their product anew. The
-- lines come first: orders and versions alone share nothing but time.
versioned as materialized (
    select order_lines.order_id, min(versions.matched_from_at) as matched_from_at
    from order_lines
    inner join versions on order_lines.product_id = versions.product_id
    group by order_lines.order_id
),

renamed as (
    select orders.order_id
    from versioned
    inner join orders on versioned.order_id = orders.order_id
    where orders.placed_at >= versioned.matched_from_at
),

final as (
    select order_id from orders where batch > (select batch from builds)
    union
    select order_id from order_lines where batch > (select batch from builds)
    union
    select order_id from line_events where batch > (select batch from builds)
    union
    select order_id from order_groups where batch > (select batch from builds)
    union
    select order_id from renamed
)

select * from final
