-- Settlement reports: kept, matched row by row with what we know, differences queued.

-- name: known
-- The report a file was taken in as before.
select report_id from settlement_reports where psp = :psp and digest = :digest;

-- name: cover
-- Let one report of a service in at a time, and look for what is missing from its first row on.
insert into settlement_services as s (psp, looked_upto_at)
values (:psp, coalesce(cast(:first_at as timestamptz), :at))
on conflict (psp) do update set looked_upto_at = least(
    s.looked_upto_at, coalesce(cast(:first_at as timestamptz), s.looked_upto_at));

-- name: add
-- A report, as it came.
with made as (
    insert into settlement_reports (
        psp, layout, name, digest, size_bytes, rows_count, first_at, last_at, received_by,
        received_at
    )
    values (
        :psp, :layout, :file_name, :digest, :size_bytes, :rows_count, :first_at, :last_at, :by, :at
    )
    returning report_id
)
insert into settlement_files (report_id, content)
select report_id, :content from made
returning report_id;

-- name: name_payments
-- The payment a row says it is on, by the service's id of it or by our number of its beginning.
update draft_settled d set named_payment_id = p.payment_id
from payments p
where p.psp = :psp and p.psp_reference = d.payment_reference;

-- name: find_by_reference
-- The operation a row names by our number; that of the beginning names the payment only.
update draft_settled d set
    by_reference_id = case when t.type <> 'authorize' then t.transaction_id end,
    named_payment_id = coalesce(
        d.named_payment_id, case when t.type = 'authorize' then t.payment_id end)
from payment_transactions t
where t.transaction_number = d.reference and t.psp = :psp
  and d.type not in ('fee', 'balance', 'payout');

-- name: find_by_service
-- The operation a row names by the service's id of it, one of its own type first; else by ours.
with found as (
    select distinct on (d.row_no) d.row_no, t.transaction_id
    from draft_settled d
    join payment_transactions t on t.psp = :psp and t.psp_reference = d.psp_reference
        and t.type not in ('authorize', 'void')
    where d.type not in ('fee', 'balance', 'payout')
    order by d.row_no, (t.type = d.type) desc, t.transaction_id
)
update draft_settled d set transaction_id = coalesce(f.transaction_id, d.by_reference_id)
from draft_settled o
left join found f using (row_no)
where o.row_no = d.row_no and coalesce(f.transaction_id, o.by_reference_id) is not null;

-- name: find_free
-- Operations no row has so far, of the payments that rows name which have none.
insert into draft_free
select t.transaction_id, t.payment_id, t.type, t.amount_minor, t.psp_reference is not null
from payment_transactions t
where t.payment_id in (
        select named_payment_id from draft_settled
        where transaction_id is null and named_payment_id is not null)
  and t.state = 'succeeded' and t.type not in ('authorize', 'void')
  and t.psp = :psp  -- what was given back in store credit no service has settled
  and not exists (select from settlement_rows s where s.transaction_id = t.transaction_id);

-- name: find_by_payment
-- What is left: the operations of the payment a row names, in their order; one whose id we know
-- is not another id's. Equal amounts first, then whatever amount they have.
with left_over as (
    select row_no, named_payment_id as payment_id, type,
        case when :is_exact then abs(amount_minor) else 0 end as amount_minor,
        row_number() over (
            partition by named_payment_id, type,
                case when :is_exact then abs(amount_minor) else 0 end
            order by row_no) as turn
    from draft_settled
    where transaction_id is null and named_payment_id is not null
      and (psp_reference is not null) = :has_id
),
free as (
    select f.transaction_id, f.payment_id, f.type,
        case when :is_exact then f.amount_minor else 0 end as amount_minor,
        row_number() over (
            partition by f.payment_id, f.type,
                case when :is_exact then f.amount_minor else 0 end
            order by f.transaction_id) as turn
    from draft_free f
    where not (f.has_id and :has_id)
      and not exists (
        select from draft_settled d where d.transaction_id = f.transaction_id)
)
update draft_settled d set transaction_id = f.transaction_id
from left_over l
join free f using (payment_id, type, amount_minor, turn)
where d.row_no = l.row_no;

