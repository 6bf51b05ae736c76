"""Writes on access: keys made, revoked, the first one; kept answers forgotten in time."""

import hashlib
import os
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import text

from oms.access.model import BOUND_TO_LOCATIONS, ROLES
from oms.kernel.errors import NotFound, Rejected
from oms.kernel.limits import IDEMPOTENCY_KEY_DAYS_MAX, REMOVED_ROWS_MAX
from oms.ledger.database import Tx

PREFIX = "oms"


def make_key(
    tx: Tx, name: str, *, role: str, channel_codes: Sequence[str] | None, at: datetime,
    expires_at: datetime | None = None, location_codes: Sequence[str] | None = None,
) -> str:  # fmt: skip
    """Make an API key and return its secret text, which is nowhere to be had again.

    The text is oms_<id>_<256 random bits>; only its hash is kept. Raises Rejected for an
    unknown role, and for one that cannot be bound to locations.
    """
    if role not in ROLES:
        raise Rejected(f"a role is one of {', '.join(ROLES)}")
    if location_codes is not None and role not in BOUND_TO_LOCATIONS:
        raise Rejected(f"a key of the role {role} is not bound to locations")
    key_id, secret = secrets.token_hex(6), secrets.token_hex(32)
    tx.execute(
        text(
            "insert into api_keys (key_id, name, secret_sha256, role, scopes, channel_codes,"
            " location_codes, created_at, expires_at) values (:key_id, :name, :hash, :role,"
            " :scopes, :channels, :locations, :at, :expires_at)"
        ),
        {
            "key_id": key_id, "name": name, "hash": hashlib.sha256(secret.encode()).digest(),
            "role": role, "scopes": list(ROLES[role]), "at": at, "expires_at": expires_at,
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
