-- What payment services do with what is left of a payment, and what waits for one.

-- What is known of services, so that whoever decides in a transaction can go by it.
create table payment_services (
    psp text primary key,
    captures_once boolean not null              -- it lets go of what a capture leaves
);
alter table payments add captures_once boolean;  -- null: as its service does

-- A notice of a payment nobody knew is looked at again when there is one.
alter table psp_notices add notice_id bigint generated always as identity unique,
    add waits_for_payment boolean not null default false,
    add resolved_at timestamptz;                -- when what waited was applied, or could not be
update psp_notices set waits_for_payment = true where outcome = 'parked';
create index psp_notices_waiting on psp_notices (received_at) where waits_for_payment;

-- Whatever was declined is not asked for again by its instrument.
update payments p set token = null
where token is not null and not exists (
    select from payment_transactions t
    where t.payment_id = p.payment_id and t.type = 'authorize'
      and t.state in ('requested', 'pending', 'unknown'));

-- A row of a batch that fails in a way nobody foresaw has its tries; its batch waits between them.
alter table refund_batches add resumes_at timestamptz;
alter table refund_batch_rows add attempts integer not null default 0;

create index payment_transactions_not_voided on payment_transactions (payment_id)
    where type = 'void' and state = 'failed';
