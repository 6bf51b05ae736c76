-- Subscriptions, what is to be sent to them, and each attempt to.

-- name: subscribe
-- A new subscription; it is told of what happens from now on.
insert into webhook_subscriptions (
    transport, url, file_format, description, topics, channel_id, channel_codes, secret, batch_seconds, created_by,
    created_at, updated_at, cursor_xid)
values (
    :transport, :url, :file_format, :description, :topics, (select channel_id from channels where channel_code = :channel),
    cast(:channels as text[]), :secret, :batch_seconds, :by, :at, :at,
    pg_snapshot_xmin(pg_current_snapshot())::text::bigint)
returning subscription_id;

-- name: subscriptions
-- Subscriptions with how they stand: one, or all of them.
select
    s.subscription_id, s.transport, s.url, webhook_folder(s, c.channel_code) as folder,
    s.file_format, s.description, s.topics, c.channel_code, c.kind as channel_kind,
    s.channel_codes, s.batch_seconds, s.state, s.state_reason, s.created_by, s.created_at,
    s.updated_at, s.failures_count, s.failing_since_at, s.succeeded_at, s.next_attempt_at,
    d.pending_count, d.parked_count
from webhook_subscriptions s
left join channels c using (channel_id)
cross join lateral (
    select count(*) filter (where state = 'pending') as pending_count,
        count(*) filter (where state = 'parked') as parked_count
    from webhook_deliveries
    where subscription_id = s.subscription_id and state in ('pending', 'parked')
) d
where cast(:subscription_id as bigint) is null or s.subscription_id = :subscription_id
order by s.subscription_id;

-- name: endpoint
-- Where messages of a subscription go.
select s.transport, s.url, webhook_folder(s, c.channel_code) as folder, s.file_format, s.topics,
    c.adapter, c.adapter_options
from webhook_subscriptions s
left join channels c using (channel_id)
where s.subscription_id = :subscription_id;

-- name: change_state
-- Whether a subscription is served; being enabled again it is tried at once.
update webhook_subscriptions
set state = :state, state_reason = :reason, updated_at = :at,
    failures_count = case when :state = 'enabled' then 0 else failures_count end,
    failing_since_at = case when :state = 'enabled' then null else failing_since_at end,
    next_attempt_at = case when :state = 'enabled' then null else next_attempt_at end
where subscription_id = :subscription_id;

-- name: rotate
-- A new secret; the former one signs beside it for a while.
update webhook_subscriptions
set former_secret = secret, former_until_at = :until, secret = :secret, updated_at = :at
where subscription_id = :subscription_id;

-- name: cursor
-- How far a subscription is in the events of orders.
select cursor_xid, cursor_order_id, cursor_seq
from webhook_subscriptions
where subscription_id = :subscription_id;

-- name: advance
-- Move a subscription's cursor to behind what was just laid down for it.
update webhook_subscriptions
set cursor_xid = :xid, cursor_order_id = :order_id, cursor_seq = :seq
where subscription_id = :subscription_id;

-- name: due
-- Subscriptions that may be called now and have something of orders to be told.
select s.subscription_id
from webhook_subscriptions s
where s.state = 'enabled' and (s.next_attempt_at is null or s.next_attempt_at <= :at)
  and (exists (
          select from webhook_deliveries d
          where d.subscription_id = s.subscription_id and d.state = 'pending'
            and (d.next_attempt_at is null or d.next_attempt_at <= :at))
      or (s.topics <> array['stock.available'] and exists (
          select from order_events e
          where e.changed_xid >= cast(s.cursor_xid::text as xid8)
            and (e.changed_xid, e.order_id, e.seq)
                > (cast(s.cursor_xid::text as xid8), s.cursor_order_id, s.cursor_seq)
            and e.changed_xid < pg_snapshot_xmin(pg_current_snapshot()))))
order by s.subscription_id;

-- name: is_callable
-- Whether a subscription may be called now.
select exists (
    select from webhook_subscriptions
    where subscription_id = :subscription_id and state = 'enabled'
      and (next_attempt_at is null or next_attempt_at <= :at));

-- name: lay_down
-- Messages to be sent, each once per subscription and event.
insert into webhook_deliveries (
    subscription_id, message_id, topic, order_id, seq, body, created_at)
select :subscription_id, m.message_id, m.topic, m.order_id, m.seq, m.body, :at
from unnest(
    cast(:message_ids as text[]), cast(:topics as text[]), cast(:orders as bigint[]),
    cast(:seqs as integer[]), cast(:bodies as bytea[])
) with ordinality as m (message_id, topic, order_id, seq, body, place)
order by m.place
on conflict (subscription_id, order_id, seq) do nothing;

-- name: lay_down_stock
-- A message of stock, to be sent at once.
insert into webhook_deliveries (subscription_id, message_id, topic, body, created_at)
values (:subscription_id, :message_id, :topic, :body, :at)
returning delivery_id;

-- name: next
-- The next message of a subscription: none whose order has an earlier one that still waits.
select delivery_id
from webhook_deliveries d
where d.subscription_id = :subscription_id and d.state = 'pending'
  and (d.next_attempt_at is null or d.next_attempt_at <= :at)
  and not exists (
      select from webhook_deliveries e
      where e.subscription_id = d.subscription_id and e.order_id = d.order_id
        and e.seq < d.seq and e.state = 'pending')
