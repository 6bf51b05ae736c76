"""Streams of chance: one per concern, all of them from the retailer's one seed."""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")

_MASK = (1 << 64) - 1


def stream(seed: int, *concern: object) -> random.Random:
    """Open the stream of one concern, so that a change in one never shifts another."""
    return random.Random("/".join(str(part) for part in (seed, *concern)))


def scatter(seed: int, number: int) -> int:
    """Turn a number into 64 bits that look random: the finalizer of splitmix64."""
    word = (seed * 0x9E3779B97F4A7C15 + number * 0xD1B54A32D192ED03 + 0x632BE59BD9B4E019) & _MASK
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & _MASK
    return word ^ (word >> 31)


def around(rng: random.Random, mean: float) -> int:
    """Draw a count around a mean, with the spread that independent arrivals have."""
    return max(0, round(rng.gauss(mean, math.sqrt(mean)))) if mean > 0 else 0


class Wheel(Generic[T]):
    """A wheel of fortune: items whose slices are as wide as their weights."""

    __slots__ = ("_edges", "_items", "_total")

    def __init__(self, items: Sequence[T], weights: Sequence[float]) -> None:
        """Lay the slices side by side; at least one must have a width."""
        self._items = (*items, items[-1])  # the last edge itself may be hit by rounding
        self._edges = list(accumulate(weights))
        self._total = self._edges[-1]
        assert self._total > 0, "a wheel without width never stops anywhere"

    def spin(self, rng: random.Random) -> T:
        """Draw one item."""
        return self.at(rng.random())

    def at(self, turn: float) -> T:
        """Return the item at a part of a whole turn."""
        return self._items[bisect_right(self._edges, turn * self._total)]


def wheel(weights: dict[T, float]) -> Wheel[T]:
    """Build a wheel from a table of items and their weights."""
    return Wheel(tuple(weights), tuple(weights.values()))
