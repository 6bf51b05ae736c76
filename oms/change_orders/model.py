"""Change orders as values: what is asked, what it comes to, and how far it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from oms.kernel.errors import Conflict, NotFound, Rejected

# How long a change is good that nobody has made: prices and stock do not stand still.
GOOD_FOR: Final = timedelta(hours=24)


class ChangeState(StrEnum):
    """How far a change order is."""

    DRAFT = "draft"
    PREVIEWED = "previewed"
    APPLIED = "applied"
    DECLINED = "declined"
    EXPIRED = "expired"


OPEN: Final = frozenset({ChangeState.DRAFT, ChangeState.PREVIEWED})


class ChangeNotFound(NotFound):
    """The order has no such change order."""

    code = "CHANGE_NOT_FOUND"


class ChangeEnded(Conflict):
    """The change order is applied, declined or expired."""

    code = "CHANGE_ENDED"


class ChangeNotPreviewed(Conflict):
    """Look at what a change order comes to before it is applied."""

    code = "CHANGE_NOT_PREVIEWED"


class ChangeOutdated(Conflict):
    """The order is another version than the one the change order was made for."""

    code = "CHANGE_OUTDATED"


class PreviewStale(Conflict):
    """It would come to something else than its preview said: look at it again."""

    code = "STALE_PREVIEW"


class NotEditable(Conflict):
    """What was asked of the order cannot be changed any more."""

    code = "NOT_EDITABLE"


class PriceUnknown(Conflict):
    """The channel has not sold it so far: a price, and its tax, are needed."""

    code = "PRICE_UNKNOWN"


class NothingChanges(Rejected):
    """The order is like that already."""

    code = "NOTHING_CHANGES"


class NotPossible(Rejected):
    """What is asked does not fit together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """An article to add, in place of units of a line or beside all of them.

    Amounts are texts in the order's currency: what a unit costs, and the tax on all of them.
    """

    sku: str
    quantity: int | None  # None: as many as it replaces
    unit_price: str | None
    tax: str | None
    group_no: int = 1
    replaces: int | None = None  # a line


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What an order shall be: units and prices by line, what is added, how a group is sent."""

    reason: str
    quantities: Mapping[int, int] = field(default_factory=dict)
    prices: Mapping[int, str] = field(default_factory=dict)  # what a unit costs
    additions: tuple[Addition, ...] = ()
    group_no: int = 1
    ship_to: Mapping[str, Any] | None = None
    point: tuple[str, str] | None = None  # of which provider, by its id
    method: str | None = None
    location_code: str | None = None
    allow_backorder: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What becomes of a line: what stays of it to be paid for and to be had, then and now."""

    line_no: int
    sku: str
    before_quantity: int
    after_quantity: int
    before_minor: int
    after_minor: int
    allocated: int  # units, newly; fewer where it is negative
    backordered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a change comes to: the lines it touches, and what the order is worth."""

    before_minor: int
    after_minor: int
    lines: tuple[Difference, ...]

    @property
    def due_minor(self) -> int:
        """What its customer is to pay for it."""
        return max(0, self.after_minor - self.before_minor)

    @property
    def owed_minor(self) -> int:
        """What its customer is to get back for it."""
        return max(0, self.before_minor - self.after_minor)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeOrder:
    """A change order: for which version of its order it is, and what became of it."""

    change_no: int
    state: ChangeState
    base_version: int
    edit: Edit
    outcome: Outcome | None
    currency: str
    due_minor: int
    owed_minor: int
    created_at: datetime
    created_by: str
    expires_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    end_reason: str | None

    def state_at(self, at: datetime) -> ChangeState:
        """Return how far it is at a moment: over is over, written down or not."""
        is_over = self.state in OPEN and self.expires_at <= at
        return ChangeState.EXPIRED if is_over else self.state
