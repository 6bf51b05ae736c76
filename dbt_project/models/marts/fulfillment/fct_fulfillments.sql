with

changed as (
    select * from {{ ref('int_fulfillment__orders_changed') }}
),

fulfillment_orders as (
    select * from {{ ref('stg_ledger__fulfillment_orders') }}
    {% if is_incremental() %} where order_id in (select order_id from changed) {% endif %}
),

steps as (
    select * from {{ ref('int_fulfillment__orders_timed') }}
    {% if is_incremental() %} where order_id in (select order_id from changed) {% endif %}
),

orders as (
    select * from {{ ref('stg_ledger__orders') }}
    {% if is_incremental() %} where order_id in (select order_id from changed) {% endif %}
),

lines as (
    select * from {{ ref('fct_fulfillment_lines') }}
    {% if is_incremental() %} where order_id in (select order_id from changed) {% endif %}
),

-- What was promised first stays so; what needs no plan is promised by the rules of its moment.
promises as (
    select * from {{ ref('fct_sourcing_decisions') }}
    where decision_no = 1 {% if is_incremental() %} and order_id in (select order_id from changed) {% endif %}
),

rule_sets as (
    select * from {{ ref('stg_ledger__sourcing_rule_sets') }}
),

arrivals as (
    select fulfillment_id, max(arrived_at) as arrived_at from {{ ref('fct_parcels') }}
    where parcel_state <> 'voided' {% if is_incremental() %} and order_id in (select order_id from changed) {% endif %}
    group by fulfillment_id
),

channels as (
    select * from {{ ref('stg_ledger__channels') }}
),

locations as (
    select * from {{ ref('stg_ledger__locations') }}
),

contents as (
    select
        fulfillment_id,
        cast(sum(units) as bigint) as units,
        cast(sum(picked_units) as bigint) as picked_units,
        cast(sum(done_units) as bigint) as done_units,
        cast(sum(removed_units) as bigint) as removed_units,
        cast(sum(short_units) as bigint) as short_units
    from lines
    group by fulfillment_id
),

final as (
    select
        works.fulfillment_id,
        works.fulfillment_number,
        works.order_id,
        orders.order_number,
        works.group_no,
        channels.channel_code,
        works.location_id,
        locations.location_code,
        works.fulfillment_method,
        works.fulfillment_state,
        works.reason,
        contents.units,
        contents.picked_units,
        contents.done_units,
        contents.removed_units,
        contents.short_units,
        coalesce(steps.failures_count, 0) as failures_count,
        {{ business_date('works.created_at', 'locations.time_zone') }} as created_on,
        orders.placed_at,
        works.created_at,
        steps.assigned_at,
        steps.accepted_at,
        steps.picked_at,
        steps.packed_at,
        steps.ready_at,
        steps.shipped_at,
        case when steps.delivery_told_at is not null then coalesce(arrivals.arrived_at, steps.delivery_told_at) end as delivered_at,
        steps.collected_at,
        steps.uncollected_at,
        steps.rejected_at,
        steps.canceled_at,
        works.collect_by,
        coalesce(promises.promised_at, orders.placed_at + to_hours(rule_sets.promise_hours)) as promised_at,
        coalesce(steps.ready_at, steps.shipped_at) as out_at,
        out_at <= coalesce(promises.promised_at, orders.placed_at + to_hours(rule_sets.promise_hours)) as is_on_time,
        {{ seconds_between('orders.placed_at', 'out_at') }} as order_to_out_seconds,
        {{ seconds_between('steps.assigned_at', 'out_at') }} as work_seconds,
        {{ seconds_between('steps.assigned_at', 'steps.accepted_at') }} as accept_seconds,
        {{ seconds_between('steps.accepted_at', 'steps.picked_at') }} as pick_seconds,
        {{ seconds_between('steps.picked_at', 'out_at') }} as pack_seconds,
        {{ seconds_between('steps.shipped_at', 'delivered_at') }} as delivery_seconds,
        {{ seconds_between('steps.ready_at', 'coalesce(steps.collected_at, steps.uncollected_at)') }} as shelf_seconds,
        orders.is_test
    from fulfillment_orders as works
    left join orders on works.order_id = orders.order_id
    left join channels on orders.channel_id = channels.channel_id
    left join locations on works.location_id = locations.location_id
    left join arrivals on works.fulfillment_id = arrivals.fulfillment_id
    left join contents on works.fulfillment_id = contents.fulfillment_id
    left join steps on works.fulfillment_number = steps.fulfillment_number
    left join promises on works.order_id = promises.order_id and works.group_no = promises.group_no
    left join rule_sets
        on works.created_at >= rule_sets.activated_at and works.created_at < coalesce(rule_sets.archived_at, 'infinity')
)

select * from final
