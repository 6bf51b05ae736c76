"""Webhooks in the database: their statements, and rows as values."""

from pathlib import Path
from typing import Any, Final

from oms.ledger.rows import by_name
from oms.ledger.statements import Statements
from oms.webhooks.model import Endpoint, Sending, Subscription, Transport

SQL: Final = Statements(Path(__file__).with_name("webhooks.sql"))


def subscription(row: Any) -> Subscription:
    """Make a subscription of its row."""
    codes = row.channel_codes
    return Subscription(
        **{
            **by_name(row),
            "topics": tuple(row.topics),
            "channel_codes": None if codes is None else tuple(codes),
        }
    )


def endpoint(row: Any) -> Endpoint:
    """Make an endpoint of a row that says where it is."""
    return Endpoint(
        transport=Transport(row.transport), url=row.url, folder=row.folder,
        file_format=row.file_format, topics=tuple(row.topics), adapter=row.adapter,
        adapter_options=row.adapter_options or {},
    )  # fmt: skip


def sending(row: Any) -> Sending:
    """Make a message on its way of its row."""
    return Sending(
        subscription_id=row.subscription_id, delivery_id=row.delivery_id,
        attempt_id=row.attempt_id, message_id=row.message_id, topic=row.topic,
        endpoint=endpoint(row), secrets=tuple(row.secrets), body=bytes(row.body),
        refusals_count=row.refusals_count, failures_count=row.failures_count,
        is_of_stock=row.order_id is None,
    )  # fmt: skip
