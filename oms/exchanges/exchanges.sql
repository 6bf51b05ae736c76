-- Exchanges: linked, found from either side, looked at for what is to be done.

-- name: link
-- A return, the order of what is wanted instead, and which of its lines is for which.
with made as (
    insert into exchanges (return_id, order_id, opened_at) values (:return_id, :order_id, :at)
    returning return_id
)
insert into exchange_lines (return_id, line_no, wanted_line_no, price_reason)
select made.return_id, l.line_no, l.wanted_line_no, l.price_reason
from made, jsonb_to_recordset(cast(:lines as jsonb)) as l(
    line_no smallint, wanted_line_no smallint, price_reason text);

-- name: linked
-- The orders these were exchanged for or are exchanges of.
select r.order_id from exchanges x join returns r using (return_id)
where x.order_id = any (cast(:order_ids as bigint[]))
union
select x.order_id from exchanges x join returns r using (return_id)
where r.order_id = any (cast(:order_ids as bigint[]));

-- name: is_exchange
-- Whether an order was made of a return.
select exists (select from exchanges where order_id = :order_id);

-- name: paid
-- An order that is held until it is paid, and is: by credit, money, or what is held for it.
select h.order_id
from order_holds h
join orders o using (order_id)
left join order_balances b using (order_id)
where h.type = 'exchange' and h.released_at is null and o.order_state <> 'canceled'
  and coalesce(b.due_minor, o.total_minor) <= coalesce((
      select sum(p.captured_minor - p.refunded_minor - p.charged_back_minor
          + greatest(0, p.authorized_minor - p.captured_minor - p.voided_minor - p.voiding_minor))
      from payments p
      where p.order_id = h.order_id
        and (p.captured_minor > 0 or p.authorized_until_at is null or p.authorized_until_at > :at)
  ), 0)
  and (h.order_id = cast(:order_id as bigint) or cast(:order_id as bigint) is null and not exists (
      select from set_aside s where s.follower = :follower and s.order_id = h.order_id))
order by h.order_id
limit 1;

-- name: given_from
-- What the payments of an order gave to an account, less what they got back of it.
select p.payment_number,
    (sum(t.amount_minor) filter (where t.type = 'refund')
        - coalesce(sum(t.amount_minor) filter (where t.type = 'refund_reversal'), 0))::bigint
        as amount_minor
from payment_transactions t
join payments p using (payment_id)
where t.order_id = :order_id and t.state = 'succeeded' and t.psp = 'store_credit'
  and (t.cause like :account_number || ':%' or exists (
      select from refunds u
      where u.order_id = t.order_id and u.credit_account_id = :account_id
        and t.cause like u.refund_number || '.%'))
group by p.payment_id
having sum(t.amount_minor) filter (where t.type = 'refund') > 0
order by p.payment_id desc;

-- name: erase
-- Why something cost what it did says nothing of anybody any more.
update exchange_lines set price_reason = '[erased]'
where price_reason is not null and price_reason <> '[erased]' and return_id in (
    select return_id from returns where order_id = any (cast(:order_ids as bigint[])));
