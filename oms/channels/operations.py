"""Writes on channels, the inbox and the quarantine."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from oms.channels.model import ChannelDraft, NotOpen, Received, masked
from oms.ledger.database import Tx

_REGISTER: Final = text("""
    insert into channels (
        channel_code, name, kind, currency, currencies, prices_include_tax, time_zone, adapter,
        adapter_options, threshold, is_routed, stock_shown, collect_supply, reserve_days,
        reserve_max, return_policy, vocabulary, updated_at
    )
    values (
        :code, :name, :kind, :currency, :currencies, :prices_include_tax, :time_zone, :adapter,
        cast(:adapter_options as jsonb), :threshold, :is_routed, :stock_shown, :collect_supply,
        :reserve_days, :reserve_max, cast(:return_policy as jsonb),
        cast(:vocabulary as jsonb), :at
    )
    on conflict (channel_code) do update set
        name = excluded.name, kind = excluded.kind, currency = excluded.currency,
        currencies = excluded.currencies, prices_include_tax = excluded.prices_include_tax,
        time_zone = excluded.time_zone, adapter = excluded.adapter,
        adapter_options = excluded.adapter_options, threshold = excluded.threshold,
        is_routed = excluded.is_routed, stock_shown = excluded.stock_shown,
        collect_supply = excluded.collect_supply, reserve_days = excluded.reserve_days,
        reserve_max = excluded.reserve_max, return_policy = excluded.return_policy,
        vocabulary = excluded.vocabulary,
        updated_at = excluded.updated_at
    returning channel_id
""")
_NETWORK: Final = text("""
    insert into channel_locations (channel_id, location_id, priority)
    select :channel_id, l.location_id, n.priority
    from unnest(cast(:codes as text[])) with ordinality as n (code, priority)
    join locations l on l.location_code = n.code
""")
_RECEIVE: Final = text("""
    insert into inbox (
        channel_id, transport, topic, external_ref, sha256, content_type, size_bytes, file_name,
        body, received_at
    )
    values (
        :channel_id, :transport, :topic, :external_ref, :sha256, :content_type, :size_bytes,
        :file_name, :body, :at
    )
    on conflict (channel_id, topic, external_ref) do nothing
    returning inbox_id
""")
_QUARANTINE: Final = text("""
    insert into quarantine as q (
        inbox_id, channel_id, position, line, external_ref, topic, problems, code, fragment,
        first_seen_at, last_tried_at
    )
    select
        :inbox_id, i.channel_id, :position, :line, :external_ref, i.topic,
        cast(:problems as jsonb), :code, :fragment, :at, :at
    from inbox i
    where i.inbox_id = :inbox_id
    on conflict (inbox_id, position) do update set
        problems = excluded.problems, code = excluded.code, attempts = q.attempts + 1,
        last_tried_at = excluded.last_tried_at
