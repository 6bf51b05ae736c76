-- What a channel shows of the units a store has: how many, at least how many, or only whether.
alter table channels add column stock_shown text not null default 'banded'
    check (stock_shown in ('exact', 'banded', 'hidden'));
