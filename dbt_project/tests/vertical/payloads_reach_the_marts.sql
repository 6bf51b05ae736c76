-- Guards: every payload and every document set aside is counted, channel by channel.
{{ config(meta={'dagster': {'ref': {'name': 'feeds_daily'}}}) }}

with

inbox as (
    select * from {{ source('ledger', 'inbox') }}
),

quarantine as (
    select * from {{ source('ledger', 'quarantine') }}
),

channels as (
    select * from {{ source('ledger', 'channels') }}
),

feeds as (
    select * from {{ ref('feeds_daily') }}
),

items as (
    select * from {{ ref('quarantine_items') }}
),

ledger as (
    select 'payloads' as what, channels.channel_code, count(*) as things_count, sum(inbox.documents_count) as documents_count
    from inbox
    left join channels on inbox.channel_id = channels.channel_id
    group by channels.channel_code
    union all
    select 'set aside', channels.channel_code, count(*), count(*)
    from quarantine
    left join channels on quarantine.channel_id = channels.channel_id
    group by channels.channel_code
),

mart as (
    select 'payloads' as what, channel_code, sum(payloads_count) as things_count, sum(documents_count) as documents_count
    from feeds
    group by channel_code
    union all
    select 'set aside', channel_code, count(*), count(*)
    from items
    group by channel_code
)

(select 'ledger' as only_in, * from ledger except select 'ledger', * from mart)
union all
(select 'mart' as only_in, * from mart except select 'mart', * from ledger)
