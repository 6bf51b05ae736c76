with

returns as (
    select * from {{ ref('stg_ledger__returns') }}
),

lines as (
    select * from {{ ref('stg_ledger__return_lines') }}
),

decisions as (
    select * from {{ ref('stg_ledger__return_decisions') }}
),

orders as (
    select * from {{ ref('stg_ledger__orders') }}
),

channels as (
    select * from {{ ref('stg_ledger__channels') }}
),

products as (
    select * from {{ ref('stg_ledger__products') }}
),

locations as (
    select * from {{ ref('stg_ledger__locations') }}
),

receipts as (
    select * from {{ ref('stg_ledger__return_receipts') }}
),

receipt_lines as (
    select * from {{ ref('stg_ledger__return_receipt_lines') }}
),

-- The first of it that came: from then on a customer waits for money.
came as (
    select receipt_lines.return_id, min(receipts.received_at) as received_at
    from receipt_lines
    inner join receipts on receipt_lines.receipt_no = receipts.receipt_no
    where receipt_lines.return_id is not null
    group by receipt_lines.return_id
),

decided as (
    select
        return_id,
        line_no,
        cast(sum(told_before) as bigint) as told_before_units,
        cast(sum(goods_net_minor) as bigint) as goods_net_minor,
        cast(sum(goods_tax_minor) as bigint) as goods_tax_minor,
        cast(sum(shipping_net_minor + shipping_tax_minor) as bigint) as shipping_minor,
        cast(sum(fee_minor) as bigint) as fee_minor,
        max(decided_at) as decided_at
    from decisions
    group by return_id, line_no
),

final as (
    select
        returns.return_id,
        lines.line_no,
        returns.return_number,
        returns.order_id,
        orders.order_number,
        lines.product_id,
        channels.channel_code,
        locations.location_code,
        returns.return_kind,
        returns.return_state,
        lines.reason,
        lines.resolution,
        lines.expected as expected_units,
        lines.received as received_units,
        lines.missing as missing_units,
        lines.accepted as accepted_units,
        lines.rejected as rejected_units,
        coalesce(decided.told_before_units, 0) as told_before_units,
        orders.currency,
        coalesce(decided.goods_net_minor, 0) as goods_net_minor,
        coalesce(decided.goods_tax_minor, 0) as goods_tax_minor,
        coalesce(decided.shipping_minor, 0) as shipping_minor,
        coalesce(decided.fee_minor, 0) as fee_minor,
        {{ business_date('returns.created_at', 'channels.time_zone') }} as asked_on,
        returns.created_at as asked_at,
        decided.decided_at,
        {{ seconds_between('returns.created_at', 'decided.decided_at') }} as decide_seconds,
        came.received_at,
        -- Completed is what gave its customer all there was to give.
        case when returns.return_state = 'completed' and lines.resolution = 'refund' then returns.changed_at end as refunded_at,
        {{ seconds_between('came.received_at', 'refunded_at') }} as refund_seconds,
        products.sku,
        products.product_type,
        orders.is_test
    from lines
    inner join returns on lines.return_id = returns.return_id
    left join came on lines.return_id = came.return_id
    left join products on lines.product_id = products.product_id
    left join decided on lines.return_id = decided.return_id and lines.line_no = decided.line_no
    left join orders on returns.order_id = orders.order_id
    left join channels on orders.channel_id = channels.channel_id
    left join locations on returns.location_id = locations.location_id
)

select * from final
