-- Sourcing: which location supplies what, by rules that are data.
alter table locations
    add column capacity_per_day integer check (capacity_per_day >= 0),  -- null: without limit
    add column cut_off time,                    -- local; what comes later is of the next day
    add column lead_time_hours integer not null default 0 check (lead_time_hours >= 0),
    add column shipping_buffer integer not null default 0 check (shipping_buffer >= 0),
    add column node_cost_minor bigint not null default 0 check (node_cost_minor >= 0);

create table sourcing_rule_sets (
    version integer generated always as identity primary key,
    state text not null check (state in ('draft', 'active', 'archived')),
    rules jsonb not null,
    created_by text not null,
    created_at timestamptz not null,
    activated_by text,
    activated_at timestamptz,
    archived_at timestamptz,
    changed_xid xid8 not null default pg_current_xact_id()
);
create unique index one_rule_set_is_active on sourcing_rule_sets ((true)) where state = 'active';
create index sourcing_rule_sets_changed on sourcing_rule_sets (changed_xid);
create trigger stamp before update on sourcing_rule_sets
    for each row execute function stamp_changed();

-- What a location was given on a day.
create index fulfillment_orders_by_day on fulfillment_orders (location_id, created_at);

-- Append-only: what was decided by which rules, and everything that was known then.
create table sourcing_decisions (
    decision_id bigint generated always as identity primary key,
    order_id bigint not null,
    group_no smallint not null,
    version integer not null references sourcing_rule_sets,
    decided_at timestamptz not null,
    demand jsonb not null,
    candidates jsonb not null,
    plan jsonb not null,
    outcome jsonb not null,
    changed_xid xid8 not null default pg_current_xact_id()
);
create index sourcing_decisions_of_order on sourcing_decisions (order_id, decision_id);
create index sourcing_decisions_at on sourcing_decisions (decided_at, decision_id);
create index sourcing_decisions_changed on sourcing_decisions (changed_xid);
create trigger stamp before update on sourcing_decisions
    for each row execute function stamp_changed();

-- Orders with units no rule gave out: they keep them, and are planned again.
create table sourcing_waits (
    order_id bigint primary key,
    reservation_ids bigint[] not null,
    again_at timestamptz not null
);
create index sourcing_waits_again on sourcing_waits (again_at);

-- Keys carry the scopes their role had when they were made.
update api_keys set scopes = scopes || array['sourcing:read', 'sourcing:write']
where role = 'admin';
update api_keys set scopes = scopes || array['sourcing:read'] where role in ('agent', 'engineer');
