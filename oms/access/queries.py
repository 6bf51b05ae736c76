"""Reads of access: who a key or a token belongs to."""

import hashlib
import hmac
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from oms.access.model import KEY, TOKEN, ApiKey, Caller, NotAuthenticated
from oms.ledger.database import Tx
from oms.ledger.rows import by_name

_COLUMNS = (
    "key_id, name, role, scopes, channel_codes, location_codes, is_tool, created_at, expires_at,"
    " revoked_at, last_used_at"
)
_OF_KEY: Final = text(
    "select key_id, name, role, scopes, channel_codes, location_codes, is_tool,"
    " secret_sha256 as sha256 from api_keys where key_id = :key_id and revoked_at is null"
    " and (expires_at is null or expires_at > :at)"
)
# What the key allows no more, its tokens do not either.
_OF_TOKEN: Final = text(
    "select k.key_id, k.name, k.role, array(select unnest(k.scopes) intersect"
    " select unnest(t.scopes)) as scopes, k.channel_codes, k.location_codes, k.is_tool,"
    " t.token_sha256 as sha256 from access_tokens t join api_keys k using (key_id)"
    " where t.token_sha256 = :sha256 and k.key_id = :key_id and k.revoked_at is null"
    " and t.expires_at > :at"
)


def caller(tx: Tx, key: str, *, at: datetime) -> Caller:
    """Return who a key's text belongs to, compared in constant time.

    Raises NotAuthenticated for a text that is no key, or is revoked or expired.
    """
    if not KEY.fullmatch(key):
        raise NotAuthenticated
    return _caller(tx, _OF_KEY, key, at=at)


def bearer(tx: Tx, sent: str, *, at: datetime) -> Caller:
    """Return who sent a key, or a token that was given for one. Raises NotAuthenticated."""
    if TOKEN.fullmatch(sent):
        return _caller(tx, _OF_TOKEN, sent, at=at)
    return caller(tx, sent, at=at)


def _caller(tx: Tx, asked: Any, key: str, *, at: datetime) -> Caller:
    _, key_id, secret = key.split("_")
    given = hashlib.sha256(secret.encode()).digest()
    row = tx.execute(asked, {"key_id": key_id, "sha256": given, "at": at}).one_or_none()
    kept = bytes(row.sha256) if row is not None else bytes(32)
    if not hmac.compare_digest(kept, given) or row is None:
        raise NotAuthenticated
    return Caller(
        key_id=row.key_id, name=row.name, role=row.role, scopes=frozenset(row.scopes),
        channels=None if row.channel_codes is None else frozenset(row.channel_codes),
        locations=None if row.location_codes is None else frozenset(row.location_codes),
        is_tool=row.is_tool,
    )  # fmt: skip


def keys(tx: Tx) -> list[ApiKey]:
    """Return every key, without secrets, oldest first."""
    rows = tx.execute(text(f"select {_COLUMNS} from api_keys order by created_at, key_id"))  # noqa: S608 - constant
    return [
        ApiKey(
            **{
                **by_name(row),
                "scopes": tuple(row.scopes),
                "channel_codes": _codes(row.channel_codes),
                "location_codes": _codes(row.location_codes),
            }
        )
        for row in rows
    ]


def _codes(found: list[str] | None) -> tuple[str, ...] | None:
    return None if found is None else tuple(found)
