"""Questions about fulfillment in SQL: what each subject counts, and what of it is measured."""

from typing import Final

_CHANNELS: Final = """(len($channels::varchar[]) = 0
            or facts.channel_code in (select unnest($channels::varchar[])))"""
_LOCATIONS: Final = """(len($locations::varchar[]) = 0
            or facts.location_code in (select unnest($locations::varchar[])))"""
_DAYS: Final = "facts.created_on >= $from_on and facts.created_on < $to_on"
_CHANNEL_NAME: Final = "coalesce(channels.channel_name, facts.channel_code) as channel_name"
_LOCATION_NAME: Final = "coalesce(locations.location_name, facts.location_code) as location_name"
_JOIN_CHANNELS: Final = """
        left join dim_channels as channels on channels.channel_code = facts.channel_code"""
_JOIN_LOCATIONS: Final = """
        left join dim_locations as locations on locations.location_code = facts.location_code"""

_WORK: Final = f"""
    with scope as (
        select facts.*, {_CHANNEL_NAME}, {_LOCATION_NAME}
        from fct_fulfillments as facts{_JOIN_CHANNELS}{_JOIN_LOCATIONS}
        where not facts.is_test and {_DAYS} and {_CHANNELS} and {_LOCATIONS}
    )
"""
# A work counts once, its lines' shortages by the reason that was told with them.
_SHORTAGES: Final = f"""
    with lacking as (
        select fulfillment_id,
            sum(short_units) filter (short_reason = 'not_found') as not_found_units,
            sum(short_units) filter (short_reason = 'damaged') as damaged_units,
            sum(short_units) filter (short_reason = 'no_capacity') as no_capacity_units,
            sum(short_units) filter (short_reason = 'closed') as closed_units,
            sum(short_units) filter (short_reason not in
                ('not_found', 'damaged', 'no_capacity', 'closed')) as other_units
        from fct_fulfillment_lines
        where short_units > 0
        group by fulfillment_id
    ),
    scope as (
        select facts.*, lacking.* exclude (fulfillment_id), {_CHANNEL_NAME}, {_LOCATION_NAME}
        from fct_fulfillments as facts
        left join lacking on lacking.fulfillment_id = facts.fulfillment_id
        {_JOIN_CHANNELS}{_JOIN_LOCATIONS}
        where not facts.is_test and {_DAYS} and {_CHANNELS} and {_LOCATIONS}
    )
"""
# With locations chosen a group counts where one of them was asked.
_GROUPS: Final = f"""
    with scope as (
        select facts.*, {_CHANNEL_NAME}
        from fct_delivery_groups as facts{_JOIN_CHANNELS}
        where not facts.is_test and {_DAYS} and {_CHANNELS}
            and (len($locations::varchar[]) = 0 or (facts.order_id, facts.group_no) in (
                select order_id, group_no from fct_fulfillments
                where location_code in (select unnest($locations::varchar[]))))
    )
"""
_PARCELS: Final = f"""
    with scope as (
        select facts.*, {_CHANNEL_NAME}, {_LOCATION_NAME}
        from fct_parcels as facts{_JOIN_CHANNELS}{_JOIN_LOCATIONS}
        where not facts.is_test and facts.parcel_state <> 'voided'
            and {_DAYS} and {_CHANNELS} and {_LOCATIONS}
    )
"""
# A transfer is of no channel, and of two locations.
_TRANSFERS: Final = f"""
    with scope as (
        select facts.*, coalesce(senders.location_name, from_location_code) as from_location_name,
            coalesce(receivers.location_name, to_location_code) as to_location_name
        from fct_transfers as facts
        left join dim_locations as senders on senders.location_code = from_location_code
        left join dim_locations as receivers on receivers.location_code = to_location_code
        where {_DAYS} and (len($locations::varchar[]) = 0
            or from_location_code in (select unnest($locations::varchar[]))
            or to_location_code in (select unnest($locations::varchar[])))
    )
"""
_HOLDS: Final = f"""
    with scope as (
        select facts.*, {_CHANNEL_NAME}
        from fct_order_holds as facts{_JOIN_CHANNELS}
        where not facts.is_test and {_CHANNELS}
            and facts.held_on >= $from_on and facts.held_on < $to_on
    )
"""
_FLOWS: Final = f"""
    with scope as (
        select facts.*, {_CHANNEL_NAME}, sold_location_code is null as is_online,
            coalesce(sold.location_name, sold_location_code, 'Online') as sold_location_name,
            coalesce(fulfilled.location_name, fulfilled_location_code, 'Not told')
                as fulfilled_location_name,
            case when is_returned
                then coalesce(returned.location_name, returned_location_code, 'Not told')
                else 'Kept' end as returned_location_name,
            fulfilled.location_kind as fulfilled_kind
        from fct_unit_flows as facts{_JOIN_CHANNELS}
        left join dim_locations as sold on sold.location_code = sold_location_code
        left join dim_locations as fulfilled on fulfilled.location_code = fulfilled_location_code
        left join dim_locations as returned on returned.location_code = returned_location_code
        where not facts.is_test and {_CHANNELS}
            and facts.placed_on >= $from_on and facts.placed_on < $to_on
            and (len($locations::varchar[]) = 0
                or sold_location_code in (select unnest($locations::varchar[]))
                or fulfilled_location_code in (select unnest($locations::varchar[]))
                or returned_location_code in (select unnest($locations::varchar[])))
    )
"""


