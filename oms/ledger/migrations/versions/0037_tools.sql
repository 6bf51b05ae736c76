-- Tools of customer service: clients that get short-lived tokens for their key, and may say for
-- which person they do something.

alter table api_keys add column is_tool boolean not null default false;

-- Tokens as they were given for a key: who has one is who has the key, as long as both are good.
create table access_tokens (
    token_sha256 bytea primary key,
    key_id text not null references api_keys (key_id),
    scopes text[] not null,                     -- of the key's, those that were asked for
    created_at timestamptz not null,
    expires_at timestamptz not null
);
create index access_tokens_of_key on access_tokens (key_id, created_at desc);

-- Cases of customer service that are about an order (oms/cases): the tool's own ids and addresses.
create table order_cases (
    order_id bigint not null references orders,
    tool text not null,
    case_id text not null,
    url text not null,
    state text not null check (state in ('open', 'closed')),
    linked_at timestamptz not null,
    linked_by text not null,
    changed_at timestamptz not null,
    changed_by text not null,
    primary key (order_id, tool, case_id)
);
