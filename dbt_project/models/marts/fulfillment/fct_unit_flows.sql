-- Units of a line are numbered as they leave; the first to leave are the first to come back.
with

changed as (
    select * from {{ ref('int_sales__orders_changed') }}
),

line_events as (
    select * from {{ ref('stg_ledger__line_events') }}
    where
        event_kind in ('ship', 'return')
        and quantity <> 0
        {% if is_incremental() %} and order_id in (select order_id from changed) {% endif %}
),

orders as (
    select * from {{ ref('stg_ledger__orders') }}
    {% if is_incremental() %} where order_id in (select order_id from changed) {% endif %}
),

order_lines as (
    select * from {{ ref('stg_ledger__order_lines') }}
    {% if is_incremental() %} where order_id in (select order_id from changed) {% endif %}
),

order_groups as (
    select * from {{ ref('stg_ledger__order_groups') }}
    {% if is_incremental() %} where order_id in (select order_id from changed) {% endif %}
),

channels as (
    select * from {{ ref('stg_ledger__channels') }}
),

locations as (
    select * from {{ ref('stg_ledger__locations') }}
),

numbered as (
    select
        order_id,
        line_no,
        event_kind,
        location_id,
        abs(quantity) as units,
        sum(abs(quantity)) over (
            partition by order_id, line_no, event_kind order by occurred_at, change_ref
        ) as upto
    from line_events
),

-- The ends of all runs of units: between two of them, where units left and came to is one thing.
cuts as (
    select distinct order_id, line_no, upto from numbered
),

runs as (
    select
        order_id,
        line_no,
        upto,
        upto - coalesce(lag(upto) over (partition by order_id, line_no order by upto), 0) as units
    from cuts
),

flows as (
    select
        runs.order_id,
        runs.line_no,
        shipped.location_id as fulfilled_location_id,
        returned.location_id as returned_location_id,
        returned.upto is not null as is_returned,
        cast(sum(runs.units) as bigint) as units
    from runs
    left join numbered as shipped
        on runs.order_id = shipped.order_id
        and runs.line_no = shipped.line_no
        and shipped.event_kind = 'ship'
        and runs.upto <= shipped.upto
        and runs.upto > shipped.upto - shipped.units
    left join numbered as returned
        on runs.order_id = returned.order_id
        and runs.line_no = returned.line_no
        and returned.event_kind = 'return'
        and runs.upto <= returned.upto
        and runs.upto > returned.upto - returned.units
    group by runs.order_id, runs.line_no, shipped.location_id, returned.location_id, returned.upto is not null
),

final as (
    select
        flows.order_id,
        orders.order_number,
        flows.line_no,
        channels.channel_code,
        order_lines.sku,
        coalesce(order_groups.fulfillment_method, orders.fulfillment_method) as fulfillment_method,
        orders.placed_on,
        sold.location_code as sold_location_code,
        fulfilled.location_code as fulfilled_location_code,
        flows.is_returned,
        returned.location_code as returned_location_code,
        flows.units,
        -- Sold online, a store has a part in it; sold in a store, another location has.
        coalesce(case
            when sold.location_code is null then fulfilled.location_kind = 'store' or returned.location_kind = 'store'
            else fulfilled.location_code <> sold.location_code or returned.location_code <> sold.location_code
        end, false) as is_omnichannel,
        orders.is_test
    from flows
    inner join orders on flows.order_id = orders.order_id
    left join order_lines on flows.order_id = order_lines.order_id and flows.line_no = order_lines.line_no
    left join order_groups on order_lines.order_id = order_groups.order_id and order_lines.group_no = order_groups.group_no
    left join channels on orders.channel_id = channels.channel_id
    left join locations as sold on orders.location_id = sold.location_id
    left join locations as fulfilled on flows.fulfilled_location_id = fulfilled.location_id
    left join locations as returned on flows.returned_location_id = returned.location_id
)

select * from final
