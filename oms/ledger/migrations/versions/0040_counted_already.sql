-- What moved before its place was counted is in the count already: it is taken back there, by a
-- movement in the name of the count that knew. Nothing where there is no such count.
create function counted_already(moved_product_id integer, moved_location_id integer,
    moved_on_hand bigint, moved_cause text, moved_at timestamptz)
returns table (
    product_id integer, location_id integer, kind text, on_hand_delta bigint, cause_type text,
    cause_id text, cause_line text, occurred_at timestamptz, occurred_on date
) language sql stable as $$
    select v.product_id, v.location_id, 'count_adjust'::text, -moved_on_hand, 'count'::text,
        v.cause_id, moved_cause, v.occurred_at, v.occurred_on
    from stock_movements v
    where v.product_id = moved_product_id and v.location_id = moved_location_id
      and v.kind = 'count_adjust' and v.occurred_at >= moved_at
    order by v.occurred_at
    limit 1
$$;
