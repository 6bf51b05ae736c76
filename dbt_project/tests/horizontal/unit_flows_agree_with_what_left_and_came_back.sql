-- Guards: every unit that left or came back is in one flow and no other, place by place.
{{ config(meta={'dagster': {'ref': {'name': 'fct_unit_flows'}}}) }}

with

line_events as (
    select * from {{ ref('stg_ledger__line_events') }}
    where event_kind in ('ship', 'return')
),

locations as (
    select * from {{ ref('dim_locations') }}
),

flows as (
    select * from {{ ref('fct_unit_flows') }}
),

moved as (
    select line_events.order_id, line_events.line_no, line_events.event_kind, locations.location_code, abs(line_events.quantity) as units
    from line_events
    inner join {{ ref('fct_orders') }} as orders on line_events.order_id = orders.order_id
    left join locations on line_events.location_id = locations.location_id
),

shipped as (
    select order_id, line_no, sum(units) as units
    from moved
    where event_kind = 'ship'
    group by order_id, line_no
),

returned as (
    select order_id, line_no, sum(units) as units
    from moved
    where event_kind = 'return'
    group by order_id, line_no
),

-- Where more came back than is known to have left, nobody said where it left from.
expected as (
    select 'left' as what, order_id, line_no, location_code, sum(units) as units
    from moved
    where event_kind = 'ship'
    group by all
    union all
    select 'left', returned.order_id, returned.line_no, null, returned.units - coalesce(shipped.units, 0)
    from returned
    left join shipped on returned.order_id = shipped.order_id and returned.line_no = shipped.line_no
    where returned.units > coalesce(shipped.units, 0)
    union all
    select 'came back', order_id, line_no, location_code, sum(units)
    from moved
    where event_kind = 'return'
    group by all
),

found as (
    select 'left' as what, order_id, line_no, fulfilled_location_code as location_code, units
    from flows
    union all
    select 'came back', order_id, line_no, returned_location_code, units
    from flows
    where is_returned
),

compared as (
    select what, order_id, line_no, location_code, units, 0 as found_units from expected
    union all
    select what, order_id, line_no, location_code, 0, units from found
)

select what, order_id, line_no, location_code, sum(units) as units, sum(found_units) as found_units
from compared
group by what, order_id, line_no, location_code
having sum(units) <> sum(found_units)
