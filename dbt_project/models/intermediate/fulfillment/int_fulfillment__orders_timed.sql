-- What was put back and picked again was picked the last time; what left has left when it first did.
with

changed as (
    select * from {{ ref('int_fulfillment__orders_changed') }}
),

order_events as (
    select * from {{ ref('stg_ledger__order_events') }}
    where
        fulfillment_number is not null
        {% if is_incremental() %} and order_id in (select order_id from changed) {% endif %}
),

final as (
    select
        order_id,
        fulfillment_number,
        min(occurred_at) filter (event_type = 'fulfillment.assigned') as assigned_at,
        min(occurred_at) filter (event_type = 'fulfillment.accepted') as accepted_at,
        max(occurred_at) filter (event_type = 'fulfillment.picked') as picked_at,
        max(occurred_at) filter (event_type = 'fulfillment.packed') as packed_at,
        min(occurred_at) filter (event_type = 'fulfillment.ready_for_collection') as ready_at,
        min(occurred_at) filter (event_type = 'fulfillment.shipped') as shipped_at,
        min(occurred_at) filter (event_type = 'fulfillment.delivered') as delivery_told_at,
        count(*) filter (event_type = 'fulfillment.delivery_failed') as failures_count,
        max(occurred_at) filter (event_type = 'fulfillment.collected') as collected_at,
        max(occurred_at) filter (event_type = 'fulfillment.uncollected') as uncollected_at,
        max(occurred_at) filter (event_type = 'fulfillment.rejected') as rejected_at,
        max(occurred_at) filter (event_type = 'fulfillment.canceled') as canceled_at
    from order_events
    group by order_id, fulfillment_number
)

select * from final
