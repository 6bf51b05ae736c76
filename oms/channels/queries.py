"""Reads of channels, the inbox and the quarantine."""

from collections.abc import Sequence

from sqlalchemy import text

from oms.channels import store
from oms.channels.model import Channel, Payload, QuarantinedDocument, UnknownChannel
from oms.ledger.database import Tx
from oms.ledger.rows import by_name


def channel(tx: Tx, code: str) -> Channel:
    """Return a channel by its code; raises UnknownChannel."""
    row = tx.execute(
        text(f"select {store.CHANNEL_COLUMNS} from channels where channel_code = :code"),  # noqa: S608 - constant
        {"code": code},
    ).one_or_none()
    if row is None:
        raise UnknownChannel(f"there is no channel {code[:60]!r}")
    return store.channel(row)


def vocabulary(tx: Tx, code: str | None) -> dict[str, dict[str, str]]:
    """Return a channel's words for states; without a channel, or where it has none, none."""
    query = text("select vocabulary from channels where channel_code = :code")
    found: dict[str, dict[str, str]] | None = tx.execute(query, {"code": code}).scalar()
    return found or {}


def channels(tx: Tx) -> list[Channel]:
    """Return every channel, by code."""
    rows = tx.execute(text(f"select {store.CHANNEL_COLUMNS} from channels order by channel_code"))  # noqa: S608 - constant
    return [store.channel(row) for row in rows]


def payload(tx: Tx, inbox_id: int) -> Payload | None:
    """Return a payload of the inbox, without its body."""
    row = tx.execute(
        text(
            f"select {store.PAYLOAD_COLUMNS} from inbox i join channels c using (channel_id)"  # noqa: S608 - constant
            " where i.inbox_id = :inbox_id"
        ),
        {"inbox_id": inbox_id},
    ).one_or_none()
    return None if row is None else store.payload(row)


def body(tx: Tx, inbox_id: int) -> bytes | None:
    """Return the body of a payload, or None when it lies in the file store."""
    found: bytes | None = tx.execute(
        text("select body from inbox where inbox_id = :inbox_id"), {"inbox_id": inbox_id}
    ).scalar_one()
    return None if found is None else bytes(found)


def waiting(tx: Tx, *, limit: int, among: Sequence[int] | None = None) -> list[int]:
    """Return the payloads that are to be processed, oldest first."""
    rows = tx.execute(
        text(
            "select inbox_id from inbox where state in ('received', 'processing')"
            " and (cast(:among as bigint[]) is null or inbox_id = any (cast(:among as bigint[])))"
            " order by inbox_id limit :limit"
        ),
        {"limit": limit, "among": None if among is None else list(among)},
    )
    return [row.inbox_id for row in rows]


def quarantine(
    tx: Tx, *, channel_code: str | None = None, code: str | None = None, state: str = "open",
    external_ref: str | None = None, has_order: bool = False, after: int = 0, limit: int = 100,
) -> list[QuarantinedDocument]:  # fmt: skip
    """Return quarantined documents by their number, those after a number first seen first.

    With `has_order` only those whose order is there.
    """
    rows = tx.execute(
        text(
            f"select {store.QUARANTINE_COLUMNS} from quarantine q"  # noqa: S608 - constant
            " join channels c using (channel_id) join inbox i using (inbox_id)"
            " where q.state = :state and q.quarantine_id > :after"
            " and (cast(:channel as text) is null or c.channel_code = :channel)"
            " and (cast(:code as text) is null or q.code = :code)"
            " and (cast(:ref as text) is null or q.external_ref = :ref)"
            " and (not :has_order or exists (select from orders o"
            " where o.channel_id = q.channel_id and o.external_ref = q.external_ref))"
            " order by q.quarantine_id limit :limit"
        ),
        {
            "channel": channel_code, "code": code, "state": state, "after": after,
            "limit": limit, "ref": external_ref, "has_order": has_order,
        },
    )  # fmt: skip
    return [store.quarantined(row) for row in rows]


def counts(tx: Tx) -> list[dict[str, object]]:
    """Return per channel how many payloads wait, failed, and documents are in quarantine."""
    rows = tx.execute(
        text("""
        select
            c.channel_code,
            (select count(*) from inbox i where i.channel_id = c.channel_id
                and i.state in ('received', 'processing')) as waiting_count,
            (select count(*) from inbox i where i.channel_id = c.channel_id
                and i.state = 'failed') as failed_count,
            (select max(received_at) from inbox i
                where i.channel_id = c.channel_id) as last_received_at,
            (select count(*) from quarantine q where q.channel_id = c.channel_id
                and q.state = 'open') as quarantined_count,
            (select count(*) from orders o where o.channel_id = c.channel_id) as orders_count
        from channels c
        order by c.channel_code
    """)
    )
    return [by_name(row) for row in rows]


def cursor(tx: Tx, channel_id: int, topic: str) -> str | None:
    """Return where the last pull of a topic ended, or None before the first."""
    found = tx.execute(
        text("select cursor from pull_cursors where channel_id = :id and topic = :topic"),
        {"id": channel_id, "topic": topic},
    ).scalar()
    return None if found is None else str(found)
