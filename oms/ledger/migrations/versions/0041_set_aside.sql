-- Orders a follower failed for: the others go on, and these are tried again.
create table set_aside (
    follower text not null,
    order_id bigint not null references orders,
    failure text not null,                      -- what kind of error: the log has the rest
    since_at timestamptz not null,
    tried_at timestamptz not null,
    attempts integer not null default 1,
    primary key (follower, order_id)
);

-- Authorizations by when they end, of payments that are ours to capture.
create index payments_authorized_until on payments (authorized_until_at)
    where managed_by = 'oms' and authorized_until_at is not null
      and state in ('authorized', 'partially_captured');
