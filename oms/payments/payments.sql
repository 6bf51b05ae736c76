-- Payments: recorded, asked for, answered, folded.

-- name: unusable
-- Payments whose service's id is known of another payment, or is told of two in this batch: the
-- first of them has it.
with told as (
    select d.position, d.external_ref, d.psp, d.psp_reference, c.external_ref as order_ref,
        row_number() over (partition by d.position order by d.ordinal) - 1 as place,
        first_value(c.external_ref) over first as first_order_ref,
        first_value(d.external_ref) over first as first_ref
    from draft_payments d
    join draft_orders c using (position)
    window first as (partition by d.psp, d.psp_reference order by d.position, d.ordinal)
)
select t.position, t.place, t.external_ref
from told t
left join payments p on p.psp = t.psp and p.psp_reference = t.psp_reference
left join orders o on o.order_id = p.order_id
where t.psp is not null and t.psp_reference is not null
  and case when p.payment_id is null
      then (t.order_ref, t.external_ref) <> (t.first_order_ref, t.first_ref)
      else (o.channel_id, o.external_ref, p.external_ref)
          <> (:channel_id, t.order_ref, t.external_ref)
      end
order by t.position, t.place;

-- name: record
-- Payments as channels tell them, with what was done with each so far; what is known of one stays.
-- A payment's order is the one its document was captured as.
with told as (
    select d.*, o.order_id, o.currency, o.placed_at, x.location_id
    from draft_payments d
    join draft_orders c using (position)
    join orders o on o.order_id = c.order_id
    left join locations x on x.location_code = d.location_code
    where c.outcome in ('captured', 'updated', 'duplicate')
)
insert into payments (
    order_id, external_ref, tender, psp, psp_reference, managed_by, brand, last4, currency,
    amount_minor, authorized_until_at, location_id, created_at, changed_at
)
select distinct on (order_id, external_ref)
    order_id, external_ref, tender, psp, psp_reference, managed_by, brand, last4, currency,
    amount_minor, authorized_until_at, location_id, placed_at, :at
from told
order by order_id, external_ref, position desc
on conflict do nothing;

-- name: not_recorded
-- Whether a payment of the batch is not there: somebody else has just taken its service's id.
select exists (
    select from draft_payments d
    join draft_orders c using (position)
    left join payments p on p.order_id = c.order_id and p.external_ref = d.external_ref
    where c.outcome in ('captured', 'updated', 'duplicate') and p.payment_id is null
      and c.order_id is not null  -- null: it stands in this batch twice
);

-- name: repeat
-- Have the transaction done again from its start.
do $$ begin
    raise serialization_failure using message = 'a payment reference was taken meanwhile';
end $$;

-- name: extend
-- Until when authorizations hold, as the newest document says.
update payments p
set authorized_until_at = t.authorized_until_at, changed_at = :at, version = p.version + 1
from (
    select distinct on (c.order_id, d.external_ref) c.order_id, d.external_ref,
        d.authorized_until_at
    from draft_payments d
    join draft_orders c using (position)
    where c.outcome in ('captured', 'updated') and d.authorized_until_at is not null
    order by c.order_id, d.external_ref, d.position desc
) t
where p.order_id = t.order_id and p.external_ref = t.external_ref
  and p.authorized_until_at is distinct from t.authorized_until_at;

