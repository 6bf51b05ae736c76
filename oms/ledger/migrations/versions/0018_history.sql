-- What happened for the same reason has the same correlation id: the request's or the message's
-- that is set for a transaction; null: a worker's own step, which its transaction names.
alter table order_events add column correlation_id text
    default nullif(current_setting('oms.correlation_id', true), '');
