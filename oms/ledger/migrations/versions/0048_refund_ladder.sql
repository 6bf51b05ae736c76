-- Parts of refunds that failed or came back: asked for again, of another payment, or given up.

alter table refunds drop constraint refunds_state_check, add constraint refunds_state_check check (
    state in ('awaiting_approval', 'requested', 'succeeded', 'partially_succeeded', 'failed',
        'reversed', 'rejected', 'canceled'));

alter table refund_tenders drop constraint refund_tenders_pkey,
    add primary key (refund_id, payment_id, attempt),
    -- Another part stands in its place, or nothing does.
    add ended text check (ended in ('replaced', 'given_up')),
    -- It stands in the place of one that was paid and came back, which documents have already.
    add is_for_reversed boolean not null default false;

-- Parts by what became of them: one that was paid may have come back.
create view refund_parts as
select t.refund_id, t.payment_id, t.attempt, t.amount_minor, t.ended, t.is_for_reversed,
    x.transaction_id, x.state, x.failure, x.psp_reference, x.finished_at,
    x.state = 'succeeded' and b.is_reversed as is_reversed
from refund_tenders t
join refunds r using (refund_id)
left join payment_transactions x on x.payment_id = t.payment_id and x.type = 'refund'
    and x.cause = r.refund_number || '.' || t.attempt
cross join lateral (
    select exists (
        select from payment_transactions v
        where v.payment_id = t.payment_id and v.type = 'refund_reversal'
          and v.state = 'succeeded' and v.psp_reference = x.psp_reference
          and v.amount_minor >= t.amount_minor) as is_reversed
) b;

-- As before, without what was given up; what was paid a second time counts once.
create or replace view price_reductions as
with parts as (
    select r.order_id, r.refund_id, l.line_no, l.tax_minor, l.net_minor + l.tax_minor as minor,
        sum(l.net_minor + l.tax_minor) over whole as whole,
        sum(l.net_minor + l.tax_minor) over (whole order by l.line_no) as upto,
        t.going, t.done
    from refunds r
    join refund_lines l using (refund_id)
    cross join lateral (
        select coalesce(sum(t.amount_minor) filter (where x.state <> 'failed'), 0) as going,
            coalesce(sum(t.amount_minor) filter (where x.state = 'succeeded'), 0) as done
        from refund_tenders t
        join payment_transactions x on x.payment_id = t.payment_id and x.type = 'refund'
            and x.cause = r.refund_number || '.' || t.attempt
        where t.refund_id = r.refund_id and t.ended is distinct from 'given_up'
          and not t.is_for_reversed
    ) t
    window whole as (partition by r.order_id, r.refund_id)
),
shares as (
    select order_id, line_no, minor, tax_minor,
        div(upto * least(going, whole), nullif(whole, 0))
            - div((upto - minor) * least(going, whole), nullif(whole, 0)) as going,
        div(upto * least(done, whole), nullif(whole, 0))
            - div((upto - minor) * least(done, whole), nullif(whole, 0)) as done
    from parts
)
select order_id, line_no,
    sum(going)::bigint as going_minor,
    sum(round(tax_minor * going / nullif(minor, 0)))::bigint as going_tax_minor,
    sum(done)::bigint as done_minor,
    sum(round(tax_minor * done / nullif(minor, 0)))::bigint as done_tax_minor
from shares
group by order_id, line_no;

