-- Guards: the rule that a code never changes. Facts carry channel and location codes so that
-- nobody has to join; a code changed in the ledger would leave the old ones behind.
{{ config(meta={'dagster': {'ref': {'name': 'dim_channels'}}}) }}

with

channels as (
    select * from {{ ref('dim_channels') }}
),

locations as (
    select * from {{ ref('dim_locations') }}
),

orders as (
    select * from {{ ref('fct_orders') }}
),

levels as (
    select * from {{ ref('fct_stock_levels') }}
)

select distinct 'channel' as what, orders.channel_code as code_in_facts, channels.channel_code as code_in_dimension
from orders
left join channels on orders.channel_id = channels.channel_id
where orders.channel_code is distinct from channels.channel_code
union all
select distinct 'location', levels.location_code, locations.location_code
from levels
left join locations on levels.location_id = locations.location_id
where levels.location_code is distinct from locations.location_code
