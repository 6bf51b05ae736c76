-- Guards: no fulfillment order, parcel, transfer, hold or decision is lost or doubled on its way
-- from the ledger's journal to the marts, in count and units, nor is any step of one.
{{ config(meta={'dagster': {'ref': {'name': 'fct_fulfillments'}}}) }}

with

order_events as (
    select * from {{ source('ledger', 'order_events') }}
),

works as (
    select * from {{ ref('fct_fulfillments') }}
),

ledger as (
    select 'fulfillment ' || state as what, count(*) as rows_count, 0 as units
    from {{ source('ledger', 'fulfillment_orders') }}
    group by state
    union all
    select 'lines', count(*), sum(quantity + 1000 * picked + 1000000 * done + 1000000000 * removed)
    from {{ source('ledger', 'fulfillment_lines') }}
    union all
    select 'parcels ' || state, count(*), sum(cost_minor)
    from {{ source('ledger', 'parcels') }}
    group by state
    union all
    select 'scans', count(*), 0
    from {{ source('ledger', 'tracking_events') }}
    union all
    select 'transfers ' || state, count(*), 0
    from {{ source('ledger', 'transfers') }}
    group by state
    union all
    select 'sent', 0, sum(shipped + 1000 * received + 1000000 * damaged + 1000000000 * missing)
    from {{ source('ledger', 'transfer_lines') }}
    union all
    select 'differences', count(*), 0
    from {{ source('ledger', 'transfer_discrepancies') }}
    union all
    select 'holds ' || type, count(*), count(released_at)
    from {{ source('ledger', 'order_holds') }}
    group by type
    union all
    select 'decisions', count(*), 0
    from {{ source('ledger', 'sourcing_decisions') }}
    union all
    select 'accepted', count(distinct data ->> '$.fulfillment'), 0
    from order_events
    where type = 'fulfillment.accepted'
    union all
    select 'out', count(distinct data ->> '$.fulfillment'), 0
    from order_events
    where type in ('fulfillment.ready_for_collection', 'fulfillment.shipped')
),

mart as (
    select 'fulfillment ' || fulfillment_state as what, count(*) as rows_count, 0 as units
    from works
    group by fulfillment_state
    union all
    select 'lines', count(*), sum(units + 1000 * picked_units + 1000000 * done_units + 1000000000 * removed_units)
    from {{ ref('fct_fulfillment_lines') }}
    union all
    select 'parcels ' || parcel_state, count(*), sum(cast(cost_amount * 100 as bigint))
    from {{ ref('fct_parcels') }}
    group by parcel_state
    union all
    select 'scans', coalesce(sum(scans_count), 0), 0
    from {{ ref('fct_parcels') }}
    union all
    select 'transfers ' || transfer_state, count(*), 0
    from {{ ref('fct_transfers') }}
    group by transfer_state
    union all
    select 'sent', 0, sum(shipped_units + 1000 * received_units + 1000000 * damaged_units + 1000000000 * missing_units)
    from {{ ref('fct_transfers') }}
    union all
    select 'differences', coalesce(sum(discrepancies_count), 0), 0
    from {{ ref('fct_transfers') }}
    union all
    select 'holds ' || hold_type, count(*), count(released_at)
    from {{ ref('fct_order_holds') }}
    group by hold_type
    union all
    select 'decisions', count(*), 0
    from {{ ref('fct_sourcing_decisions') }}
    union all
    select 'accepted', count(accepted_at), 0
    from works
    union all
    select 'out', count(out_at), 0
    from works
)

(select 'ledger' as only_in, * from ledger except select 'ledger', * from mart)
union all
(select 'mart' as only_in, * from mart except select 'mart', * from ledger)
