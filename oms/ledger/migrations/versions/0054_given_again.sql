-- What came back was given once, and is taken off its lines' price until it is given up: by itself,
-- or as what was tried in its place.

create or replace view price_reductions as
with parts as (
    select r.order_id, r.refund_id, l.line_no, l.tax_minor, l.net_minor + l.tax_minor as minor,
        sum(l.net_minor + l.tax_minor) over whole as whole,
        sum(l.net_minor + l.tax_minor) over (whole order by l.line_no) as upto,
        t.going, t.done
    from refunds r
    join refund_lines l using (refund_id)
    cross join lateral (
        select
            coalesce(sum(minor) filter (where is_first and state <> 'failed'), 0)
                - coalesce(sum(minor) filter (where is_undone), 0) as going,
            coalesce(sum(minor) filter (where is_first and state = 'succeeded'), 0)
                - coalesce(sum(minor) filter (where is_undone), 0) as done
        from (
            select t.amount_minor as minor, x.state,
                t.ended is distinct from 'given_up' and not t.is_for_reversed as is_first,
                t.ended = 'given_up' and t.is_for_reversed as is_undone
            from refund_tenders t
            join payment_transactions x on x.payment_id = t.payment_id and x.type = 'refund'
                and x.cause = r.refund_number || '.' || t.attempt
            where t.refund_id = r.refund_id
        ) p
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

