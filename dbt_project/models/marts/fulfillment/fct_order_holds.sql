with

changed as (
    select * from {{ ref('int_fulfillment__orders_changed') }}
),

holds as (
    select * from {{ ref('stg_ledger__order_holds') }}
    {% if is_incremental() %} where order_id in (select order_id from changed) {% endif %}
),

orders as (
    select * from {{ ref('stg_ledger__orders') }}
    {% if is_incremental() %} where order_id in (select order_id from changed) {% endif %}
),

channels as (
    select * from {{ ref('stg_ledger__channels') }}
),

final as (
    select
        holds.order_id,
        orders.order_number,
        holds.hold_no,
        channels.channel_code,
        holds.hold_type,
        {{ business_date('holds.placed_at', 'channels.time_zone') }} as held_on,
        holds.placed_at as held_at,
        holds.released_at,
        {{ seconds_between('holds.placed_at', 'holds.released_at') }} as held_seconds,
        orders.is_test
    from holds
    left join orders on holds.order_id = orders.order_id
    left join channels on orders.channel_id = channels.channel_id
)

select * from final
