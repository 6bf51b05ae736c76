-- The capture of a batch of drafts, statement by statement in the order they run
-- (oms/orders/store.py). Set-based throughout: one order is a batch of one.

-- name: mark_unusable
-- What is wrong with drafts by themselves, or against catalog, locations and channel.
insert into draft_problems (position, field, code, detail)
select l.position, '/lines/sku', 'UNKNOWN_SKU', format('SKU %s is not in the catalog', left(l.sku, 60))
from draft_lines l
where not exists (select from products p where p.sku = l.sku)
union all
select d.position, '/location_code', 'UNKNOWN_LOCATION', format('there is no location %s', left(d.location_code, 60))
from draft_orders d
where d.location_code is not null
  and not exists (select from locations x where x.location_code = d.location_code)
union all
select c.position, '/changes/location_code', 'UNKNOWN_LOCATION', format('there is no location %s', left(c.location_code, 60))
from draft_changes c
where c.location_code is not null
  and not exists (select from locations x where x.location_code = c.location_code)
union all
select d.position, '/currency', 'CURRENCY_MISMATCH', format('the channel does not sell in %s', left(d.currency, 8))
from draft_orders d
where d.is_partial is not true and d.currency <> all (cast(:currencies as text[]))
union all
select d.position, '/lines', 'VALIDATION', 'an order has at least one line'
from draft_orders d
where d.is_partial is not true and not exists (select from draft_lines l where l.position = d.position)
union all
select l.position, '/lines/line_ref', 'VALIDATION', format('line %s is there twice', left(l.line_ref, 60))
from draft_lines l
group by l.position, l.line_ref
having count(*) > 1
union all
select d.position, '/location_code', 'VALIDATION', 'what is carried out is sold at a location'
from draft_orders d
where d.location_code is null and d.is_historical is not true and d.is_partial is not true
  and (d.fulfillment_method = 'carry_out'
    or exists (select from draft_groups g where g.position = d.position and g.method = 'carry_out'))
union all
select g.position, format('/groups/%s/location_code', g.group_no - 1), 'UNKNOWN_LOCATION',
    format('there is no location %s', left(g.location_code, 60))
from draft_groups g
where g.location_code is not null
  and not exists (select from locations x where x.location_code = g.location_code);

-- name: object
-- What is wrong with what comes beside the orders.
insert into draft_problems (position, field, code, detail)
select position, field, code, detail
from jsonb_to_recordset(cast(:problems as jsonb))
    as p(position bigint, field text, code text, detail text);

-- name: reject_marked
-- Documents with a problem go no further.
update draft_orders d
set outcome = 'rejected'
where outcome is distinct from 'rejected'
  and exists (select from draft_problems p where p.position = d.position);

-- name: drop_superseded
-- Of several usable full documents of one order in the batch only the newest counts.
update draft_orders d
set outcome = case when r.sha256 = r.newest_sha256 then 'duplicate' else 'stale' end
from (
    select
        position, sha256,
        row_number() over newest as place,
        first_value(sha256) over newest as newest_sha256
    from draft_orders
    where outcome is null and is_partial is not true
    window newest as (
        partition by external_ref order by version desc nulls last, position desc
        rows between unbounded preceding and unbounded following
    )
) r
where r.position = d.position and r.place > 1;

-- name: claim_new
-- Write down the orders nobody has: the unique key decides between parallel batches, in
-- external_ref order so that two of them cannot wait for each other.
with totals as (
    select
        l.position,
        sum(l.total_minor - case when d.prices_include_tax then l.tax_minor else 0 end) as net_minor,
        sum(l.tax_minor) as tax_minor
    from draft_lines l
    join draft_orders d using (position)
    group by l.position
),
claimed as (
    insert into orders (
        channel_id, external_ref, external_number, source_version, sha256, order_type,
        order_state, fulfillment_state, fulfillment_method, location_id, placed_at, placed_on,
        recorded_at, updated_at, currency, prices_include_tax, customer_ref, customer_name,
        customer_email, customer_phone, ship_to, bill_to, country_code, items_net_minor,
        items_tax_minor, shipping_net_minor, shipping_tax_minor, total_minor,
        stated_total_minor, is_test, is_historical, inbox_id
    )
    select
        :channel_id, d.external_ref, d.external_number, d.version, decode(d.sha256, 'hex'),
        coalesce(d.order_type, 'sale'),
        case when d.is_historical or d.fulfillment_method = 'carry_out' then 'completed' else 'placed' end,
        case when d.is_historical or d.fulfillment_method = 'carry_out' then 'shipped' else 'allocated' end,
        d.fulfillment_method, x.location_id, d.placed_at,
        cast(d.placed_at at time zone :time_zone as date), :at, :at, d.currency,
        d.prices_include_tax, d.customer_ref, d.customer_name, d.customer_email,
        d.customer_phone, d.ship_to, d.bill_to, d.country_code, t.net_minor, t.tax_minor,
        coalesce(d.shipping_net_minor, 0), coalesce(d.shipping_tax_minor, 0),
        t.net_minor + t.tax_minor + coalesce(d.shipping_net_minor, 0) + coalesce(d.shipping_tax_minor, 0),
        d.total_minor, coalesce(d.is_test, false), coalesce(d.is_historical, false), :inbox_id
    from draft_orders d
    join totals t using (position)
    left join locations x on x.location_code = d.location_code
    where d.outcome is null and d.is_partial is not true
    order by d.external_ref
    on conflict (channel_id, external_ref) do nothing
    returning order_id, external_ref, order_number, version, location_id, is_historical
)
update draft_orders d
set
    outcome = 'captured', order_id = c.order_id, order_number = c.order_number,
    order_version = c.version, order_location_id = c.location_id,
    order_is_historical = c.is_historical
from claimed c
where c.external_ref = d.external_ref and d.outcome is null and d.is_partial is not true;

-- name: lock_known
-- Hold the orders that are already there, in one fixed order, and say what each document is
-- to them.
with locked as (
    select o.order_id, o.external_ref, o.source_version, encode(o.sha256, 'hex') as sha256,
        o.order_number, o.version, o.location_id, o.is_historical
    from orders o
    where o.channel_id = :channel_id
      and o.external_ref in (select external_ref from draft_orders where outcome is null)
    order by o.order_id
    for update
)
update draft_orders d
set
    order_id = k.order_id, order_number = k.order_number, order_version = k.version,
    order_location_id = k.location_id, order_is_historical = k.is_historical,
    outcome = case
        when d.is_partial then 'updated'
        when d.version < k.source_version then 'stale'
        when d.sha256 = k.sha256 and coalesce(d.version <= k.source_version, true) then 'duplicate'
        else 'updated'
    end
