"""The throttle: how much of the API a key may have, so that a noisy one does not hurt others."""

import asyncio
import ipaddress
import math
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

from fastapi import Request

from api.problems import TooManyGuesses, TooManyRequests
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
HOUR: Final = timedelta(hours=1)
# Addresses on the internet are many: no more of them are remembered at a time.
SUBJECTS_MAX: Final = 100_000


@dataclass(slots=True)
class Line:
    """The requests of one key that are being answered, and those that wait for it."""

    slots: asyncio.Semaphore
    count: int = 0


class Buckets:
    """What each of many has left of a number of things a period.

    It may be spent at one moment and is there again a period later.
    """

    def __init__(self) -> None:
        """Begin with everything left to everybody."""
        self._left: dict[str, tuple[timedelta, datetime, timedelta]] = {}
        self._lock = threading.Lock()

    def take(self, subject: str, *, count: int, period: timedelta, at: datetime) -> int:
        """Take one thing of somebody; return zero, or the seconds until there is one again."""
        # What is left is kept as time, in whole microseconds: a thing costs its part of the period.
        cost = period // count
        full = cost * count
        with self._lock:
            left, since, _ = self._left.get(subject, (full, at, full))
            # A clock that was set back has brought nothing.
            left = min(full, left + max(timedelta(0), at - since))
            is_there = left >= cost
            if subject not in self._left and len(self._left) >= SUBJECTS_MAX:
                self._tidy(at)
            self._left[subject] = (left - cost if is_there else left), at, full
        return 0 if is_there else math.ceil((cost - left).total_seconds())

    def _tidy(self, at: datetime) -> None:
        """Forget those who have everything again, else the half that has asked longest ago."""
        spent = {
            subject: entry for subject, entry in self._left.items()
            if entry[0] + (at - entry[1]) < entry[2]
        }  # fmt: skip
        if len(spent) >= SUBJECTS_MAX:
            newest = sorted(spent, key=lambda subject: spent[subject][1])[SUBJECTS_MAX // 2 :]
            spent = {subject: spent[subject] for subject in newest}
        self._left = spent


class Guesses:
    """How often anybody may ask for what could be guessed: by who asks, and by what is asked for.

    Counted in the process as keys are; of a limit each of the processes grants its share.
    """

    def __init__(self, *, processes_count: int) -> None:
        """Take among how many processes a limit is shared."""
        self._processes_count = processes_count
        self._buckets = Buckets()

    def admit(self, at: datetime, **asked: tuple[str, int]) -> None:
        """Count a guess by each of its subjects, with how often an hour it may be asked.

        Raises TooManyGuesses. Right and wrong guesses, known and unknown subjects count alike.
        """
        waits = [
            self._buckets.take(
                f"{kind} {subject}",
                count=max(1, limit // self._processes_count),
                period=HOUR,
                at=at,
            )
            for kind, (subject, limit) in asked.items()
        ]
        if any(waits):
            raise TooManyGuesses(retry_after_seconds=max(waits))


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
        self._buckets = Buckets()
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
        if caller.is_tool:  # many people's
            limit = max(limit, KEY_REQUESTS_PER_MINUTE_MAX)
        share = max(1, limit // self._processes_count)
        wait_seconds = self._buckets.take(caller.key_id, count=share, period=MINUTE, at=at)
        if wait_seconds:
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


def address_of(request: Request) -> str:
    """Return where a request comes from: of an IPv6 address, what one household has."""
    host = "" if request.client is None else request.client.host
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.version == 4:  # noqa: PLR2004 - as the protocol is called
        return host
    return str(ipaddress.ip_network(f"{address}/64", strict=False))
