with

changed as (
    select * from {{ ref('int_sales__orders_changed') }}
),

orders as (
    select * from {{ ref('stg_ledger__orders') }}
    {% if is_incremental() %} where order_id in (select order_id from changed) {% endif %}
),

order_lines as (
    select * from {{ ref('stg_ledger__order_lines') }}
    {% if is_incremental() %} where order_id in (select order_id from changed) {% endif %}
),

line_events as (
    select * from {{ ref('stg_ledger__line_events') }}
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

contents as (
    select order_id, count(*) as lines_count, sum(quantity) as units
    from order_lines
    group by order_id
),

progress as (
    select
        order_id,
        min(occurred_at) filter (where event_kind = 'ship') as first_shipped_at,
        max(occurred_at) as last_event_at,
        sum(net_minor) filter (where event_kind = 'cancel') as canceled_net_minor,
        sum(net_minor) filter (where event_kind = 'return') as returned_net_minor
    from line_events
    group by order_id
),

final as (
    select
        orders.order_id,
        orders.order_number,
        orders.external_ref,
        orders.external_number,
        orders.channel_id,
        channels.channel_code,
        orders.location_id,
        locations.location_code,
        orders.customer_key,
        orders.order_state,
        orders.fulfillment_state,
        orders.fulfillment_method,
        orders.currency,
        orders.country_code,
        orders.placed_at,
        orders.placed_on,
        progress.first_shipped_at,
        coalesce(progress.last_event_at, orders.placed_at) as last_event_at,
        coalesce(contents.lines_count, 0) as lines_count,
        cast(coalesce(contents.units, 0) as bigint) as units,
        {{ minor_to_amount('orders.items_net_minor', 'currencies.exponent') }} as items_net_amount,
        {{ minor_to_amount('orders.items_tax_minor', 'currencies.exponent') }} as items_tax_amount,
        {{ minor_to_amount('orders.shipping_net_minor', 'currencies.exponent') }} as shipping_net_amount,
        {{ minor_to_amount('orders.shipping_tax_minor', 'currencies.exponent') }} as shipping_tax_amount,
        {{ minor_to_amount('orders.total_minor', 'currencies.exponent') }} as total_amount,
        {{ minor_to_amount('coalesce(progress.canceled_net_minor, 0)', 'currencies.exponent') }} as canceled_net_amount,
        {{ minor_to_amount('coalesce(progress.returned_net_minor, 0)', 'currencies.exponent') }} as returned_net_amount,
        orders.has_exception,
        orders.is_test,
        orders.is_historical
    from orders
    left join channels on orders.channel_id = channels.channel_id
    left join locations on orders.location_id = locations.location_id
    left join currencies on orders.currency = currencies.currency
    left join contents on orders.order_id = contents.order_id
    left join progress on orders.order_id = progress.order_id
)

select * from final
