-- Guards: on hand and unavailable are the sums of their movements, and the latest daily closing.
{{ config(meta={'dagster': {'ref': {'name': 'fct_stock_levels'}}}) }}

with

levels as (
    select * from {{ ref('fct_stock_levels') }}
),

movements as (
    select * from {{ ref('fct_stock_movements') }}
),

daily as (
    select * from {{ ref('fct_stock_daily') }}
),

moved as (
    select product_id, location_id, sum(on_hand_delta) as on_hand, sum(unavailable_delta) as unavailable
    from movements
    group by product_id, location_id
),

closed as (
    select product_id, location_id, arg_max(on_hand, stock_on) as on_hand, arg_max(unavailable, stock_on) as unavailable
    from daily
    group by product_id, location_id
),

both_sides as (
    select
        coalesce(levels.on_hand, 0) as level_on_hand,
        coalesce(moved.on_hand, 0) as moved_on_hand,
        coalesce(closed.on_hand, 0) as closed_on_hand,
        coalesce(levels.unavailable, 0) as level_unavailable,
        coalesce(moved.unavailable, 0) as moved_unavailable,
        coalesce(closed.unavailable, 0) as closed_unavailable,
        product_id,
        location_id
    from levels
    full join moved using (product_id, location_id)
    full join closed using (product_id, location_id)
)

select * from both_sides
where
    level_on_hand <> moved_on_hand
    or level_on_hand <> closed_on_hand
    or level_unavailable <> moved_unavailable
    or level_unavailable <> closed_unavailable
