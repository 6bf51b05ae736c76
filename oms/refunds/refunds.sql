-- Refunds: asked for, let go, followed.

-- name: add
-- A refund; the same cause again is no second one.
insert into refunds (
    order_id, kind, state, amount_minor, currency, reason, cause, requested_by, decided_by,
    paid_as, visit_id, occasion, created_at, changed_at
)
values (
    :order_id, :kind, :state, :amount_minor, :currency, :reason, :cause, :by, :decided_by,
    :paid_as, :visit_id, :occasion, :at, :at
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
-- What the lines of an order come to now: what has left and stays, what is still to leave, and what
-- refunds would take off them that wait for somebody, or whose parts failed.
select v.line_no, h.held + v.given_minor as held_minor, v.minor - h.held as open_minor,
    v.minor + v.given_minor as minor, v.tax_minor + v.given_tax_minor as tax_minor,
    coalesce(p.going_minor, 0)::bigint as reduced_minor,
    coalesce(w.minor, 0)::bigint as waiting_minor
from line_values(:order_id) v
cross join lateral (
    select first_units_minor(v.minor, v.units, v.units - least(v.open, v.units)) as held
) h
left join price_reductions p on p.order_id = :order_id and p.line_no = v.line_no
left join lateral (
    select sum(div(w.upto * least(w.amount, w.whole), w.whole)
        - div((w.upto - w.minor) * least(w.amount, w.whole), w.whole)
        - div(w.upto * least(w.going, w.whole), w.whole)
        + div((w.upto - w.minor) * least(w.going, w.whole), w.whole)) as minor
    from (
        select l.line_no, m.minor, sum(m.minor) over (lines order by l.line_no) as upto,
            nullif(sum(m.minor) over lines, 0) as whole, r.amount_minor as amount,
            case when r.state = 'awaiting_approval' then 0 else r.amount_minor - f.failed end as going
        from refunds r
        join refund_lines l using (refund_id)
        cross join lateral (select l.net_minor + l.tax_minor as minor) m
        cross join lateral (
            select coalesce(sum(p.amount_minor), 0) as failed
            from refund_parts p
            where p.refund_id = r.refund_id and p.ended is null and p.state = 'failed'
              and not p.is_for_reversed  -- which is off the price all the while
        ) f
        where r.order_id = :order_id
          and r.state in ('awaiting_approval', 'failed', 'partially_succeeded', 'requested')
          and r.refund_id is distinct from cast(:except_for as bigint)
        window lines as (partition by r.refund_id)
    ) w
    where w.line_no = v.line_no
) w on true
order by v.line_no;

-- name: reduce
-- What a refund takes off the price of which lines.
insert into refund_lines (refund_id, line_no, net_minor, tax_minor)
select :refund_id, line_no, net_minor, tax_minor
from jsonb_to_recordset(cast(:lines as jsonb)) as l(
    line_no smallint, net_minor bigint, tax_minor bigint);

-- name: unreduce
-- Forget off which lines a refund is: it is said anew.
delete from refund_lines where refund_id = :refund_id;

-- name: order_of
-- The order a refund is of.
select order_id from refunds where refund_number = :number;

-- name: move
-- The next state of a refund whose order is held.
update refunds
set state = :state, decided_by = coalesce(:decided_by, decided_by), changed_at = :at,
    version = version + 1
where refund_id = :refund_id and version = :version;

-- name: end_dead
-- What failed or came back of a refund: other parts stand in its place, or it is given up.
-- What came back once was given: that stays so on paper until it is given up.
update refund_tenders t
set ended = :ended
from refund_parts p
where t.refund_id = :refund_id and p.refund_id = t.refund_id and p.payment_id = t.payment_id
  and p.attempt = t.attempt and p.ended is null and (p.state = 'failed' or p.is_reversed)
returning t.payment_id, t.amount_minor, p.is_reversed or t.is_for_reversed as was_given;

-- name: instead
-- Parts that stand in the place of others, under causes of their own.
insert into refund_tenders (refund_id, payment_id, amount_minor, attempt, is_for_reversed)
select :refund_id, payment_id, amount_minor,
    (select max(attempt) + 1 from refund_tenders where refund_id = :refund_id), :is_for_reversed
from jsonb_to_recordset(cast(:shares as jsonb)) as s(payment_id bigint, amount_minor bigint);

-- name: lower
-- What a refund comes to without what was given up.
update refunds set amount_minor = amount_minor - :amount_minor where refund_id = :refund_id;

-- name: revive
-- What was given up of refunds and reached its customer late: it is part of them again.
with arrived as (
    update refund_tenders t set ended = null
    from refunds r
    join refund_parts p using (refund_id)
    where r.order_id = :order_id and p.ended = 'given_up' and p.state = 'succeeded'
      and not p.is_reversed and p.refund_id = t.refund_id and p.payment_id = t.payment_id
      and p.attempt = t.attempt
    returning t.refund_id, t.amount_minor
)
update refunds r
set amount_minor = a.amount_minor + (
    select coalesce(sum(t.amount_minor), 0) from refund_tenders t
    where t.refund_id = r.refund_id and t.ended is null)
from (select refund_id, sum(amount_minor) as amount_minor from arrived group by refund_id) a
where r.refund_id = a.refund_id
returning r.refund_number;

-- name: rules
-- What is said of a channel, then what is said of all.
select distinct on (channel_id) rules from refund_rules
where channel_id = cast(:channel_id as integer) or channel_id is null
order by channel_id nulls last, version_no desc;

-- name: cheaper
-- What made an order cheaper since it was placed, the last first; shipping with its goods.
select kind, reason, minor::bigint as minor
from (
    select e.kind, e.reason, -(e.net_minor + e.tax_minor) as minor, e.occurred_at as at, e.line_no
    from line_events e
    where e.order_id = :order_id and e.kind in ('cancel', 'return', 'edit')
    union all
    select 'return', l.reason,
        d.shipping_net_minor + d.shipping_tax_minor - d.fee_minor, d.decided_at, d.line_no
    from return_decisions d
    join returns r using (return_id)
    join return_lines l using (return_id, line_no)
    where r.order_id = :order_id and d.verdict = 'accepted' and l.resolution <> 'none'
    union all
    select 'cancel', c.reason, o.shipping_net_minor + o.shipping_tax_minor, c.occurred_at, 0
    from orders o
    cross join lateral (
        select reason, occurred_at from line_events e
        where e.order_id = o.order_id and e.kind = 'cancel'
        order by occurred_at desc, line_no limit 1
    ) c
    where o.order_id = :order_id and o.order_state = 'canceled'
) changes
where minor <> 0
order by at desc, line_no;

-- name: begun
-- What was begun to be given back of an order for each occasion, whatever became of it.
select occasion, sum(amount_minor)::bigint as minor
from refunds
where order_id = :order_id and kind = 'owed' and occasion is not null
group by occasion;

-- name: hold_person
-- What somebody lets go is summed up by one transaction at a time.
select pg_advisory_xact_lock(hashtextextended('refunds of ' || :person, 0));

-- name: released
-- What somebody has let go of a currency: of one order, and since a moment. What failed may be
-- tried again; only what was called off is free.
select coalesce(sum(amount_minor) filter (where order_id = :order_id), 0)::bigint as of_order_minor,
    coalesce(sum(amount_minor) filter (where released_at > :since), 0)::bigint as of_day_minor
from refunds
where released_by = :person and currency = :currency and state not in ('rejected', 'canceled')
  and (order_id = :order_id or released_at > :since);

-- name: release
-- Who has let a refund go.
update refunds set released_by = :person, released_at = :at where refund_id = :refund_id;

-- name: versions
-- What was said of a channel, or of all, the last first.
select c.channel_code, r.version_no, r.rules, r.reason, r.set_by, r.set_at
from refund_rules r
left join channels c using (channel_id)
where r.channel_id is not distinct from cast(:channel_id as integer)
order by r.version_no desc
limit :limit;

-- name: set_rules
-- A version more of what is said of a channel, or of all.
insert into refund_rules (channel_id, version_no, rules, reason, set_by, set_at)
values (:channel_id, :version_no, cast(:rules as jsonb), :reason, :by, :at)
on conflict do nothing
returning version_no;

-- name: add_visit
-- Somebody gets money back at a till.
insert into till_visits (location_id, back_in, override_reason, given_by, given_at)
select location_id, :back_in, :override_reason, :by, :at
from locations where location_code = :location_code
returning visit_id;

-- name: drop_visit
-- Nobody got anything back.
delete from till_visits where visit_id = :visit_id;

-- name: cash_of
-- What came out of the drawer in a visit.
select x.transaction_id, x.amount_minor, x.rounding_minor, x.currency, l.country_code
from refunds r
join refund_tenders t using (refund_id)
join payment_transactions x on x.payment_id = t.payment_id and x.type = 'refund'
    and x.cause = r.refund_number || '.' || t.attempt
join locations l on l.location_id = x.location_id
where r.visit_id = :visit_id and x.source = 'till' and x.tender = 'cash'
order by x.transaction_id;

-- name: waiting
-- What of an order somebody has to decide on: refunds that wait, and the parts of others that failed.
select coalesce(sum(case when r.state = 'awaiting_approval' then r.amount_minor
    else f.amount_minor end), 0)::bigint as amount_minor
from refunds r
left join lateral (
    select sum(p.amount_minor) as amount_minor
    from refund_parts p
    where p.refund_id = r.refund_id and p.ended is null and (p.state = 'failed' or p.is_reversed)
) f on r.state in ('failed', 'partially_succeeded', 'requested', 'succeeded', 'reversed')
where r.order_id = :order_id;

-- name: owed_waiting
-- What of what an order owes back somebody has to decide on: refunds of that which wait, or whose
-- parts failed or came back; and of all others what came back, which is off the price all the while.
select coalesce(sum(case when r.kind <> 'owed' then f.came_back
    when r.state = 'awaiting_approval' then r.amount_minor
    else f.dead end), 0)::bigint as amount_minor
from refunds r
left join lateral (
    select sum(p.amount_minor) as dead,
        sum(p.amount_minor) filter (where p.is_reversed or p.is_for_reversed) as came_back
    from refund_parts p
    where p.refund_id = r.refund_id and p.ended is null and (p.state = 'failed' or p.is_reversed)
) f on r.state in ('failed', 'partially_succeeded', 'requested', 'succeeded', 'reversed')
where r.order_id = :order_id;

-- name: decided_against
-- What of an order was owed and somebody rejected, canceled or gave up: it goes back by a person's
-- wish only, who has expressed none since. What pays for an exchange is nobody's wish, and what
-- went back by others since has gone back.
select greatest(0, coalesce(sum(d.amount_minor), 0) - coalesce((
    select sum(x.amount_minor) from payment_transactions x
    where x.order_id = :order_id and x.type = 'refund' and x.state = 'succeeded'
      and x.source in ('channel', 'psp') and x.requested_at > min(d.created_at)
), 0))::bigint as amount_minor
from (
    select r.created_at, case when r.state in ('rejected', 'canceled') then r.amount_minor else (
        select coalesce(sum(t.amount_minor), 0) from refund_tenders t
        where t.refund_id = r.refund_id and t.ended = 'given_up') end as amount_minor
    from refunds r
    where r.order_id = :order_id and r.kind = 'owed'
      and not exists (
          select from refunds l
          where l.order_id = r.order_id and l.refund_id > r.refund_id and l.kind = 'owed'
            and l.cause not like 'owed:%' and l.cause not like 'exchange:%'
            and l.state not in ('rejected', 'canceled'))
) d
where d.amount_minor > 0;

-- name: credit_owed
-- What of an order its returns give in store credit, less what refunds give so, or were to give.
select greatest(0, coalesce((
    select sum(d.goods_net_minor + d.goods_tax_minor + d.shipping_net_minor
        + d.shipping_tax_minor - d.fee_minor)
    from return_decisions d
    join returns r using (return_id)
    join return_lines l using (return_id, line_no)
    where r.order_id = :order_id and d.verdict = 'accepted' and l.resolution = 'store_credit'
), 0) - coalesce((
    select sum(amount_minor) from refunds
    where order_id = :order_id and kind = 'owed' and paid_as = 'store_credit'
      and cause not like 'exchange:%'
), 0))::bigint as amount_minor;

-- name: name_account
-- The account of store credit a refund is paid to.
update refunds set credit_account_id = :account_id where refund_id = :refund_id;

-- name: open_of_order
-- The refunds of an order that are not known to be over.
select refund_number from refunds
where order_id = :order_id
  and state in ('requested', 'partially_succeeded', 'failed', 'succeeded', 'reversed')
order by refund_id;
