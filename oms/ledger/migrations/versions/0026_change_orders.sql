-- Change orders: what an order shall be instead, looked at before it is made.
create table change_orders (
    order_id bigint not null,
    change_no integer not null,
    state text not null
        check (state in ('draft', 'previewed', 'applied', 'declined', 'expired')),
    base_version integer not null,              -- of the order it was made for
    reason text not null,
    asked jsonb not null,                       -- but for the address, which goes when its customer is erased
    ship_to jsonb,
    outcome jsonb,                              -- what it comes to, as it was last looked at
    currency text not null,
    due_minor bigint not null default 0 check (due_minor >= 0),    -- its customer is to pay
    owed_minor bigint not null default 0 check (owed_minor >= 0),  -- its customer is to get back
    created_at timestamptz not null,
    created_by text not null,
    expires_at timestamptz not null,
    ended_at timestamptz,
    ended_by text,
    end_reason text,
    primary key (order_id, change_no),
    check (least(due_minor, owed_minor) = 0)
);
create index change_orders_open on change_orders (expires_at) where state in ('draft', 'previewed');

alter table order_lines
    add column is_ours boolean not null default false,  -- added by us: its channel knows nothing of it
    add column told jsonb;                      -- what its channel last said of a line we changed
alter table order_groups
    add column is_ours boolean not null default false;  -- we said which way it goes
