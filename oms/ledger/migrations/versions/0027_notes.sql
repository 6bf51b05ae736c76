-- Notes (oms/notes) on orders, their parts and customers, with what they said before; tags of
-- orders (oms/tags); since when an order is in its states, and what else it is sorted by.
alter table order_notes rename to notes;
alter index order_notes_pkey rename to notes_pkey;
alter index order_notes_by_order rename to notes_by_order;
alter table notes
    alter column order_id drop not null,
    alter column body drop not null,
    add column customer_id bigint references customers,
    add column line_no smallint,                -- of an order: what of it the note is on; all null:
    add column fulfillment_number text,         -- the whole
    add column parcel_number text,
    add column kind text not null default 'free'
        check (kind in ('free', 'call', 'mail', 'instruction', 'gift')),
    add column is_pinned boolean not null default false,
    add column is_captured boolean not null default false,  -- came with the order, in its customer's words
    add column version integer not null default 1,
    add column edited_at timestamptz,
    add column edited_by text,
    add column redacted_at timestamptz,
    add column redacted_by text,
    add column redact_reason text;
-- What was erased before: who did it says the order's story.
update notes set body = null, redacted_at = created_at, redacted_by = 'erasure' where body = '[erased]';
alter table notes
    add constraint on_one_thing check (
        (order_id is null) <> (customer_id is null)
        and num_nonnulls(line_no, fulfillment_number, parcel_number) <= (order_id is not null)::int),
    -- Nothing is deleted: of what is redacted a tombstone stays.
    add constraint redacted_is_empty check (
        (body is null) = (redacted_at is not null)
        and (redacted_at is null) = (redacted_by is null));
create index notes_by_customer on notes (customer_id) where customer_id is not null;

-- What a note said before it was edited, from when on and in whose words.
create table note_versions (
    note_id bigint not null references notes,
    version integer not null,
    kind text not null,
    visibility text not null,
    body text,                                  -- null: redacted with its note
    written_at timestamptz not null,
    written_by text not null,
    primary key (note_id, version)
);

-- Sorted; each said to have been put on or taken off by the order's story.
alter table orders add column tags text[] not null default '{}';

-- When either of its states last changed; null: neither has since it was placed. Of what changed
-- before this migration nobody knows.
alter table orders add column state_since timestamptz;
create function stamp_state() returns trigger language plpgsql as
$$ begin new.state_since := new.updated_at; return new; end $$;
create trigger stamp_state before update on orders for each row
    when (old.order_state <> new.order_state or old.fulfillment_state <> new.fulfillment_state)
    execute function stamp_state();
create index orders_by_state_since on orders ((coalesce(state_since, placed_at)), order_id);

-- Read backwards it is the old one; forwards it is the list sorted by channel.
drop index orders_by_channel_placed;
create index orders_by_channel_placed on orders (channel_id, placed_at, order_id);
-- Likewise for the list sorted by state.
drop index orders_by_state;
create index orders_by_state on orders (order_state, fulfillment_state, placed_at, order_id);

-- The words of notes and the tags of orders are searched by, too (oms/orders/indexing.sql): every
-- order is looked at again by the follower; what is searched by the same is not written.
update followers set watermark = 0 where follower = 'order_search';

-- Keys carry the scopes their role had when they were made.
update api_keys set scopes = scopes || array['notes:internal', 'notes:customer', 'notes:work']
where role in ('admin', 'agent');
update api_keys set scopes = scopes || array['notes:internal'] where role = 'finance';
update api_keys set scopes = scopes || array['notes:customer'] where role = 'channel';
update api_keys set scopes = scopes || array['notes:work'] where role = 'store';
