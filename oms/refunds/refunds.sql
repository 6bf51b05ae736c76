-- Refunds: asked for, let go, followed.

-- name: add
-- A refund; the same cause again is no second one.
insert into refunds (
    order_id, kind, state, amount_minor, currency, reason, cause, requested_by, decided_by,
    created_at, changed_at
)
values (
    :order_id, :kind, :state, :amount_minor, :currency, :reason, :cause, :by, :decided_by, :at, :at
)
on conflict (order_id, cause) do nothing
returning refund_id, refund_number;

-- name: share
-- What of a refund goes back to which payments.
insert into refund_tenders (refund_id, payment_id, amount_minor)
select :refund_id, payment_id, amount_minor
from jsonb_to_recordset(cast(:shares as jsonb)) as s(payment_id bigint, amount_minor bigint);

-- name: unshare
-- The parts of a refund that were never asked for.
delete from refund_tenders where refund_id = :refund_id;

-- name: line_values
-- What the lines of an order come to now: what has left and stays, and what is still to leave.
select v.line_no, h.held + v.given_minor as held_minor, v.minor - h.held as open_minor,
    v.minor + v.given_minor as minor, v.tax_minor + v.given_tax_minor as tax_minor,
    coalesce(p.going_minor, 0)::bigint as reduced_minor
from line_values(:order_id) v
cross join lateral (
    select first_units_minor(v.minor, v.units, v.units - least(v.open, v.units)) as held
) h
left join price_reductions p on p.order_id = :order_id and p.line_no = v.line_no
order by v.line_no;

-- name: reduce
-- What a refund takes off the price of which lines: said once, when it is let go.
insert into refund_lines (refund_id, line_no, net_minor, tax_minor)
select :refund_id, line_no, net_minor, tax_minor
from jsonb_to_recordset(cast(:lines as jsonb)) as l(
    line_no smallint, net_minor bigint, tax_minor bigint)
where not exists (select from refund_lines where refund_id = :refund_id);

-- name: order_of
-- The order a refund is of.
select order_id from refunds where refund_number = :number;

-- name: move
-- The next state of a refund whose order is held.
update refunds
set state = :state, decided_by = coalesce(:decided_by, decided_by), changed_at = :at,
    version = version + 1
where refund_id = :refund_id and version = :version;

-- name: again
-- What failed of a refund is asked for once more, under another cause.
update refund_tenders t
set attempt = attempt + 1
from payment_transactions x
where t.refund_id = :refund_id and x.payment_id = t.payment_id and x.type = 'refund'
  and x.cause = :number || '.' || t.attempt and x.state = 'failed'
returning t.payment_id;

-- name: policy
-- What a channel says of a kind of refund; else what is said for all.
select mode, limit_minor from refund_policies
where kind = :kind and (channel_id = :channel_id or channel_id is null)
order by channel_id nulls last
limit 1;

-- name: set_policy
-- How a channel, or every other, lets a kind of refund go.
insert into refund_policies (channel_id, kind, mode, limit_minor)
values (:channel_id, :kind, :mode, :limit_minor)
on conflict (channel_id, kind) do update
set mode = excluded.mode, limit_minor = excluded.limit_minor;

-- name: waiting
-- What of an order somebody has to decide on: refunds that wait, and the parts of others that failed.
select coalesce(sum(case when r.state = 'awaiting_approval' then r.amount_minor
    else f.amount_minor end), 0)::bigint as amount_minor
from refunds r
left join lateral (
    select sum(t.amount_minor) as amount_minor
    from refund_tenders t
    join payment_transactions x on x.payment_id = t.payment_id and x.type = 'refund'
        and x.cause = r.refund_number || '.' || t.attempt
    where t.refund_id = r.refund_id and x.state = 'failed'
) f on r.state in ('failed', 'partially_succeeded', 'requested')
where r.order_id = :order_id;

-- name: decided_against
-- What of an order was owed and somebody rejected or canceled: it goes back by a person's wish only,
-- who has expressed none since.
select coalesce(sum(r.amount_minor), 0)::bigint as amount_minor
from refunds r
where r.order_id = :order_id and r.kind = 'owed' and r.state in ('rejected', 'canceled')
  and not exists (
      select from refunds l
      where l.order_id = r.order_id and l.refund_id > r.refund_id and l.kind = 'owed'
        and l.cause not like 'owed:%' and l.state not in ('rejected', 'canceled'));

-- name: open_of_order
-- The refunds of an order that are not known to be over.
select refund_number from refunds
where order_id = :order_id and state in ('requested', 'partially_succeeded', 'failed', 'succeeded')
order by refund_id;
