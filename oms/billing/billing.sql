-- Documents and what they are made of (oms/billing/store.py).

-- name: register_entity
-- Write a legal entity down, new or changed. Its prefix stays once a series of it has begun.
insert into legal_entities as e (
    entity_code, name, street, postcode, city, country_code, vat_id, registration_id, email, phone,
    iban, bic, payment_terms, language, time_zone, series_prefix, fiscal_year_month, updated_at
)
values (
    :code, :legal_name, :street, :postcode, :city, :country_code, :vat_id, :registration_id, :email,
    :phone, :iban, :bic, :payment_terms, :language, :time_zone, :series_prefix, :fiscal_year_month,
    :at
)
on conflict (entity_code) do update set
    name = excluded.name, street = excluded.street, postcode = excluded.postcode,
    city = excluded.city, country_code = excluded.country_code, vat_id = excluded.vat_id,
    registration_id = excluded.registration_id, email = excluded.email, phone = excluded.phone,
    iban = excluded.iban, bic = excluded.bic, payment_terms = excluded.payment_terms,
    language = excluded.language, time_zone = excluded.time_zone,
    series_prefix = excluded.series_prefix, fiscal_year_month = excluded.fiscal_year_month,
    updated_at = excluded.updated_at
where (e.series_prefix = excluded.series_prefix
        and e.fiscal_year_month = excluded.fiscal_year_month)
    or not exists (select from document_series s where s.entity_id = e.entity_id)
returning entity_id;

-- name: assign_channel
-- Have a channel's sales be a legal entity's, invoiced by a policy; nothing for no such channel.
insert into channel_billing (channel_id, entity_id, policy, since_at, updated_at)
select channel_id, :entity_id, :policy, :at, :at from channels where channel_code = :channel_code
on conflict (channel_id) do update set
    entity_id = excluded.entity_id, policy = excluded.policy, updated_at = excluded.updated_at
returning channel_id;

-- name: entity
-- A legal entity.
select
    entity_id, entity_code as code, name, street, postcode, city, country_code, vat_id,
    registration_id, email, phone, iban, bic, payment_terms, language, time_zone, series_prefix,
    fiscal_year_month
from legal_entities
where entity_id = :entity_id;

-- name: changed
-- The orders written since whose changes a document may follow of. What is billed on request, or
-- was sold before the channel was anybody's, is looked at once something of it was.
select o.order_id
from orders o
join channel_billing b using (channel_id)
where o.changed_xid >= cast(cast(:after as text) as xid8)
  and o.changed_xid < cast(cast(:upto as text) as xid8)
  and not o.is_historical and not o.is_test
  and ((b.policy <> 'on_request' and o.placed_at >= b.since_at) or exists (
      select from documents d where d.order_id = o.order_id and d.document_type = 'invoice'))
order by o.order_id;

-- name: is_changed
-- Whether any order was written since.
select exists (
    select from orders
    where changed_xid >= cast(cast(:after as text) as xid8)
      and changed_xid < cast(cast(:upto as text) as xid8)
);

-- name: hold
-- Hold orders: who issues documents of the same comes after, and sees these.
select order_id from orders where order_id = any (cast(:order_ids as bigint[]))
order by order_id
for no key update;

-- name: sales
-- Orders that are billed, with whose sales they are and what they were billed by so far.
select
    o.order_id, o.order_number, o.external_number, o.channel_id, c.channel_code,
    o.fulfillment_method, o.placed_on, o.currency, o.customer_name, o.customer_email,
    o.country_code, o.ship_to, o.bill_to, o.shipping_net_minor, o.shipping_tax_minor,
    o.stated_total_minor, o.total_minor, b.policy,
    coalesce(d.entity_id, b.entity_id) as entity_id, d.basis,
    coalesce(
        case when o.fulfillment_method = 'carry_out' then x.country_code end,
        o.ship_to ->> 'country_code', o.country_code, o.bill_to ->> 'country_code',
        e.country_code) as destination,
    (select reason from (
        select e.reason, e.occurred_at as at, e.line_no from line_events e
        where e.order_id = o.order_id and e.kind in ('cancel', 'return') and e.reason is not null
        union all
        select nullif(r.reason, '[erased]'), r.changed_at, 0 from refunds r
        where r.order_id = o.order_id and r.state in ('succeeded', 'partially_succeeded')
            and exists (select from refund_lines l where l.refund_id = r.refund_id)
     ) reasons order by at desc, line_no limit 1) as reason
