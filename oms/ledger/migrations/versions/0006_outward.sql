-- webhooks: who is told what, and every telling ------------------------------------------------

create table webhook_subscriptions (
    subscription_id bigint generated always as identity primary key,
    url text not null,
    description text,
    topics text[] not null,                     -- order.captured, order.*, stock.available …
    channel_id integer references channels,     -- whose endpoint it is; null: the retailer's own
    channel_codes text[],                       -- of which channels it is told; null: every one
    secret text not null,                       -- as it is: each message is signed with it
    former_secret text,                         -- signs beside it until it is given up
    former_until_at timestamptz,
    batch_seconds real not null default 1,      -- between two ordinary batches of stock
    state text not null default 'enabled' check (state in ('enabled', 'paused', 'disabled')),
    state_reason text,
    created_by text not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    cursor_xid bigint not null,                 -- how far in the events of orders it is
    cursor_order_id bigint not null default 0,
    cursor_seq integer not null default 0,
    failures_count integer not null default 0,  -- of the endpoint, one after another
    failing_since_at timestamptz,
    succeeded_at timestamptz,
    next_attempt_at timestamptz                 -- not before; null: at once
);

-- A message to one subscription. Of an order's event the body stays as it was first sent; of
-- stock each attempt is a message of its own, as only the latest value is worth sending.
create table webhook_deliveries (
    delivery_id bigint generated always as identity primary key,
    subscription_id bigint not null references webhook_subscriptions,
    message_id text not null,
    topic text not null,
    order_id bigint,
    seq integer,
    body bytea not null,
    state text not null default 'pending'
        check (state in ('pending', 'delivered', 'parked', 'superseded')),
    attempts_count integer not null default 0,
    created_at timestamptz not null,
    first_attempt_at timestamptz,
    next_attempt_at timestamptz,
    finished_at timestamptz,
    unique (subscription_id, order_id, seq)
);
create index webhook_deliveries_pending on webhook_deliveries (subscription_id, delivery_id)
    where state = 'pending';
create index webhook_deliveries_of on webhook_deliveries (subscription_id, delivery_id);
create index webhook_deliveries_finished on webhook_deliveries (finished_at);

-- Written before the call, ended after it; the process died where it never ended.
create table webhook_attempts (
    attempt_id bigint generated always as identity primary key,
    subscription_id bigint not null references webhook_subscriptions,
    delivery_id bigint not null references webhook_deliveries on delete cascade,
    number integer not null,
    started_at timestamptz not null,
    ended_at timestamptz,
    duration_ms integer,
    status_code smallint,
    error_kind text
);
create index webhook_attempts_of on webhook_attempts (delivery_id);
create index webhook_attempts_open on webhook_attempts (subscription_id) where ended_at is null;

-- feeds: what each channel may sell, and who has been told ---------------------------------------

create sequence availability_version;

-- Written by one follower at a time, so versions appear in the order they are numbered: a
-- reader's cursor is the last version it has seen.
create table channel_availability (
    channel_id integer not null references channels,
    product_id integer not null references products,
    available_to_sell bigint not null check (available_to_sell >= 0),
    version bigint not null,
    crossed_version bigint not null,            -- when it last came to another band: none, few, many
    zeroed_at timestamptz,                      -- when it last went from some to none
    computed_at timestamptz not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    primary key (channel_id, product_id)
);
create unique index channel_availability_version on channel_availability (channel_id, version);
create index channel_availability_zeroed on channel_availability (channel_id, zeroed_at)
    where available_to_sell = 0 and zeroed_at is not null;
create index channel_availability_changed on channel_availability (changed_xid);
create trigger stamp before update on channel_availability
    for each row execute function stamp_changed();

-- Products whose availability is to be worked out anew, and holds up to when have been seen.
create table availability_due (product_id integer primary key);
create table availability_holds (seen_until_at timestamptz not null);

create table channel_feeds (
    channel_id integer primary key references channels,
    is_enabled boolean not null default true,   -- the kill switch
    few_units bigint not null default 5 check (few_units >= 0),
    zeroed_ratio_max real not null default 0.2 check (zeroed_ratio_max between 0 and 1),
    held_at timestamptz,
    held_reason text,
    released_at timestamptz,
    reconciled_at timestamptz
);

create table feed_cursors (
    subscription_id bigint not null references webhook_subscriptions,
    channel_id integer not null references channels,
    version bigint not null default 0,
    pushed_at timestamptz,
    primary key (subscription_id, channel_id)
);

-- Single values an endpoint refuses: tried alone from then on, so that no batch waits for them.
create table feed_refusals (
    subscription_id bigint not null references webhook_subscriptions,
    channel_id integer not null references channels,
    product_id integer not null references products,
    version bigint not null,
    status_code smallint,
    attempts_count integer not null,
    refused_at timestamptz not null,
    next_attempt_at timestamptz not null,
    primary key (subscription_id, channel_id, product_id)
);

-- Keys carry the scopes their role had when they were made.
update api_keys set scopes = scopes || array['events:read', 'webhooks:read', 'webhooks:write']
where role in ('admin', 'engineer');
update api_keys set scopes = scopes || array['events:read', 'webhooks:read'] where role = 'channel';