-- name: find_duplicates
-- Rows that tell again what an earlier one has told: by the service's id of the row, or because
-- they are the same operation of ours.
with turns as (
    select row_no,
        row_number() over (partition by entry_ref order by row_no) as entry_turn,
        row_number() over (partition by transaction_id, type order by row_no) as done_turn
    from draft_settled
)
update draft_settled d set is_duplicate = true
from turns t
where t.row_no = d.row_no and (
    (d.entry_ref is not null and (t.entry_turn > 1 or exists (
        select from settlement_rows s where s.psp = :psp and s.entry_ref = d.entry_ref)))
    or (d.transaction_id is not null and (t.done_turn > 1 or exists (
        select from settlement_rows s
        where s.transaction_id = d.transaction_id and s.type = d.type))));

-- name: match
-- Every row with what was found for it.
insert into settlement_rows (
    report_id, row_no, psp, entry_ref, payout_ref, type, psp_reference, payment_reference,
    reference, currency, amount_minor, net_currency, fee_minor, net_minor, occurred_at,
    transaction_id, finding
)
select :report_id, d.row_no, :psp, d.entry_ref, d.payout_ref, d.type, d.psp_reference,
    d.payment_reference, d.reference, d.currency, d.amount_minor, d.net_currency, d.fee_minor,
    d.net_minor, d.occurred_at, t.transaction_id,
    case
        when d.is_duplicate then 'duplicate'
        when d.type = 'payout' then 'own'
        when d.type in ('fee', 'balance') then
            case when x.is_explained then 'own' else 'fee_differs' end
        when t.transaction_id is null or d.type = 'other' then 'unknown'
        when t.payment_id <> d.named_payment_id or t.payment_id <> b.payment_id
            then 'other_payment'
        when t.type <> d.type or sign(d.amount_minor) <> cast(cast(:signs as jsonb) ->> d.type as integer)
            then 'type_differs'
        when t.state <> 'succeeded' then 'not_succeeded'
        when t.currency <> d.currency then 'currency_differs'
        when abs(d.amount_minor) <> t.amount_minor then
            case when d.fee_minor <> 0 and d.net_currency = d.currency
                and abs(abs(d.amount_minor) - t.amount_minor) = abs(d.fee_minor)
                then 'fee_differs' else 'amount_differs' end
        when not x.is_explained then 'fee_differs'
        when d.occurred_at not between coalesce(t.psp_at, t.finished_at)
                - cast(:shift_max as interval)
            and coalesce(t.psp_at, t.finished_at) + cast(:shift_max as interval)
            then 'period_differs'
        else 'matched'
    end
from draft_settled d
cross join lateral (
    select d.net_currency <> d.currency or d.net_minor = d.amount_minor - d.fee_minor
        as is_explained
) x
left join payment_transactions t on t.transaction_id = d.transaction_id
left join payment_transactions b on b.transaction_id = d.by_reference_id
order by d.row_no;

-- name: check_payouts
-- Payouts that are not the sum of their rows, whether those told twice count once or twice.
with sums as (
    select payout_ref, net_currency, min(row_no) filter (where type = 'payout') as row_no,
        sum(net_minor) as net_minor,
        coalesce(sum(net_minor) filter (where finding <> 'duplicate'), 0) as once_minor
    from settlement_rows
    where report_id = :report_id and payout_ref is not null
    group by payout_ref, net_currency
)
update settlement_rows r set finding = 'payout_total'
from sums s
where r.report_id = :report_id and r.row_no = s.row_no and s.net_minor <> 0
  and s.once_minor <> 0;