from locked k
where k.external_ref = d.external_ref and d.outcome is null;

-- name: follow_new
-- A partial document may be about an order this very batch brought.
update draft_orders d
set
    order_id = n.order_id, outcome = 'updated', order_number = n.order_number,
    order_version = n.order_version, order_location_id = n.order_location_id,
    order_is_historical = n.order_is_historical
from draft_orders n
where d.outcome is null and d.is_partial and n.outcome = 'captured' and n.external_ref = d.external_ref;

-- name: mark_orphans
-- Changes of an order nobody has seen wait until it comes.
with orphans as (
    update draft_orders set outcome = 'rejected' where outcome is null returning position
)
insert into draft_problems (position, field, code, detail)
select position, '/external_ref', 'ORDER_NOT_FOUND', 'the order has not arrived yet; this waits for it'
from orphans;

-- name: stage_new_lines
-- The lines of new orders, numbered as they come, their products resolved.
insert into staged_lines
select
    d.position, d.order_id, true, false, row_number() over (partition by d.order_id order by l.ordinal),
    l.line_ref, p.product_id, l.sku, coalesce(l.title, p.title), l.quantity, l.unit_price_minor,
    l.total_minor + l.discount_minor, l.discount_minor,
    l.total_minor - case when d.prices_include_tax then l.tax_minor else 0 end, l.tax_minor,
    0, 0, 0, 0,
    case
        when l.discount_minor = 0 or not d.prices_include_tax or l.total_minor = 0 then l.discount_minor
        else l.discount_minor - round(l.discount_minor::numeric * l.tax_minor / l.total_minor)
    end,
    g.group_no, coalesce(g.method, d.fulfillment_method) = 'carry_out'
from draft_orders d
join draft_lines l using (position)
join products p on p.sku = l.sku
left join draft_groups g on g.position = l.position and jsonb_exists(g.line_refs, l.line_ref)
where d.outcome = 'captured' and d.is_partial is not true and d.round = :round;

-- name: stage_known_lines
-- The lines of orders a newer document describes, beside what they were: changed ones, added
-- ones under the next numbers, and those the document no longer has, which go to nothing. A line
-- of ours stays as it is, whatever a document says of it, and one that we changed for as long as
-- its channel repeats what it said before that (ADR 0025).
with target as (
    select position, order_id, prices_include_tax, fulfillment_method
    from draft_orders
    where outcome = 'updated' and is_partial is not true and round = :round
),
known as (
    select target.position, s.order_id, s.line_no, s.line_ref, s.product_id, s.sku, s.title,
        s.group_no, coalesce(g.method, target.fulfillment_method) as method, s.is_ours, s.told,
        s.unit_price_minor, s.list_minor, s.discount_minor, e.*
    from target
    join order_lines s using (order_id)
    left join order_groups g on g.order_id = s.order_id and g.group_no = coalesce(s.group_no, 1)
    cross join lateral (
        select
            sum(v.quantity) as quantity, sum(v.net_minor) as net_minor,
            sum(v.tax_minor) as tax_minor, sum(v.discount_net_minor) as discount_net_minor
        from line_events v
        where v.order_id = s.order_id and v.line_no = s.line_no and v.kind in ('sale', 'edit')
    ) e
),
draft as (
    select t.order_id, t.prices_include_tax as is_gross, l.*, p.product_id,
        coalesce(l.title, p.title) as shown_title, g.group_no,
        coalesce(g.method, t.fulfillment_method) as method
    from target t
    join draft_lines l on l.position = t.position
    join products p on p.sku = l.sku
    left join draft_groups g on g.position = l.position and jsonb_exists(g.line_refs, l.line_ref)
),
beside as (
    select
        coalesce(d.position, k.position) as position,
        coalesce(d.order_id, k.order_id) as order_id, k.line_no as known_no, d.ordinal,
        coalesce(d.line_ref, k.line_ref) as line_ref, coalesce(d.product_id, k.product_id) as product_id,
        coalesce(d.sku, k.sku) as sku, coalesce(d.shown_title, k.title) as title,
        coalesce(d.quantity, 0) as quantity, d.unit_price_minor,
        coalesce(d.total_minor, 0) as total_minor, coalesce(d.discount_minor, 0) as discount_minor,
        coalesce(d.tax_minor, 0) as tax_minor, coalesce(d.is_gross, false) as is_gross,
        coalesce(k.quantity, 0) as was_quantity, coalesce(k.net_minor, 0) as was_net_minor,
        coalesce(k.tax_minor, 0) as was_tax_minor,
        coalesce(k.discount_net_minor, 0) as was_discount_net_minor,
        k.unit_price_minor as known_unit_price_minor, k.list_minor as known_list_minor,
        k.discount_minor as known_discount_minor, coalesce(k.is_ours, false) as is_ours, k.told,
        case
            when k.is_ours then true
            when k.told is null then false
            else k.told = jsonb_build_object(
                'sku', d.sku, 'quantity', d.quantity, 'total_minor', d.total_minor,
                'discount_minor', d.discount_minor, 'tax_minor', d.tax_minor)
        end as is_kept,
        -- What a line was captured with it keeps: another way is a command, not an edit.
        case when k.line_no is null then d.group_no else k.group_no end as group_no,
        case when k.line_no is null then d.method else k.method end as method
    from draft d
    full join known k on k.order_id = d.order_id and k.line_ref = d.line_ref
)
insert into staged_lines
select
    b.position, b.order_id, false, b.known_no is not null,
    coalesce(b.known_no, max(b.known_no) over (partition by b.order_id)
        + row_number() over (partition by b.order_id, b.known_no is null order by b.ordinal)),
    b.line_ref, b.product_id, b.sku, b.title,
    case when is_kept then b.was_quantity else b.quantity end,
    case when is_kept then b.known_unit_price_minor else b.unit_price_minor end,
    case when is_kept then b.known_list_minor else b.total_minor + b.discount_minor end,
    case when is_kept then b.known_discount_minor else b.discount_minor end,
    case when is_kept then b.was_net_minor else b.net_minor end,
    case when is_kept then b.was_tax_minor else b.tax_minor end,
    b.was_quantity, b.was_net_minor, b.was_tax_minor, b.was_discount_net_minor,
    case
        when is_kept then b.was_discount_net_minor
        when b.discount_minor = 0 or not b.is_gross or b.total_minor = 0 then b.discount_minor
        else b.discount_minor - round(b.discount_minor::numeric * b.tax_minor / b.total_minor)
    end,
    b.group_no, b.method = 'carry_out', b.is_ours,
    case when is_kept then b.was_net_minor + b.was_tax_minor - b.net_minor - b.tax_minor else 0 end,
    case when is_kept then b.told end