-- name: record_done
-- What channels did with their payments, as totals: beyond what is known of each it is one more
-- transaction, of the time it is told with, else of its document's: of a new order without one, of
-- when it was placed.
with told as (
    select distinct on (p.payment_id) p.*, d.authorized_minor as told_authorized,
        d.captured_minor as told_captured, d.refunded_minor as told_refunded,
        d.position,
        coalesce(d.occurred_at, c.updated_at,
            case when c.outcome = 'captured' then c.placed_at end) as told_at
    from draft_payments d
    join draft_orders c using (position)
    join payments p on p.order_id = c.order_id and p.external_ref = d.external_ref
    where c.outcome in ('captured', 'updated', 'duplicate')
    order by p.payment_id, d.position desc
),
more as (
    select t.payment_id, t.order_id, t.currency, t.psp, m.type, m.told - m.known as amount,
        m.told as total, t.told_at
    from told t
    cross join lateral (values
        ('authorize', t.told_authorized, t.authorized_minor),
        ('capture', t.told_captured, t.captured_minor),
        ('refund', t.told_refunded, t.refunded_minor)
    ) as m (type, told, known)
    where m.told > m.known and (t.managed_by = 'channel' or m.type = 'authorize')
),
made as (
    insert into payment_transactions (
        payment_id, order_id, type, state, amount_minor, currency, psp, source, cause,
        idempotency_key, requested_at, finished_at, psp_at
    )
    select payment_id, order_id, type, 'succeeded', amount, currency, psp, 'channel',
        'told:' || total, 'told:' || payment_id || ':' || type || ':' || total, :at, :at, told_at
    from more
    on conflict (payment_id, type, cause) do nothing
    returning transaction_id, order_id, payment_id
),
steps as (
    insert into payment_steps (transaction_id, seq, state, is_applied, source, recorded_at)
    select transaction_id, 1, 'succeeded', true, 'record', :at from made
)
select m.order_id, m.payment_id, p.payment_number, t.type, t.amount, p.currency
from made m
join payments p using (payment_id)
join more t using (payment_id)
order by m.order_id, m.transaction_id;

-- name: add
-- A payment that is begun with us.
insert into payments (
    order_id, external_ref, tender, psp, managed_by, token, brand, last4, currency, amount_minor,
    location_id, credit_account_id, created_at, changed_at
)
select :order_id, :external_ref, :tender, :psp, :managed_by, :token, :brand, :last4, :currency,
    :amount_minor, (select location_id from locations where location_code = :location_code),
    :credit_account_id, :at, :at
on conflict (order_id, external_ref) do nothing
returning payment_id, payment_number;

-- name: begin
-- A transaction that is to be done, or was; the same cause again is no second one.
with made as (
    insert into payment_transactions (
        payment_id, order_id, type, state, amount_minor, currency, psp, psp_reference, source,
        cause, idempotency_key, next_try_at, requested_at, finished_at, psp_at, tender, location_id
    )
    values (
        :payment_id, :order_id, :type, :state, :amount_minor, :currency, :psp, :psp_reference,
        :source, :cause, :idempotency_key, :next_try_at, :at, :finished_at, :psp_at, :tender,
        (select location_id from locations where location_code = :location_code)
    )
    on conflict (payment_id, type, cause) do nothing
    returning transaction_id, transaction_number
),
step as (
    insert into payment_steps (transaction_id, seq, state, is_applied, source, psp_at, recorded_at)
    select transaction_id, 1, :state, true,
        case when cast(:next_try_at as timestamptz) is null then 'record' else 'request' end,
        :psp_at, :at
    from made
)
select transaction_id, transaction_number from made;

-- name: know_services
-- What payment services do with what is left of a payment, as they are set up here.
insert into payment_services (psp, captures_once)
select psp, captures_once
from jsonb_to_recordset(cast(:services as jsonb)) as s(psp text, captures_once boolean)
on conflict (psp) do update set captures_once = excluded.captures_once
where payment_services.captures_once <> excluded.captures_once;

-- name: know_payment
-- Whether a payment is captured once and until when it is held, as its service says.
update payments p
set captures_once = n.captures_once, authorized_until_at = n.authorized_until_at
from payments o
cross join lateral (
    select coalesce(cast(:captures_once as boolean), o.captures_once) as captures_once,
        coalesce(cast(:authorized_until_at as timestamptz), o.authorized_until_at)
            as authorized_until_at
) n
where p.payment_id = :payment_id and o.payment_id = p.payment_id
  and (p.captures_once, p.authorized_until_at)
      is distinct from (n.captures_once, n.authorized_until_at)
returning p.payment_id;

-- name: round_off
-- What a till gave beyond an amount, or less, for want of small coins.
update payment_transactions set rounding_minor = :rounding_minor
where transaction_id = :transaction_id;

-- name: hold_transaction
-- A transaction whose order is held.
select t.transaction_id, t.transaction_number, t.payment_id, t.order_id, t.type, t.state,
    t.amount_minor, t.currency, t.psp_at, t.claim, t.attempts, t.psp_reference, t.is_disputed,
    p.payment_number,
    coalesce((select max(seq) from payment_steps s where s.transaction_id = t.transaction_id), 0)
        as last_step
