-- The statements of parcels and of what carriers tell of them.

-- name: make
-- A parcel, unless its carrier has another one of this number; addressed as its group is now.
insert into parcels (
    fulfillment_id, order_id, carrier, service, tracking_number, tracking_url, label_ref,
    weight_grams, length_mm, width_mm, height_mm, cost_minor, cost_currency, state, created_at,
    changed_at, pickup_point
)
values (
    :fulfillment_id, :order_id, :carrier, :service, :tracking_number, :tracking_url, :label_ref,
    :weight_grams, :length_mm, :width_mm, :height_mm, :cost_minor, :cost_currency,
    'label_created', :at, :at, (
        select g.pickup_point
        from fulfillment_orders f
        join order_groups g using (order_id, group_no)
        where f.fulfillment_id = :fulfillment_id)
)
on conflict (carrier, tracking_number) where voided_at is null do nothing
returning parcel_id, parcel_number;

-- name: fill
-- What of which line is in a parcel.
insert into parcel_lines (parcel_id, line_no, quantity)
select :parcel_id, l.line_no, l.quantity
from jsonb_to_recordset(cast(:lines as jsonb)) as l(line_no smallint, quantity bigint);

-- name: labels_count
-- How many parcels a fulfillment order ever had.
select count(*) from parcels where fulfillment_id = :fulfillment_id;

-- name: point_of
-- The pick-up point a fulfillment order's group goes to.
select g.pickup_point
from fulfillment_orders f
join order_groups g using (order_id, group_no)
where f.fulfillment_id = :fulfillment_id;

-- name: packed
-- How much of each line of a fulfillment order is in parcels.
select l.line_no, sum(l.quantity)::bigint as quantity
from parcels p
join parcel_lines l using (parcel_id)
where p.fulfillment_id = :fulfillment_id and p.voided_at is null
group by l.line_no;

-- name: void
-- Parcels that are with nobody yet are none any more.
update parcels
set state = 'voided', voided_at = :at, changed_at = :at
where fulfillment_id = :fulfillment_id and state = 'label_created'
  and (cast(:parcel_id as bigint) is null or parcel_id = :parcel_id)
returning parcel_number;

-- name: voids_to_tell
-- Voided parcels of a carrier it was not told of. A number that is in use again is not taken back.
select v.parcel_id, v.tracking_number
from parcels v
where v.carrier = :carrier and v.voided_at is not null and v.void_told_at is null
  and not exists (
      select from parcels p
      where p.carrier = v.carrier and p.tracking_number = v.tracking_number
        and p.voided_at is null)
order by v.parcel_id
limit :limit;

-- name: note_void_told
-- Its carrier knows.
update parcels set void_told_at = :at where parcel_id = :parcel_id;

-- name: waiting
-- The parcels of a fulfillment order that nobody has told to be handed over.
select parcel_id
from parcels
where fulfillment_id = :fulfillment_id and voided_at is null and handed_over_at is null
order by parcel_id;

-- name: note_handed_over
-- Parcels are with their carrier from now on.
update parcels set handed_over_at = :at where parcel_id = any (cast(:parcel_ids as bigint[]));

-- name: find
-- Whose parcels are spoken of; of one number the one that was not voided, or the newest.
select distinct on (p.tracking_number)
    p.tracking_number, p.parcel_id, p.parcel_number, p.order_id, c.channel_code
from parcels p
join orders o using (order_id)
join channels c using (channel_id)
where p.carrier = :carrier and p.tracking_number = any (cast(:tracking_numbers as text[]))
order by p.tracking_number, (p.voided_at is not null), p.parcel_id desc;

-- name: record
-- Events of parcels, each once; returns those that are new.
insert into tracking_events (
    parcel_id, event_ref, occurred_at, recorded_at, state, status, place, reason, eta_at,
    collect_by
)
select e.parcel_id, e.event_ref, e.occurred_at, :at, e.state, e.status, e.place, e.reason,
    e.eta_at, e.collect_by
from jsonb_to_recordset(cast(:events as jsonb)) as e(
    parcel_id bigint, event_ref text, occurred_at timestamptz, state text, status text,
    place text, reason text, eta_at timestamptz, collect_by timestamptz)
on conflict do nothing
returning parcel_id, event_ref;

-- name: events
-- All that was told of parcels.
select parcel_id, event_ref, occurred_at, state, status, place, reason, eta_at, collect_by
from tracking_events
where parcel_id = any (cast(:parcel_ids as bigint[]))
order by parcel_id, occurred_at, recorded_at, event_ref;

-- name: voided
-- Which of these parcels were voided.
select parcel_id
from parcels
where parcel_id = any (cast(:parcel_ids as bigint[])) and voided_at is not null;

-- name: settle
-- How far parcels are by all that was told of them.
update parcels p
set state = s.state, status = s.status, last_event_at = s.last_event_at, eta_at = s.eta_at,
    collect_by = s.collect_by, changed_at = :at
from jsonb_to_recordset(cast(:parcels as jsonb)) as s(
    parcel_id bigint, state text, status text, last_event_at timestamptz, eta_at timestamptz,
    collect_by timestamptz)
where p.parcel_id = s.parcel_id;

-- name: states
-- How far the parcels of the fulfillment orders of these parcels are.
select f.fulfillment_number, array_agg(p.state) as states
from parcels p
join fulfillment_orders f using (fulfillment_id)
where p.voided_at is null and p.fulfillment_id in (
    select fulfillment_id from parcels where parcel_id = any (cast(:parcel_ids as bigint[])))
group by f.fulfillment_id, f.fulfillment_number
order by f.fulfillment_id;

-- name: states_of
-- How far these parcels are.
select parcel_id, state from parcels where parcel_id = any (cast(:parcel_ids as bigint[]));

-- name: to_ask_about
-- Parcels underway whose carrier has not been asked for a while, the longest first.
select parcel_id, tracking_number, handed_over_at
from parcels
where carrier = :carrier and state = any (cast(:states as text[])) and handed_over_at is not null
  and (asked_at is null or asked_at < :asked_before)
order by asked_at nulls first, parcel_id
limit :limit;

-- name: note_asked
-- The carrier was asked about these parcels.
update parcels set asked_at = :at where parcel_id = any (cast(:parcel_ids as bigint[]));