from (
    select *, total_minor - case when is_gross then tax_minor else 0 end as net_minor from beside
) b;

-- name: stage_own_lines
-- The lines a command of ours adds or changes, as they shall be; and what their channel has said
-- of them so far.
insert into staged_lines
select
    d.position, d.order_id, false, k.line_no is not null, l.line_no, l.line_ref,
    coalesce(k.product_id, p.product_id), l.sku, l.title, l.quantity, l.unit_price_minor,
    l.list_minor, l.discount_minor,
    t.total_minor - case when o.prices_include_tax then l.tax_minor else 0 end, l.tax_minor,
    coalesce(e.quantity, 0), coalesce(e.net_minor, 0), coalesce(e.tax_minor, 0),
    coalesce(e.discount_net_minor, 0),
    case
        when l.discount_minor = 0 or not o.prices_include_tax or t.total_minor = 0 then l.discount_minor
        else l.discount_minor - round(l.discount_minor::numeric * l.tax_minor / t.total_minor)
    end,
    coalesce(k.group_no, l.group_no), false, coalesce(k.is_ours, true), 0,
    case when not k.is_ours then coalesce(k.told, jsonb_build_object(
        'sku', k.sku, 'quantity', k.quantity, 'total_minor', k.list_minor - k.discount_minor,
        'discount_minor', k.discount_minor, 'tax_minor', k.tax_minor)) end
from draft_own_lines l
join draft_orders d using (position)
join orders o on o.order_id = d.order_id
cross join lateral (select l.list_minor - l.discount_minor as total_minor) t
left join order_lines k on k.order_id = d.order_id and k.line_no = l.line_no
left join products p on p.sku = l.sku
left join lateral (
    select
        sum(v.quantity) as quantity, sum(v.net_minor) as net_minor, sum(v.tax_minor) as tax_minor,
        sum(v.discount_net_minor) as discount_net_minor
    from line_events v
    where v.order_id = k.order_id and v.line_no = k.line_no and v.kind in ('sale', 'edit')
) e on true
where d.outcome = 'updated' and d.round = :round;

-- name: stage_changes
-- What newly happened to lines: the given changes nobody has recorded, and what a till handed
-- over. Money not given is the share of the units taken, behind those taken before without money
-- of their own: whatever order they come in, they add up to the same. A whole document that tells
-- a change is its teller before a partial one.
with given as (
    select
        c.position, d.order_id, s.line_no, c.kind, c.own_ref as change_ref, c.quantity,
        c.occurred_at, c.restock, c.reason, c.total_minor, c.tax_minor, c.ordinal,
        x.location_id, o.prices_include_tax as is_gross, d.is_partial is true as is_partial, c.is_ours
    from draft_changes c
    join draft_orders d using (position)
    join orders o on o.order_id = d.order_id
    join lateral (
        select n.line_no from staged_lines n where n.order_id = d.order_id and n.line_ref = c.line_ref
        union
        select k.line_no from order_lines k where k.order_id = d.order_id and k.line_ref = c.line_ref
    ) s on true
    left join locations x on x.location_code = c.location_code
    where d.outcome in ('captured', 'updated') and d.round = :round
      and not exists (
          select from line_events e
          where e.order_id = d.order_id and e.line_no = s.line_no and e.kind = c.kind
            and e.change_ref = c.own_ref)
),
fresh as (
    select distinct on (order_id, line_no, kind, change_ref)
        position, order_id, line_no, kind, change_ref, quantity, occurred_at, restock, reason,
        total_minor, tax_minor, ordinal, location_id, is_gross, is_ours
    from given
    order by order_id, line_no, kind, change_ref, is_partial, ordinal
),
heard as (
    -- What a channel tells of units we took back ourselves is told already, money and all.
    select
        position, order_id, line_no, kind, change_ref, quantity - echoed as quantity, occurred_at,
        restock, reason,
        case when echoed < quantity then total_minor - first_units_minor(total_minor, quantity, echoed) end as total_minor,
        case when echoed < quantity then tax_minor - first_units_minor(tax_minor, quantity, echoed) end as tax_minor,
        ordinal, location_id, is_gross, echoed
    from (
        select f.*, case when f.kind = 'return' and not f.is_ours then greatest(0, least(f.quantity,
            e.quantity + f.quantity - sum(f.quantity) over (
                partition by f.order_id, f.line_no, f.kind, f.is_ours order by f.ordinal, f.change_ref)
            )) else 0 end::bigint as echoed
        from fresh f
        left join lateral (
            select greatest(0, (
                select coalesce(-sum(v.quantity), 0) from line_events v
                where v.order_id = f.order_id and v.line_no = f.line_no and v.kind = 'return'
                  and v.change_ref like '*RMA%'
            ) - (
                select coalesce(sum(k.quantity), 0) from line_echoes k
                where k.order_id = f.order_id and k.line_no = f.line_no
            )) as quantity
        ) e on f.kind = 'return' and not f.is_ours
    ) t
),
carried as (
    -- A till hands over what it sells, as it sells it: what of a receipt is neither canceled
    -- nor gone already.
    select d.position, s.order_id, s.line_no, 'ship' as kind,
        '*' || (o.version + 1) as change_ref,
        s.quantity - coalesce(k.quantity, 0) - coalesce(f.quantity, 0) as quantity,
        case when s.is_new then d.placed_at else coalesce(d.updated_at, :at) end as occurred_at,
        false as restock, null as reason, null::bigint as total_minor,
        null::bigint as tax_minor, 0::bigint as ordinal,
        coalesce(o.location_id, x.location_id) as location_id, false as is_gross,
        0::bigint as echoed
    from draft_orders d
    join staged_lines s using (position)
    join orders o on o.order_id = d.order_id
    left join locations x on x.location_code = d.location_code
    left join lateral (
        select k.canceled + k.shipped as quantity from order_lines k
        where not s.is_new and k.order_id = s.order_id and k.line_no = s.line_no
        offset 0  -- by the index for each line
    ) k on true
    left join (
        select position, line_no, sum(quantity)::bigint as quantity
        from fresh where kind <> 'return' group by position, line_no
    ) f on f.position = d.position and f.line_no = s.line_no
    where d.outcome in ('captured', 'updated') and d.round = :round
      and s.is_carried and d.is_historical is not true
),
taken as (
    select *,
        case when kind = 'ship' then 0 else quantity end as removed,
        coalesce(sum(case when kind = 'ship' then 0 else quantity end) over (
            partition by order_id, line_no order by ordinal, kind, change_ref
            rows between unbounded preceding and 1 preceding), 0)::bigint as removed_before,
        coalesce(sum(case when kind = 'ship' or total_minor is not null then 0 else quantity end) over (
            partition by order_id, line_no order by ordinal, kind, change_ref
            rows between unbounded preceding and 1 preceding), 0)::bigint as shared_before
    from (select * from heard union all select * from carried where quantity > 0) f
),
line as (
    select
        t.*,
        coalesce(s.quantity, k.quantity) as line_quantity,
        coalesce(s.net_minor, k.net_minor) as line_net_minor,
        coalesce(s.tax_minor, k.tax_minor) as line_tax_minor,
        coalesce(s.discount_net_minor, (
            select sum(e.discount_net_minor) from line_events e
            where e.order_id = t.order_id and e.line_no = t.line_no and e.kind in ('sale', 'edit')
        ), 0)::bigint as line_discount_minor,
        coalesce(k.canceled + k.returned, 0) + t.removed_before as gone,
        case when k.canceled + k.returned > 0 then (
            select coalesce(-sum(e.quantity), 0) from line_events e
            where e.order_id = t.order_id and e.line_no = t.line_no
              and e.kind in ('cancel', 'return') and not e.is_money_given
        ) else 0 end::bigint + t.shared_before as shared
    from taken t
    left join staged_lines s on s.order_id = t.order_id and s.line_no = t.line_no
    left join order_lines k on k.order_id = t.order_id and k.line_no = t.line_no
)
insert into staged_changes
select
    position, order_id, line_no, kind, change_ref,
    case when kind = 'ship' then quantity else -quantity end,
    case
        when kind = 'ship' then 0
        when total_minor is not null then -(total_minor - case when is_gross then coalesce(tax_minor, 0) else 0 end)
        else first_units_net_minor(line_net_minor, line_tax_minor, line_quantity, shared)
            - first_units_net_minor(line_net_minor, line_tax_minor, line_quantity, shared + quantity)
    end,
    case
        when kind = 'ship' then 0
        when total_minor is not null then -coalesce(tax_minor, 0)
        else first_units_minor(line_tax_minor, line_quantity, shared)
            - first_units_minor(line_tax_minor, line_quantity, shared + quantity)
    end,
    case
        when kind = 'ship' then 0
        else first_units_minor(line_discount_minor, line_quantity, gone)
            - first_units_minor(line_discount_minor, line_quantity, gone + quantity)
    end,
    occurred_at, location_id, coalesce(restock, false), reason, total_minor is not null, echoed
