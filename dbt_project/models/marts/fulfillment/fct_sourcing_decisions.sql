with

changed as (
    select * from {{ ref('int_fulfillment__orders_changed') }}
),

decisions as (
    select * from {{ ref('stg_ledger__sourcing_decisions') }}
    {% if is_incremental() %} where order_id in (select order_id from changed) {% endif %}
),

orders as (
    select * from {{ ref('stg_ledger__orders') }}
    {% if is_incremental() %} where order_id in (select order_id from changed) {% endif %}
),

rule_sets as (
    select * from {{ ref('stg_ledger__sourcing_rule_sets') }}
),

channels as (
    select * from {{ ref('stg_ledger__channels') }}
),

currencies as (
    select * from {{ ref('currencies') }}
),

final as (
    select
        decisions.decision_id,
        decisions.order_id,
        orders.order_number,
        decisions.group_no,
        row_number() over (
            partition by decisions.order_id, decisions.group_no order by decisions.decision_id
        ) as decision_no,
        channels.channel_code,
        decisions.rules_version,
        decisions.decided_at,
        orders.placed_at + to_hours(rule_sets.promise_hours) as promised_at,
        decisions.parts_count,
        decisions.late_parts_count,
        decisions.left_units,
        decisions.distance_km,
        orders.currency,
        {{ minor_to_amount('decisions.cost_minor', 'currencies.exponent') }} as cost_amount,
        orders.is_test
    from decisions
    left join orders on decisions.order_id = orders.order_id
    left join rule_sets on decisions.rules_version = rule_sets.rules_version
    left join channels on orders.channel_id = channels.channel_id
    left join currencies on orders.currency = currencies.currency
)

select * from final