order by d.delivery_id
limit 1;

-- name: begin
-- Write down that a message is about to be sent, and return what the call needs.
with taken as (
    update webhook_deliveries d
    set attempts_count = d.attempts_count + 1,
        first_attempt_at = coalesce(d.first_attempt_at, :at)
    where d.delivery_id = :delivery_id
    returning d.*
),
attempt as (
    insert into webhook_attempts (subscription_id, delivery_id, number, started_at)
    select subscription_id, delivery_id, attempts_count, :at from taken
    returning attempt_id
)
select
    t.subscription_id, t.delivery_id, a.attempt_id, t.message_id, t.topic, t.body,
    t.refusals_count, t.order_id, s.failures_count,
    s.transport, s.url, webhook_folder(s, c.channel_code) as folder, s.file_format, s.topics,
    c.adapter, c.adapter_options,
    array_remove(array[s.secret, case when s.former_until_at > :at then s.former_secret end], null)
        as secrets
from taken t
cross join attempt a
join webhook_subscriptions s using (subscription_id)
left join channels c using (channel_id);

-- name: end_attempt
-- What came back.
update webhook_attempts
set ended_at = :at, duration_ms = :duration_ms, status_code = :status_code,
    error_kind = :error_kind
where attempt_id = :attempt_id and ended_at is null;

-- name: end_interrupted
-- Attempts whose process died: nobody knows what came back, so they will be made again.
with lost as (
    update webhook_attempts
    set ended_at = :at, error_kind = 'interrupted'
    where subscription_id = :subscription_id and ended_at is null
    returning delivery_id
)
update webhook_deliveries d
set state = 'superseded', finished_at = :at
from lost
where d.delivery_id = lost.delivery_id and d.order_id is null and d.state = 'pending';

-- name: settle
-- What became of a message.
update webhook_deliveries
set state = :state, next_attempt_at = :next_at, refusals_count = :refusals_count,
    finished_at = case when :state = 'pending' then null else cast(:at as timestamptz) end
where delivery_id = :delivery_id;

-- name: note_success
-- The endpoint works: nothing waits for it any more.
update webhook_subscriptions
set failures_count = 0, failing_since_at = null, next_attempt_at = null, succeeded_at = :at
where subscription_id = :subscription_id
returning (select f.failures_count from webhook_subscriptions f
    where f.subscription_id = :subscription_id) as failures_count;

-- name: hurry
-- What waited because the endpoint was broken is sent now.
update webhook_deliveries
set next_attempt_at = null
where subscription_id = :subscription_id and state = 'pending' and next_attempt_at is not null;

-- name: note_failure
-- The endpoint does not work; return how often in a row, and since when.
update webhook_subscriptions
set failures_count = failures_count + 1, failing_since_at = coalesce(failing_since_at, :at)
where subscription_id = :subscription_id
returning failures_count, failing_since_at;

-- name: wait
-- Not to be called before a moment.
update webhook_subscriptions set next_attempt_at = :next_at
where subscription_id = :subscription_id;

-- name: deliveries
-- Messages of a subscription, newest first.
select
    d.delivery_id, d.subscription_id, d.message_id, d.topic, o.order_number, d.seq as sequence,
    d.state, d.attempts_count, d.created_at, d.first_attempt_at, d.next_attempt_at, d.finished_at
from webhook_deliveries d
left join orders o using (order_id)
where d.subscription_id = :subscription_id
  and (cast(:state as text) is null or d.state = :state)
  and (cast(:before as bigint) is null or d.delivery_id < :before)
  and (cast(:delivery_id as bigint) is null or d.delivery_id = :delivery_id)
order by d.delivery_id desc
limit :limit;

-- name: body
-- A message as it is sent.
select body from webhook_deliveries where delivery_id = :delivery_id;

-- name: attempts
-- Every attempt to send a message, first one first.
select number, started_at, ended_at, duration_ms, status_code, error_kind
from webhook_attempts
where delivery_id = :delivery_id
order by attempt_id;

-- name: redeliver
-- Send a message of an order again that is over.
update webhook_deliveries
set state = 'pending', attempts_count = 0, refusals_count = 0, first_attempt_at = null,
    next_attempt_at = null, finished_at = null
where delivery_id = :delivery_id and subscription_id = :subscription_id
  and order_id is not null and state in ('delivered', 'parked');

-- name: erase
-- Take fields of the order out of the messages that speak of some orders, sent or not.
update webhook_deliveries d
set body = convert_to(
    jsonb_set(
        m.document, '{data,order}', (m.document #> '{data,order}') - cast(:fields as text[])
    )::text, 'UTF8')
from (
    select delivery_id, convert_from(body, 'UTF8')::jsonb as document
    from webhook_deliveries where order_id = any (cast(:orders as bigint[]))
) m
where d.delivery_id = m.delivery_id;

-- name: forget
-- Messages that are over for long, with their attempts.
delete from webhook_deliveries
where delivery_id = any (array(
    select delivery_id from webhook_deliveries where finished_at < :before limit :rows_max));