from line;

-- name: mark_impossible
-- What cannot be: a change of a line that is not there, more taken than was bought, an edit
-- below what is already gone or in another currency. Whole documents are judged before partial
-- ones, those in their order: the first that does not fit goes, and of those after it each that
-- does not fit beside what came before it. Copies of a document share its lot.
with lost as (
    select d.order_id, d.is_partial is true as is_partial, c.position, c.line_ref
    from draft_changes c
    join draft_orders d using (position)
    where d.outcome in ('captured', 'updated') and d.round = :round
      and not exists (select from staged_lines s where s.order_id = d.order_id and s.line_ref = c.line_ref)
      and not exists (select from order_lines k where k.order_id = d.order_id and k.line_ref = c.line_ref)
),
told as (
    -- What each document takes of each line; of historical goods nobody says when they left.
    select
        c.order_id, c.line_no, d.is_partial is true as is_partial, c.position,
        coalesce(-sum(c.quantity) filter (where c.kind = 'cancel'), 0) as canceled,
        coalesce(-sum(c.quantity) filter (where c.kind = 'return'), 0) as returned,
        coalesce(sum(c.quantity) filter (where c.kind = 'ship' and not o.is_historical), 0) as shipped
    from staged_changes c
    join draft_orders d using (position)
    join orders o on o.order_id = c.order_id
    where d.round = :round and not exists (select from lost l where l.position = c.position)
    group by c.order_id, c.line_no, d.is_partial, c.position
),
line as (
    select
        t.order_id, t.line_no, coalesce(s.quantity, k.quantity) as quantity,
        coalesce(k.canceled, 0) as canceled, coalesce(k.returned, 0) as returned,
        case when o.is_historical then 0 else coalesce(k.shipped, 0) end as shipped
    from (select distinct order_id, line_no from told) t
    join orders o using (order_id)
    left join staged_lines s using (order_id, line_no)
    left join order_lines k using (order_id, line_no)
),
running as (
    select
        t.order_id, t.is_partial, t.position, l.quantity,
        l.canceled + sum(t.canceled) over before
            + greatest(l.returned + sum(t.returned) over before, l.shipped + sum(t.shipped) over before) as gone
    from told t
    join line l using (order_id, line_no)
    window before as (partition by t.order_id, t.line_no order by t.is_partial, t.position)
),
first as (
    select distinct on (order_id) order_id, is_partial, position
    from running
    where gone > quantity
    order by order_id, is_partial, position
),
base as (
    -- What is taken of a line before that document: it stays.
    select t.order_id, t.line_no, sum(t.canceled) as canceled, sum(t.returned) as returned,
        sum(t.shipped) as shipped
    from first f
    join told t on t.order_id = f.order_id and (t.is_partial, t.position) < (f.is_partial, f.position)
    group by t.order_id, t.line_no
),
excessive as (
    select t.order_id, t.is_partial, t.position, t.line_no
    from first f
    join told t on t.order_id = f.order_id and (t.is_partial, t.position) >= (f.is_partial, f.position)
    join line l on l.order_id = t.order_id and l.line_no = t.line_no
    left join base b on b.order_id = t.order_id and b.line_no = t.line_no
    where l.canceled + coalesce(b.canceled, 0) + t.canceled
        + greatest(l.returned + coalesce(b.returned, 0) + t.returned,
            l.shipped + coalesce(b.shipped, 0) + t.shipped) > l.quantity
),
found as (
    select order_id, is_partial, position, '/changes/line_ref' as field, 'UNKNOWN_LINE' as code,
        format('the order has no line %s', left(line_ref, 60)) as detail
    from lost
    union all
    select order_id, is_partial, position, '/changes/quantity', 'QTY_EXCEEDS_RETURNABLE',
        format('line %s has fewer units left than are taken', line_no)
    from excessive
    union all
    select s.order_id, false, s.position, '/lines/quantity', 'QUANTITY_BELOW_DONE',
        format('line %s has more units shipped, returned or canceled than that', s.line_no)
    from staged_lines s
    join draft_orders d using (position)
    join order_lines k on k.order_id = s.order_id and k.line_no = s.line_no
    join orders o on o.order_id = s.order_id
    where not s.is_new and d.round = :round
      and s.quantity < k.canceled + greatest(case when o.is_historical then 0 else k.shipped end, k.returned)
    union all
    select d.order_id, false, d.position, '/currency', 'CURRENCY_MISMATCH',
        format('the order was placed in %s', o.currency)
    from draft_orders d
    join orders o using (order_id)
    where d.outcome = 'updated' and d.is_partial is not true and d.round = :round
      and d.currency <> o.currency
)
insert into draft_problems (position, field, code, detail)
select copy.position, f.field, f.code, f.detail
from found f
join draft_orders d using (position)
join draft_orders copy on copy.external_ref = d.external_ref and copy.sha256 = d.sha256
where not f.is_partial
   or not exists (select from found w where w.order_id = f.order_id and not w.is_partial);

