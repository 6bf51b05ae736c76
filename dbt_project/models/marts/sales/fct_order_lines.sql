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

-- Shipping moves goods, not sales.
events as (
    select * from {{ ref('stg_ledger__line_events') }}
    where
        event_kind <> 'ship'
        {% if is_incremental() %} and order_id in (select order_id from changed) {% endif %}
),

channels as (
    select * from {{ ref('stg_ledger__channels') }}
),

currencies as (
    select * from {{ ref('currencies') }}
),

versions as (
    select * from {{ ref('int_catalog__product_versions_ranged') }}
),

final as (
    select
        events.order_id,
        orders.order_number,
        events.line_no,
        events.event_kind,
        events.change_ref,
        orders.channel_id,
        channels.channel_code,
        order_lines.product_id,
        versions.product_key,
        order_lines.sku,
        orders.location_id,
        events.location_id as event_location_id,
        orders.customer_key,
        orders.currency,
        events.occurred_at as event_at,
        events.occurred_on as event_on,
        orders.placed_at,
        orders.placed_on,
        events.quantity,
        {{ minor_to_amount('(events.net_minor + events.discount_net_minor)', 'currencies.exponent') }} as gross_amount,
        {{ minor_to_amount('events.discount_net_minor', 'currencies.exponent') }} as discount_amount,
        {{ minor_to_amount('events.net_minor', 'currencies.exponent') }} as net_amount,
        {{ minor_to_amount('events.tax_minor', 'currencies.exponent') }} as tax_amount,
        events.reason,
        orders.is_test,
        orders.is_historical
    from events
    inner join orders on events.order_id = orders.order_id
    inner join order_lines
        on events.order_id = order_lines.order_id
        and events.line_no = order_lines.line_no
    left join channels on orders.channel_id = channels.channel_id
    left join currencies on orders.currency = currencies.currency
    left join versions
        on order_lines.product_id = versions.product_id
        and orders.placed_at >= versions.matched_from_at
        and orders.placed_at < versions.valid_to_at
)

select * from final
