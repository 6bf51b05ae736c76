-- Holds of stock: what a basket, a quote or a kiosk keeps for a short time. Their units are
-- reservations; here is whose they are, and how they ended.
create table stock_holds (
    hold_ref text primary key,
    channel_id integer not null references channels,
    state text not null check (state in ('active', 'converted', 'released', 'expired')),
    created_at timestamptz not null,
    expires_at timestamptz not null,
    order_id bigint,                            -- what it was converted to
    check ((state = 'converted') = (order_id is not null))
);
create index stock_holds_due on stock_holds (expires_at) where state = 'active';
create index reservations_of_hold on reservations (hold_ref) where hold_ref is not null;