-- name: stage_corrections
-- Money nobody gave is the share of the line as its newest document has it. Where that document
-- moves the line's money, what is recorded stays, and each change gets an event of no units that
-- says the difference, at the day and place of the change, under a name of ours. Of an order
-- canceled whole such units share all of the line.
with moved as (
    select s.*, d.canceled_at is not null and k.canceled = s.quantity as is_void
    from staged_lines s
    join draft_orders d using (position)
    join order_lines k on k.order_id = s.order_id and k.line_no = s.line_no
    where not s.is_new and d.outcome = 'updated' and k.canceled + k.returned > 0
      and (s.quantity, s.net_minor, s.tax_minor, s.discount_net_minor)
        is distinct from (s.was_quantity, s.was_net_minor, s.was_tax_minor, s.was_discount_net_minor)
),
taken as (
    select m.*, e.kind, e.change_ref, e.occurred_at, e.location_id, e.reason, e.units, e.shared,
        sum(e.units) over upto::bigint as units_upto, sum(e.shared) over upto::bigint as shared_upto,
        sum(e.shared) over (partition by m.order_id, m.line_no)::bigint as shared_in_all
    from moved m
    cross join lateral (
        select v.*, -v.quantity as units, case when v.is_money_given then 0 else -v.quantity end as shared
        from line_events v
        where v.order_id = m.order_id and v.line_no = m.line_no
          and v.kind in ('cancel', 'return') and v.quantity <> 0
        offset 0  -- by the index for each line
    ) e
    window upto as (
        partition by m.order_id, m.line_no order by e.occurred_at, e.kind, e.change_ref)
),
due as (
    select t.*, u.*,
        first_units_net_minor(was_net_minor, was_tax_minor, was_of, shared_upto)
            - first_units_net_minor(was_net_minor, was_tax_minor, was_of, shared_upto - shared)
            - first_units_net_minor(net_minor, tax_minor, now_of, shared_upto)
            + first_units_net_minor(net_minor, tax_minor, now_of, shared_upto - shared) as net_due,
        first_units_minor(was_tax_minor, was_of, shared_upto)
            - first_units_minor(was_tax_minor, was_of, shared_upto - shared)
            - first_units_minor(tax_minor, now_of, shared_upto)
            + first_units_minor(tax_minor, now_of, shared_upto - shared) as tax_due,
        first_units_minor(was_discount_net_minor, was_quantity, units_upto)
            - first_units_minor(was_discount_net_minor, was_quantity, units_upto - units)
            - first_units_minor(discount_net_minor, quantity, units_upto)
            + first_units_minor(discount_net_minor, quantity, units_upto - units) as discount_due
    from taken t
    cross join lateral (
        select case when is_void then shared_in_all else was_quantity end as was_of,
            case when is_void then shared_in_all else quantity end as now_of
    ) u
)
insert into staged_changes
select
    position, order_id, line_no, kind, '*' || (o.version + 1) || ':' || change_ref, 0,
    net_due, tax_due, discount_due, occurred_at, due.location_id, false, reason, false
from due
join orders o using (order_id)
where (net_due, tax_due, discount_due) <> (0, 0, 0);

-- name: stage_cancellations
-- What is still open of a canceled order is canceled with it, under a name of ours: a channel's
-- own never begins with one star, and an order's version never comes again. Of a line nobody
-- ever got a unit of, nothing is kept, however its price moved between two cancellations.
with line as (
    select
        d.position, d.order_id, '*' || (o.version + 1) as change_ref, d.canceled_at,
        d.cancel_reason, s.line_no, s.quantity, s.net_minor, s.tax_minor, s.discount_net_minor,
        g.shared + c.shared as shared,
        coalesce(k.canceled, 0) + c.canceled as canceled,
        coalesce(k.returned, 0) + c.returned as returned,
        case when d.is_historical then 0 else coalesce(k.shipped, 0) + c.shipped end as shipped
    from draft_orders d
    join staged_lines s using (position)
    join orders o on o.order_id = d.order_id
    left join order_lines k on k.order_id = s.order_id and k.line_no = s.line_no
    cross join lateral (
        select
            coalesce(-sum(n.quantity) filter (where n.kind = 'cancel'), 0)::bigint as canceled,
            coalesce(-sum(n.quantity) filter (where n.kind = 'return'), 0)::bigint as returned,
            coalesce(sum(n.quantity) filter (where n.kind = 'ship'), 0)::bigint as shipped,
            coalesce(-sum(n.quantity) filter (where n.kind <> 'ship' and not n.is_money_given), 0)::bigint as shared
        from staged_changes n
        where n.order_id = s.order_id and n.line_no = s.line_no
    ) c
    cross join lateral (
        select coalesce(-sum(v.quantity), 0)::bigint as shared
        from line_events v
        where v.order_id = s.order_id and v.line_no = s.line_no
          and v.kind in ('cancel', 'return') and not v.is_money_given
    ) g
    where d.outcome in ('captured', 'updated') and d.canceled_at is not null
),
rest as (
    select *, canceled + returned as gone, quantity - canceled - greatest(shipped, returned) as open
    from line
),
share as (
    select
        r.*,
        first_units_net_minor(net_minor, tax_minor, quantity, shared + open) - first_units_net_minor(net_minor, tax_minor, quantity, shared) as net,
        first_units_minor(tax_minor, quantity, shared + open) - first_units_minor(tax_minor, quantity, shared) as tax,
        first_units_minor(discount_net_minor, quantity, gone + open)
            - first_units_minor(discount_net_minor, quantity, gone) as discount
    from rest r
    where open > 0
)
insert into staged_changes
select
    r.position, r.order_id, r.line_no, 'cancel', r.change_ref, -r.open,
    -coalesce(r.net_minor + e.net, r.net), -coalesce(r.tax_minor + e.tax, r.tax),
    -coalesce(r.discount_net_minor + e.discount, r.discount),
    r.canceled_at, null, false, r.cancel_reason, false
