-- Batches of refunds: made, looked at, moved on, paid row by row.

-- name: add_batch
-- A batch, which has no rows yet.
insert into refund_batches (
    name, state, channel_codes, created_by, edited_by, created_at, changed_at
)
values (:title, 'draft', :channel_codes, :by, :by, :at, :at)
returning batch_id, batch_number;

-- name: hold_batch
-- The batch somebody is about to change.
select batch_id from refund_batches where batch_number = :number for update;

-- name: take_batch
-- The first batch the worker has something to do for, unless another one is at it.
select batch_number from refund_batches b
where (b.resumes_at is null or b.resumes_at <= :at)
  and (b.state in ('validating', 'approved') or (b.state = 'executing' and (
    exists (
        select from refund_batch_rows r where r.batch_id = b.batch_id and r.state = 'eligible'
    ) or not exists (
        select from refund_batch_rows r
        join refunds u using (refund_number)
        where r.batch_id = b.batch_id and u.state = 'requested'
    ))))
order by b.batch_id
limit 1
for update of b skip locked;

-- name: move_batch
-- The next state of a batch that is held, and who has had to do with it.
update refund_batches
set state = :state, digest = :digest, edited_by = :edited_by, submitted_by = :submitted_by,
    approved_by = :approved_by, approved_role = :approved_role, changed_at = :at, version = version + 1
where batch_id = :batch_id and version = :version;

-- name: put_rows
-- Rows of a batch, new or said anew; what is paid stays.
insert into refund_batch_rows (
    batch_id, row_no, order_number, kind, amount_minor, currency, reason
)
select :batch_id, row_no, order_number, kind, amount_minor, currency, reason
from jsonb_to_recordset(cast(:rows as jsonb)) as r(
    row_no integer, order_number text, kind text, amount_minor bigint, currency text, reason text)
on conflict (batch_id, row_no) do update
set order_number = excluded.order_number, kind = excluded.kind, currency = excluded.currency,
    amount_minor = excluded.amount_minor, reason = excluded.reason, state = 'open', code = null,
    seen = null
where refund_batch_rows.refund_number is null;

-- name: remove_rows
-- Rows of a batch that are not to be; what is paid stays.
delete from refund_batch_rows
where batch_id = :batch_id and row_no = any (cast(:numbers as integer[]))
  and refund_number is null;

-- name: open_rows
-- Everything is looked at anew but what is paid; asked to retry, what failed there as well.
update refund_batch_rows r
set state = 'open', code = null, seen = null, attempts = 0
where r.batch_id = :batch_id and (r.state <> 'done' or (:is_retry and exists (
    select from refunds u where u.refund_number = r.refund_number
        and u.state in ('failed', 'partially_succeeded', 'reversed'))));

-- name: try_later
-- One more try of a row that failed in a way nobody foresaw; its batch rests before the next one.
with tried as (
    update refund_batch_rows set attempts = attempts + 1
    where batch_id = :batch_id and row_no = :row_no
    returning attempts
),
resting as (
    update refund_batches b
    set resumes_at = case when tried.attempts < :tries_max
        then cast(:resumes_at as timestamptz) end
    from tried
    where b.batch_id = :batch_id
)
select attempts from tried;

-- name: judge
-- What a look at a row has found, or what became of it.
update refund_batch_rows
set state = :state, code = :code, seen = cast(:seen as jsonb),
    refund_number = coalesce(:refund_number, refund_number)
where batch_id = :batch_id and row_no = :row_no;

-- name: digest
-- What stands for everything a dry run has found.
select encode(sha256(convert_to(coalesce(jsonb_agg(jsonb_build_array(
    row_no, order_number, kind, amount_minor, currency, reason, state, code, seen, refund_number)
    order by row_no)::text, ''), 'UTF8')), 'hex')
from refund_batch_rows where batch_id = :batch_id;

-- name: totals
-- The rows of a batch by kind, currency and fate.
select r.kind, coalesce(u.currency, r.seen ->> 'currency', r.currency) as currency, r.state,
    u.state as refund_state, count(*) as count, coalesce(sum(coalesce(
        (r.seen ->> 'amount_minor')::bigint, u.amount_minor, r.amount_minor)), 0)::bigint
        as amount_minor
from refund_batch_rows r
left join refunds u using (refund_number)
where r.batch_id = :batch_id
group by 1, 2, 3, 4
order by 1, 2, 3, 4;

-- name: size
-- How many rows a batch has, and which number is the last.
select count(*) as rows_count, coalesce(max(row_no), 0) as last_no
from refund_batch_rows where batch_id = :batch_id;

-- name: told
-- What finance is told of a batch: a line per row, or per payment money goes back to.
select b.batch_number, r.row_no, r.order_number, r.kind, r.state as row_state, r.code,
    r.refund_number, u.state as refund_state, p.payment_number, p.psp,
    p.psp_reference as payment_reference, t.psp_reference as refund_reference, t.amount_minor,
    u.currency, t.state as payment_state, t.failure, b.submitted_by, b.approved_by,
    t.finished_at
from refund_batch_rows r
join refund_batches b using (batch_id)
left join refunds u using (refund_number)
left join refund_parts t on t.refund_id = u.refund_id and t.ended is distinct from 'replaced'
left join payments p using (payment_id)
where r.batch_id = :batch_id
order by r.row_no, t.payment_id, t.attempt;
