-- Who lets refunds go, so that people have limits over refunds, orders and days.

-- Who let it go, as a person, however they are named where they use a tool; null: a rule did, or
-- nobody has so far.
alter table refunds add column released_by text, add column released_at timestamptz;
create index refunds_released on refunds (released_by, released_at) where released_by is not null;

-- As what its approver may let go how much: their limits count when its rows are paid.
alter table refund_batches add column approved_role text;
