-- What each channel may sell: worked out for the products that changed, numbered, and told.

-- name: hold_follower
-- Be the only one who writes availability; no row where another is at it.
select watermark from followers where follower = :follower for update skip locked;

-- name: is_waiting
-- Whether any product is to be worked out anew, or was held until a moment that has come.
select exists (select from availability_due)
    or exists (
        select from reservations r, availability_holds s
        where r.kind = 'hold' and r.state = 'active' and r.expires_at > s.seen_until_at
          and r.expires_at <= :at);

-- name: mark_changed
-- Products whose stock, reservations or own row were written between two horizons; every product
-- where a channel or a location was.
with bounds as (
    select cast(:after as text)::xid8 as after, cast(:upto as text)::xid8 as upto
),
everything as (
    select exists (select from channels c, bounds b
            where c.changed_xid >= b.after and c.changed_xid < b.upto)
        or exists (select from locations x, bounds b
            where x.changed_xid >= b.after and x.changed_xid < b.upto) as is_so
),
changed as (
    select l.product_id from stock_levels l, bounds b
    where l.changed_xid >= b.after and l.changed_xid < b.upto
    union
    select r.product_id from reservations r, bounds b
    where r.changed_xid >= b.after and r.changed_xid < b.upto
    union
    select p.product_id from products p, bounds b
    where p.changed_xid >= b.after and p.changed_xid < b.upto
    union
    select p.product_id from products p, everything e where e.is_so
)
insert into availability_due (product_id)
select product_id from changed
on conflict do nothing;

-- name: mark_everything
-- Every product is to be worked out anew.
insert into availability_due (product_id)
select product_id from products
on conflict do nothing;

-- name: mark_expired
-- Products held for a basket until a moment that has come: no row says so.
with seen as (
    update availability_holds set seen_until_at = :at
    where seen_until_at < :at
    returning (select h.seen_until_at from availability_holds h) as before_at
)
insert into availability_due (product_id)
select distinct r.product_id
from reservations r, seen s
where r.kind = 'hold' and r.state = 'active' and r.expires_at > s.before_at and r.expires_at <= :at
on conflict do nothing;

-- name: begin_holds
-- From when on expiring holds are looked for.
insert into availability_holds (seen_until_at)
select :at where not exists (select from availability_holds);

-- name: take_due
-- Take some of the products that are to be worked out.
with taken as (
    delete from availability_due
    where product_id in (select product_id from availability_due limit :limit)
    returning product_id
)
select p.sku from taken join products p using (product_id);

-- name: write
-- The values that are not what they were, each under a new version; per channel how many went to
-- none.
with given as (
    select * from unnest(
        cast(:skus as text[]), cast(:channels as text[]), cast(:values as bigint[])
    ) as g (sku, channel_code, available_to_sell)
),
changed as (
    select
        c.channel_id, p.product_id, g.available_to_sell,
        a.available_to_sell > 0 and g.available_to_sell = 0 as is_zeroed,
        a.available_to_sell is null
            or (a.available_to_sell = 0) <> (g.available_to_sell = 0)
            or (a.available_to_sell <= coalesce(f.few_units, 5))
                <> (g.available_to_sell <= coalesce(f.few_units, 5)) as is_crossing,
        a.crossed_version, a.zeroed_at
    from given g
    join products p using (sku)
    join channels c using (channel_code)
    left join channel_feeds f on f.channel_id = c.channel_id
    left join channel_availability a
        on a.channel_id = c.channel_id and a.product_id = p.product_id
    where a.available_to_sell is distinct from g.available_to_sell
),
numbered as materialized (
    select *, nextval('availability_version') as version from changed
),
written as (
    insert into channel_availability as w (
        channel_id, product_id, available_to_sell, version, crossed_version, zeroed_at,
        computed_at)
    select channel_id, product_id, available_to_sell, version,
        case when is_crossing then version else crossed_version end,
        case when is_zeroed then cast(:at as timestamptz) else zeroed_at end, :at
    from numbered
    on conflict (channel_id, product_id) do update set
        available_to_sell = excluded.available_to_sell, version = excluded.version,
        crossed_version = excluded.crossed_version, zeroed_at = excluded.zeroed_at,
        computed_at = excluded.computed_at
)
select n.channel_id, count(*) as changed_count, count(*) filter (where n.is_zeroed) as zeroed_count
from numbered n
group by n.channel_id
order by n.channel_id;

