-- What orders in a list are counted by is kept beside what they are searched by, and when they were
-- placed beside how they are paid: whoever lists or counts thousands need not go to each of them.

-- No order is placed at another time: nothing of this is a change of how one is paid.
alter table order_balances add column placed_at timestamptz;
alter table order_balances disable trigger stamp;
update order_balances b set placed_at = o.placed_at from orders o where o.order_id = b.order_id;
alter table order_balances enable trigger stamp;
alter table order_balances alter column placed_at set not null;
drop index order_balances_by_state;
create index order_balances_by_state on order_balances (payment_state, placed_at, order_id);

-- Every order is looked at again by the follower; until then its channel is null.
update followers set watermark = 0 where follower = 'order_search';
alter table order_search
    add column channel_id integer,
    add column order_state text,
    add column fulfillment_state text,
    add column fulfillment_method text,
    add column country_code text,
    add column location_id integer,
    add column tags text[];
drop index order_search_behind;
create index order_search_behind on order_search (order_id) where channel_id is null;
-- A state that changes alone is written beside where it was, without the words' index.
alter table order_search set (fillfactor = 90);

-- As in migration 0042, with what was added.
drop function order_search_hits(tsquery, tsquery, timestamptz, timestamptz, bigint);
create function order_search_hits(
    sought tsquery, checked tsquery, placed_from timestamptz, placed_to timestamptz,
    hits_max bigint
)
returns table (
    order_id bigint, currency text, total_minor bigint, name_key text, product_types text[],
    promised_at timestamptz, location_ids integer[], placed_at timestamptz, channel_id integer,
    order_state text, fulfillment_state text, fulfillment_method text, country_code text,
    location_id integer, tags text[]
)
language sql stable parallel safe rows 1000 set enable_seqscan = off set enable_indexscan = off as
$$ select s.order_id, s.currency, s.total_minor, s.name_key, s.product_types, s.promised_at,
       s.location_ids, s.placed_at, s.channel_id, s.order_state, s.fulfillment_state,
       s.fulfillment_method, s.country_code, s.location_id, s.tags
   from order_search s
   where s.words @@ sought
     and coalesce(s.placed_at >= placed_from, true) and coalesce(s.placed_at < placed_to, true)
     and coalesce(ts_match_vq(s.words, checked), true)
   limit hits_max $$;
