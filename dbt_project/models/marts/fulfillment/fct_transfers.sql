with

changed as (
    select * from {{ ref('int_fulfillment__transfers_changed') }}
),

transfers as (
    select * from {{ ref('stg_ledger__transfers') }}
    {% if is_incremental() %} where transfer_id in (select transfer_id from changed) {% endif %}
),

lines as (
    select * from {{ ref('stg_ledger__transfer_lines') }}
    {% if is_incremental() %} where transfer_id in (select transfer_id from changed) {% endif %}
),

receipts as (
    select * from {{ ref('stg_ledger__transfer_receipts') }}
    {% if is_incremental() %} where transfer_id in (select transfer_id from changed) {% endif %}
),

discrepancies as (
    select * from {{ ref('stg_ledger__transfer_discrepancies') }}
    {% if is_incremental() %} where transfer_id in (select transfer_id from changed) {% endif %}
),

locations as (
    select * from {{ ref('stg_ledger__locations') }}
),

contents as (
    select
        transfer_id,
        cast(sum(quantity) as bigint) as units,
        cast(sum(removed) as bigint) as removed_units,
        cast(sum(shipped) as bigint) as shipped_units,
        cast(sum(received) as bigint) as received_units,
        cast(sum(damaged) as bigint) as damaged_units,
        cast(sum(missing) as bigint) as missing_units
    from lines
    group by transfer_id
),

arrivals as (
    select transfer_id, min(received_at) as first_received_at, max(received_at) as last_received_at
    from receipts
    group by transfer_id
),

differences as (
    select
        transfer_id,
        count(*) as discrepancies_count,
        sum(quantity) filter (discrepancy_kind = 'over') as over_units,
        sum(quantity) filter (discrepancy_kind = 'wrong_item') as wrong_units
    from discrepancies
    group by transfer_id
),

final as (
    select
        transfers.transfer_id,
        transfers.transfer_number,
        transfers.order_id,
        transfers.fulfillment_id,
        origins.location_code as from_location_code,
        targets.location_code as to_location_code,
        transfers.transfer_state,
        transfers.reason,
        contents.units,
        contents.removed_units,
        contents.shipped_units,
        contents.received_units,
        contents.damaged_units,
        contents.missing_units,
        cast(coalesce(differences.over_units, 0) as bigint) as over_units,
        cast(coalesce(differences.wrong_units, 0) as bigint) as wrong_units,
        coalesce(differences.discrepancies_count, 0) as discrepancies_count,
        {{ business_date('transfers.created_at', 'origins.time_zone') }} as created_on,
        transfers.created_at,
        transfers.shipped_at,
        arrivals.first_received_at,
        arrivals.last_received_at,
        {{ seconds_between('transfers.created_at', 'transfers.shipped_at') }} as send_seconds,
        {{ seconds_between('transfers.shipped_at', 'arrivals.first_received_at') }} as transit_seconds
    from transfers
    left join contents on transfers.transfer_id = contents.transfer_id
    left join arrivals on transfers.transfer_id = arrivals.transfer_id
    left join differences on transfers.transfer_id = differences.transfer_id
    left join locations as origins on transfers.from_location_id = origins.location_id
    left join locations as targets on transfers.to_location_id = targets.location_id
)

select * from final