from orders o
join channels c using (channel_id)
join channel_billing b using (channel_id)
join legal_entities e on e.entity_id = b.entity_id
left join locations x on x.location_id = o.location_id
left join lateral (
    select entity_id, basis from documents
    where documents.order_id = o.order_id and document_type = 'invoice'
    order by document_id limit 1
) d on true
where o.order_id = any (cast(:order_ids as bigint[])) and not o.is_historical and not o.is_test
order by o.order_id;

-- name: lines
-- What happened to the lines of orders, added up by kind. What came back and gives its customer
-- no money is not taken back; what was taken off a line's price is what has reached its customer.
select
    e.order_id, e.line_no, k.sku, k.title,
    coalesce(sum(e.quantity) filter (where e.kind in ('sale', 'edit')), 0)::integer as ordered,
    coalesce(-sum(e.quantity) filter (where e.kind = 'cancel'), 0)::integer as canceled,
    coalesce(sum(e.quantity) filter (where e.kind = 'ship'), 0)::integer as shipped,
    (coalesce(-sum(e.quantity) filter (where e.kind = 'return'), 0)
        - coalesce(max(g.units), 0))::integer as returned,
    coalesce(-sum(e.quantity) filter (where e.kind = 'return' and e.is_money_given), 0)::integer
        as returned_given,
    coalesce(sum(e.net_minor) filter (where e.kind in ('sale', 'edit')), 0) as sold_net,
    coalesce(sum(e.tax_minor) filter (where e.kind in ('sale', 'edit')), 0) as sold_tax,
    coalesce(sum(e.net_minor) filter (where e.kind <> 'return'), 0) as kept_net,
    coalesce(sum(e.tax_minor) filter (where e.kind <> 'return'), 0) as kept_tax,
    coalesce(sum(e.net_minor) filter (where e.kind = 'return' and not e.is_money_given), 0)
        + coalesce(max(g.net_minor), 0) as returns_net,
    coalesce(sum(e.tax_minor) filter (where e.kind = 'return' and not e.is_money_given), 0)
        + coalesce(max(g.tax_minor), 0) as returns_tax,
    coalesce(sum(e.net_minor) filter (where e.kind = 'return' and e.is_money_given), 0)
        as returns_given_net,
    coalesce(sum(e.tax_minor) filter (where e.kind = 'return' and e.is_money_given), 0)
        as returns_given_tax,
    greatest(coalesce(sum(e.discount_net_minor) filter (where e.kind in ('sale', 'edit')), 0), 0)
        as discount_minor,
    coalesce(max(p.done_minor - p.done_tax_minor), 0) as reduced_net,
    coalesce(max(p.done_tax_minor), 0) as reduced_tax,
    max(e.occurred_on) filter (where e.kind = 'ship') as supplied_on
from line_events e
join order_lines k using (order_id, line_no)
left join goods_kept g using (order_id, line_no)
left join price_reductions p using (order_id, line_no)
where e.order_id = any (cast(:order_ids as bigint[]))
group by e.order_id, e.line_no, k.sku, k.title
order by e.order_id, e.line_no;

-- name: beside
-- What orders come to beside their goods: the fees that were kept of each line's returns, the
-- shipping that was given back (line 0) and what was taken off it.
select r.order_id, d.line_no, count(*) filter (where d.fee_minor > 0)::integer as fees,
    sum(d.fee_minor)::bigint as fee_minor,
    sum(round(d.fee_minor::numeric * (d.goods_tax_minor + d.shipping_tax_minor)
        / nullif(d.goods_net_minor + d.goods_tax_minor + d.shipping_net_minor
            + d.shipping_tax_minor, 0)))::bigint as fee_tax_minor,
    sum(d.shipping_net_minor)::bigint as back_net_minor,
    sum(d.shipping_tax_minor)::bigint as back_tax_minor,
    max(cast(d.decided_at at time zone 'UTC' as date)) as decided_on
