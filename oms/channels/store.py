"""Channels and inbox in the database: rows to values and back."""

from typing import Any

from oms.channels.model import Channel, Payload, QuarantinedDocument
from oms.ledger.rows import by_name

CHANNEL_COLUMNS = (
    "channel_id, channel_code as code, name, kind, currency, currencies, prices_include_tax,"
    " time_zone, adapter, adapter_options, threshold, is_routed, stock_shown,"
    " collect_supply, reserve_days, reserve_max, return_policy, vocabulary, is_enabled"
)
PAYLOAD_COLUMNS = (
    "i.inbox_id, c.channel_code, i.transport, i.topic, i.external_ref,"
    " encode(i.sha256, 'hex') as sha256, i.content_type, i.size_bytes, i.file_name,"
    " i.received_at, i.state, i.position, i.documents_count, i.captured_count,"
    " i.updated_count, i.duplicate_count, i.stale_count, i.quarantined_count, i.failure,"
    " i.attempts, i.finished_at"
)
QUARANTINE_COLUMNS = (
    "q.quarantine_id, q.inbox_id, c.channel_code, q.topic, i.content_type, i.file_name,"
    " q.position, q.line, q.external_ref, q.problems, q.fragment, q.state, q.attempts,"
    " q.first_seen_at, q.last_tried_at"
)


def channel(row: Any) -> Channel:
    """Make a channel of its row."""
    return Channel(**{**by_name(row), "currencies": tuple(row.currencies)})


def payload(row: Any) -> Payload:
    """Make a payload of its row."""
    return Payload(**by_name(row))


def quarantined(row: Any) -> QuarantinedDocument:
    """Make a quarantined document of its row."""
    return QuarantinedDocument(**by_name(row))
