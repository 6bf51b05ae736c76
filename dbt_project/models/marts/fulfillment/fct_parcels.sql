with

changed as (
    select * from {{ ref('int_fulfillment__orders_changed') }}
),

parcels as (
    select * from {{ ref('stg_ledger__parcels') }}
    {% if is_incremental() %} where order_id in (select order_id from changed) {% endif %}
),

scans as (
    select * from {{ ref('stg_ledger__tracking_events') }}
    {% if is_incremental() %} where parcel_id in (select parcel_id from parcels) {% endif %}
),

fulfillment_orders as (
    select * from {{ ref('stg_ledger__fulfillment_orders') }}
    {% if is_incremental() %} where order_id in (select order_id from changed) {% endif %}
),

orders as (
    select * from {{ ref('stg_ledger__orders') }}
    {% if is_incremental() %} where order_id in (select order_id from changed) {% endif %}
),

channels as (
    select * from {{ ref('stg_ledger__channels') }}
),

locations as (
    select * from {{ ref('stg_ledger__locations') }}
),

currencies as (
    select * from {{ ref('currencies') }}
),

told as (
    select
        parcel_id,
        count(*) as scans_count,
        count(*) filter (parcel_state in ('delivery_failed', 'damaged', 'lost')) as failures_count,
        min(occurred_at) filter (parcel_state in ('delivered', 'collected')) as arrived_at
    from scans
    group by parcel_id
),

final as (
    select
        parcels.parcel_id,
        parcels.parcel_number,
        parcels.fulfillment_id,
        fulfillment_orders.fulfillment_number,
        parcels.order_id,
        orders.order_number,
        channels.channel_code,
        locations.location_code,
        parcels.carrier,
        parcels.service,
        parcels.parcel_state,
        parcels.weight_grams,
        parcels.cost_currency,
        {{ minor_to_amount('parcels.cost_minor', 'currencies.exponent') }} as cost_amount,
        coalesce(told.scans_count, 0) as scans_count,
        coalesce(told.failures_count, 0) as failures_count,
        {{ business_date('parcels.created_at', 'locations.time_zone') }} as created_on,
        parcels.created_at,
        parcels.handed_over_at,
        told.arrived_at,
        parcels.voided_at,
        {{ seconds_between('parcels.handed_over_at', 'told.arrived_at') }} as transit_seconds,
        orders.is_test
    from parcels
    left join told on parcels.parcel_id = told.parcel_id
    left join fulfillment_orders on parcels.fulfillment_id = fulfillment_orders.fulfillment_id
    left join orders on parcels.order_id = orders.order_id
    left join channels on orders.channel_id = channels.channel_id
    left join locations on fulfillment_orders.location_id = locations.location_id
    left join currencies on parcels.cost_currency = currencies.currency
)

select * from final
