-- Guards: every movement and every level of the ledger's journal is in the marts, place by place.
{{ config(meta={'dagster': {'ref': {'name': 'fct_stock_levels'}}}) }}

with

movements as (
    select * from {{ source('ledger', 'stock_movements') }}
),

levels as (
    select * from {{ source('ledger', 'stock_levels') }}
),

mart_movements as (
    select * from {{ ref('fct_stock_movements') }}
),

mart_levels as (
    select * from {{ ref('fct_stock_levels') }}
),

ledger as (
    select 'movements' as what, product_id, location_id, count(*) as rows_count, sum(on_hand_delta) as units
    from movements
    group by product_id, location_id
    union all
    select 'levels', product_id, location_id, count(*), sum(on_hand)
    from levels
    group by product_id, location_id
),

mart as (
    select 'movements' as what, product_id, location_id, count(*) as rows_count, sum(on_hand_delta) as units
    from mart_movements
    group by product_id, location_id
    union all
    select 'levels', product_id, location_id, count(*), sum(on_hand)
    from mart_levels
    group by product_id, location_id
)

(select 'ledger' as only_in, * from ledger except select 'ledger', * from mart)
union all
(select 'mart' as only_in, * from mart except select 'mart', * from ledger)
