-- Holds of orders (oms/holds): which commands each type blocks stands in the code.
create table order_holds (
    order_id bigint not null references orders,
    hold_no smallint not null check (hold_no > 0),
    type text not null,
    comment text not null,
    placed_at timestamptz not null,
    placed_by text not null,
    released_at timestamptz,
    released_by text,
    release_comment text,
    changed_xid xid8 not null default pg_current_xact_id(),
    primary key (order_id, hold_no),
    check ((released_at is null) = (released_by is null))
);
create unique index order_holds_one_of_a_type on order_holds (order_id, type) where released_at is null;
create index order_holds_changed on order_holds (changed_xid);
create trigger stamp before update on order_holds for each row execute function stamp_changed();

alter table orders add column is_on_hold boolean not null default false;
create index orders_on_hold on orders (placed_at desc, order_id desc) where is_on_hold;

-- Keys carry the scopes their role had when they were made.
update api_keys set scopes = scopes || array['orders:hold', 'orders:review'] where role in ('admin', 'finance');
update api_keys set scopes = scopes || array['orders:hold'] where role = 'agent';
