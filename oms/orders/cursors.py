"""In which order orders are listed, and the cursors that say where a page of them ended."""

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Row

from oms.kernel.errors import Rejected
from oms.orders.filters import Filters

DIGEST_CHARACTERS: Final = 16


class BadCursor(Rejected):
    """The cursor is not one we gave out for these filters in this order."""

    code = "INVALID_CURSOR"


@dataclass(frozen=True, slots=True)
class Key:
    """Something orders are compared by: a column, and the type it has in SQL."""

    column: str
    type: str


class Sort(StrEnum):
    """In which order to list; a leading hyphen turns it around.

    Amounts are compared within their currency, names without case and accents; channels come as
    they were registered, states by their names, each with its orders by when they were placed. Of
    what was promised comes last what was not.
    """

    PLACED_AT = "placed_at"
    PLACED_AT_DOWN = "-placed_at"
    UPDATED_AT = "updated_at"
    UPDATED_AT_DOWN = "-updated_at"
    NUMBER = "number"
    NUMBER_DOWN = "-number"
    TOTAL = "total"
    TOTAL_DOWN = "-total"
    CHANNEL = "channel"
    CHANNEL_DOWN = "-channel"
    STATE = "state"
    STATE_DOWN = "-state"
    STATE_SINCE = "state_since"
    STATE_SINCE_DOWN = "-state_since"
    PROMISED_AT = "promised_at"
    PROMISED_AT_DOWN = "-promised_at"
    CUSTOMER_NAME = "customer_name"
    CUSTOMER_NAME_DOWN = "-customer_name"

    @property
    def is_down(self) -> bool:
        """Whether the last comes first."""
        return self.value.startswith("-")

    @property
    def keys(self) -> tuple[Key, ...]:
        """What is compared, one after the other; no two orders are alike in all of it."""
        return _KEYS[self.value.removeprefix("-")]


_KEYS: Final[dict[str, tuple[Key, ...]]] = {
    "placed_at": (Key("o.placed_at", "timestamptz"), Key("o.order_id", "bigint")),
    "updated_at": (Key("o.updated_at", "timestamptz"), Key("o.order_id", "bigint")),
    "channel": (
        Key("o.channel_id", "integer"), Key("o.placed_at", "timestamptz"),
        Key("o.order_id", "bigint"),
    ),
    "state": (
        Key("o.order_state", "text"), Key("o.fulfillment_state", "text"),
        Key("o.placed_at", "timestamptz"), Key("o.order_id", "bigint"),
    ),
    "state_since": (
        Key("coalesce(o.state_since, o.placed_at)", "timestamptz"), Key("o.order_id", "bigint"),
    ),
    "number": (Key("o.order_id", "bigint"),),
    "total": (
        Key("s.currency", "text"), Key("s.total_minor", "bigint"), Key("s.order_id", "bigint"),
    ),
    "promised_at": (Key("s.promised_at", "timestamptz"), Key("s.order_id", "bigint")),
    "customer_name": (Key("s.name_key", "text"), Key("s.order_id", "bigint")),
}  # fmt: skip


def digest_of(filters: Filters, sort: Sort) -> str:
    """Return what tells one question from another."""
    asked = json.dumps([sort, filters.asked()], default=str, sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()[:DIGEST_CHARACTERS]


def cursor_of(row: Row[Any], digest: str, sort: Sort) -> str:
    """Return the cursor that stands behind a row, whose keys are key_0, key_1 and so on."""
    values = [getattr(row, f"key_{n}") for n in range(len(sort.keys))]
    written = [each.isoformat() if isinstance(each, datetime) else each for each in values]
    content = json.dumps([digest, *written], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


def read_cursor(cursor: str, digest: str, sort: Sort) -> list[Any]:
    """Return the keys of a cursor; raises BadCursor for one of another question, or of none."""
    try:
        content = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        told, *values = json.loads(content)
        if told != digest:
            raise BadCursor
        return [_READ[key.type](value) for key, value in zip(sort.keys, values, strict=True)]
    except (ValueError, TypeError):
        raise BadCursor from None


def _instant(value: Any) -> datetime:
    at = datetime.fromisoformat(value)
    if at.tzinfo is None:
        raise ValueError(value)
    return at


def _number(value: Any) -> int:
    if not isinstance(value, int) or not -(1 << 63) <= value < 1 << 63:
        raise ValueError(value)
    return value


def _small(value: Any) -> int:
    if not -(1 << 31) <= _number(value) < 1 << 31:
        raise ValueError(value)
    return _number(value)


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\x00" in value:
        raise ValueError(value)
    value.encode()  # lone surrogates are not text
    return value


_READ: Final = {
    "timestamptz": _instant, "bigint": _number, "integer": _small, "text": _text,
}  # fmt: skip
