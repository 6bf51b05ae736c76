with

changed as (
    select * from {{ ref('int_fulfillment__orders_changed') }}
),

lines as (
    select * from {{ ref('stg_ledger__fulfillment_lines') }}
    {% if is_incremental() %} where order_id in (select order_id from changed) {% endif %}
),

fulfillment_orders as (
    select * from {{ ref('stg_ledger__fulfillment_orders') }}
    {% if is_incremental() %} where order_id in (select order_id from changed) {% endif %}
),

order_events as (
    select * from {{ ref('stg_ledger__order_events') }}
    where
        short is not null
        {% if is_incremental() %} and order_id in (select order_id from changed) {% endif %}
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

products as (
    select * from {{ ref('stg_ledger__products') }}
),

-- What a location could not supply stands in the step by which it said so, line by line.
told as (
    select fulfillment_number, seq, reason, short, unnest(json_keys(short)) as line_no
    from order_events
),

shortages as (
    select
        fulfillment_number,
        cast(line_no as bigint) as line_no,
        sum(cast(short ->> line_no as bigint)) as units,
        arg_max(reason, seq) as reason
    from told
    group by fulfillment_number, line_no
),

final as (
    select
        lines.fulfillment_id,
        fulfillment_orders.fulfillment_number,
        lines.order_id,
        orders.order_number,
        lines.line_no,
        channels.channel_code,
        fulfillment_orders.location_id,
        locations.location_code,
        lines.product_id,
        products.sku,
        lines.quantity as units,
        lines.picked as picked_units,
        lines.done as done_units,
        lines.removed as removed_units,
        cast(coalesce(shortages.units, 0) as bigint) as short_units,
        shortages.reason as short_reason
    from lines
    left join fulfillment_orders on lines.fulfillment_id = fulfillment_orders.fulfillment_id
    left join orders on lines.order_id = orders.order_id
    left join channels on orders.channel_id = channels.channel_id
    left join locations on fulfillment_orders.location_id = locations.location_id
    left join products on lines.product_id = products.product_id
    left join shortages
        on fulfillment_orders.fulfillment_number = shortages.fulfillment_number
        and lines.line_no = shortages.line_no
)

select * from final
