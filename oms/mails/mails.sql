-- Mails: asked for, taken up, answered, erased.

-- name: add
-- A mail that is to be sent, unless the same is on its way to the same address.
insert into mails (
    order_id, document_id, recipient, message_id, next_try_at, requested_by, requested_at
)
select :order_id, :document_id, :recipient, :message_id, :at, :by, :at
where not exists (
    select from mails m
    where m.document_id = :document_id and lower(m.recipient) = lower(:recipient)
      and m.state = 'queued')
returning mail_id;

-- name: hold_document
-- Whoever mails a document is alone with it: two at once would both find none on its way.
select pg_advisory_xact_lock(hashtextextended('mails ' || cast(:document_id as text), 0));

-- name: take_due
-- The mail that has waited longest, for one worker alone until its lease is over.
update mails m
set claim = m.claim + 1, attempts = m.attempts + 1, next_try_at = :lease_until
from (
    select mail_id from mails
    where next_try_at <= :at
    order by next_try_at, mail_id
    for update skip locked
    limit 1
) due, documents d
where m.mail_id = due.mail_id and d.document_id = m.document_id
returning m.mail_id, m.document_id, d.document_number, m.recipient, m.message_id, m.attempts,
    m.claim;

-- name: answer
-- What became of an attempt, as whoever made it last says.
update mails
set state = :state, failure = :failure, next_try_at = :next_try_at,
    finished_at = case when :state = 'queued' then null else cast(:at as timestamptz) end
where mail_id = :mail_id and claim = :claim and state = 'queued'
returning mail_id;

-- name: erase
-- Mails of these orders name nobody any more, and those on their way stay here.
update mails
set recipient = null, failure = case when state <> 'sent' then 'ERASED' end,
    state = case when state = 'queued' then 'failed' else state end, next_try_at = null,
    finished_at = coalesce(finished_at, :at)
where order_id = any (cast(:order_ids as bigint[]));
