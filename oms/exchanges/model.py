"""Exchanges as values: what is wanted instead, and how a return and its new order are linked."""

from dataclasses import dataclass
from enum import StrEnum

from oms.kernel.errors import Conflict, Rejected


class OrderType(StrEnum):
    """What an order is that is made of a return."""

    EXCHANGE = "exchange"
    REPLACEMENT = "replacement"  # the same goods again, at the price that was paid


class WantedMissing(Rejected):
    """Who exchanges says what is wanted instead; nobody else does."""

    code = "WANTED_NEEDED"


class PriceReasonMissing(Rejected):
    """Who says what something costs says why."""

    code = "PRICE_REASON_NEEDED"


class ExchangeNotPossible(Conflict):
    """What is wanted instead cannot be sent to this customer."""

    code = "EXCHANGE_NOT_POSSIBLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is wanted instead of a line's units; amounts are texts in the order's currency."""

    sku: str
    quantity: int | None = None  # None: as many as come back
    unit_price: str | None = None  # None: what its channel asks for it
    tax: str | None = None
    reason: str | None = None  # why it costs that


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A return, the order it is of, and the order of what is sent instead."""

    return_id: int
    return_number: str
    original_id: int
    original_number: str
    order_id: int
    order_number: str
    order_type: str
    order_state: str
    value_minor: int  # of what was accepted so far and is exchanged
    credited_minor: int  # of that, what pays for the order
    currency: str

    @property
    def is_over(self) -> bool:
        """Whether nothing more of its order is to be sent."""
        return self.order_state in {"completed", "canceled"}


class Direction(StrEnum):
    """Who owes whom what is between what comes back and what is wanted instead."""

    EVEN = "even"
    UP = "up"  # its customer pays the rest
    DOWN = "down"  # the rest goes back


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What a return's goods are worth, and what is wanted instead of those that are exchanged."""

    refund_minor: int
    store_credit_minor: int
    exchanged_minor: int
    wanted_minor: int
    currency: str

    @property
    def balance_minor(self) -> int:
        """What is to be paid for what is wanted; below zero: what goes back."""
        return self.wanted_minor - self.exchanged_minor

    @property
    def direction(self) -> Direction:
        """Who owes whom."""
        if not self.balance_minor:
            return Direction.EVEN
        return Direction.UP if self.balance_minor > 0 else Direction.DOWN
