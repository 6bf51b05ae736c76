-- The first ledger. Conventions: money is whole minor units in bigint columns ending in _minor;
-- an instant is timestamptz and ends in _at; a business date (the channel's own calendar) ends
-- in _on. Every table the warehouse reads carries changed_xid: the transaction that last wrote
-- the row. The journal (oms/ledger/journal.py) reads rows by it, up to a safe horizon.

create function stamp_changed() returns trigger language plpgsql as
$$ begin new.changed_xid := pg_current_xact_id(); return new; end $$;

-- The one formula of availability, for reads and for reserves alike.
create function available_to_fulfill(
    on_hand bigint, unavailable bigint, allocated bigint, reserved_soft bigint, safety_stock bigint
) returns bigint language sql immutable parallel safe as
$$ select greatest(0, on_hand - unavailable - allocated - reserved_soft - safety_stock) $$;

-- convert_to counts as stable because a database's encoding could differ; ours is always UTF8.
create function customer_key_of(email text, channel_id integer, customer_ref text)
returns text language sql immutable parallel safe as
$$ select encode(sha256(convert_to(
    coalesce(lower(email), channel_id::text || ':' || customer_ref), 'UTF8')), 'hex') $$;

-- The roll-ups of an order from the sums of its lines. `gone` is what has
-- left: shipped, or returned by a channel that never told us it had shipped.
create function order_state_of(ordered bigint, canceled bigint, gone bigint)
returns text language sql immutable parallel safe as
$$ select case
    when canceled >= ordered then 'canceled'
    when canceled + gone >= ordered then 'completed'
    when gone > 0 then 'in_progress'
    else 'placed'
end $$;

create function fulfillment_state_of(
    ordered bigint, canceled bigint, gone bigint, returned bigint, backordered bigint
) returns text language sql immutable parallel safe as
$$ select case
    when canceled >= ordered then 'canceled'
    when returned > 0 and canceled + returned >= ordered then 'returned'
    when returned > 0 then 'partially_returned'
    when backordered > 0 then 'backordered'
    when canceled + gone >= ordered then 'shipped'
    when gone > 0 then 'partially_shipped'
    else 'allocated'
end $$;

-- What `count` units of a line are worth, counted from its first: units differ by at most one
-- minor unit and the remainder lies on the last ones, so partial returns add up to the line.
create function first_units_minor(minor bigint, units bigint, count bigint)
returns bigint language sql immutable parallel safe as
$$ select case when units = 0 then 0 else sign(minor)::bigint * (
    abs(minor) / units * count + greatest(0, count - (units - abs(minor) % units))) end $$;

-- access ------------------------------------------------------------------------------------

create table api_keys (
    key_id text primary key,
    name text not null,
    secret_sha256 bytea not null,
    role text not null,
    scopes text[] not null,
    channel_codes text[],                       -- null: every channel
    created_at timestamptz not null,
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz
);

create table idempotency_keys (
    owner text not null,                        -- the API key that sent it
    route text not null,
    idempotency_key text not null,
    request_sha256 bytea not null,
    status smallint,                            -- null while the first request is in flight
    response jsonb,
    created_at timestamptz not null,
    primary key (owner, route, idempotency_key)
);

-- catalog -----------------------------------------------------------------------------------

create table products (
    product_id integer generated always as identity primary key,
    sku text not null unique,
    gtin text,
    title text not null,
    product_type text,
    category text,
    brand text,
    tax_class text not null default 'standard',
    is_sellable boolean not null default true,
    updated_at timestamptz not null,
    changed_xid xid8 not null default pg_current_xact_id()
);
create index products_by_type on products (lower(product_type));
create index products_by_gtin on products (gtin) where gtin is not null;
create index products_changed on products (changed_xid);

-- What a product was, and from when: the source of the slowly changing dimension.
create table product_versions (
    product_id integer not null references products,
    version integer not null,
    valid_from_at timestamptz not null,
    sku text not null,
    gtin text,
    title text not null,
    product_type text,
    category text,
    brand text,
    tax_class text not null,
    is_sellable boolean not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    primary key (product_id, version)
);
create index product_versions_changed on product_versions (changed_xid);

-- locations ---------------------------------------------------------------------------------

create table locations (
    location_id integer generated always as identity primary key,
    location_code text not null unique,
    name text not null,
    kind text not null check (kind in ('dc', 'store', 'pickup_point')),
    street text,
    postcode text,
    city text,
    region text,
    country_code text not null,
    latitude double precision,
    longitude double precision,
    time_zone text not null,
    opening_hours jsonb not null default '{}',  -- {"mon": [["09:00", "18:00"]], …}, local time
    is_enabled boolean not null default true,
    updated_at timestamptz not null,
    changed_xid xid8 not null default pg_current_xact_id()
);
create index locations_changed on locations (changed_xid);

-- channels and the inbox --------------------------------------------------------------------

create table channels (
    channel_id integer generated always as identity primary key,
    channel_code text not null unique,
    name text not null,
    kind text not null
        check (kind in ('webshop', 'pos', 'kiosk', 'marketplace', 'phone', 'wholesale', 'other')),
    currency text not null,                     -- the default; an order states its own
    currencies text[] not null,                 -- every currency the channel may sell in
    prices_include_tax boolean not null,
    time_zone text not null,
    adapter text not null,                      -- canonical | shopify | tabular
    adapter_options jsonb not null default '{}',
    threshold bigint not null default 0 check (threshold >= 0),  -- units withheld per SKU
    is_enabled boolean not null default true,
    updated_at timestamptz not null,
    changed_xid xid8 not null default pg_current_xact_id()
);
create index channels_changed on channels (changed_xid);

-- The network: where a channel's orders may be supplied from, best first.
create table channel_locations (
    channel_id integer not null references channels,
    location_id integer not null references locations,
    priority smallint not null,
    primary key (channel_id, location_id)
);

create table inbox (
    inbox_id bigint generated always as identity primary key,
    channel_id integer not null references channels,
    transport text not null check (transport in ('file', 'pull', 'push')),
    topic text not null,                        -- what is inside: orders, orders/create, counts …
    external_ref text not null,                 -- the sender's id of it, else its digest
    sha256 bytea not null,
    content_type text not null,
    size_bytes bigint not null,
    file_name text,                             -- the name it came under
    body bytea,                                 -- small payloads; large ones lie in the file store
    received_at timestamptz not null,
    state text not null default 'received'
        check (state in ('received', 'processing', 'processed', 'failed')),
    position bigint not null default 0,         -- documents already dealt with, for resuming
    documents_count bigint not null default 0,
    captured_count bigint not null default 0,
    updated_count bigint not null default 0,
    duplicate_count bigint not null default 0,
    stale_count bigint not null default 0,
    quarantined_count bigint not null default 0,
    failure text,
    attempts smallint not null default 0,
    finished_at timestamptz,
    changed_xid xid8 not null default pg_current_xact_id(),
    unique (channel_id, topic, external_ref)
);
create index inbox_open on inbox (inbox_id) where state in ('received', 'processing');
create index inbox_changed on inbox (changed_xid);

create table quarantine (
    quarantine_id bigint generated always as identity primary key,
    inbox_id bigint not null references inbox,
    channel_id integer not null references channels,
    position bigint not null,                   -- the document's place in its payload, from 1
    line bigint,                                -- the line of the file it starts on, from 1
    external_ref text,
    topic text not null,
    problems jsonb not null,                    -- [{"field": …, "code": …, "detail": …}]
    code text not null,                         -- the first problem's, for counting
    fragment bytea not null,                    -- the document as it came
    state text not null default 'open' check (state in ('open', 'resolved', 'dismissed')),
    attempts smallint not null default 1,
    first_seen_at timestamptz not null,
    last_tried_at timestamptz not null,
    resolved_at timestamptz,
    changed_xid xid8 not null default pg_current_xact_id(),
    unique (inbox_id, position)
);
create index quarantine_open on quarantine (channel_id, code) where state = 'open';
create index quarantine_ref on quarantine (channel_id, external_ref) where state = 'open';
create index quarantine_changed on quarantine (changed_xid);

create table pull_cursors (
    channel_id integer not null references channels,
    topic text not null,
    cursor text not null,
    updated_at timestamptz not null,
    primary key (channel_id, topic)
);

-- orders ------------------------------------------------------------------------------------

create table orders (
    order_id bigint generated by default as identity (start with 100000001) primary key,
    order_number text not null generated always as ('R' || order_id) stored unique,
    channel_id integer not null references channels,
    external_ref text not null,                 -- the channel's id of the order
    external_number text,                       -- the number its customer knows
    source_version bigint,                      -- the channel's own; null: it has none
    sha256 bytea not null,                      -- of the latest document applied
    order_type text not null default 'sale' check (order_type in ('sale', 'exchange', 'replacement')),
    order_state text not null,
    fulfillment_state text not null,
    fulfillment_method text not null,
    location_id integer references locations,   -- the store, till or kiosk it was sold at
    placed_at timestamptz not null,
    placed_on date not null,                    -- in the channel's time zone
    recorded_at timestamptz not null,
    updated_at timestamptz not null,
    currency text not null,
    prices_include_tax boolean not null,
    customer_ref text,
    customer_name text,
    customer_email text,
    customer_phone text,
    ship_to jsonb,
    bill_to jsonb,
    -- Who it was, without saying who: what the warehouse groups customers by.
    customer_key text generated always as (
        customer_key_of(customer_email, channel_id, customer_ref)) stored,
    country_code text,
    items_net_minor bigint not null,            -- as ordered, after every edit
    items_tax_minor bigint not null,
    shipping_net_minor bigint not null default 0,
    shipping_tax_minor bigint not null default 0,
    total_minor bigint not null,                -- items and shipping, with tax
    stated_total_minor bigint,                  -- what the channel said it was
    has_exception boolean not null default false,
    is_test boolean not null default false,
    is_historical boolean not null default false,
    inbox_id bigint,
    last_seq integer not null default 1,        -- of order_events
    version integer not null default 1,
    changed_xid xid8 not null default pg_current_xact_id(),
    unique (external_ref, channel_id)           -- in this order: a ref is looked for without its channel, too
);
create index orders_by_placed on orders (placed_at desc, order_id desc);
create index orders_by_channel_placed on orders (channel_id, placed_at desc, order_id desc);
create index orders_by_external_number on orders (external_number);
create index orders_by_email on orders (lower(customer_email)) where customer_email is not null;
create index orders_by_customer on orders
    using gin (to_tsvector('simple', coalesce(customer_name, '')));
create index orders_changed on orders (changed_xid);

create table order_lines (
    order_id bigint not null,
    line_no smallint not null,
    line_ref text not null,                     -- the channel's id of the line
    product_id integer not null,
    sku text not null,
    title text not null,                        -- as sold
    quantity integer not null,
    canceled integer not null default 0,
    shipped integer not null default 0,
    returned integer not null default 0,
    backordered integer not null default 0,     -- of what is still open, what nobody can supply
    unit_price_minor bigint,                    -- as the channel shows it, with tax or without
    list_minor bigint not null,                 -- before discount, in the channel's tax mode
    discount_minor bigint not null,             -- likewise
    net_minor bigint not null,                  -- what is paid for the line, without tax
    tax_minor bigint not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    primary key (order_id, line_no)
);
create index order_lines_by_product on order_lines (product_id, order_id);
create index order_lines_changed on order_lines (changed_xid);

-- What happened to a line, in signed quantities and money: append-only. A line is their sum.
create table line_events (
    order_id bigint not null,
    line_no smallint not null,
    kind text not null check (kind in ('sale', 'edit', 'cancel', 'ship', 'return')),
    change_ref text not null,                   -- '' for the sale, else the channel's id of the change
    quantity integer not null,                  -- sale, edit: signed; cancel, return: negative; ship: positive;
                                                -- none when an edit moved the money of a cancel or return
    discount_net_minor bigint not null default 0,  -- the part of the discount without tax
    net_minor bigint not null default 0,
    tax_minor bigint not null default 0,
    occurred_at timestamptz not null,
    occurred_on date not null,                  -- in the channel's time zone
    location_id integer,                        -- where it was sold, shipped from or returned to
    reason text,
    is_money_given boolean not null default false,  -- by the channel; else a cancel's or return's is its share
    changed_xid xid8 not null default pg_current_xact_id(),
    primary key (order_id, line_no, kind, change_ref)
);
create index line_events_changed on line_events (changed_xid);

-- The story of an order, numbered 1..n without gaps: append-only.
create table order_events (
    order_id bigint not null,
    seq integer not null,
    type text not null,                         -- order.captured, order.updated, order.canceled …
    occurred_at timestamptz not null,
    recorded_at timestamptz not null,
    actor_type text not null,                   -- user, channel, system
    actor text not null,
    data jsonb,
    changed_xid xid8 not null default pg_current_xact_id(),
    primary key (order_id, seq)
);
create index order_events_changed on order_events (changed_xid);

create table order_notes (
    note_id bigint generated always as identity primary key,
    order_id bigint not null references orders,
    visibility text not null check (visibility in ('internal', 'customer', 'store', 'warehouse')),
    body text not null,
    author text not null,
    created_at timestamptz not null
);
create index order_notes_by_order on order_notes (order_id);

create table order_exceptions (
    order_id bigint not null references orders,
    code text not null,                         -- TOTALS_MISMATCH, BACKORDERED, OVERSOLD …
    detail jsonb not null,
    opened_at timestamptz not null,
    resolved_at timestamptz,
    primary key (order_id, code)
);
create index order_exceptions_open on order_exceptions (code) where resolved_at is null;

-- stock -------------------------------------------------------------------------------------

create table stock_levels (
    product_id integer not null references products,
    location_id integer not null references locations,
    on_hand bigint not null default 0,
    unavailable bigint not null default 0 check (unavailable >= 0),
    allocated bigint not null default 0 check (allocated >= 0),
    safety_stock bigint not null default 0 check (safety_stock >= 0),
    is_oversold boolean not null default false, -- a till sold what the count says is not there
    updated_at timestamptz not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    primary key (product_id, location_id),
    constraint allocated_is_there check (is_oversold or allocated <= on_hand - unavailable)
);
create index stock_levels_changed on stock_levels (changed_xid);

-- Append-only; a level's on_hand and unavailable are the sums of its movements.
create table stock_movements (
    movement_id bigint generated always as identity primary key,
    product_id integer not null,
    location_id integer not null,
    kind text not null check (kind in (
        'receipt', 'pos_sale', 'ship', 'return_restock', 'return_unsellable', 'write_off',
        'count_adjust', 'adjust', 'transfer_out', 'transfer_in', 'regrade')),
    on_hand_delta bigint not null default 0,
    unavailable_delta bigint not null default 0,
    cause_type text not null,                   -- order, count, document …
    cause_id text not null,
    cause_line text not null,
    occurred_at timestamptz not null,
    occurred_on date not null,                  -- in the location's time zone
    recorded_at timestamptz not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint one_cause_one_movement
        unique (cause_type, cause_id, cause_line, kind, product_id, location_id)
);
create index stock_movements_by_place on stock_movements (product_id, location_id, occurred_at);
create index stock_movements_changed on stock_movements (changed_xid);

-- queued: demand nobody can supply yet; active: allocated at a location, or softly held until
-- expires_at; the rest are terminal.
create table reservations (
    reservation_id bigint generated always as identity primary key,
    kind text not null check (kind in ('order', 'hold')),
    state text not null check (state in ('queued', 'active', 'consumed', 'released', 'expired')),
    product_id integer not null,
    location_id integer,                        -- null while queued
    channel_id integer not null,
    quantity bigint not null check (quantity > 0),
    order_id bigint,
    line_no smallint,
    hold_ref text,
    expires_at timestamptz,
    wanted_at timestamptz not null,             -- when the order was placed: who waits is served by it
    created_at timestamptz not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint one_owner check ((order_id is null) <> (hold_ref is null)),
    constraint queued_is_nowhere check ((state = 'queued') = (location_id is null) or state = 'released'),
    constraint holds_expire check ((kind = 'hold') = (expires_at is not null))
);
create index reservations_of_order on reservations (order_id, line_no) where order_id is not null;
create index reservations_queued on reservations (product_id, wanted_at, reservation_id) where state = 'queued';
create index reservations_soft on reservations (product_id, location_id) where kind = 'hold' and state = 'active';
create index reservations_changed on reservations (changed_xid);

do $$ declare t text; begin
    foreach t in array array['products', 'product_versions', 'locations', 'channels', 'inbox',
        'quarantine', 'orders', 'order_lines', 'line_events', 'order_events', 'stock_levels',
        'stock_movements', 'reservations'] loop
        execute format('create trigger stamp before update on %I for each row execute function stamp_changed()', t);
    end loop;
end $$;