from payment_transactions t
join payments p using (payment_id)
where t.transaction_id = :transaction_id
for update of t;

-- name: order_of_transaction
-- The order a transaction is of.
select order_id from payment_transactions where transaction_id = :transaction_id;

-- name: order_of_payment
-- The order a payment is of.
select order_id from payments where payment_number = :number;

-- name: step
-- A word about a transaction, whether or not it became that.
insert into payment_steps
    (transaction_id, seq, state, is_applied, source, psp_at, failure, recorded_at)
values (:transaction_id, :seq, :state, :is_applied, :source, :psp_at, :failure, :at);

-- name: settle
-- What a transaction has become.
-- Told again that it is so, it is so since it was first told: its day in the books stays.
update payment_transactions
set state = :state, psp_reference = coalesce(:psp_reference, psp_reference), failure = :failure,
    psp_at = case when state = :state then coalesce(psp_at, :psp_at) else :psp_at end,
    finished_at = case when state = :state then finished_at else :finished_at end,
    is_disputed = :is_disputed, next_try_at = :next_try_at
where transaction_id = :transaction_id;

-- name: name_payment
-- A payment its PSP has given an id, or declined: what it was begun with is no longer kept.
update payments set psp_reference = coalesce(psp_reference, :psp_reference), token = null
where payment_id = :payment_id and (psp_reference is null or token is not null);

-- name: fold
-- What of payments is where, summed up from their transactions. What is captured once is asked to
-- be captured and to be let go at the same time.
with sums as (
    select t.payment_id,
        sum(amount_minor) filter (where type = 'authorize' and is_done) as authorized,
        sum(amount_minor) filter (where type = 'authorize' and is_open) as authorizing,
        sum(amount_minor) filter (where type = 'capture' and is_done) as captured,
        sum(amount_minor) filter (where type = 'capture' and is_open) as capturing,
        sum(amount_minor) filter (where type = 'void' and is_done) as voided,
        sum(amount_minor) filter (where type = 'void' and is_open) as voiding,
        sum(case type when 'refund' then amount_minor else -amount_minor end)
            filter (where type in ('refund', 'refund_reversal') and is_done) as refunded,
        sum(amount_minor) filter (where type = 'refund' and is_open) as refunding,
        sum(case type when 'chargeback' then amount_minor else -amount_minor end)
            filter (where type in ('chargeback', 'chargeback_reversal') and is_done) as charged_back,
        bool_or(type = 'authorize' and state = 'failed') as has_failed
    from payment_transactions t
    cross join lateral (select state = 'succeeded' as is_done,
        state in ('requested', 'pending', 'unknown') as is_open) s
    where t.payment_id = any (cast(:payment_ids as bigint[]))
    group by t.payment_id
)
update payments p
set authorized_minor = coalesce(s.authorized, 0), authorizing_minor = coalesce(s.authorizing, 0),
    captured_minor = coalesce(s.captured, 0), capturing_minor = coalesce(s.capturing, 0),
    voided_minor = coalesce(s.voided, 0), voiding_minor = coalesce(s.voiding, 0)
        + case when s.capturing > 0 and coalesce(p.captures_once, (
            select v.captures_once from payment_services v where v.psp = p.psp), false)
        then greatest(0, coalesce(s.authorized, 0) - coalesce(s.captured, 0) - s.capturing
            - coalesce(s.voided, 0) - coalesce(s.voiding, 0)) else 0 end,
    refunded_minor = coalesce(s.refunded, 0), refunding_minor = coalesce(s.refunding, 0),
    charged_back_minor = coalesce(s.charged_back, 0), changed_at = :at, version = p.version + 1
from sums s
where p.payment_id = s.payment_id
returning p.payment_id, p.order_id, s.has_failed, p.authorized_minor, p.authorizing_minor,
    p.captured_minor, p.capturing_minor, p.voided_minor, p.voiding_minor, p.refunded_minor,
    p.refunding_minor, p.charged_back_minor;

-- name: set_states
-- The states that were folded from these sums.
update payments p
set state = f.state
from jsonb_to_recordset(cast(:states as jsonb)) as f(payment_id bigint, state text)
where p.payment_id = f.payment_id and p.state <> f.state;

