"""Returns as values: their states, what may be done in each, what came and what was decided."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Self

from oms.fulfillment.model import WrongState
from oms.kernel.errors import Conflict, NotFound, Rejected


class ReturnState(StrEnum):
    """How far goods are on their way back."""

    REQUESTED = "requested"
    APPROVED = "approved"
    DECLINED = "declined"
    IN_TRANSIT = "in_transit"
    PARTIALLY_RECEIVED = "partially_received"
    RECEIVED = "received"
    INSPECTED = "inspected"
    RESOLVED = "resolved"
    COMPLETED = "completed"
    CANCELED = "canceled"
    EXPIRED = "expired"


class ReturnAction(StrEnum):
    """What may be done with a return."""

    APPROVE = "approve"
    DECLINE = "decline"
    SHIP = "ship"
    RECEIVE = "receive"
    INSPECT = "inspect"
    ACCEPT = "accept"
    REJECT = "reject"
    CANCEL = "cancel"
    EXPIRE = "expire"
    COMPLETE = "complete"


class Kind(StrEnum):
    """How a return came to be."""

    CUSTOMER = "customer"
    STORE = "store"
    WMS = "wms"
    REFUSED_DELIVERY = "refused_delivery"
    UNDELIVERABLE = "undeliverable"
    EXCHANGE = "exchange"
    WARRANTY = "warranty"


class Method(StrEnum):
    """How goods come back."""

    CARRIER = "carrier"
    DROP_OFF = "drop_off"
    IN_STORE = "in_store"


class ReturnReason(StrEnum):
    """Why somebody gives something back."""

    DAMAGED_IN_SHIPPING = "damaged_in_shipping"
    DEFECTIVE = "defective"
    WRONG_ITEM = "wrong_item"
    NOT_AS_EXPECTED = "not_as_expected"
    WRONG_SIZE = "wrong_size"
    TOO_SMALL = "too_small"
    TOO_LARGE = "too_large"
    DUPLICATE = "duplicate"
    GIFT = "gift"
    LATE = "late"
    DID_NOT_WANT = "did_not_want"
    BETTER_PRICE = "better_price"
    POOR_SERVICE = "poor_service"
    UNLIKE_PHOTO = "unlike_photo"
    REFUSED = "refused"
    UNKNOWN = "unknown"  # it came without a word


class Resolution(StrEnum):
    """What the customer gets for what is accepted."""

    REFUND = "refund"
    EXCHANGE = "exchange"
    STORE_CREDIT = "store_credit"
    REPLACE = "replace"
    NONE = "none"


class Condition(StrEnum):
    """What a unit is like when it comes back."""

    NEW = "A"
    OPENED = "B"
    USED = "C"
    DAMAGED = "D"
    WRONG_ITEM = "E"


class Disposition(StrEnum):
    """What becomes of a unit that came back."""

    RESTOCK = "restock"
    REGRADE = "regrade"
    OUTLET = "outlet"
    RETURN_TO_VENDOR = "return_to_vendor"
    REFURBISH = "refurbish"
    SCRAP = "scrap"
    SEND_BACK = "send_back"


class Verdict(StrEnum):
    """Whether the customer gets something for a unit."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"


class Row(StrEnum):
    """What a line of a receipt is to the return it came for."""

    TAKEN = "taken"
    OVER = "over"  # more than was expected
    WRONG_ITEM = "wrong_item"  # of no line of it
    UNIDENTIFIED = "unidentified"  # nobody knows whose it is
    ASSIGNED = "assigned"  # somebody found out


_S, _A = ReturnState, ReturnAction

