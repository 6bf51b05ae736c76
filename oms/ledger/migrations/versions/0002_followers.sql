-- How far each follower of the journal has come (oms/ledger/followers.py).
create table followers (
    follower text primary key,
    watermark bigint not null
);
