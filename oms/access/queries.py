"""Reads of access: who a key belongs to."""

import hashlib
import hmac
from datetime import datetime

from sqlalchemy import text

from oms.access.model import KEY, ApiKey, Caller, NotAuthenticated
from oms.ledger.database import Tx
from oms.ledger.rows import by_name

_COLUMNS = (
    "key_id, name, role, scopes, channel_codes, location_codes, created_at, expires_at,"
    " revoked_at, last_used_at"
)


def caller(tx: Tx, key: str, *, at: datetime) -> Caller:
    """Return who a key's text belongs to, compared in constant time.

    Raises NotAuthenticated for a text that is no key, or is revoked or expired.
    """
    if not KEY.fullmatch(key):
        raise NotAuthenticated
    _, key_id, secret = key.split("_")
    row = tx.execute(
        text(
            "select key_id, name, role, scopes, channel_codes, location_codes, secret_sha256"
            " from api_keys where key_id = :key_id and revoked_at is null"
            " and (expires_at is null or expires_at > :at)"
        ),
        {"key_id": key_id, "at": at},
    ).one_or_none()
    kept = bytes(row.secret_sha256) if row is not None else bytes(32)
    given = hashlib.sha256(secret.encode()).digest()
    if not hmac.compare_digest(kept, given) or row is None:
        raise NotAuthenticated
    return Caller(
        key_id=row.key_id, name=row.name, role=row.role, scopes=frozenset(row.scopes),
        channels=None if row.channel_codes is None else frozenset(row.channel_codes),
        locations=None if row.location_codes is None else frozenset(row.location_codes),
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