""")


def register(tx: Tx, draft: ChannelDraft, *, at: datetime) -> int:
    """Write down a channel, new or changed, with its network; return its id."""
    values: dict[str, Any] = {
        "code": draft.code, "name": draft.name, "kind": draft.kind, "currency": draft.currency,
        "currencies": list(draft.currencies or (draft.currency,)),
        "prices_include_tax": draft.prices_include_tax, "time_zone": draft.time_zone,
        "adapter": draft.adapter, "adapter_options": json.dumps(draft.adapter_options),
        "threshold": draft.threshold, "is_routed": draft.is_routed,
        "stock_shown": draft.stock_shown, "collect_supply": draft.collect_supply,
        "reserve_days": draft.reserve_days, "reserve_max": draft.reserve_max,
        "return_policy": json.dumps(draft.return_policy),
        "vocabulary": json.dumps(draft.vocabulary), "at": at,
    }  # fmt: skip
    channel_id = int(tx.execute(_REGISTER, values).scalar_one())
    tx.execute(text("delete from channel_locations where channel_id = :id"), {"id": channel_id})
    tx.execute(_NETWORK, {"channel_id": channel_id, "codes": list(draft.network)})
    return channel_id


def receive(
    tx: Tx, *, channel_id: int, transport: str, topic: str, external_ref: str, sha256: bytes,
    content_type: str, size_bytes: int, file_name: str | None, body: bytes | None, at: datetime,
) -> Received:  # fmt: skip
    """Lay a payload into the inbox, once per (channel, topic, external ref)."""
    inbox_id = tx.execute(
        _RECEIVE,
        {
            "channel_id": channel_id, "transport": transport, "topic": topic,
            "external_ref": external_ref, "sha256": sha256, "content_type": content_type,
            "size_bytes": size_bytes, "file_name": file_name, "body": body, "at": at,
        },
    ).scalar_one_or_none()  # fmt: skip
    if inbox_id is not None:
        return Received(inbox_id=inbox_id, is_new=True, state="received")
    known = tx.execute(
        text(
            "select inbox_id, state from inbox where channel_id = :channel_id"
            " and topic = :topic and external_ref = :external_ref"
        ),
        {"channel_id": channel_id, "topic": topic, "external_ref": external_ref},
    ).one()
    return Received(inbox_id=known.inbox_id, is_new=False, state=known.state)


def advance(tx: Tx, inbox_id: int, *, position: int, counts: dict[str, int]) -> None:
    """Note how far a payload is processed, in the same transaction as what it brought."""
    tx.execute(
        text("""
            update inbox set
                state = 'processing', position = :position,
                documents_count = documents_count + :documents,
                captured_count = captured_count + :captured,
                updated_count = updated_count + :updated,
                duplicate_count = duplicate_count + :duplicate,
                stale_count = stale_count + :stale,
                quarantined_count = quarantined_count + :rejected
            where inbox_id = :inbox_id
        """),
        {"inbox_id": inbox_id, "position": position, **counts},
    )


def finish(tx: Tx, inbox_id: int, *, failure: str | None, at: datetime) -> None:
    """Note that a payload is dealt with, or that as a whole it cannot be."""
    tx.execute(
        text(
            "update inbox set state = :state, failure = :failure, attempts = attempts + 1,"
            " finished_at = :at where inbox_id = :inbox_id"
        ),
        {
            "inbox_id": inbox_id, "failure": failure, "at": at,
            "state": "processed" if failure is None else "failed",
        },
    )  # fmt: skip


def retry(tx: Tx, inbox_id: int, *, failure: str, attempts_max: int, at: datetime) -> None:
    """Note that processing broke; after the last attempt the payload is set aside as failed."""
    tx.execute(
        text(
            "update inbox set attempts = attempts + 1, failure = :failure,"
            " state = case when attempts + 1 >= :attempts_max then 'failed' else state end,"
            " finished_at = case when attempts + 1 >= :attempts_max"
            " then cast(:at as timestamptz) end"
            " where inbox_id = :inbox_id"
        ),
        {"inbox_id": inbox_id, "failure": failure, "attempts_max": attempts_max, "at": at},
    )


def reopen(tx: Tx, inbox_id: int) -> None:
    """Have a payload that failed as a whole processed again, from where it stopped."""
    tx.execute(
        text(
            "update inbox set state = 'received', failure = null, attempts = 0,"
            " finished_at = null where inbox_id = :inbox_id and state = 'failed'"
        ),
        {"inbox_id": inbox_id},
    )


def quarantine(
    tx: Tx, inbox_id: int, *, position: int, line: int | None, external_ref: str | None,
    problems: list[dict[str, str]], fragment: bytes, at: datetime,
) -> None:  # fmt: skip
    """Set a document aside with what is wrong with it."""
    tx.execute(
        _QUARANTINE,
        {
            "inbox_id": inbox_id, "position": position, "line": line,
            "external_ref": external_ref, "problems": json.dumps(problems),
            "code": problems[0]["code"], "fragment": fragment, "at": at,
        },
    )  # fmt: skip


def hold(tx: Tx, quarantine_id: int) -> None:
    """Keep others from closing a quarantined document until the transaction ends.

    Waits for whoever holds it already; raises NotOpen when it is not open, or no longer.
    """
    held = tx.execute(
        text("select 1 from quarantine where quarantine_id = :id and state = 'open' for update"),
        {"id": quarantine_id},
    )
    if held.one_or_none() is None:
        raise NotOpen


def resolve(tx: Tx, quarantine_id: int, *, state: str, at: datetime) -> None:
    """Close a quarantined document as resolved or dismissed; raises NotOpen when it is not open."""
    closed = tx.execute(
        text(
            "update quarantine set state = :state, resolved_at = :at, last_tried_at = :at"
            " where quarantine_id = :id and state = 'open'"
        ),
        {"id": quarantine_id, "state": state, "at": at},
    )
    if closed.rowcount != 1:
        raise NotOpen


def keep_cursor(tx: Tx, channel_id: int, topic: str, cursor: str, *, at: datetime) -> None:
    """Remember where a pull ended, in the same transaction as what it brought."""
    tx.execute(
        text(
            "insert into pull_cursors (channel_id, topic, cursor, updated_at)"
            " values (:id, :topic, :cursor, :at) on conflict (channel_id, topic)"
            " do update set cursor = excluded.cursor, updated_at = excluded.updated_at"
        ),
        {"id": channel_id, "topic": topic, "cursor": cursor, "at": at},
    )


def mask_payloads(
    tx: Tx, *, own: Sequence[bytes], texts: Sequence[bytes], after: int, upto: int
) -> int:
    """Mask texts in payloads that hold one of somebody's own; return how far it went.

    From one payload up to another, and no further than the first that is not processed yet:
    a worker may be reading it. Only bodies kept in their row are looked at.
    """
    waits = tx.execute(text(
        "select min(inbox_id) from inbox where state in ('received', 'processing')"
    )).scalar()  # fmt: skip
    end = upto if waits is None else min(upto, int(waits) - 1)
    if end <= after:
        return after
    _mask(tx, "inbox", "inbox_id", "body", own=own, texts=texts, after=after, upto=end)
    return end


def mask_fragments(
    tx: Tx, *, own: Sequence[bytes], texts: Sequence[bytes], after: int, upto: int
) -> int:
    """Mask texts in quarantined documents that hold one of somebody's own; return how far."""
    _mask(
        tx, "quarantine", "quarantine_id", "fragment", own=own, texts=texts, after=after, upto=upto
    )
    return upto


def _mask(
    tx: Tx, table: str, key: str, column: str, *, own: Sequence[bytes], texts: Sequence[bytes],
    after: int, upto: int,
) -> None:  # fmt: skip
    rows = tx.execute(
        text(
            f"select {key} as id, {column} as content from {table}"  # noqa: S608 - our own names
            f" where {key} > :after and {key} <= :upto and exists ("
            f"select from unnest(cast(:own as bytea[])) as o (part)"
            f" where position(o.part in {column}) > 0) order by {key} for update"
        ),
        {"after": after, "upto": upto, "own": list(own)},
    ).all()
    for row in rows:
        content = bytes(row.content)
        for found in texts:
            content = content.replace(found, masked(found))
        tx.execute(
            text(f"update {table} set {column} = :content where {key} = :id"),  # noqa: S608 - our own names
            {"content": content, "id": row.id},
        )
