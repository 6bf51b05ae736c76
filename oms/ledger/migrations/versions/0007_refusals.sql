-- How many attempts failed over a message itself: those that failed with its endpoint count for
-- nothing when it is decided whether to give it up.
alter table webhook_deliveries add column refusals_count integer not null default 0;

-- By order, for who erases a customer.
create index webhook_deliveries_of_order on webhook_deliveries (order_id)
    where order_id is not null;
