"""Amounts and moments as channels write them."""

from __future__ import annotations

import json
from datetime import UTC
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

# Every currency the retailer sells in has two decimals.
_MINOR_PER_UNIT = 100

_JSON = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":"))


@lru_cache(maxsize=65536)
def amount(minor: int, mark: str = ".") -> str:
    """Write minor units as units with two decimals."""
    units, rest = divmod(abs(minor), _MINOR_PER_UNIT)
    return f"{'-' if minor < 0 else ''}{units}{mark}{rest:02d}"


def utc(at: datetime) -> str:
    """Write an instant as RFC 3339 in UTC."""
    return f"{at.astimezone(UTC).isoformat(timespec='seconds')[:19]}Z"


def local(at: datetime, zone: str) -> str:
    """Write an instant as RFC 3339 with the offset of a time zone."""
    return at.astimezone(ZoneInfo(zone)).isoformat()


def wall(at: datetime, zone: str) -> datetime:
    """Turn an instant into what a clock on a wall shows there."""
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def compact(document: Mapping[str, object] | Sequence[object]) -> bytes:
    """Write a document as JSON without spaces, in UTF-8."""
    return _JSON.encode(document).encode()
