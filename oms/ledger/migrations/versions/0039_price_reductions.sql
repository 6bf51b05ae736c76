-- What a refund without goods takes off the price of which line, and what each line still comes
-- to: payments and documents reckon with the same.

-- Written when a refund is let go; line 0 is the order's shipping.
create table refund_lines (
    refund_id bigint not null references refunds,
    line_no smallint not null,
    net_minor bigint not null check (net_minor >= 0),
    tax_minor bigint not null check (tax_minor >= 0),
    primary key (refund_id, line_no)
);

-- What of it is back with the customer (done) or on its way there, too (going). Where only some of
-- a refund's payments took it, every line has its share of that.
create view price_reductions as
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
        where t.refund_id = r.refund_id
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

-- What was accepted of lines and gives its customer no money for the goods: they are not sold
-- back, so what was paid for them stays paid.
create view goods_kept as
select r.order_id, d.line_no, sum(d.quantity - d.told_before)::bigint as units,
    sum(d.goods_net_minor)::bigint as net_minor, sum(d.goods_tax_minor)::bigint as tax_minor
from return_decisions d
join returns r using (return_id)
join return_lines l using (return_id, line_no)
where d.verdict = 'accepted' and l.resolution <> 'refund'
group by r.order_id, d.line_no;

-- What the lines of an order come to after all that was canceled and came back, shipping as line
-- 0. Money is that of `units`, of which the last `open` have not left; what a channel gave with a
-- return is no unit's share and stands apart, below zero.
create function line_values(whose bigint) returns table (
    line_no smallint, units bigint, open bigint, minor bigint, tax_minor bigint,
    given_minor bigint, given_tax_minor bigint
) language sql stable as $$
    with lines as (
        select e.line_no,
            sum(e.quantity) filter (where e.kind in ('sale', 'edit', 'cancel')) as kept,
            coalesce(sum(e.quantity) filter (where e.kind = 'ship'), 0) as shipped,
            coalesce(-sum(e.quantity) filter (where e.kind = 'return'), 0) as returned,
            coalesce(-sum(e.quantity) filter (where e.kind = 'return' and e.is_money_given), 0)
                as given,
            coalesce(sum(e.net_minor + e.tax_minor)
                filter (where e.kind <> 'return' or not e.is_money_given), 0) as minor,
            coalesce(sum(e.tax_minor) filter (where e.kind <> 'return' or not e.is_money_given), 0)
                as tax_minor,
            coalesce(sum(e.net_minor + e.tax_minor)
                filter (where e.kind = 'return' and e.is_money_given), 0) as given_minor,
            coalesce(sum(e.tax_minor) filter (where e.kind = 'return' and e.is_money_given), 0)
                as given_tax_minor
        from line_events e
        where e.order_id = whose
        group by e.line_no
    )
    select l.line_no,
        greatest(l.kept - l.returned + l.given + coalesce(g.units, 0), 0)::bigint,
        greatest(l.kept - greatest(l.shipped, l.returned), 0)::bigint,
        (l.minor + coalesce(g.net_minor + g.tax_minor, 0))::bigint,
        (l.tax_minor + coalesce(g.tax_minor, 0))::bigint,
        l.given_minor::bigint, l.given_tax_minor::bigint
    from lines l
    left join goods_kept g on g.order_id = whose and g.line_no = l.line_no
    union all
    select 0::smallint, 1,
        (not exists (select from lines where greatest(shipped, returned) > 0))::integer,
        o.shipping_net_minor + o.shipping_tax_minor - coalesce(b.net_minor + b.tax_minor, 0),
        o.shipping_tax_minor - coalesce(b.tax_minor, 0), 0, 0
    from orders o
    cross join lateral (
        select sum(d.shipping_net_minor)::bigint as net_minor,
            sum(d.shipping_tax_minor)::bigint as tax_minor
        from returns r
        join return_decisions d using (return_id)
        join return_lines l using (return_id, line_no)
        where r.order_id = o.order_id and d.verdict = 'accepted' and l.resolution = 'refund'
    ) b
    where o.order_id = whose
$$;

-- What of an order's money its returns and refunds change beside the goods that came back: fees
-- are kept, shipping is given back, who gets something else instead gets no money for the goods,
-- and what was taken off the price of a line is off, as long as the line comes to as much.
create or replace view return_money as
select o.order_id, (coalesce(d.minor, 0) - coalesce(a.minor, 0))::bigint as kept_minor
from orders o
cross join lateral (
    select sum(case when l.resolution = 'refund'
            then d.fee_minor - d.shipping_net_minor - d.shipping_tax_minor
            else d.goods_net_minor + d.goods_tax_minor end) as minor
    from returns r
    join return_decisions d using (return_id)
    join return_lines l using (return_id, line_no)
    where r.order_id = o.order_id and d.verdict = 'accepted'
) d
cross join lateral (
    select sum(least(p.going_minor, greatest(v.minor + v.given_minor, 0))) as minor
    from price_reductions p
    join line_values(o.order_id) v using (line_no)
    where p.order_id = o.order_id
) a;
