-- Settlements, the lines of documents and what came of returns are journaled for the marts.

alter table settlement_reports add column changed_xid xid8 not null default pg_current_xact_id();
alter table settlement_rows add column changed_xid xid8 not null default pg_current_xact_id();
alter table settlement_differences add column changed_xid xid8 not null default pg_current_xact_id();
alter table return_receipts add column changed_xid xid8 not null default pg_current_xact_id();
alter table return_receipt_lines add column changed_xid xid8 not null default pg_current_xact_id();
create index settlement_reports_changed on settlement_reports (changed_xid);
create index settlement_rows_changed on settlement_rows (changed_xid);
create index settlement_differences_changed on settlement_differences (changed_xid);
create index return_receipts_changed on return_receipts (changed_xid);
create index return_receipt_lines_changed on return_receipt_lines (changed_xid);
create trigger stamp before update on settlement_reports
    for each row execute function stamp_changed();
create trigger stamp before update on settlement_rows
    for each row execute function stamp_changed();
create trigger stamp before update on settlement_differences
    for each row execute function stamp_changed();
create trigger stamp before update on return_receipts
    for each row execute function stamp_changed();
create trigger stamp before update on return_receipt_lines
    for each row execute function stamp_changed();

-- Where a document's supplies are taxed, and who sold them. Of those issued before it is what they
-- were issued by: the store they were carried out of, else where they went.
alter table documents
    add column destination_code text,
    add column seller_code text,
    add column is_one_stop_shop boolean not null default false;
alter table document_lines add column category text;
alter table documents disable trigger immutable;
alter table document_lines disable trigger immutable;
update documents d set
    seller_code = d.value #>> '{seller,country_code}',
    is_one_stop_shop = coalesce(d.value -> 'remarks' @> '["one_stop_shop"]', false),
    destination_code = coalesce(
        case when o.fulfillment_method = 'carry_out' then x.country_code end,
        o.ship_to ->> 'country_code', o.country_code, o.bill_to ->> 'country_code',
        d.value #>> '{seller,country_code}')
from orders o
left join locations x on x.location_id = o.location_id
where o.order_id = d.order_id;
update document_lines l set category = v.line ->> 'category'
from documents d
cross join lateral jsonb_array_elements(d.value -> 'lines') as v(line)
where d.document_id = l.document_id and cast(v.line ->> 'line_no' as integer) = l.line_no;
alter table documents enable trigger immutable;
alter table document_lines enable trigger immutable;
