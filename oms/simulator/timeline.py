"""Payloads of one day after the other, put into the order in which they arrive."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from oms.simulator.network import DC
from oms.simulator.rhythm import local

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date, datetime

    from oms.simulator.model import Payload

DAY = timedelta(days=1)


def midnight(on: date) -> datetime:
    """Say when a day begins at the head office."""
    return local(on, 0, 0, DC.time_zone)


class Waiting:
    """Payloads that are written but not due: a day's last ones arrive on the next."""

    def __init__(self) -> None:
        """Wait for nothing."""
        self._payloads: list[Payload] = []

    def due(self, payloads: Iterable[Payload], before: datetime) -> Iterator[Payload]:
        """Take in a day's payloads, and hand out what arrives before a moment."""
        self._payloads.extend(payloads)
        self._payloads.sort(key=lambda payload: payload.at)
        yield from (payload for payload in self._payloads if payload.at < before)
        self._payloads = [payload for payload in self._payloads if payload.at >= before]

    def rest(self) -> list[Payload]:
        """List what is still on its way."""
        return self._payloads