from share r
left join lateral (
    select sum(net_minor) as net, sum(tax_minor) as tax, sum(discount_net_minor) as discount
    from (
        select v.net_minor, v.tax_minor, v.discount_net_minor
        from line_events v
        where v.order_id = r.order_id and v.line_no = r.line_no and v.kind = 'cancel'
        union all
        select n.net_minor, n.tax_minor, n.discount_net_minor
        from staged_changes n
        where n.order_id = r.order_id and n.line_no = r.line_no and n.kind = 'cancel'
    ) gone
) e on r.canceled > 0 and r.canceled + r.open = r.quantity;

-- name: drop_repeated
-- A partial document that tells nothing new was here before.
update draft_orders d
set outcome = 'duplicate'
where d.outcome = 'updated' and d.is_partial
  and not exists (select from staged_changes c where c.position = d.position)
  and not exists (select from staged_lines s where s.position = d.position)
  and not exists (select from draft_problems p where p.position = d.position);

-- name: unclaim
-- An order of which a document was refused is judged again without it: nobody has it so far.
delete from orders o using draft_orders d
where d.order_id = o.order_id and d.outcome = 'captured' and d.external_ref in (
      select r.external_ref from draft_orders r join draft_problems p using (position)
      where r.outcome <> 'rejected');

-- name: unstage_lines
-- Nothing of such orders stays staged.
delete from staged_lines s using draft_orders d
where d.position = s.position and d.external_ref in (
      select r.external_ref from draft_orders r join draft_problems p using (position)
      where r.outcome <> 'rejected');

-- name: unstage_changes
-- Likewise.
delete from staged_changes s using draft_orders d
where d.position = s.position and d.external_ref in (
      select r.external_ref from draft_orders r join draft_problems p using (position)
      where r.outcome <> 'rejected');

-- name: take_again
-- The refused documents are out; their neighbors, older versions too, come again.
update draft_orders d
set
    outcome = case when exists (select from draft_problems p where p.position = d.position) then 'rejected' end,
    order_id = null, order_number = null, round = d.round + 1
where d.outcome <> 'rejected' and d.external_ref in (
      select r.external_ref from draft_orders r join draft_problems p using (position)
      where r.outcome <> 'rejected');

-- name: write_groups
-- The delivery groups of new orders that have several, or say more of one than the header does;
-- those a newer document adds to a known one.
insert into order_groups (order_id, group_no, method, location_id, ship_to, pickup_point)
select d.order_id, g.group_no, g.method, x.location_id, g.ship_to, g.pickup_point
from draft_groups g
join draft_orders d using (position)
left join locations x on x.location_code = g.location_code
where d.outcome in ('captured', 'updated') and d.is_partial is not true
order by d.order_id, g.group_no
on conflict (order_id, group_no) do nothing;

-- name: write_lines
-- New lines with everything that is known of them; historical goods have long left.
insert into order_lines (
    order_id, line_no, line_ref, product_id, sku, title, quantity, canceled, shipped, returned,
    unit_price_minor, list_minor, discount_minor, net_minor, tax_minor, group_no, is_ours
)
select
    s.order_id, s.line_no, s.line_ref, s.product_id, s.sku, s.title, s.quantity, 0,
    case when d.order_is_historical then s.quantity else 0 end, 0,
    s.unit_price_minor, s.list_minor, s.discount_minor, s.net_minor, s.tax_minor, s.group_no, s.is_ours
from staged_lines s
join draft_orders d using (position)
where not s.is_there
order by s.order_id, s.line_no;

-- name: edit_lines
-- Lines a newer document changed, or a command of ours.
update order_lines k
set
    product_id = s.product_id, sku = s.sku, title = s.title, quantity = s.quantity,
    shipped = case when o.is_historical then s.quantity - k.canceled else k.shipped end,
    unit_price_minor = s.unit_price_minor, list_minor = s.list_minor,
    discount_minor = s.discount_minor, net_minor = s.net_minor, tax_minor = s.tax_minor,
    told = s.told
from staged_lines s
join orders o on o.order_id = s.order_id
where s.is_there and k.order_id = s.order_id and k.line_no = s.line_no
  and (k.quantity, k.net_minor, k.tax_minor, k.discount_minor, k.title, k.product_id, k.told)
    is distinct from
        (s.quantity, s.net_minor, s.tax_minor, s.discount_minor, s.title, s.product_id, s.told);

-- name: write_sales
-- The sale of a new line on the day it was placed, the difference of an edit when it came; of
-- one of ours under a name of ours.
insert into line_events (
    order_id, line_no, kind, change_ref, quantity, discount_net_minor, net_minor, tax_minor,
    occurred_at, occurred_on, location_id
)
select
    s.order_id, s.line_no,
    case when s.is_new then 'sale' else 'edit' end,
    case when s.is_new then '' else
        case when d.is_partial then '*E' else '' end || (d.order_version + 1) end,
    s.quantity - s.was_quantity, s.discount_net_minor - s.was_discount_net_minor,
    s.net_minor - s.was_net_minor, s.tax_minor - s.was_tax_minor,
    w.at, cast(w.at at time zone :time_zone as date), d.order_location_id
from staged_lines s
join draft_orders d using (position)
cross join lateral (
    select case when s.is_new then d.placed_at else coalesce(d.updated_at, :at) end as at
) w
where s.is_new or (s.quantity, s.net_minor, s.tax_minor, s.discount_net_minor)
    is distinct from (s.was_quantity, s.was_net_minor, s.was_tax_minor, s.was_discount_net_minor)
order by s.order_id, s.line_no;

-- name: write_changes
-- What happened, dated in the channel's calendar.
insert into line_events (
    order_id, line_no, kind, change_ref, quantity, discount_net_minor, net_minor, tax_minor,
    occurred_at, occurred_on, location_id, reason, is_money_given
)
select
    order_id, line_no, kind, change_ref, quantity, discount_net_minor, net_minor, tax_minor,
    occurred_at, cast(occurred_at at time zone :time_zone as date), location_id, reason, is_money_given
from staged_changes
order by order_id, line_no;

-- name: write_echoes
-- What a channel told of units we had taken back: as much less is there for it to tell again.
insert into line_echoes (order_id, line_no, change_ref, quantity)
select order_id, line_no, change_ref, echoed from staged_changes where echoed > 0;

-- name: fold_changes
-- A line's quantities are the sums of its events.
update order_lines k
set
    canceled = k.canceled + c.canceled,
    returned = k.returned + c.returned,
    shipped = case when o.is_historical then k.shipped - c.canceled else k.shipped + c.shipped end
