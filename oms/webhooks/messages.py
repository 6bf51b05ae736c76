"""Messages as they are sent: bodies, and signatures by the Standard Webhooks."""

import base64
import hashlib
import hmac
import json
import secrets as dice
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - says what kind of text a secret is
SECRET_BYTES: Final = 32


def new_secret() -> str:
    """Make a secret to sign with."""
    return SECRET_PREFIX + base64.b64encode(dice.token_bytes(SECRET_BYTES)).decode()


def encoded(document: dict[str, Any]) -> bytes:
    """Write a document as it is sent."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Sign a message: HMAC-SHA256 over its id, the attempt's timestamp and its body."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    content = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


def headers(
    secrets: Sequence[str], message_id: str, body: bytes, *, at: datetime
) -> dict[str, str]:
    """Return the headers of an attempt, signed with every secret that is good now."""
    timestamp = int(at.timestamp())
    return {
        "content-type": "application/json",
        "user-agent": "orp-oms-webhooks/1",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(
            signature(secret, message_id, timestamp, body) for secret in secrets
        ),
    }
