-- More that orders are searched by: parcels, delivery groups, the places at work for them.

-- Every order is looked at again by the follower; what is searched by the same is not written.
update followers set watermark = 0 where follower = 'order_search';

-- What is open is a small part of all orders, and asked for oldest first: by time alone that
-- would go through everything that is over.
create index orders_open_by_placed on orders (placed_at, order_id)
    where order_state in ('placed', 'in_progress')
        or fulfillment_state in ('allocated', 'backordered', 'partially_shipped');
create index orders_open_by_updated on orders (updated_at, order_id)
    where order_state in ('placed', 'in_progress')
        or fulfillment_state in ('allocated', 'backordered', 'partially_shipped');

-- Late by a second like the words: who asks for words within a period asks orders as well. Null
-- where an order was not looked at again yet.
alter table order_search add column placed_at timestamptz;

-- As in migration 0008, but what the words' index finds is held to further words and a period
-- where it lies, and comes with what an order is sorted and added up by: whoever looks up
-- thousands of orders goes to each row once.
drop function order_search_hits(tsquery, bigint);
create function order_search_hits(
    sought tsquery, checked tsquery, placed_from timestamptz, placed_to timestamptz,
    hits_max bigint
)
returns table (
    order_id bigint, currency text, total_minor bigint, name_key text, product_types text[]
)
language sql stable parallel safe rows 1000 set enable_seqscan = off set enable_indexscan = off as
$$ select s.order_id, s.currency, s.total_minor, s.name_key, s.product_types
   from order_search s
   where s.words @@ sought
     and coalesce(s.placed_at >= placed_from, true) and coalesce(s.placed_at < placed_to, true)
     and coalesce(ts_match_vq(s.words, checked), true)
   limit hits_max $$;