from (
    select
        order_id, line_no,
        coalesce(-sum(quantity) filter (where kind = 'cancel'), 0) as canceled,
        coalesce(-sum(quantity) filter (where kind = 'return'), 0) as returned,
        coalesce(sum(quantity) filter (where kind = 'ship'), 0) as shipped
    from staged_changes
    group by order_id, line_no
) c
join orders o on o.order_id = c.order_id
where k.order_id = c.order_id and k.line_no = c.line_no;

-- name: tell_captured
-- The first step of each new order's story.
insert into order_events (order_id, seq, type, occurred_at, recorded_at, actor_type, actor)
select order_id, 1, 'order.captured', placed_at, :at, :actor_type, :actor
from draft_orders
where outcome = 'captured';

-- name: tell_changes
-- One step of the story for the edit and for each thing that happened, numbered without gaps; a
-- correction of its money is no step.
with happened as (
    select d.order_id, 'order.updated' as type, '' as change_ref,
        coalesce(d.updated_at, :at) as occurred_at, 0 as rank, l.data
    from draft_orders d
    left join (
        select position, jsonb_build_object('lines', jsonb_agg(jsonb_build_object(
            'line_no', line_no, 'before', was_quantity, 'after', quantity) order by line_no)) as data
        from staged_lines
        where not is_new and quantity <> was_quantity
        group by position
    ) l using (position)
    where d.outcome = 'updated' and (d.is_partial is not true or l.data is not null)
    union all
    select
        order_id,
        case kind when 'cancel' then 'order.canceled' when 'ship' then 'order.shipped' else 'order.returned' end,
        change_ref, min(occurred_at), 1,
        jsonb_strip_nulls(jsonb_build_object('change_ref', change_ref, 'reason', min(reason),
            'lines', jsonb_agg(
                jsonb_build_object('line_no', line_no, 'quantity', abs(quantity)) order by line_no)))
    from staged_changes
    where quantity <> 0
    group by order_id, kind, change_ref
),
told as (
    insert into order_events (order_id, seq, type, occurred_at, recorded_at, actor_type, actor, data)
    select
        h.order_id,
        o.last_seq + row_number() over (
            partition by h.order_id order by h.rank, h.occurred_at, h.type, h.change_ref),
        h.type, h.occurred_at, :at, :actor_type, :actor, h.data
    from happened h
    join orders o on o.order_id = h.order_id
    returning order_id, seq
)
select order_id, max(seq) as last_seq from told group by order_id;

-- name: write_headers
-- The header of an order a newer document describes.
update orders o
set
    external_number = d.external_number,
    source_version = coalesce(d.version, o.source_version),
    sha256 = decode(d.sha256, 'hex'),
    fulfillment_method = case
        when exists (select from order_groups g where g.order_id = o.order_id and g.is_ours)
        then o.fulfillment_method else d.fulfillment_method end,
    customer_ref = d.customer_ref, customer_name = d.customer_name,
    customer_email = d.customer_email, customer_phone = d.customer_phone, ship_to = d.ship_to,
    bill_to = d.bill_to, country_code = d.country_code, items_net_minor = t.net_minor,
    items_tax_minor = t.tax_minor, shipping_net_minor = coalesce(d.shipping_net_minor, 0),
    shipping_tax_minor = coalesce(d.shipping_tax_minor, 0),
    total_minor = t.net_minor + t.tax_minor + coalesce(d.shipping_net_minor, 0)
        + coalesce(d.shipping_tax_minor, 0),
    stated_total_minor = d.total_minor, is_test = coalesce(d.is_test, false)
from draft_orders d
join (
    select position, sum(net_minor) as net_minor, sum(tax_minor) as tax_minor
    from staged_lines group by position
) t using (position)
where d.outcome = 'updated' and d.is_partial is not true and o.order_id = d.order_id;

-- name: write_own_totals
-- What an order comes to of which a command of ours changed lines.
update orders o
set items_net_minor = t.net_minor, items_tax_minor = t.tax_minor,
    total_minor = t.net_minor + t.tax_minor + o.shipping_net_minor + o.shipping_tax_minor
from (
    select k.order_id, sum(k.net_minor) as net_minor, sum(k.tax_minor) as tax_minor
    from draft_orders d
    join order_lines k using (order_id)
    where d.outcome = 'updated' and d.position in (select position from draft_own_lines)
    group by k.order_id
) t
where o.order_id = t.order_id;

-- name: fold_orders
-- The roll-ups of every order of which more is known than that it was placed.
with touched as (
    select distinct order_id from draft_orders where outcome = 'updated'
    union
    select distinct order_id from staged_changes
),
sums as (
    select
        k.order_id, sum(k.quantity) as ordered, sum(k.canceled) as canceled,
        sum(greatest(k.shipped, k.returned)) as gone, sum(k.returned) as returned,
        sum(k.backordered) as backordered
    from order_lines k
    join touched using (order_id)
    group by k.order_id
),
story as (
    select order_id, max(seq) as last_seq from order_events join touched using (order_id) group by order_id
)
update orders o
set
    order_state = order_state_of(s.ordered, s.canceled, s.gone),
    fulfillment_state = fulfillment_state_of(s.ordered, s.canceled, s.gone, s.returned, s.backordered),
    last_seq = y.last_seq, version = o.version + 1, updated_at = :at
from sums s
join story y using (order_id)
where o.order_id = s.order_id;

-- name: flag_totals
-- A total that is not the sum of its parts is kept as stated, and shown to a person. What we
-- changed is no part of what its channel adds up.
with kept as (
    select position, sum(kept_minor) as minor from staged_lines where kept_minor <> 0 group by position
),
checked as (
    select o.order_id, o.stated_total_minor, o.total_minor - coalesce(k.minor, 0) as total_minor,
        o.stated_total_minor is not null
            and o.stated_total_minor <> o.total_minor - coalesce(k.minor, 0) as is_off
    from draft_orders d
    join orders o on o.order_id = d.order_id
    left join kept k on k.position = d.position
    where d.outcome in ('captured', 'updated') and d.is_partial is not true
),
opened as (
    insert into order_exceptions (order_id, code, detail, opened_at)
    select order_id, 'TOTALS_MISMATCH',
        jsonb_build_object('stated_minor', stated_total_minor, 'computed_minor', total_minor), :at
    from checked
    where is_off
    on conflict (order_id, code) do update
        set detail = excluded.detail, resolved_at = null
),
resolved as (
    update order_exceptions x
    set resolved_at = :at
    from checked c
    where x.order_id = c.order_id and x.code = 'TOTALS_MISMATCH' and not c.is_off
      and coalesce(x.resolved_at, 'infinity') = 'infinity'  -- by the key: see fold_backorders
    returning x.order_id
)
update orders o
set has_exception = c.is_off or exists (
    select from order_exceptions x
    where x.order_id = o.order_id and x.resolved_at is null and x.code <> 'TOTALS_MISMATCH')
