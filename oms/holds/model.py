"""Holds as values: their types, which commands each blocks, and whose word ends it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from oms.kernel.errors import Conflict, NotFound


class Command(StrEnum):
    """What a hold may keep from being done with an order."""

    ROUTE = "route"
    PICK = "pick"
    SHIP = "ship"
    CANCEL = "cancel"
    EDIT = "edit"


class HoldType(StrEnum):
    """Why an order is held."""

    PAYMENT_REVIEW = "payment_review"
    FRAUD = "fraud"
    ADDRESS = "address"
    CUSTOMER_REQUEST = "customer_request"
    STOCK_CHECK = "stock_check"
    MANUAL = "manual"
    EXCHANGE = "exchange"  # until what is sent instead is paid


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What a type of hold blocks, and the scope that may release it."""

    blocks: frozenset[Command]
    release_scope: str


_C: Final = Command
_GOODS: Final = frozenset({_C.ROUTE, _C.PICK, _C.SHIP})

# Whatever a type does not name goes on: a customer may cancel while a payment is looked at.
RULES: Final[dict[HoldType, Rule]] = {
    HoldType.PAYMENT_REVIEW: Rule(blocks=_GOODS | {_C.EDIT}, release_scope="orders:review"),
    # Whoever is suspected neither gets the goods nor the money back before somebody has looked.
    HoldType.FRAUD: Rule(blocks=frozenset(Command), release_scope="orders:review"),
    # The goods may be got ready, as long as they do not leave for the wrong place.
    HoldType.ADDRESS: Rule(blocks=frozenset({_C.SHIP}), release_scope="orders:hold"),
    HoldType.CUSTOMER_REQUEST: Rule(blocks=_GOODS, release_scope="orders:hold"),
    HoldType.STOCK_CHECK: Rule(blocks=_GOODS, release_scope="fulfillment:write"),
    HoldType.MANUAL: Rule(blocks=_GOODS | {_C.CANCEL, _C.EDIT}, release_scope="orders:hold"),
    # What is released before it is paid is got ready; handed out it is only when it is.
    HoldType.EXCHANGE: Rule(blocks=_GOODS, release_scope="orders:review"),
}
assert set(RULES) == set(HoldType)


class HoldNotFound(NotFound):
    """The order has no such hold."""

    code = "HOLD_NOT_FOUND"


class OrderOnHold(Conflict):
    """The order is on a hold that does not allow this; `hold_no` and `hold_type` name it."""

    code = "ORDER_ON_HOLD"


class HoldExists(Conflict):
    """The order is on a hold of this type already."""

    code = "HOLD_EXISTS"


class HoldReleased(Conflict):
    """The hold is released already."""

    code = "HOLD_RELEASED"


class OrderClosed(Conflict):
    """Nothing is left to be done with this order."""

    code = "ORDER_CLOSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """What keeps commands from an order, from when it was placed until it is released."""

    hold_no: int
    type: HoldType
    comment: str
    placed_at: datetime
    placed_by: str
    released_at: datetime | None
    released_by: str | None
    release_comment: str | None

    @property
    def is_active(self) -> bool:
        """Whether nobody has released it."""
        return self.released_at is None

    def blocks(self, command: Command) -> bool:
        """Tell whether it keeps a command from being done."""
        return self.is_active and command in RULES[self.type].blocks


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOrder:
    """A hold, and the order that is on it."""

    order_id: int
    order_number: str
    channel_code: str
    version: int
    customer_name: str | None
    ordered_at: datetime
    hold: Hold


def refuse_held(holds: Iterable[Hold], command: Command) -> None:
    """Refuse a command one of these holds blocks. Raises OrderOnHold, which names the first."""
    for hold in holds:
        if hold.blocks(command):
            raise OrderOnHold(
                f"hold {hold.hold_no} ({hold.type.replace('_', ' ')}) blocks this until it is"
                " released",
                hold_no=hold.hold_no, hold_type=hold.type, blocked=command,
            )  # fmt: skip
