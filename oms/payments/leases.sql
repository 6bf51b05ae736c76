-- What payment services are to be asked: taken up for a while, kept, given back.

-- name: take_due
-- Operations whose time it is, taken up for a while: whoever takes them later may answer instead.
with due as (
    select transaction_id from payment_transactions t
    where next_try_at <= :at and coalesce(t.psp, '') <> all (cast(:but as text[]))
      -- A service may take giving up the rest for giving up all: what is captured comes first.
      and not (t.type = 'void' and exists (
        select from payments y where y.payment_id = t.payment_id and y.capturing_minor > 0))
    order by next_try_at, transaction_id
    limit :limit
    for update skip locked
)
update payment_transactions t
set claim = t.claim + 1, attempts = t.attempts + 1, next_try_at = :lease_until
from due, payments p
where t.transaction_id = due.transaction_id and p.payment_id = t.payment_id
returning t.transaction_id, t.transaction_number, t.type, t.state, t.amount_minor, t.currency,
    t.psp, t.idempotency_key, t.attempts, t.claim, t.is_disputed, p.token,
    case when t.type <> 'authorize' then p.psp_reference end as parent_reference,
    p.authorized_minor - p.captured_minor - p.capturing_minor - p.voided_minor as held_minor,
    t.requested_at;

-- name: keep
-- What somebody took up and is still at: it is not to be taken up by others.
update payment_transactions t
set next_try_at = :lease_until
from jsonb_to_recordset(cast(:claims as jsonb)) as c(transaction_id bigint, claim integer)
where t.transaction_id = c.transaction_id and t.claim = c.claim and t.next_try_at is not null
returning t.transaction_id;

-- name: give_back
-- What somebody took up and did not ask for: it was not tried.
update payment_transactions t
set next_try_at = :at, attempts = t.attempts - 1
from jsonb_to_recordset(cast(:claims as jsonb)) as c(transaction_id bigint, claim integer)
where t.transaction_id = c.transaction_id and t.claim = c.claim and t.next_try_at is not null;
