"""Availability per channel as values: what is told, the guard over it, what is refused."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

from oms.kernel.errors import Conflict

BATCH_ITEMS_MAX: Final = 500
RECOMPUTED_SKUS_MAX: Final = 2_000
# So many products that went to none within the window are worth holding a feed for.
ZEROED_COUNT_MIN: Final = 20
ZEROED_WINDOW: Final = timedelta(minutes=10)
RECONCILE_EVERY: Final = timedelta(hours=24)
# Calls spent on finding what of a batch is refused; while nothing at all was taken, fewer.
BISECT_CALLS_MAX: Final = 64
BISECT_IN_VAIN_MAX: Final = 16

T = TypeVar("T")


class FeedNotHeld(Conflict):
    """The channel's feed is not held."""

    code = "FEED_NOT_HELD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Availability:
    """What a channel may sell of a product, under the version of that value."""

    product_id: int
    sku: str
    available_to_sell: int
    version: int
    computed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """How a channel is told of what it may sell."""

    channel_id: int
    channel_code: str
    is_enabled: bool
    few_units: int
    zeroed_ratio_max: float
    held_at: datetime | None
    held_reason: str | None
    released_at: datetime | None
    reconciled_at: datetime | None
    products_count: int
    version: int

    @property
    def is_open(self) -> bool:
        """Whether anything is told at all."""
        return self.is_enabled and self.held_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A value an endpoint refuses: it is tried alone, ever more seldom."""

    subscription_id: int
    channel_code: str
    sku: str
    version: int
    status_code: int | None
    attempts_count: int
    refused_at: datetime
    next_attempt_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A SKU of which a channel says something else than we do."""

    sku: str
    ours: int | None
    theirs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A channel's feed to one subscription, and how far it is told."""

    subscription_id: int
    channel_id: int
    channel_code: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a channel may sell of a SKU, and how far one of its subscribers is told, if any."""

    channel_code: str
    available_to_sell: int
    version: int
    computed_at: datetime
    is_enabled: bool
    held_at: datetime | None
    subscription_id: int | None
    told_version: int | None
    pushed_at: datetime | None
    is_refused: bool


@dataclass(frozen=True, slots=True)
class Isolated(Generic[T]):
    """What became of a batch: what of it is refused, and whether the rest got through."""

    refused: tuple[T, ...]
    is_done: bool
    is_refusing: bool = False  # it was given up, as too much was refused


def isolate(batch: Sequence[T], send: Callable[[Sequence[T]], bool | None]) -> "Isolated[T]":
    """Send a batch, halved where it is refused, down to the single items that are the reason.

    `send` answers True for what was taken, False for what was refused, None when the endpoint
    is not to be called for now. An endpoint that refuses everything is given up early.
    """
    refused: list[T] = []
    waiting, calls, taken = ([batch] if batch else []), 0, 0
    while waiting:
        part = waiting.pop()
        limit = BISECT_CALLS_MAX if taken else BISECT_IN_VAIN_MAX
        kept = tuple(refused) if taken else ()
        if calls >= limit:
            return Isolated(kept, is_done=False, is_refusing=True)
        answer = send(part)
        calls += 1
        if answer is None:
            return Isolated(kept, is_done=False)
        if answer:
            taken += 1
        elif len(part) == 1:
            refused.extend(part)
        else:
            middle = len(part) // 2
            waiting += [part[middle:], part[:middle]]
    return Isolated(tuple(refused), is_done=True)


def zeroed_ratio(*, zeroed: int, in_stock: int) -> float:
    """Return which share of what was in stock went to none."""
    return zeroed / (zeroed + in_stock) if zeroed else 0.0
