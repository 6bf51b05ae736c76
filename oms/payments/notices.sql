-- Notices of payment services: kept, looked at again, listed.

-- name: known_notice
-- What became of a notification, where it came before.
select outcome from psp_notices where psp = :psp and notice_ref = :notice_ref;

-- name: note
-- What a payment service told, and what became of it.
insert into psp_notices (psp, notice_ref, received_at, outcome, waits_for_payment, detail)
values (:psp, :notice_ref, :at, :outcome, :waits, cast(:detail as jsonb))
on conflict (psp, notice_ref) do nothing;

-- name: waiting
-- Notices that waited for a payment there is by now, order by order, as they happened.
select n.psp, n.notice_ref, n.detail, k.order_id
from psp_notices n
cross join lateral (
    select order_id from payments
    where psp = n.psp and psp_reference = n.detail ->> 'parent_reference'
    union
    select order_id from payment_transactions
    where psp = n.psp and transaction_number = n.detail ->> 'reference'
    limit 1
) k
where n.waits_for_payment
order by k.order_id, coalesce(cast(n.detail ->> 'psp_at' as timestamptz), n.received_at),
    n.received_at, n.notice_ref
limit 200
for update of n skip locked;

-- name: resolve
-- What became of a notice that waited.
update psp_notices set outcome = :outcome, waits_for_payment = false, resolved_at = :at
where psp = :psp and notice_ref = :notice_ref;

-- name: parked
-- Notices of which nothing became, oldest first.
select notice_id, psp, notice_ref, received_at, waits_for_payment, detail
from psp_notices
where outcome = 'parked' and notice_id > :after
  and (cast(:psp as text) is null or psp = :psp)
order by notice_id
limit :limit;
