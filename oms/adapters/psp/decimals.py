"""Amounts as a service counts them: its smallest units are not always those of ISO 4217."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from oms.kernel.money import exponent_of

_SCALES: Final = (1, 10, 100, 1_000, 10_000)


class NotPossible(Exception):
    """The service has no such amount."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decimals:
    """How many decimals of which currencies a service counts, where they are others than ISO's."""

    others: Mapping[str, int]
    steps: Mapping[int, int] = field(default_factory=dict)  # by ISO's decimals: a multiple of it

    def of_minor(self, minor: int, currency: str) -> int:
        """Return minor units as the service counts them. Raises NotPossible, never rounds."""
        exponent = exponent_of(currency)
        count = self.others.get(currency, exponent)
        scaled, rest = divmod(minor * _SCALES[count], _SCALES[exponent])
        if rest or scaled % self.steps.get(exponent, 1):
            raise NotPossible(f"{minor} {currency}")
        return scaled

    def minor(self, counted: int, currency: str) -> int:
        """Return what the service counts as minor units. Raises NotPossible."""
        exponent = exponent_of(currency)
        count = self.others.get(currency, exponent)
        minor, rest = divmod(counted * _SCALES[exponent], _SCALES[count])
        if rest:
            raise NotPossible(f"{counted} {currency}")
        return minor
