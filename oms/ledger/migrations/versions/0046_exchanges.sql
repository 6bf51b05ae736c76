-- Exchanges: a return, and the order of what its customer gets instead.

create table exchanges (
    return_id bigint primary key references returns,
    order_id bigint not null unique references orders,
    opened_at timestamptz not null
);

-- What is wanted for which line of the return; the numbers are those of both orders.
create table exchange_lines (
    return_id bigint not null references exchanges,
    line_no smallint not null,
    wanted_line_no smallint not null,
    price_reason text,                          -- why it costs what it was said to cost
    primary key (return_id, line_no)
);

-- Orders on a hold of their exchange: few, and looked at again and again.
create index order_holds_of_exchanges on order_holds (order_id)
    where type = 'exchange' and released_at is null;