-- name: zeroed
-- How many products of a channel went to none of late, and how many it still may sell.
select
    (select count(*) from channel_availability a
        left join channel_feeds f using (channel_id)
        where a.channel_id = :channel_id and a.available_to_sell = 0
          and a.zeroed_at > greatest(cast(:since as timestamptz), f.released_at)) as zeroed_count,
    (select count(*) from channel_availability a
        where a.channel_id = :channel_id and a.available_to_sell > 0) as in_stock_count,
    coalesce((select f.zeroed_ratio_max from channel_feeds f where f.channel_id = :channel_id), 0.2)
        as ratio_max;

-- name: hold
-- Tell a channel nothing until somebody has looked.
insert into channel_feeds (channel_id, held_at, held_reason) values (:channel_id, :at, :reason)
on conflict (channel_id) do update
    set held_at = excluded.held_at, held_reason = excluded.held_reason
    where channel_feeds.held_at is null;

-- name: release
-- Go on telling a channel that was held.
update channel_feeds set held_at = null, held_reason = null, released_at = :at
where channel_id = :channel_id and held_at is not null;

-- name: set_feed
-- What a channel's feed is to be like; what is not given stays.
insert into channel_feeds (channel_id, is_enabled, few_units, zeroed_ratio_max)
values (:channel_id, coalesce(:is_enabled, true), coalesce(:few_units, 5),
    coalesce(cast(:zeroed_ratio_max as real), 0.2))
on conflict (channel_id) do update set
    is_enabled = coalesce(:is_enabled, channel_feeds.is_enabled),
    few_units = coalesce(:few_units, channel_feeds.few_units),
    zeroed_ratio_max = coalesce(cast(:zeroed_ratio_max as real), channel_feeds.zeroed_ratio_max);

-- name: tell_everything
-- Tell a channel's subscribers everything again, from the first version on.
update feed_cursors set version = 0 where channel_id = :channel_id;

-- name: note_reconciled
-- When a channel was last told everything.
insert into channel_feeds (channel_id, reconciled_at) values (:channel_id, :at)
on conflict (channel_id) do update set reconciled_at = excluded.reconciled_at;

-- name: unreconciled
-- Channels that were not told everything for a while.
select c.channel_id, f.reconciled_at is null as is_new
from channels c
left join channel_feeds f on f.channel_id = c.channel_id
where c.is_enabled and (f.reconciled_at is null or f.reconciled_at <= :before)
order by c.channel_id;

-- name: feed
-- A channel's feed.
select
    c.channel_id, c.channel_code, coalesce(f.is_enabled, true) as is_enabled,
    coalesce(f.few_units, 5) as few_units,
    coalesce(f.zeroed_ratio_max, 0.2)::float8 as zeroed_ratio_max,
    f.held_at, f.held_reason, f.released_at, f.reconciled_at,
    (select count(*) from channel_availability a where a.channel_id = c.channel_id)
        as products_count,
    coalesce((select max(a.version) from channel_availability a
        where a.channel_id = c.channel_id), 0) as version
from channels c
left join channel_feeds f on f.channel_id = c.channel_id
where c.channel_code = :channel;

-- name: due
-- Subscriptions that have something of stock to be told now: a batch whose time has come, or a
-- value that crossed to none, few or many, at once; or a refused value to be tried again.
select distinct s.subscription_id
from webhook_subscriptions s
join channels c on c.is_enabled
    and (s.channel_codes is null or c.channel_code = any (s.channel_codes))
left join channel_feeds f on f.channel_id = c.channel_id
left join feed_cursors k on k.subscription_id = s.subscription_id and k.channel_id = c.channel_id
where s.state = 'enabled' and 'stock.available' = any (s.topics)
  and (s.next_attempt_at is null or s.next_attempt_at <= :at)
  and coalesce(f.is_enabled, true) and f.held_at is null
  and (exists (
          select from channel_availability a
          where a.channel_id = c.channel_id and a.version > coalesce(k.version, 0)
            and (k.pushed_at is null or a.crossed_version > k.version
                or k.pushed_at <= :at - make_interval(secs => s.batch_seconds)))
      or exists (
          select from feed_refusals r
          where r.subscription_id = s.subscription_id and r.channel_id = c.channel_id
            and r.next_attempt_at <= :at))
order by s.subscription_id;

-- name: targets
-- The open feeds a subscription is told of, and how far it is in each.
select s.subscription_id, c.channel_id, c.channel_code, coalesce(k.version, 0) as version
from webhook_subscriptions s
join channels c on c.is_enabled
    and (s.channel_codes is null or c.channel_code = any (s.channel_codes))