# What may follow what. Whatever is not here is refused.
NEXT: Final[dict[ReturnState, dict[ReturnAction, ReturnState]]] = {
    _S.REQUESTED: {
        _A.APPROVE: _S.APPROVED, _A.DECLINE: _S.DECLINED, _A.CANCEL: _S.CANCELED,
        _A.EXPIRE: _S.EXPIRED,
    },
    _S.APPROVED: {
        _A.SHIP: _S.IN_TRANSIT, _A.RECEIVE: _S.RECEIVED,  # of some of it: partially_received
        _A.CANCEL: _S.CANCELED, _A.EXPIRE: _S.EXPIRED,
    },
    _S.IN_TRANSIT: {_A.RECEIVE: _S.RECEIVED},
    _S.PARTIALLY_RECEIVED: {_A.RECEIVE: _S.RECEIVED},
    _S.RECEIVED: {_A.INSPECT: _S.INSPECTED},  # as soon as all of it is
    _S.INSPECTED: {_A.ACCEPT: _S.RESOLVED, _A.REJECT: _S.RESOLVED},  # likewise
    _S.RESOLVED: {_A.COMPLETE: _S.COMPLETED},
    _S.EXPIRED: {_A.RECEIVE: _S.RECEIVED},
    _S.DECLINED: {},
    _S.COMPLETED: {},
    _S.CANCELED: {},
}  # fmt: skip
assert set(NEXT) == set(ReturnState)
# Time does the one, money the other: of what is not paid here a person may say it, too.
BY_ITSELF: Final = frozenset({_A.EXPIRE, _A.COMPLETE})
AWAITED: Final = frozenset({_S.REQUESTED, _S.APPROVED, _S.IN_TRANSIT, _S.PARTIALLY_RECEIVED})
OPEN: Final = AWAITED | {_S.RECEIVED, _S.INSPECTED}
RECEIVABLE: Final = frozenset(state for state, after in NEXT.items() if _A.RECEIVE in after)
HAS_GOODS: Final = OPEN - {_S.REQUESTED, _S.APPROVED, _S.IN_TRANSIT} | {_S.RESOLVED, _S.COMPLETED}
MAY_EXPIRE: Final = frozenset({_S.REQUESTED, _S.APPROVED})

# On hand and for sale; on hand and not for sale; the rest is not kept.
FOR_SALE: Final = frozenset({Disposition.RESTOCK})
NOT_KEPT: Final = frozenset({Disposition.SCRAP, Disposition.SEND_BACK})


class ReturnNotFound(NotFound):
    """There is no such return."""

    code = "RETURN_NOT_FOUND"


class NothingUnidentified(NotFound):
    """There is no such line of a receipt that waits for somebody to say whose it is."""

    code = "UNIDENTIFIED_NOT_FOUND"


class ReturnExpired(Conflict):
    """The return's time is over; goods that still come are received and looked at by hand."""

    code = "RMA_EXPIRED"


class GoodsReceived(Conflict):
    """Goods have come already: they are accepted or rejected, not canceled."""

    code = "GOODS_RECEIVED"


class ConditionNeeded(Rejected):
    """What came is inspected by saying of which line how many units are in which condition."""

    code = "CONDITION_NEEDED"


class WrongItemKept(Rejected):
    """A unit of another item is scrapped or sent back: it is none of the line's stock."""

    code = "WRONG_ITEM_KEPT"


