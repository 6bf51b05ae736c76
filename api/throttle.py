"""The throttle: how much of the API a key may have, so that a noisy one does not hurt others."""

import asyncio
import math
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

from api.problems import TooManyRequests
from oms.access.model import ROLES, Caller
from oms.kernel.errors import Rejected
from oms.kernel.limits import (
    KEY_REQUESTS_AT_ONCE_MAX,
    KEY_REQUESTS_PER_MINUTE_MAX,
    PERSON_REQUESTS_PER_MINUTE_MAX,
)
from oms.settings import Settings

MACHINES: Final = frozenset({"admin", "channel", "engineer"})
MINUTE: Final = timedelta(minutes=1)


@dataclass(slots=True)
class Line:
    """The requests of one key that are being answered, and those that wait for it."""

    slots: asyncio.Semaphore
    count: int = 0


class Throttle:
    """What each key has left of its requests, and how many of them are answered at once.

    Requests are counted in the process: a count in the ledger would cost a write per request.
    So that all processes together grant no more than the limit, each grants its share of it,
    the limit over their number. A caller who stays on one connection, and so with one process,
    has that share alone; hence the limits are generous. A key may spend a minute's requests
    at one moment, and has them again a minute later.

    Whoever calls by signature has no key to count under, but stands in line like the others.
    """

    def __init__(
        self, per_minute: Mapping[str, int], *, processes_count: int, slots_max: int
    ) -> None:
        """Take the requests a minute of each role, and how many of a key work at once."""
        self._per_minute = per_minute
        self._processes_count = processes_count
        self._slots_max = slots_max
        self._left: dict[str, tuple[timedelta, datetime]] = {}
        self._lock = threading.Lock()
        self._lines: dict[str, Line] = {}

    @classmethod
    def of(cls, settings: Settings, *, connections_max: int) -> Self:
        """Make the throttle of the settings: of all connections a key uses at most half.

        Raises Rejected when the settings name a role there is not.
        """
        if unknown := settings.requests_per_minute.keys() - ROLES.keys():
            raise Rejected(f"OMS_REQUESTS_PER_MINUTE names no role: {', '.join(sorted(unknown))}")
        usual = {
            role: KEY_REQUESTS_PER_MINUTE_MAX
            if role in MACHINES
            else PERSON_REQUESTS_PER_MINUTE_MAX
            for role in ROLES
        }
        return cls(
            usual | settings.requests_per_minute, processes_count=settings.api_workers,
            slots_max=max(1, connections_max // 2),
        )  # fmt: skip

    def admit(self, caller: Caller, *, at: datetime) -> None:
        """Count a request of a key; raises TooManyRequests when the key has none left."""
        limit = self._per_minute.get(caller.role, PERSON_REQUESTS_PER_MINUTE_MAX)
        share = max(1, limit // self._processes_count)
        # What is left is kept as time, in whole microseconds: a request costs its part of a minute.
        cost = MINUTE // share
        full = cost * share
        with self._lock:
            left, since = self._left.get(caller.key_id, (full, at))
            # A clock that was set back has brought nothing.
            left = min(full, left + max(timedelta(0), at - since))
            is_admitted = left >= cost
            self._left[caller.key_id] = (left - cost if is_admitted else left), at
        if not is_admitted:
            wait_seconds = math.ceil((cost - left).total_seconds())
            raise TooManyRequests(retry_after_seconds=wait_seconds, requests_per_minute=limit)

    @asynccontextmanager
    async def slot(self, caller: Caller | None) -> AsyncIterator[None]:
        """Wait until fewer of a key's requests are worked on than may be, then hold one's place.

        Raises TooManyRequests when too many wait already.
        """
        key = "" if caller is None else caller.key_id
        line = self._lines.setdefault(key, Line(asyncio.Semaphore(self._slots_max)))
        if line.count >= KEY_REQUESTS_AT_ONCE_MAX:
            raise TooManyRequests(retry_after_seconds=1)
        line.count += 1
        try:
            async with line.slots:
                yield
        finally:
            line.count -= 1
            if not line.count:
                del self._lines[key]
