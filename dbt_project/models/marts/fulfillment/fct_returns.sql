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

locations as (
    select * from {{ ref('stg_ledger__locations') }}
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
        orders.is_test
    from lines
    inner join returns on lines.return_id = returns.return_id
    left join decided on lines.return_id = decided.return_id and lines.line_no = decided.line_no
    left join orders on returns.order_id = orders.order_id
    left join channels on orders.channel_id = channels.channel_id
    left join locations on returns.location_id = locations.location_id
)

select * from final