from checked c
where c.order_id = o.order_id and (c.is_off or o.has_exception);

-- name: outcomes
-- What became of each document.
select
    d.position, d.external_ref, d.outcome,
    case when d.outcome <> 'rejected' then d.order_number end as order_number,
    (select jsonb_agg(jsonb_build_array(p.field, p.code, p.detail) order by p.code, p.field, p.detail)
     from draft_problems p where p.position = d.position) as problems
from draft_orders d
order by d.position;

-- name: list_numbers
-- The remarks that hold as many digits as a payment card's number has.
select position, note from draft_orders
where outcome = 'captured' and regexp_count(note, '\d') >= 13;

-- name: mask_note
-- A remark without the number of a card.
update draft_orders set note = :note where position = :position;

-- name: add_notes
-- The remarks that came with new orders.
insert into notes (order_id, visibility, body, author, created_at, is_captured)
select order_id, 'customer', note, :actor, placed_at, true
from draft_orders
where outcome = 'captured' and nullif(trim(note), '') is not null;

-- name: mark_backordered
-- What of each open line nobody can supply, as stock says it; the order's roll-up follows.
-- Returns what changed.
with told as (
    select order_id, line_no, sum(r.quantity) as after, min(k.backordered) as before
    from jsonb_to_recordset(cast(:shortages as jsonb)) as r(order_id bigint, line_no int, quantity bigint)
    join order_lines k using (order_id, line_no)
    group by order_id, line_no
    having sum(r.quantity) <> min(k.backordered)
),
lines as (
    update order_lines k
    set backordered = t.after
    from told t
    where k.order_id = t.order_id and k.line_no = t.line_no
)
select jsonb_agg(to_jsonb(t) order by order_id, line_no)::text as changed from told t;

-- name: fold_backorders
-- The roll-up, the story and the exception of orders whose backorders changed: told with the step
-- of the order that changed them, where this very transaction has just told one, or else as one of
-- their own, after whatever of the work for it they follow from.
with changed as (
    select order_id, bool_or(after > before) as is_risen,
        jsonb_agg(jsonb_build_object('line_no', line_no, 'before', before, 'after', after)
            order by line_no) as lines
    from jsonb_to_recordset(cast(:changed as jsonb))
        as r(order_id bigint, line_no int, before bigint, after bigint)
    group by order_id
),
step as (
    select c.*, o.last_seq, e.seq is not null as is_told
    from changed c
    join orders o using (order_id)
    left join order_events e on e.order_id = c.order_id and e.seq = o.last_seq
        and e.changed_xid = pg_current_xact_id() and e.type like 'order.%'
),
joined as (
    update order_events e
    set data = coalesce(e.data, '{}') || jsonb_build_object(
        'backordered', coalesce(e.data -> 'backordered', '[]') || t.lines)
    from step t
    where t.is_told and e.order_id = t.order_id and e.seq = t.last_seq
),
sums as (
    select
        k.order_id, sum(k.quantity) as ordered, sum(k.canceled) as canceled,
        sum(greatest(k.shipped, k.returned)) as gone, sum(k.returned) as returned,
        sum(k.backordered) as backordered
    from order_lines k
    join changed using (order_id)
    group by k.order_id
),
opened as (
    insert into order_exceptions (order_id, code, detail, opened_at)
    select order_id, 'BACKORDERED', jsonb_build_object('units', backordered), :at
    from sums
    where backordered > 0
    on conflict (order_id, code) do update set detail = excluded.detail, resolved_at = null
),
resolved as (
    update order_exceptions x
    set resolved_at = :at
    from sums s
    where x.order_id = s.order_id and x.code = 'BACKORDERED' and s.backordered = 0
      -- By the key. Said as the index of what is open has it, that index is gone through for each
      -- order: all that waits anywhere.
      and coalesce(x.resolved_at, 'infinity') = 'infinity'
),
folded as (
    update orders o
    set
        fulfillment_state = fulfillment_state_of(s.ordered, s.canceled, s.gone, s.returned, s.backordered),
        has_exception = s.backordered > 0 or exists (
            select from order_exceptions x
            where x.order_id = o.order_id and x.resolved_at is null and x.code <> 'BACKORDERED'),
        version = o.version + 1, updated_at = :at,
        last_seq = o.last_seq + case when t.is_told then 0 else 1 end
    from sums s
    join step t using (order_id)
    where o.order_id = s.order_id
    returning o.order_id, o.last_seq
)
insert into order_events (order_id, seq, type, occurred_at, recorded_at, actor_type, actor, data)
select f.order_id, f.last_seq,
    case when t.is_risen then 'order.backordered' else 'order.backorder_eased' end, :at, :at,
    'system', 'stock', jsonb_build_object('backordered', t.lines)
from folded f
join step t using (order_id)
where not t.is_told;

-- name: flag_oversold
-- Orders that took what the count says is not there.
with told as (
    select (item ->> 'order_id')::bigint as order_id, jsonb_agg(item - 'order_id') as items
    from jsonb_array_elements(cast(:told as jsonb)) as item
    group by 1
),
opened as (
    insert into order_exceptions (order_id, code, detail, opened_at)
    select order_id, 'OVERSOLD', jsonb_build_object('items', items), :at
    from told
    on conflict (order_id, code) do update set detail = excluded.detail, resolved_at = null
)
update orders o
set has_exception = true
from told t
where t.order_id = o.order_id and not o.has_exception;

-- name: tell
-- Steps of the stories of orders, in the order they are given, numbered without gaps.
with steps as (
    select (step ->> 'order_id')::bigint as order_id, step ->> 'type' as type, step -> 'data' as data,
        row_number() over (partition by (step ->> 'order_id')::bigint order by place) as nth
    from jsonb_array_elements(cast(:steps as jsonb)) with ordinality as s (step, place)
),
moved as (
    update orders o
    set last_seq = o.last_seq + c.count, updated_at = :at
    from (select order_id, count(*)::integer as count from steps group by order_id) c
    where o.order_id = c.order_id
    returning o.order_id, o.last_seq - c.count as before
)
insert into order_events (order_id, seq, type, occurred_at, recorded_at, actor_type, actor, data)
select s.order_id, m.before + s.nth, s.type, :at, :at, :actor_type, :actor, s.data
from steps s
join moved m using (order_id);
