-- The statements of notes.

-- name: hold_customer
-- Hold a customer: whoever writes notes on them, or takes them away, does so first.
select from customers where customer_id = :customer_id for update;

-- name: has_part
-- Whether an order has a line, a fulfillment order or a parcel to remark on.
select
    (cast(:line_no as integer) is null or exists (
        select from order_lines k where k.order_id = :order_id and k.line_no = :line_no))
    and (cast(:fulfillment_number as text) is null or exists (
        select from fulfillment_orders f
        where f.order_id = :order_id and f.fulfillment_number = :fulfillment_number))
    and (cast(:parcel_number as text) is null or exists (
        select from parcels p where p.order_id = :order_id and p.parcel_number = :parcel_number));

-- name: count
-- How many notes an order or a customer has.
select count(*) from notes
where order_id = cast(:order_id as bigint) or customer_id = cast(:customer_id as bigint);

-- name: add
-- A note on an order, a part of it, or a customer.
insert into notes (
    order_id, customer_id, line_no, fulfillment_number, parcel_number, kind, visibility, body,
    is_pinned, author, created_at
)
values (
    :order_id, :customer_id, :line_no, :fulfillment_number, :parcel_number, :kind, :visibility,
    :body, :is_pinned, :by, :at
)
returning note_id;

-- name: edit
-- What a note says now; what it said before is kept.
with kept as (
    insert into note_versions (note_id, version, kind, visibility, body, written_at, written_by)
    select note_id, version, kind, visibility, body, coalesce(edited_at, created_at),
        coalesce(edited_by, author)
    from notes where note_id = :note_id
)
update notes
set kind = :kind, visibility = :visibility, body = :body, version = version + 1, edited_at = :at,
    edited_by = :by
where note_id = :note_id;

-- name: pin
-- A note stands above the others, or among them.
update notes set is_pinned = :is_pinned where note_id = :note_id;

-- name: redact
-- Of notes a tombstone stays, of their files nothing. Returns those not redacted before.
with gone as (
    update note_versions set body = null where note_id = any (cast(:note_ids as bigint[]))
),
lost as (
    delete from note_attachments where note_id = any (cast(:note_ids as bigint[]))
)
update notes
set body = null, version = version + 1, is_pinned = false, redacted_at = :at, redacted_by = :by,
    redact_reason = :reason
where note_id = any (cast(:note_ids as bigint[])) and redacted_at is null
returning note_id, order_id;

-- name: ids
-- The notes on orders and customers of which something is left.
select note_id from notes
where (order_id = any (cast(:order_ids as bigint[]))
    or customer_id = any (cast(:customer_ids as bigint[])))
  and redacted_at is null
order by note_id;

-- name: read
-- Notes by their own numbers or by what they are on, pinned ones first, then oldest first.
select n.note_id, n.order_id, o.order_number, c.channel_code, n.customer_id, n.line_no,
    n.fulfillment_number, n.parcel_number, n.kind, n.visibility, n.body, n.author, n.created_at,
    n.is_pinned, n.is_captured, n.version, n.edited_at, n.edited_by, n.redacted_at, n.redacted_by,
    n.redact_reason
from notes n
left join orders o using (order_id)
left join channels c using (channel_id)
where n.note_id = any (cast(:note_ids as bigint[])) or n.order_id = any (cast(:order_ids as bigint[]))
   or n.customer_id = any (cast(:customer_ids as bigint[]))
order by n.is_pinned desc, n.note_id;

-- name: previous
-- What notes said before they were edited.
select note_id, version, kind, visibility, body, written_at, written_by
from note_versions
where note_id = any (cast(:note_ids as bigint[]))
order by note_id, version;

-- name: attach
-- A file of a note.
insert into note_attachments (
    note_id, name, media_type, size_bytes, sha256, visibility, content, added_at, added_by
)
values (
    :note_id, :file_name, :media_type, :size_bytes, :sha256, :visibility, :content, :at, :by
)
returning attachment_id;

-- name: attachments
-- The files of notes, without what is in them.
select note_id, attachment_id, name, media_type, size_bytes, encode(sha256, 'hex') as sha256,
    visibility, added_at, added_by
from note_attachments
where note_id = any (cast(:note_ids as bigint[]))
order by note_id, attachment_id;

-- name: content
-- What is in a file.
select content from note_attachments where attachment_id = :attachment_id;

-- name: of_work
-- What whoever does the work of fulfillment orders is to know: on the order, on what of it they do.
select f.fulfillment_number as work_number, n.note_id
from fulfillment_orders f
join locations x using (location_id)
join notes n on n.order_id = f.order_id
where f.fulfillment_number = any (cast(:numbers as text[])) and n.redacted_at is null
  and n.visibility = case when x.kind = 'dc' then 'warehouse' else 'store' end
  and coalesce(n.fulfillment_number = f.fulfillment_number, true)
  and (n.line_no is null or exists (
      select from fulfillment_lines l
      where l.fulfillment_id = f.fulfillment_id and l.line_no = n.line_no))
  and (n.parcel_number is null or exists (
      select from parcels p
      where p.fulfillment_id = f.fulfillment_id and p.parcel_number = n.parcel_number));
