-- More that orders are searched and sorted by: what was promised of them, how they are paid, which
-- papers they have, and who supplies them.

-- Every order is looked at again by the follower; what is searched by the same is not written.
update followers set watermark = 0 where follower = 'order_search';

-- Until when an order's goods are to be ready to leave, by the rules it was planned by; the end of
-- all days where no rules planned it, so that it is sorted behind the others. Who supplies it is
-- null until it was looked at again: so long its month is not among its words.
alter table order_search
    add column promised_at timestamptz not null default '9999-01-01 00:00:00+00',
    add column location_ids integer[],
    add column is_open boolean not null default false;
create index order_search_by_promise on order_search (promised_at, order_id);
-- What was promised first is over, nearly all of it: who asks for what is open goes by this.
create index order_search_open_by_promise on order_search (promised_at, order_id) where is_open;
create index order_search_behind on order_search (order_id) where location_ids is null;

-- As in migration 0020, with what was added.
drop function order_search_hits(tsquery, tsquery, timestamptz, timestamptz, bigint);
create function order_search_hits(
    sought tsquery, checked tsquery, placed_from timestamptz, placed_to timestamptz,
    hits_max bigint
)
returns table (
    order_id bigint, currency text, total_minor bigint, name_key text, product_types text[],
    promised_at timestamptz, location_ids integer[]
)
language sql stable parallel safe rows 1000 set enable_seqscan = off set enable_indexscan = off as
$$ select s.order_id, s.currency, s.total_minor, s.name_key, s.product_types, s.promised_at,
       s.location_ids
   from order_search s
   where s.words @@ sought
     and coalesce(s.placed_at >= placed_from, true) and coalesce(s.placed_at < placed_to, true)
     and coalesce(ts_match_vq(s.words, checked), true)
   limit hits_max $$;