def _quantile(seconds: str, part: float, name: str) -> str:
    return f"round(quantile_cont({seconds}, {part}))::bigint as {name}"


_SPLITS_MEASURED: Final = """
    count(*) as groups_count,
    count(*) filter (shipments_count > 0) as shipped_groups_count,
    count(*) filter (is_split) as split_groups_count,
    count(*) filter (is_split) / nullif(count(*) filter (shipments_count > 0), 0) as split_ratio,
    coalesce(sum(shipments_count), 0)::bigint as shipments_count,
    sum(shipments_count) / nullif(count(*) filter (shipments_count > 0), 0) as shipments_average,
    count(*) filter (shipments_count = 1) as one_shipment_count,
    count(*) filter (shipments_count = 2) as two_shipments_count,
    count(*) filter (shipments_count > 2) as more_shipments_count,
    count(*) filter (rejections_count > 0) as rerouted_groups_count,
    count(*) filter (rejections_count > 0) / nullif(count(*), 0) as rerouted_ratio,
    avg(planned_distance_km) as planned_distance_km
"""
_TIMES_MEASURED: Final = f"""
    count(*) as fulfillments_count,
    count(out_at) as out_count,
    {_quantile("work_seconds", 0.5, "work_p50_seconds")},
    {_quantile("work_seconds", 0.9, "work_p90_seconds")},
    {_quantile("order_to_out_seconds", 0.5, "order_to_out_p50_seconds")},
    {_quantile("order_to_out_seconds", 0.9, "order_to_out_p90_seconds")},
    {_quantile("accept_seconds", 0.5, "accept_p50_seconds")},
    {_quantile("pick_seconds", 0.5, "pick_p50_seconds")},
    {_quantile("pack_seconds", 0.5, "pack_p50_seconds")},
    {_quantile("delivery_seconds", 0.5, "delivery_p50_seconds")},
    {_quantile("delivery_seconds", 0.9, "delivery_p90_seconds")},
    count(*) filter (is_on_time) / nullif(count(is_on_time), 0) as on_time_ratio
"""
_REJECTIONS_MEASURED: Final = """
    count(*) as fulfillments_count,
    count(*) filter (fulfillment_state = 'rejected') as rejected_count,
    count(*) filter (fulfillment_state = 'rejected') / nullif(count(*), 0) as rejection_ratio,
    coalesce(sum(units) filter (picked_at is not null or rejected_at is not null), 0)::bigint
        as to_pick_units,
    coalesce(sum(short_units), 0)::bigint as short_units,
    sum(short_units) / nullif(sum(units) filter
        (picked_at is not null or rejected_at is not null), 0) as short_ratio,
    coalesce(sum(not_found_units), 0)::bigint as not_found_units,
    coalesce(sum(damaged_units), 0)::bigint as damaged_units,
    coalesce(sum(no_capacity_units), 0)::bigint as no_capacity_units,
    coalesce(sum(closed_units), 0)::bigint as closed_units,
    coalesce(sum(other_units), 0)::bigint as other_units
"""
_COLLECTION_MEASURED: Final = f"""
    count(ready_at) as ready_count,
    count(*) filter (is_on_time) / nullif(count(is_on_time), 0) as ready_on_time_ratio,
    count(collected_at) as collected_count,
    count(uncollected_at) as uncollected_count,
    count(*) filter (fulfillment_state = 'ready_for_collection') as waiting_count,
    count(collected_at) / nullif(count(collected_at) + count(uncollected_at), 0) as collect_ratio,
    count(uncollected_at) / nullif(count(collected_at) + count(uncollected_at), 0)
        as no_show_ratio,
    {_quantile("shelf_seconds", 0.5, "shelf_p50_seconds")},
    {_quantile("shelf_seconds", 0.9, "shelf_p90_seconds")}
"""
_PARCELS_MEASURED: Final = f"""
    count(*) as parcels_count,
    count(arrived_at) as arrived_count,
    {_quantile("transit_seconds", 0.5, "transit_p50_seconds")},
    {_quantile("transit_seconds", 0.9, "transit_p90_seconds")},
    count(*) filter (failures_count > 0) as failed_parcels_count,
    count(*) filter (failures_count > 0) / nullif(count(*), 0) as failed_parcels_ratio
"""
_TRANSFERS_MEASURED: Final = f"""
    count(*) as transfers_count,
    coalesce(sum(shipped_units), 0)::bigint as sent_units,
    coalesce(sum(received_units), 0)::bigint as received_units,
    coalesce(sum(damaged_units), 0)::bigint as arrived_damaged_units,
    coalesce(sum(missing_units), 0)::bigint as missing_units,
    coalesce(sum(over_units), 0)::bigint as over_units,
    coalesce(sum(wrong_units), 0)::bigint as wrong_units,
    count(*) filter (discrepancies_count > 0) / nullif(count(first_received_at), 0)
        as discrepancy_ratio,
    {_quantile("send_seconds", 0.5, "send_p50_seconds")},
    {_quantile("transit_seconds", 0.5, "transit_p50_seconds")},
    {_quantile("transit_seconds", 0.9, "transit_p90_seconds")}
"""
_HOLDS_MEASURED: Final = f"""
    count(*) as holds_count,
    count(*) - count(released_at) as open_holds_count,
    {_quantile("held_seconds", 0.5, "held_p50_seconds")},
    {_quantile("held_seconds", 0.9, "held_p90_seconds")}
"""
_FLOWS_MEASURED: Final = """
    coalesce(sum(units), 0)::bigint as flow_units,
    count(distinct order_id) as flow_orders_count,
    count(distinct order_id) filter (is_omnichannel) / nullif(count(distinct order_id), 0)
        as omnichannel_ratio,
    sum(units) filter (is_online and fulfilled_kind = 'store')
        / nullif(sum(units) filter (is_online), 0) as store_supplied_ratio,
    coalesce(sum(units) filter (is_returned), 0)::bigint as returned_units,
    coalesce(sum(units) filter (is_returned
        and returned_location_code is distinct from fulfilled_location_code), 0)
        / nullif(sum(units) filter (is_returned), 0) as returned_elsewhere_ratio
"""

SCOPES: Final = {
    "times": _WORK, "splits": _GROUPS, "rejections": _SHORTAGES,
    "collection": _WORK.replace("where not", "where facts.ready_at is not null and not"),
    "flow": _FLOWS, "transfers": _TRANSFERS, "carriers": _PARCELS, "holds": _HOLDS,
}  # fmt: skip
MEASURED: Final = {
    "times": _TIMES_MEASURED, "splits": _SPLITS_MEASURED, "rejections": _REJECTIONS_MEASURED,
    "collection": _COLLECTION_MEASURED, "flow": _FLOWS_MEASURED,
    "transfers": _TRANSFERS_MEASURED, "carriers": _PARCELS_MEASURED, "holds": _HOLDS_MEASURED,
}  # fmt: skip
SPAN: Final = """
    select min(day) as first_on, max(day) as last_on
    from (
        select created_on as day from fct_fulfillments where not is_test
        union all
        select placed_on from fct_unit_flows where not is_test
        union all
        select created_on from fct_transfers
        union all
        select held_on from fct_order_holds where not is_test
    ) as days
    where day <= $after_on
"""