left join channel_feeds f on f.channel_id = c.channel_id
left join feed_cursors k on k.subscription_id = s.subscription_id and k.channel_id = c.channel_id
where s.subscription_id = :subscription_id
  and coalesce(f.is_enabled, true) and f.held_at is null
order by c.channel_id;

-- name: is_open
-- Whether a channel is told anything just now.
select c.is_enabled and coalesce(f.is_enabled, true) and f.held_at is null
from channels c
left join channel_feeds f on f.channel_id = c.channel_id
where c.channel_id = :channel_id;

-- name: after
-- What changed for a channel after a version, oldest version first.
select a.product_id, p.sku, a.available_to_sell, a.version, a.computed_at
from channel_availability a
join products p using (product_id)
where a.channel_id = :channel_id and a.version > :after
order by a.version
limit :limit;

-- name: refused_products
-- Products whose values an endpoint refuses.
select product_id from feed_refusals
where subscription_id = :subscription_id and channel_id = :channel_id;

-- name: refused_due
-- Refused values whose time has come, as they are now.
select a.product_id, p.sku, a.available_to_sell, a.version, a.computed_at
from feed_refusals r
join channel_availability a using (channel_id, product_id)
join products p using (product_id)
where r.subscription_id = :subscription_id and r.channel_id = :channel_id
  and r.next_attempt_at <= :at
order by r.next_attempt_at
limit :limit;

-- name: told
-- How far a subscription has been told of a channel. A cursor that was set back meanwhile stays.
insert into feed_cursors as k (subscription_id, channel_id, version, pushed_at)
values (:subscription_id, :channel_id, :version, :at)
on conflict (subscription_id, channel_id) do update
    set pushed_at = excluded.pushed_at,
        version = case when k.version = :before then excluded.version else k.version end;

-- name: refusal_count
-- How often a value of a product was refused so far.
select coalesce((
    select attempts_count from feed_refusals
    where subscription_id = :subscription_id and channel_id = :channel_id
      and product_id = :product_id), 0);

-- name: note_refused
-- A value was refused.
insert into feed_refusals as r (
    subscription_id, channel_id, product_id, version, status_code, attempts_count, refused_at,
    next_attempt_at)
values (:subscription_id, :channel_id, :product_id, :version, :status_code, 1, :at, :next_at)
on conflict (subscription_id, channel_id, product_id) do update set
    version = excluded.version, status_code = excluded.status_code,
    attempts_count = r.attempts_count + 1, next_attempt_at = excluded.next_attempt_at;

-- name: note_taken
-- A value that was refused has been taken.
delete from feed_refusals
where subscription_id = :subscription_id and channel_id = :channel_id
  and product_id = :product_id;

-- name: refusals
-- What is refused of a channel's values, and by whom.
select
    r.subscription_id, c.channel_code, p.sku, r.version, r.status_code, r.attempts_count,
    r.refused_at, r.next_attempt_at
from feed_refusals r
join channels c using (channel_id)
join products p using (product_id)
where c.channel_code = :channel
order by r.refused_at, p.sku
limit :limit;

-- name: compare
-- Of what a channel says it may sell, what is not what we say.
select g.sku, a.available_to_sell as ours, g.available as theirs
from unnest(cast(:skus as text[]), cast(:values as bigint[])) as g (sku, available)
left join products p using (sku)
left join channels c on c.channel_code = :channel
left join channel_availability a
    on a.product_id = p.product_id and a.channel_id = c.channel_id
where a.available_to_sell is distinct from g.available
order by g.sku;

-- name: told_of_sku
-- What each channel may sell of a product, since which version, and how far each of its
-- subscribers is told of it.
select
    c.channel_code, a.available_to_sell, a.version, a.computed_at,
    coalesce(f.is_enabled, true) as is_enabled, f.held_at,
    s.subscription_id, s.version as told_version, s.pushed_at,
    exists (
        select from feed_refusals r
        where r.subscription_id = s.subscription_id and r.channel_id = a.channel_id
          and r.product_id = a.product_id
    ) as is_refused
from channel_availability a
join products p using (product_id)
join channels c using (channel_id)
left join channel_feeds f using (channel_id)
left join feed_cursors s using (channel_id)
where p.sku = :sku
  and (cast(:channels as text[]) is null or c.channel_code = any (:channels))
order by c.channel_code, s.subscription_id;
