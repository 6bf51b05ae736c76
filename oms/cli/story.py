"""Which story of the simulated retailer a home has been told, and how far."""

import json
import os
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from pathlib import Path

from oms.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A story is its three numbers and the last day of its history; what follows is live."""

    seed: int
    days: int
    orders_per_day: int
    until: str
    is_complete: bool = True  # kept before there was a mark: written once all was received
    delivered_at: str | None = None
    is_routed: bool = False  # kept before the last days' orders were ours to send

    @staticmethod
    def path(settings: Settings) -> Path:
        """Say where the story is kept."""
        return settings.root / "simulation.json"

    @classmethod
    def read(cls, settings: Settings) -> "Story | None":
        """Return the story of a home, None before there is one."""
        path = cls.path(settings)
        return cls(**json.loads(path.read_text())) if path.exists() else None

    def write(self, settings: Settings) -> None:
        """Remember the story; one that is interrupted here keeps what was remembered before."""
        path = self.path(settings)
        part = path.with_suffix(".part")
        part.write_text(json.dumps(asdict(self)))
        part.replace(path)

    def __str__(self) -> str:
        """Say the options it was told with."""
        return (
            f"--seed {self.seed} --days {self.days} --orders-per-day {self.orders_per_day},"
            f" until {self.until}"
        )

    @property
    def last_on(self) -> date:
        """The last day of the history."""
        return date.fromisoformat(self.until)

    def is_told_with(self, *, seed: int, days: int, orders_per_day: int) -> bool:
        """Say whether these numbers tell this story."""
        return (self.seed, self.days, self.orders_per_day) == (seed, days, orders_per_day)

    def delivered(self, at: datetime) -> "Story":
        """Return the story told on to a moment."""
        return replace(self, delivered_at=at.isoformat())

    def goes_on_at(self, start: datetime) -> datetime:
        """Return the last delivered moment, or the start when nothing was delivered live."""
        return start if self.delivered_at is None else datetime.fromisoformat(self.delivered_at)


def write_secret(path: Path, secret: str) -> None:
    """Keep a secret in a file only its owner can read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(secret + "\n")
