-- What orders are searched by (oms/orders/search.py), kept beside them by a follower
-- (oms/orders/indexing.sql): capture writes none of it.

-- A text as it is compared: without case and accents, all that is no letter, digit or blank a
-- hyphen. There are no extensions for it: normalize takes letters and their marks apart, the
-- marks go, and letters that are no compounds are replaced.
create function search_fold(given text) returns text
language sql immutable parallel safe strict as
$$ select case
    when octet_length(given) = length(given)
        then regexp_replace(lower(given), '[^a-z0-9 ]+', '-', 'g')
    else regexp_replace(
        replace(replace(replace(replace(translate(
            regexp_replace(normalize(lower(given), nfkd), '[\u0300-\u036f\u200b-\u200f]+', '', 'g'),
            'øđðłıħŧ', 'oddliht'), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th'),
        '[^a-z0-9\u00c0-\u1fff\u3005-\U0010ffff ]+', '-', 'g')
end $$;

-- The words of a text. What is written together with punctuation is found by its parts and
-- joined, W-1001 as w, 1001 and w1001; a number without its (up to fifteen) leading zeros, too.
-- Where some could be too long for a tsvector they are cut to 64 characters.
create function search_words(given text) returns text[]
language plpgsql immutable parallel safe strict as $$
declare
    folded text := search_fold(given);
    apart text;
begin
    if octet_length(folded) > 2000 then
        folded := regexp_replace(folded, '([^ -]{64})[^ -]+', '\1', 'g');
    end if;
    apart := ' ' || replace(folded, '-', ' ');
    return array_remove(string_to_array(
        apart || ' ' || replace(folded, '-', '')
        || case
            when strpos(apart, ' 0') = 0 then ''
            else replace(replace(replace(replace(
                apart, ' 00000000', ' '), ' 0000', ' '), ' 00', ' '), ' 0', ' ')
        end, ' '), '');
end $$;

-- Somebody's name as search_words shall see it: as one from the second word on, so that "Jan van
-- der Berg" is found by "vanderberg", too.
create function search_name(given text) returns text
language sql immutable parallel safe strict as
$$ select split_part(given, ' ', 1) || ' '
    || replace(substr(given, strpos(given || ' ', ' ') + 1), ' ', '-') $$;

-- Words stand in it as they are, whole e-mail addresses with their @, a phone number as its last
-- nine digits, and what else is looked up with a letter and a colon before it: l location,
-- m method, n country, p product, t its type, k its category, b its brand.
create table order_search (
    order_id bigint primary key,
    currency text not null,
    total_minor bigint not null,
    name_key text collate "C" not null,         -- the folded name orders are sorted by; '' for none
    product_types text[] not null,
    words tsvector not null
);
create index order_search_by_words on order_search using gin (words);
create index order_search_by_total on order_search (currency, total_minor, order_id);
create index order_search_by_name on order_search (name_key, order_id);

-- Products that are called or sorted otherwise now, and how far their orders are indexed anew.
create table order_search_due (
    product_id integer primary key,
    after_order_id bigint not null default 0
);

-- Up to so many orders with these words, in any order, by the words' index and no other way:
-- the planner takes words for independent of each other and of time. It would go through all
-- orders from the newest on, sure to find two words soon that never meet.
create function order_search_hits(sought tsquery, hits_max bigint) returns setof bigint
language sql stable parallel safe rows 1000 set enable_seqscan = off set enable_indexscan = off as
$$ select order_id from order_search where words @@ sought limit hits_max $$;

drop index orders_by_customer;
create index orders_by_updated on orders (updated_at, order_id);
create index orders_by_state on orders (order_state, fulfillment_state);
-- The two hang together: few pairs of them are there at all.
create statistics orders_by_states (mcv) on order_state, fulfillment_state from orders;
create index orders_with_exception on orders (order_id) where has_exception;

-- saved views -------------------------------------------------------------------------------

-- What somebody asks the list of orders for again and again; everybody of a team sees its own.
create table saved_views (
    view_id bigint generated always as identity primary key,
    owner text,                                 -- the name of an API key
    team text,                                  -- or a role
    name text not null,
    query jsonb not null,
    created_by text not null,
    updated_at timestamptz not null,
    constraint one_holder check ((owner is null) <> (team is null)),
    unique nulls not distinct (owner, team, name)
);
