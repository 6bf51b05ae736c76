with

changed as (
    select * from {{ ref('int_fulfillment__orders_changed') }}
),

works as (
    select * from {{ ref('fct_fulfillments') }}
    {% if is_incremental() %} where order_id in (select order_id from changed) {% endif %}
),

decisions as (
    select * from {{ ref('fct_sourcing_decisions') }}
    {% if is_incremental() %} where order_id in (select order_id from changed) {% endif %}
),

planned as (
    select
        order_id,
        group_no,
        count(*) as decisions_count,
        arg_min(parts_count, decision_no) as planned_parts_count,
        arg_min(distance_km, decision_no) as planned_distance_km
    from decisions
    group by order_id, group_no
),

worked as (
    select
        order_id,
        group_no,
        any_value(order_number) as order_number,
        any_value(channel_code) as channel_code,
        arg_max(fulfillment_method, fulfillment_id) as fulfillment_method,
        min(created_on) as created_on,
        count(*) as fulfillments_count,
        count(*) filter (out_at is not null) as shipments_count,
        count(distinct location_id) filter (out_at is not null) as shipped_from_count,
        count(*) filter (fulfillment_state = 'rejected') as rejections_count,
        cast(sum(short_units) as bigint) as short_units,
        min(out_at) as first_out_at,
        max(out_at) as last_out_at,
        bool_or(is_test) as is_test
    from works
    group by order_id, group_no
),

final as (
    select
        worked.order_id,
        worked.order_number,
        worked.group_no,
        worked.channel_code,
        worked.fulfillment_method,
        worked.created_on,
        coalesce(planned.decisions_count, 0) as decisions_count,
        planned.planned_parts_count,
        planned.planned_distance_km,
        worked.fulfillments_count,
        worked.shipments_count,
        worked.shipped_from_count,
        worked.shipments_count > 1 as is_split,
        worked.rejections_count,
        worked.short_units,
        worked.first_out_at,
        worked.last_out_at,
        worked.is_test
    from worked
    left join planned on worked.order_id = planned.order_id and worked.group_no = planned.group_no
)

select * from final
