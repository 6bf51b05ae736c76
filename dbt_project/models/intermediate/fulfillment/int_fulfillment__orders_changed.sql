with

builds as (
    select coalesce(max(batch), 0) as batch from {{ ref('stg_ledger__builds') }}
),

orders as not materialized (
    select * from {{ ref('stg_ledger__orders') }}
),

order_events as not materialized (
    select * from {{ ref('stg_ledger__order_events') }}
),

holds as not materialized (
    select * from {{ ref('stg_ledger__order_holds') }}
),

fulfillment_orders as not materialized (
    select * from {{ ref('stg_ledger__fulfillment_orders') }}
),

fulfillment_lines as not materialized (
    select * from {{ ref('stg_ledger__fulfillment_lines') }}
),

parcels as not materialized (
    select * from {{ ref('stg_ledger__parcels') }}
),

tracking_events as not materialized (
    select * from {{ ref('stg_ledger__tracking_events') }}
),

decisions as not materialized (
    select * from {{ ref('stg_ledger__sourcing_decisions') }}
),

final as (
    select order_id from orders where batch > (select batch from builds)
    union
    select order_id from order_events where batch > (select batch from builds)
    union
    select order_id from holds where batch > (select batch from builds)
    union
    select order_id from fulfillment_orders where batch > (select batch from builds)
    union
    select order_id from fulfillment_lines where batch > (select batch from builds)
    union
    select order_id from parcels where batch > (select batch from builds)
    union
    select parcels.order_id
    from tracking_events
    inner join parcels on tracking_events.parcel_id = parcels.parcel_id
    where tracking_events.batch > (select batch from builds)
    union
    select order_id from decisions where batch > (select batch from builds)
)

select * from final
