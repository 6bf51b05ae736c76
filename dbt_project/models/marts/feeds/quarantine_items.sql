with

changed as (
    select * from {{ ref('int_feeds__documents_changed') }}
),

documents as (
    select * from {{ ref('stg_ledger__quarantine') }}
    {% if is_incremental() %} where quarantine_id in (select quarantine_id from changed) {% endif %}
),

inbox as (
    select * from {{ ref('stg_ledger__inbox') }}
),

channels as (
    select * from {{ ref('stg_ledger__channels') }}
),

final as (
    select
        documents.quarantine_id,
        documents.inbox_id,
        channels.channel_code,
        documents.topic,
        documents.position,
        documents.line,
        documents.external_ref,
        documents.code,
        documents.problems ->> '$[0].field' as field,
        documents.problems ->> '$[0].detail' as detail,
        cast(json_array_length(documents.problems) as bigint) as problems_count,
        documents.quarantine_state as state,
        documents.attempts,
        documents.first_seen_at,
        documents.resolved_at,
        inbox.file_name
    from documents
    left join inbox on documents.inbox_id = inbox.inbox_id
    left join channels on documents.channel_id = channels.channel_id
)

select * from final
