-- Store credit: accounts opened, entries made, found by what is known of them.

-- name: open
-- An account, with nothing on it so far.
insert into credit_accounts (
    code, order_id, pays_order_id, currency, expires_at, created_at, changed_at)
values (:code, :order_id, :pays_order_id, :currency, :expires_at, :at, :at)
returning account_number;

-- name: hold
-- Hold an account: whoever changes its balance does so first.
select account_id from credit_accounts where account_id = :account_id for update;

-- name: of_order
-- The account an order's refunds are paid to: the last one that is open and pays for whichever.
select account_number from credit_accounts
where order_id = :order_id and pays_order_id is null
  and (expires_at is null or expires_at > :at)
order by account_id desc
limit 1;

-- name: of_exchange
-- The account that pays for an exchange's order alone.
select account_number from credit_accounts where pays_order_id = :order_id;

-- name: unused
-- Accounts of an order's exchanges that were given something back: those have no use for it.
select account_id from credit_accounts
where order_id = :order_id and pays_order_id is not null and balance_minor > 0
order by account_id;

-- name: has_cause
-- Whether something has changed an account for this cause.
select exists (
    select from credit_entries where account_id = :account_id and cause = :cause);

-- name: enter
-- An entry of an account that is held, and its balance with it.
with moved as (
    update credit_accounts
    set balance_minor = balance_minor + :amount_minor, version = version + 1, changed_at = :at,
        -- Of two times the later one; what is good for ever stays so.
        expires_at = case when :amount_minor > 0 and expires_at is not null
            then greatest(expires_at, :until) else expires_at end
    where account_id = :account_id and balance_minor + :amount_minor >= 0
    returning account_id, version, balance_minor
)
insert into credit_entries (
    account_id, entry_no, kind, amount_minor, balance_minor, cause, order_id, reason, recorded_by,
    recorded_at
)
select account_id, version, :kind, :amount_minor, balance_minor, :cause, :order_id, :reason, :by,
    :at
from moved;

-- name: due
-- An account whose time is over and that is not spent.
select account_id from credit_accounts
where expires_at <= :at and balance_minor > 0
order by expires_at, account_id
limit 1;

-- name: erase
-- Why balances were corrected says nothing of anybody any more.
update credit_entries set reason = '[erased]'
where reason is not null and reason <> '[erased]' and account_id in (
    select account_id from credit_accounts where order_id = any (cast(:order_ids as bigint[])));
