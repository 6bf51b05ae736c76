-- What somebody should look at, read from where each part keeps how it stands.

-- name: matters
-- Everything that needs a person, counted where it is, with the moment since when.
with found as (
    select case when i.state = 'failed' then 'PAYLOAD_FAILED' else 'INBOX_WAITS' end as code,
        c.channel_code as place, c.channel_code, i.received_at as since_at, 1 as count
    from inbox i
    join channels c using (channel_id)
    where i.state = 'failed' or (i.state in ('received', 'processing')
        and i.received_at < cast(:at as timestamptz) - :inbox_waits_max)

    union all
    select 'QUARANTINED', c.channel_code, c.channel_code, q.first_seen_at, 1
    from quarantine q
    join channels c using (channel_id)
    where q.state = 'open'

    union all
    select case when s.state = 'disabled' then 'SUBSCRIPTION_DISABLED'
            else 'SUBSCRIPTION_FAILING' end,
        coalesce(s.description, s.url, c.channel_code), c.channel_code,
        coalesce(s.failing_since_at, s.updated_at), 1
    from webhook_subscriptions s
    left join channels c using (channel_id)
    where s.state = 'disabled' or (s.state = 'enabled'
        and s.failing_since_at < cast(:at as timestamptz) - :endpoint_fails_max)

    union all
    select 'MESSAGES_PARKED', coalesce(s.description, s.url, c.channel_code), c.channel_code,
        coalesce(d.finished_at, d.created_at), 1
    from webhook_deliveries d
    join webhook_subscriptions s using (subscription_id)
    left join channels c using (channel_id)
    where d.state = 'parked'

    union all
    select 'FEED_HELD', c.channel_code, c.channel_code, f.held_at, 1
    from channel_feeds f
    join channels c using (channel_id)
    where f.held_at is not null

    union all
    select 'STOCK_REFUSED', c.channel_code, c.channel_code, r.refused_at, 1
    from feed_refusals r
    join channels c using (channel_id)

    union all
    select 'ORDER_EXCEPTION', x.code, c.channel_code, x.opened_at, 1
    from order_exceptions x
    join orders o using (order_id)
    join channels c using (channel_id)
    where x.resolved_at is null

    union all
    select 'HOLD_OPEN', h.type, c.channel_code, h.placed_at, 1
    from order_holds h
    join orders o using (order_id)
    join channels c using (channel_id)
    where h.released_at is null and h.placed_at < cast(:at as timestamptz) - :hold_open_max

    union all
    select 'WORK_UNTOUCHED', x.location_code, c.channel_code, f.created_at, 1
    from fulfillment_orders f
    join locations x using (location_id)
    join orders o using (order_id)
    join channels c using (channel_id)
    where f.state = 'assigned' and f.created_at < cast(:at as timestamptz) - :untouched_max

    union all
    select 'WORK_TIMED_OUT', x.location_code, c.channel_code, f.changed_at, 1
    from fulfillment_orders f
    join locations x using (location_id)
    join orders o using (order_id)
    join channels c using (channel_id)
    where f.reason = 'timeout' and f.changed_at > cast(:at as timestamptz) - :timed_out_shown

    union all
    select 'TRANSFER_AWAY', x.location_code, c.channel_code, t.shipped_at, 1
    from transfers t
    join locations x on x.location_id = t.to_location_id
    left join orders o using (order_id)
    left join channels c using (channel_id)
    where t.state in ('shipped', 'partially_received')
      and t.shipped_at < cast(:at as timestamptz) - :transfer_away_max

    union all
    select 'PARCEL_SILENT', p.carrier, c.channel_code,
        coalesce(p.last_event_at, p.handed_over_at, p.created_at), 1
    from parcels p
    join orders o using (order_id)
    join channels c using (channel_id)
    where p.state in ('handed_over', 'in_transit', 'out_for_delivery', 'delivery_delayed',
            'on_hold', 'delivery_failed', 'damaged', 'lost')
      and (p.state in ('damaged', 'lost')
        or coalesce(p.last_event_at, p.handed_over_at, p.created_at)
            < cast(:at as timestamptz) - :parcel_silent_max)

    union all
    select 'PAYMENT_UNKNOWN', t.psp, c.channel_code, t.requested_at, 1
    from payment_transactions t
    join orders o using (order_id)
    join channels c using (channel_id)
    where t.next_try_at is not null and t.state in ('requested', 'unknown')
      and t.requested_at < cast(:at as timestamptz) - :payment_unknown_max

    union all
    select 'CAPTURE_FAILED', t.psp, c.channel_code, t.requested_at, 1
    from payment_transactions t
    join orders o using (order_id)
    join channels c using (channel_id)
    where t.type = 'capture' and t.state = 'failed' and not exists (
        select from payment_transactions l
        where l.payment_id = t.payment_id and l.type = 'capture'
          and l.transaction_id > t.transaction_id)

    union all
    select 'VOID_FAILED', t.psp, c.channel_code, t.requested_at, 1
    from payment_transactions t
    join payments p using (payment_id)
    join orders o on o.order_id = t.order_id
    join channels c using (channel_id)
    where t.type = 'void' and t.state = 'failed'
      and p.authorized_minor > p.captured_minor + p.capturing_minor + p.voided_minor
          + p.voiding_minor
      and not exists (
        select from payment_transactions l
        where l.payment_id = t.payment_id and l.type = 'void'
          and l.transaction_id > t.transaction_id)

    union all
    select 'SET_ASIDE', s.follower, c.channel_code, s.since_at, 1
    from set_aside s
    join orders o using (order_id)
    join channels c using (channel_id)

    union all
    select 'AUTHORIZATION_ENDS', p.psp, c.channel_code, p.authorized_until_at, 1
    from payments p
    join orders o using (order_id)
    join channels c using (channel_id)
    where p.managed_by = 'oms' and p.state in ('authorized', 'partially_captured')
      and p.authorized_until_at < cast(:at as timestamptz) + :authorization_ends_in
      and p.authorized_minor > p.captured_minor + p.capturing_minor + p.voided_minor
          + p.voiding_minor

    union all
    select case r.state when 'awaiting_approval' then 'REFUND_WAITS' else 'REFUND_FAILED' end,
        r.kind, c.channel_code, r.changed_at, 1
    from refunds r
    join orders o using (order_id)
    join channels c using (channel_id)
    where r.state in ('failed', 'partially_succeeded', 'reversed') or (r.state = 'awaiting_approval'
        and r.changed_at < cast(:at as timestamptz) - :refund_waits_max)

    union all
    select case when p.is_ours then 'REFUND_NOT_BEGUN' else 'OVERPAID' end, c.channel_code,
        c.channel_code, b.changed_at, 1
    from order_balances b
    join orders o using (order_id)
    join channels c using (channel_id)
    cross join lateral (
        select coalesce(bool_or(y.managed_by = 'oms' and y.psp_reference is not null
            and y.captured_minor > y.refunded_minor + y.refunding_minor), false) as is_ours
        from payments y where y.order_id = b.order_id
    ) p
    where b.payment_state = 'overpaid'
      and b.changed_at < cast(:at as timestamptz) - :overpaid_max
      and not o.is_test
      and not exists (
        select from refunds r where r.order_id = b.order_id
          and (r.state in ('awaiting_approval', 'requested', 'failed', 'partially_succeeded')
            -- Somebody has decided not to pay it since.
            or (r.kind = 'owed' and r.changed_at >= b.changed_at
              and (r.state in ('rejected', 'canceled') or exists (
                select from refund_tenders t
                where t.refund_id = r.refund_id and t.ended = 'given_up')))))

    union all
    select 'CHARGED_BACK', c.channel_code, c.channel_code, b.changed_at, 1
    from order_balances b
    join orders o using (order_id)
    join channels c using (channel_id)
    where b.payment_state = 'chargeback'
      and b.changed_at > cast(:at as timestamptz) - :charged_back_shown
      and not o.is_test

    union all
    select 'MAIL_FAILED', d.document_type, c.channel_code, m.finished_at, 1
    from mails m
    join documents d using (document_id)
    join channels c on c.channel_id = d.channel_id
    where m.state = 'failed' and m.recipient is not null
      and not exists (
        select from mails later where later.document_id = m.document_id
          and later.mail_id > m.mail_id)

    union all
    select 'NOTICE_PARKED', n.psp, null, n.received_at, 1
    from psp_notices n
    where n.outcome = 'parked'
      and n.received_at < cast(:at as timestamptz) - :notice_parked_max

    union all
    select 'SETTLEMENT_DIFFERS', d.finding, null, d.found_at, 1
    from settlement_differences d
    where d.state = 'open'

    union all
    select 'RETURN_UNIDENTIFIED', x.location_code, null, t.received_at, 1
    from return_receipt_lines l
    join return_receipts t using (receipt_no)
    join locations x using (location_id)
    where l.state = 'unidentified'

    union all
    select 'RETURN_UNDECIDED', x.location_code, c.channel_code, r.changed_at, 1
    from returns r
    join orders o using (order_id)
    join channels c using (channel_id)
    left join locations x on x.location_id = r.location_id
    where (r.state in ('requested', 'partially_received', 'received', 'inspected')
        and r.changed_at < cast(:at as timestamptz) - :return_undecided_max)
      -- It never came.
      or (r.state = 'in_transit' and r.expires_at < cast(:at as timestamptz))

    union all
    select 'RETURN_UNPAID', c.channel_code, c.channel_code, r.changed_at, 1
    from returns r
    join orders o using (order_id)
    join channels c using (channel_id)
    where r.state = 'resolved' and r.changed_at < cast(:at as timestamptz) - :return_unpaid_max
)
select code, place, channel_code, sum(count)::bigint as count, min(since_at) as oldest_at
from found
where code = any (cast(:codes as text[]))
  and (cast(:channel_codes as text[]) is null or channel_code = any (:channel_codes))
group by code, place, channel_code
order by code, oldest_at, place, channel_code;
