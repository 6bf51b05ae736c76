"""Writes on access: keys made, revoked, exchanged; kept answers forgotten in time."""

import hashlib
import os
import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import text

from oms.access import queries
from oms.access.model import (
    BOUND_TO_LOCATIONS,
    OF_TOOLS,
    ROLES,
    VIA,
    NotAuthenticated,
    ScopeBeyond,
    Token,
)
from oms.kernel.errors import NotFound, Rejected
from oms.kernel.limits import (
    IDEMPOTENCY_KEY_DAYS_MAX,
    KEY_TOKENS_MAX,
    REMOVED_ROWS_MAX,
    TOKEN_MINUTES,
)
from oms.ledger.database import Tx

PREFIX = "oms"

_END_TOKENS: Final = text(
    "delete from access_tokens where key_id = :key_id and (expires_at <= :at or token_sha256 in ("
    "select token_sha256 from access_tokens where key_id = :key_id and expires_at > :at"
    " order by created_at desc, token_sha256 offset :kept))"
)
_ADD_TOKEN: Final = text(
    "insert into access_tokens (token_sha256, key_id, scopes, created_at, expires_at)"
    " select :hash, key_id, cast(:scopes as text[]), :at, least(:until, expires_at)"
    " from api_keys where key_id = :key_id returning expires_at"
)


def make_key(
    tx: Tx, name: str, *, role: str, channel_codes: Sequence[str] | None, at: datetime,
    expires_at: datetime | None = None, location_codes: Sequence[str] | None = None,
    is_tool: bool = False,
) -> str:  # fmt: skip
    """Make an API key and return its secret text, which is nowhere to be had again.

    The text is oms_<id>_<256 random bits>; only its hash is kept. Raises Rejected for an
    unknown role, for one that cannot be bound to locations or be a tool's, and for a name that
    reads as somebody's who uses a tool.
    """
    if role not in ROLES:
        raise Rejected(f"a role is one of {', '.join(ROLES)}")
    if location_codes is not None and role not in BOUND_TO_LOCATIONS:
        raise Rejected(f"a key of the role {role} is not bound to locations")
    if is_tool and role not in OF_TOOLS:
        raise Rejected(f"a tool has a role of {', '.join(sorted(OF_TOOLS))}")
    if VIA in name:
        raise Rejected("a name that holds the word via is that of who uses a tool")
    key_id, secret = secrets.token_hex(6), secrets.token_hex(32)
    tx.execute(
        text(
            "insert into api_keys (key_id, name, secret_sha256, role, scopes, channel_codes,"
            " location_codes, is_tool, created_at, expires_at) values (:key_id, :name, :hash,"
            " :role, :scopes, :channels, :locations, :is_tool, :at, :expires_at)"
        ),
        {
            "key_id": key_id, "name": name, "hash": hashlib.sha256(secret.encode()).digest(),
            "role": role, "scopes": list(ROLES[role]), "at": at, "expires_at": expires_at,
            "is_tool": is_tool,
            "channels": None if channel_codes is None else list(channel_codes),
            "locations": None if location_codes is None else list(location_codes),
        },
    )  # fmt: skip
    return f"{PREFIX}_{key_id}_{secret}"


def revoke_key(tx: Tx, key_id: str, *, at: datetime) -> None:
    """Revoke a key from now on; raises NotFound for an unknown one."""
    revoked = tx.execute(
        text("update api_keys set revoked_at = coalesce(revoked_at, :at) where key_id = :key_id"),
        {"key_id": key_id, "at": at},
    )
    if revoked.rowcount != 1:
        raise NotFound


def exchange_key(
    tx: Tx, key_id: str, key: str, scopes: Collection[str] | None, *, at: datetime
) -> Token:
    """Give a token for a key, which is to be sent in the key's stead for a while.

    It allows what was asked for, or all the key does, ends with the key, and is kept hashed. The
    oldest of too many of a key ends. Raises NotAuthenticated, ScopeBeyond.
    """
    caller = queries.caller(tx, key, at=at)
    if caller.key_id != key_id:
        raise NotAuthenticated
    granted = sorted(caller.scopes if scopes is None else scopes)
    if not caller.scopes.issuperset(granted):
        raise ScopeBeyond
    tx.execute(_END_TOKENS, {"key_id": key_id, "at": at, "kept": KEY_TOKENS_MAX - 1})
    secret = secrets.token_hex(32)
    expires_at: datetime = tx.execute(
        _ADD_TOKEN,
        {
            "hash": hashlib.sha256(secret.encode()).digest(), "key_id": key_id,
            "scopes": granted, "at": at, "until": at + timedelta(minutes=TOKEN_MINUTES),
        },
    ).scalar_one()  # fmt: skip
    return Token(text=f"{PREFIX}t_{key_id}_{secret}", scopes=tuple(granted), expires_at=expires_at)


def first_admin_key(tx: Tx, path: Path, *, at: datetime) -> str | None:
    """Make the first admin key and keep it in a file only its owner can read.

    Returns None when there is a key already: it is shown once, and then lies in the file.
    """
    tx.execute(text("lock table api_keys in exclusive mode"))
    if tx.execute(text("select exists (select from api_keys where role = 'admin')")).scalar():
        return None
    key = make_key(tx, "first admin", role="admin", channel_codes=None, at=at)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(key + "\n")
    return key


def forget_answers(tx: Tx, *, at: datetime, rows_max: int = REMOVED_ROWS_MAX) -> int:
    """Remove answers kept for repeated requests longer than their days; return how many.

    At most so many rows at once: ask again until there are none.
    """
    removed = tx.execute(
        text(
            "delete from idempotency_keys where ctid = any (array("
            "select ctid from idempotency_keys where created_at < :before limit :rows_max))"
        ),
        {"before": at - timedelta(days=IDEMPOTENCY_KEY_DAYS_MAX), "rows_max": rows_max},
    )
    return removed.rowcount