from return_decisions d
join returns r using (return_id)
join return_lines l using (return_id, line_no)
where r.order_id = any (cast(:order_ids as bigint[])) and d.verdict = 'accepted'
    and l.resolution <> 'none' and (d.fee_minor > 0 or (d.shipping_net_minor, d.shipping_tax_minor) <> (0, 0))
group by r.order_id, d.line_no
order by r.order_id, d.line_no;

-- name: reduced_shipping
-- What was taken off the shipping of orders.
select order_id, done_minor - done_tax_minor as net_minor, done_tax_minor as tax_minor
from price_reductions
where order_id = any (cast(:order_ids as bigint[])) and line_no = 0;

-- name: earlier
-- What invoices and credit notes have of the lines of orders.
select
    d.order_id, d.document_id, d.document_type, d.preceding_id, l.line_no, l.quantity, l.counted,
    l.net_minor, l.tax_minor, l.rate_ppm
from documents d
join document_lines l using (document_id)
where d.order_id = any (cast(:order_ids as bigint[])) and d.document_type <> 'receipt'
order by d.document_id, l.line_no;

-- name: language
-- The language of who sells by a channel.
select e.language
from channel_billing b
join legal_entities e using (entity_id)
where b.channel_id = :channel_id;

-- name: cash_rounding
-- What tills gave back of an order beyond what it came to, or less, and its credit notes do not say.
select coalesce((
        select sum(rounding_minor) from payment_transactions
        where order_id = :order_id and type = 'refund' and state = 'succeeded'
    ), 0)::bigint - coalesce((
        select sum((value ->> 'rounding_minor')::bigint) from documents
        where order_id = :order_id and document_type = 'credit_note'
    ), 0)::bigint as rounding_minor;

-- name: take_number
-- Take the next number of a series, and hold the series until the transaction ends. Its dates do
-- not go back, whatever clocks do.
insert into document_series as s (
    entity_id, document_type, fiscal_year, last_number, last_issued_on)
values (:entity_id, :document_type, :fiscal_year, 1, :issued_on)
on conflict (entity_id, document_type, fiscal_year) do update set
    last_number = s.last_number + 1,
    last_issued_on = greatest(s.last_issued_on, excluded.last_issued_on)
returning last_number, last_issued_on;

-- name: issue
-- Write a document down, for good.
insert into documents (
    document_number, document_type, entity_id, fiscal_year, series_number, order_id, channel_id,
    preceding_id, basis, issued_at, issued_on, currency, net_minor, tax_minor, total_minor,
    issued_by, destination_code, seller_code, is_one_stop_shop, value
)
values (
    :number, :document_type, :entity_id, :fiscal_year, :series_number, :order_id, :channel_id,
    :preceding_id, :basis, :at, :issued_on, :currency, :net_minor, :tax_minor, :total_minor, :by,
    :destination_code, :seller_code, :is_one_stop_shop, cast(:value as jsonb)
)
returning document_id;

-- name: write_lines
-- Write down what a document has of each line.
insert into document_lines (
    document_id, line_no, quantity, counted, net_minor, tax_minor, rate_ppm, category)
select :document_id, l.line_no, l.quantity, l.counted, l.net_minor, l.tax_minor, l.rate_ppm,
    l.category
from jsonb_to_recordset(cast(:lines as jsonb)) as l (
    line_no smallint, quantity integer, counted integer, net_minor bigint, tax_minor bigint,
    rate_ppm integer, category text);

-- name: keep_file
-- Keep a document as a file; nothing where it is kept already.
insert into document_files (document_id, kind, sha256, body, made_at)
values (:document_id, :kind, :sha256, :body, :at)
on conflict do nothing;

-- name: file
-- A document as a file.
select body, encode(sha256, 'hex') as sha256
from document_files
where document_id = :document_id and kind = :kind;

-- name: erase
-- To whom documents of these orders were sent is forgotten.
update document_sendings s set recipient = null
from documents d
where d.document_id = s.document_id and d.order_id = any (cast(:order_ids as bigint[]))
  and s.recipient is not null;

-- name: note_sent
-- Note that a document was sent.
insert into document_sendings (document_id, sending_no, sent_at, sent_by, recipient)
select :document_id, coalesce(max(sending_no), 0) + 1, :at, :by, :recipient
from document_sendings
where document_id = :document_id;

-- name: order
-- The id of an order.
select order_id from orders where order_number = :number;