-- name: queue
-- A difference for every row that does not agree: ours beside theirs, with their signs.
insert into settlement_differences (
    psp, report_id, row_no, transaction_id, finding, ours_minor, ours_currency, theirs_minor,
    theirs_currency, found_at
)
select r.psp, r.report_id, r.row_no, r.transaction_id, r.finding,
    case when r.finding = 'payout_total' then (
        select -coalesce(sum(o.net_minor), 0) from settlement_rows o
        where o.report_id = r.report_id and o.payout_ref = r.payout_ref
          and o.net_currency = r.net_currency and o.type <> 'payout')
    else t.amount_minor * cast(cast(:signs as jsonb) ->> t.type as integer) end,
    case when r.finding = 'payout_total' then r.net_currency else t.currency end,
    case when r.finding = 'payout_total' then r.net_minor else r.amount_minor end,
    case when r.finding = 'payout_total' then r.net_currency else r.currency end, :at
from settlement_rows r
left join payment_transactions t using (transaction_id)
where r.report_id = :report_id and r.finding not in ('matched', 'own')
order by r.row_no;

-- name: end_missing
-- What was missing and is in this report after all, is missing no longer: which row has it is kept.
update settlement_differences d set state = 'resolved', resolved_by = 'settlements',
    resolved_at = :at, version = d.version + 1,
    reason = 'It came late: row ' || r.row_no || ' of ' || p.report_number || '.'
from settlement_rows r
join settlement_reports p using (report_id)
where r.report_id = :report_id and d.transaction_id = r.transaction_id
  and d.finding = 'missing' and d.state = 'open';

-- name: look_for_missing
-- What we did with a service long enough ago, since its first report, and no report has told of.
with services as (
    select psp, looked_upto_at from settlement_services
    where looked_upto_at < cast(:upto as timestamptz)
    order by psp
    for update
),
missing as (
    insert into settlement_differences (
        psp, transaction_id, finding, ours_minor, ours_currency, found_at
    )
    select t.psp, t.transaction_id, 'missing',
        t.amount_minor * cast(cast(:signs as jsonb) ->> t.type as integer), t.currency, :at
    from services s
    join payment_transactions t on t.psp = s.psp and t.state = 'succeeded'
        and t.finished_at > s.looked_upto_at and t.finished_at <= cast(:upto as timestamptz)
    where cast(:signs as jsonb) ->> t.type is not null
      and not exists (select from settlement_rows r where r.transaction_id = t.transaction_id)
      and not exists (
        select from settlement_differences d
        where d.transaction_id = t.transaction_id and d.finding = 'missing')
    order by t.transaction_id
    returning difference_id
),
looked as (
    update settlement_services s set looked_upto_at = :upto
    from services b where b.psp = s.psp
)
select count(*) from missing;

-- name: hold_difference
-- A difference, for whoever is about to change it.
select difference_id, state, version from settlement_differences
where difference_number = :number
for update;

-- name: resolve
-- A difference somebody has explained.
update settlement_differences set state = 'resolved', resolved_by = :by, resolved_at = :at,
    reason = :reason, version = version + 1
where difference_id = :difference_id;

-- name: totals
-- The rows of a report by type, finding and currency.
select type, finding, currency, count(*) as count, sum(amount_minor)::bigint as amount_minor,
    case when bool_and(net_currency = currency) then sum(fee_minor)::bigint end as fee_minor
from settlement_rows
where report_id = :report_id
group by type, finding, currency
order by type, finding, currency;

-- name: payouts
-- What a report says was paid out, beside its rows.
select payout_ref, net_currency as currency, count(*) filter (where type <> 'payout') as rows_count,
    coalesce(sum(net_minor) filter (where type <> 'payout'), 0)::bigint as rows_minor,
    (-sum(net_minor) filter (where type = 'payout'))::bigint as paid_minor
from settlement_rows
where report_id = :report_id and payout_ref is not null
group by payout_ref, net_currency
order by payout_ref, net_currency;

-- name: file
-- A report as it came.
select content from settlement_files where report_id = :report_id;