-- name: standings
-- What of the payments of orders is where.
select order_id, state, managed_by = 'oms' and psp_reference is not null as is_ours_to_move,
    authorized_minor, authorizing_minor, captured_minor, capturing_minor, voided_minor,
    voiding_minor, refunded_minor, refunding_minor, charged_back_minor
from payments
where order_id = any (cast(:order_ids as bigint[]))
order by payment_id;

-- name: balance
-- How orders are paid, where that has changed.
insert into order_balances (
    order_id, placed_at, payment_state, currency, due_minor, authorized_minor, captured_minor,
    refunded_minor, changed_at
)
select order_id, o.placed_at, b.payment_state, b.currency, b.due_minor, b.authorized_minor,
    b.captured_minor, b.refunded_minor, :at
from jsonb_to_recordset(cast(:balances as jsonb)) as b(
    order_id bigint, payment_state text, currency text, due_minor bigint, authorized_minor bigint,
    captured_minor bigint, refunded_minor bigint)
join orders o using (order_id)
on conflict (order_id) do update
set payment_state = excluded.payment_state, due_minor = excluded.due_minor,
    authorized_minor = excluded.authorized_minor, captured_minor = excluded.captured_minor,
    refunded_minor = excluded.refunded_minor, changed_at = excluded.changed_at
where (order_balances.payment_state, order_balances.due_minor, order_balances.authorized_minor,
        order_balances.captured_minor, order_balances.refunded_minor)
    is distinct from (excluded.payment_state, excluded.due_minor, excluded.authorized_minor,
        excluded.captured_minor, excluded.refunded_minor);

-- name: facts
-- What decides what orders owe: their lines, and what was canceled and returned of them, with
-- what returns keep of it or give beyond it.
select o.order_id, o.currency, o.total_minor, o.is_historical or o.is_test as is_apart,
    coalesce(e.canceled_minor, 0)::bigint as canceled_minor,
    (coalesce(e.returned_minor, 0) - coalesce(m.kept_minor, 0))::bigint as returned_minor,
    (select jsonb_agg(jsonb_build_array(l.line_no, l.quantity, l.canceled, greatest(l.shipped, l.returned),
            v.units, v.minor) order by l.line_no)
        from order_lines l join line_values(o.order_id) v using (line_no)
        where l.order_id = o.order_id) as lines
from orders o
left join lateral (
    select -sum(net_minor + tax_minor) filter (where kind = 'cancel') as canceled_minor,
        -sum(net_minor + tax_minor) filter (where kind = 'return') as returned_minor
    from line_events where order_id = o.order_id
) e on true
left join return_money m on m.order_id = o.order_id
where o.order_id = any (cast(:order_ids as bigint[]));

-- name: changed_orders
-- Orders with payments of which something was written from one transaction up to another.
select distinct o.order_id
from orders o
join payments p using (order_id)
where o.changed_xid >= cast(:after as xid8) and o.changed_xid < cast(:upto as xid8)
order by 1;

-- name: noticed
-- The transaction or the payment a notice is about: by our number, or by the PSP's references.
-- What a channel told of has neither: the first of it that has no reference yet is that.
with about as (
    select payment_id from payments where psp = :psp and psp_reference = :parent_reference
    union
    select payment_id from payment_transactions
    where psp = :psp and transaction_number = :reference
),
known as (
    select p.payment_id, p.order_id, p.currency, t.transaction_id,
        t.transaction_number is distinct from :reference
            and t.psp_reference is distinct from :psp_reference as is_told
    from about
    join payments p using (payment_id)
    left join payment_transactions t on t.payment_id = p.payment_id and t.type = :type
        and (t.transaction_number = :reference or t.psp_reference = :psp_reference
            or (:is_done and t.source = 'channel' and t.state = 'succeeded' and t.psp_reference is null
                and t.amount_minor = :amount_minor))
)
select payment_id, order_id, currency, transaction_id,
    is_told and transaction_id is not null as is_told
from known
order by is_told, transaction_id nulls last
limit 1;

-- name: adopt
-- A transaction a channel told of is the one its payment service knows by this reference.
update payment_transactions set psp_reference = :psp_reference
where transaction_id = :transaction_id and psp_reference is null;
