with

inspections as (
    select * from {{ ref('stg_ledger__return_inspections') }}
),

receipt_lines as (
    select * from {{ ref('stg_ledger__return_receipt_lines') }}
),

receipts as (
    select * from {{ ref('stg_ledger__return_receipts') }}
),

returns as (
    select * from {{ ref('stg_ledger__returns') }}
),

lines as (
    select * from {{ ref('stg_ledger__return_lines') }}
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

products as (
    select * from {{ ref('stg_ledger__products') }}
),

final as (
    select
        inspections.row_id,
        inspections.units_before,
        inspections.return_id,
        returns.return_number,
        inspections.line_no,
        orders.order_number,
        channels.channel_code,
        locations.location_code,
        products.sku,
        products.product_type,
        returns.return_kind,
        lines.reason,
        lines.resolution,
        inspections.condition,
        inspections.disposition,
        inspections.quantity as units,
        receipts.received_at,
        inspections.inspected_at,
        {{ business_date('inspections.inspected_at', 'channels.time_zone') }} as inspected_on,
        {{ seconds_between('receipts.received_at', 'inspections.inspected_at') }} as inspect_seconds,
        orders.is_test
    from inspections
    inner join receipt_lines on inspections.row_id = receipt_lines.row_id
    inner join receipts on receipt_lines.receipt_no = receipts.receipt_no
    inner join returns on inspections.return_id = returns.return_id
    left join lines on inspections.return_id = lines.return_id and inspections.line_no = lines.line_no
    left join orders on returns.order_id = orders.order_id
    left join channels on orders.channel_id = channels.channel_id
    left join locations on receipts.location_id = locations.location_id
    left join products on lines.product_id = products.product_id
)

select * from final