class NothingCame(Rejected):
    """Of what never came nothing is received: the return is canceled or expires."""

    code = "NOTHING_CAME"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnLine:
    """What of an order's line comes back, and what became of it."""

    line_no: int
    product_id: int
    sku: str
    title: str
    expected: int
    received: int
    missing: int
    inspected: int
    accepted: int
    rejected: int
    reason: ReturnReason
    resolution: Resolution

    @property
    def awaited(self) -> int:
        """What has been announced and is not there yet."""
        return self.expected - self.received - self.missing

    @property
    def undecided(self) -> int:
        """What was looked at and is neither accepted nor rejected."""
        return self.inspected - self.accepted - self.rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptRow:
    """Units of a receipt: what they are to the return, and how many were looked at."""

    row_id: int
    receipt_id: str
    location_id: int
    location_code: str
    received_at: datetime
    state: Row
    line_no: int | None
    sku: str
    quantity: int
    inspected: int
    condition: Condition | None
    disposition: Disposition | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """Units of a line that were looked at: what they are like and what becomes of them."""

    line_no: int
    quantity: int
    condition: Condition
    disposition: Disposition


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Units of a line that were accepted or rejected, and what is owed for them."""

    line_no: int
    verdict: Verdict
    quantity: int
    told_before: int = 0
    change_ref: str | None = None
    goods_net_minor: int = 0
    goods_tax_minor: int = 0
    shipping_net_minor: int = 0
    shipping_tax_minor: int = 0
    fee_minor: int = 0
    reason: str | None = None

    @property
    def owed_minor(self) -> int:
        """What the customer is owed for it."""
        goods = self.goods_net_minor + self.goods_tax_minor
        return goods + self.shipping_net_minor + self.shipping_tax_minor - self.fee_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """Goods of an order that come back."""

    return_id: int
    return_number: str
    order_id: int
    order_number: str
    channel_code: str
    currency: str
    kind: Kind
    state: ReturnState
    method: Method
    location_code: str | None
    requested_by: str
    carrier: str | None
    tracking_number: str | None
    label_ref: str | None
    note: str | None
    reason: str | None
    override_reason: str | None
    is_after_expiry: bool
    expires_at: datetime | None
    created_at: datetime
    changed_at: datetime
    version: int
    exchange_order_number: str | None  # of what is sent instead
    is_paid_here: bool  # whether we have money of its order to give back; else its channel has
    is_ended_by_hand: bool  # whether a person may say it is over: nothing may come of it by itself
    lines: tuple[ReturnLine, ...]
    rows: tuple[ReceiptRow, ...]
    inspections: tuple[Inspected, ...]
    decisions: tuple[Decision, ...]

    def at(self, at: datetime) -> Self:
        """Return it as it is at a moment: over is over, written down or not."""
        is_over = self.expires_at is not None and self.expires_at <= at
        return replace(self, state=_S.EXPIRED) if is_over and self.state in MAY_EXPIRE else self

    def allowed(self) -> list[ReturnAction]:
        """Return what somebody may do with it now."""
        by_itself = BY_ITSELF - {_A.COMPLETE} if self.is_ended_by_hand else BY_ITSELF
        return sorted(set(NEXT[self.state]) - by_itself)

    def after(self, action: ReturnAction) -> ReturnState:
        """Return the state an action leads to.

        Raises GoodsReceived, ReturnExpired or WrongState, with what is allowed instead.
        """
        if action in NEXT[self.state]:
            return NEXT[self.state][action]
        facts: dict[str, Any] = {"state": self.state, "allowed_actions": self.allowed()}
        if action is _A.CANCEL and self.state in HAS_GOODS:
            raise GoodsReceived(**facts)
        if self.state is _S.EXPIRED:
            raise ReturnExpired(**facts)
        raise WrongState(f"a return that is {self.state} has nothing to {action}", **facts)

    def line(self, line_no: int) -> ReturnLine | None:
        """Return one of its lines, None where it has no such."""
        return next((line for line in self.lines if line.line_no == line_no), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How much of a line somebody wants to give back, why, and for what."""

    line_no: int
    quantity: int
    reason: ReturnReason
    resolution: Resolution = Resolution.REFUND


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Units a location says have come: of a line or of a SKU, and what they are like."""

    quantity: int
    line_no: int | None = None
    sku: str | None = None
    condition: Condition | None = None
    disposition: Disposition | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorted:
    """Units of a receipt and what they are to the return they came for."""

    state: Row
    quantity: int
    sku: str
    line_no: int | None
    told: Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Unidentified:
    """Units that came and are nobody's yet, with returns they may be of."""

    row_id: int
    receipt_id: str
    location_code: str
    received_at: datetime
    sku: str
    quantity: int
    condition: Condition | None
    return_ref: str | None
    order_ref: str | None
    tracking_number: str | None
    reason: str
    candidates: tuple[str, ...]
