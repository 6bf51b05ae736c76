"""Refunds as values: why money goes back, how far it is, and what of it went where."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from oms.kernel.errors import Conflict, Forbidden, NotFound, Rejected
from oms.payments.model import TransactionState


class RefundKind(StrEnum):
    """Why money goes back."""

    OWED = "owed"  # what was returned, canceled after it was paid, or paid too much
    SHIPPING = "shipping"
    GOODWILL = "goodwill"  # without goods


class PaidAs(StrEnum):
    """What somebody gets a refund in."""

    MONEY = "money"  # back to what it was paid with
    STORE_CREDIT = "store_credit"


class Occasion(StrEnum):
    """What something is owed for."""

    RETURN_ACCEPTED = "return_accepted"
    CANCELLATION = "cancellation"  # of what was paid for
    SHORT_SHIPPED = "short_shipped"  # a location did not have it
    NOT_COLLECTED = "not_collected"
    PRICE_ADJUSTED = "price_adjusted"  # a line costs less, or has fewer units
    DELIVERY_FAILED = "delivery_failed"
    OVERPAYMENT = "overpayment"  # nothing made the order cheaper


class RefundState(StrEnum):
    """How far a refund is (features 4.5)."""

    AWAITING_APPROVAL = "awaiting_approval"
    REQUESTED = "requested"
    SUCCEEDED = "succeeded"
    PARTIALLY_SUCCEEDED = "partially_succeeded"
    FAILED = "failed"
    REVERSED = "reversed"  # it went back and was returned
    REJECTED = "rejected"
    CANCELED = "canceled"


class RefundAction(StrEnum):
    """What somebody may do with a refund."""

    APPROVE = "approve"
    REJECT = "reject"
    CANCEL = "cancel"
    RETRY = "retry"
    OTHER_TENDER = "other_tender"  # what failed goes to other payments of the order


# What did not reach its customer is asked for again, as it was or of other payments; what a credit
# with us is made of would be one more rung.
_LADDER: Final[dict[RefundAction, RefundState]] = {
    RefundAction.RETRY: RefundState.REQUESTED,
    RefundAction.OTHER_TENDER: RefundState.REQUESTED,
}
# What a person may do, and what becomes of it; the rest follows from what payments say. Canceling
# the rest of one that went back in part leaves what went back.
NEXT: Final[Mapping[RefundState, Mapping[RefundAction, RefundState]]] = {
    RefundState.AWAITING_APPROVAL: {
        RefundAction.APPROVE: RefundState.REQUESTED,
        RefundAction.REJECT: RefundState.REJECTED,
        RefundAction.CANCEL: RefundState.CANCELED,
    },
    RefundState.REQUESTED: {},
    RefundState.SUCCEEDED: {},
    RefundState.PARTIALLY_SUCCEEDED: _LADDER | {RefundAction.CANCEL: RefundState.SUCCEEDED},
    RefundState.FAILED: _LADDER | {RefundAction.CANCEL: RefundState.CANCELED},
    RefundState.REVERSED: _LADDER | {RefundAction.CANCEL: RefundState.CANCELED},
    RefundState.REJECTED: {},
    RefundState.CANCELED: {},
}
assert set(NEXT) == set(RefundState)


class Mode(StrEnum):
    """How a kind of refund is let go."""

    AUTO = "auto"
    APPROVE = "approve"  # somebody else must agree, however little it is
    MANUAL = "manual"  # begun by a person only, and then like auto


class TenderOrder(StrEnum):
    """Of which payments of an order money is taken that goes back."""

    AS_PAID = "as_paid"  # of the first one first
    LAST_FIRST = "last_first"
    PROPORTIONAL = "proportional"  # of each its share of what may go back
    CARD_FIRST = "card_first"
    GIFT_CARD_FIRST = "gift_card_first"  # and store credit


class BackIn(StrEnum):
    """What a till gives money back in."""

    ORIGINAL = "original"  # what it was paid with
    CASH = "cash"


class RefundNotFound(NotFound):
    """There is no such refund."""

    code = "REFUND_NOT_FOUND"


class WrongRefundState(Conflict):
    """The refund is not in a state for this."""

    code = "WRONG_STATE"


class RefundExceeded(Conflict):
    """That much cannot go back."""

    code = "REFUND_EXCEEDED"


class StalePreview(Conflict):
    """What is owed has changed since it was looked at."""

    code = "STALE_PREVIEW"


class SamePerson(Forbidden):
    """Who asks for a refund is not who approves it."""

    code = "SAME_PERSON"


class CashLimited(Conflict):
    """So much of what was not paid in cash goes back in cash only by a manager, for a reason."""

    code = "CASH_LIMIT"


class LeaveNeeded(Conflict):
    """It takes somebody else's leave, and no till waits: a manager gives it, for a reason."""

    code = "APPROVAL_NEEDED"


class LimitExceeded(Forbidden):
    """It is more than its asker's role lets go: of one refund, of one order, or in 24 hours."""

    code = "REFUND_LIMIT"


class VisitNotFound(NotFound):
    """There is no such visit."""

    code = "VISIT_NOT_FOUND"


class ReasonMissing(Rejected):
    """A refund beyond what is owed, or giving one up that is, needs a reason."""

    code = "REASON_NEEDED"


class AmountMissing(Rejected):
    """What is not owed has no amount of its own."""

    code = "AMOUNT_NEEDED"


class WrongLines(Rejected):
    """Lines are named of goodwill only; each is one of the order's, and they add up to it."""

    code = "WRONG_LINES"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Up to how much a kind of refund goes by itself, in minor units; None: however much.

    That is of every currency `limits` says nothing of.
    """

    mode: Mode
    limit_minor: int | None
    limits: Mapping[str, int] = field(default_factory=dict)

    def lets_go(self, amount_minor: int, currency: str) -> bool:
        """Tell whether an amount needs nobody's leave."""
        if self.mode is Mode.APPROVE:
            return False
        limit = self.limits.get(currency, self.limit_minor)
        return limit is None or amount_minor <= limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The most somebody lets go, in minor units of one currency; None: however much."""

    refund_minor: int | None = None  # of one refund
    order_minor: int | None = None  # of one order, with all they have let go of it
    day_minor: int | None = None  # within 24 hours, with all they have let go


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """Who lets money go, and when: the limits of their role count."""

    name: str
    role: str | None  # None: no limits count
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundDraft:
    """A refund somebody asks for."""

    kind: RefundKind
    amount_minor: int | None = None  # None: what its lines come to, or all that is owed if it is
    paid_as: PaidAs = PaidAs.MONEY
    occasion: Occasion | None = None  # None: whatever is owed last
    lines: Mapping[int, int] = field(default_factory=dict)  # off which lines how much, with tax

    def wanted_minor(self, owed_minor: int) -> int:
        """Return how much is asked for where so much is owed. Raises WrongLines, AmountMissing."""
        if not self.lines:
            if self.kind is not RefundKind.OWED and self.amount_minor is None:
                raise AmountMissing
            return owed_minor if self.amount_minor is None else self.amount_minor
        whole = sum(self.lines.values())
        is_whole = self.amount_minor in {None, whole} and min(self.lines.values()) > 0
        if self.kind is not RefundKind.GOODWILL or not is_whole or min(self.lines) < 1:
            raise WrongLines
        return whole


@dataclass(frozen=True, slots=True, kw_only=True)
class TenderShare:
    """What of a refund goes back to one payment, and what became of it."""

    payment_number: str
    amount_minor: int
    attempt: int
    state: TransactionState | None  # None: not asked for
    failure: str | None
    is_reversed: bool = False  # it went back, and was returned
    is_given_up: bool = False

    @property
    def is_dead(self) -> bool:
        """Whether it did not reach its customer, and somebody has to say what is to be done."""
        is_bad = self.state is TransactionState.FAILED or self.is_reversed
        return is_bad and not self.is_given_up


@dataclass(frozen=True, slots=True, kw_only=True)
class Reduction:
    """What a refund without goods takes off the price of a line."""

    line_no: int
    net_minor: int
    tax_minor: int

    @property
    def minor(self) -> int:
        """Return what it is with tax."""
        return self.net_minor + self.tax_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Money that goes back for an order."""

    refund_id: int
    refund_number: str
    order_id: int
    order_number: str
    channel_code: str
    kind: RefundKind
    state: RefundState
    amount_minor: int
    currency: str
    reason: str
    requested_by: str
    decided_by: str | None
    created_at: datetime
    changed_at: datetime
    version: int
    paid_as: PaidAs
    credit_account_id: int | None  # of store credit, once it is let go
    credit_number: str | None
    visit_number: str | None  # of somebody to a till
    occasion: Occasion | None  # what it is owed for
    tenders: tuple[TenderShare, ...]
    cheaper: tuple[Reduction, ...]  # off which lines it is; 0 is shipping

    @property
    def parts(self) -> tuple[tuple[str, int], ...]:
        """What of it goes back to which payment."""
        return tuple((each.payment_number, each.amount_minor) for each in self.tenders)

    @property
    def dead(self) -> tuple[TenderShare, ...]:
        """What of it did not reach its customer."""
        return tuple(each for each in self.tenders if each.is_dead)

    def after(self, action: RefundAction) -> RefundState:
        """Return what an action makes of it. Raises WrongRefundState with what may be done."""
        possible = NEXT[self.state]
        if action not in possible:
            raise WrongRefundState(state=self.state, allowed_actions=sorted(possible))
        return possible[action]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a refund would come to: the same numbers it has when it is made."""

    kind: RefundKind
    paid_as: PaidAs
    amount_minor: int
    currency: str
    owed_minor: int  # of it or not: what is owed back now
    max_minor: int
    tenders: tuple[tuple[str, int], ...]  # payment, amount
    needs_approval: bool  # by the channel's rules
    occasion: Occasion | None
    owed_after_minor: int  # what is owed back still once it has gone
    stays_minor: int  # what of what was paid stays once it, and all that waits, has gone
    beyond: LimitExceeded | None = None  # what limit of their own who asks would exceed
    cheaper: tuple[Reduction, ...] = ()  # which lines, where it is not owed; 0 is shipping
    is_named: bool = False  # they were named by who asks


class VisitState(StrEnum):
    """How far what a till gives back is."""

    DONE = "done"  # the customer has all of it
    PENDING = "pending"  # a payment service gives back some of it, and has not said that it did
    AWAITING_APPROVAL = "awaiting_approval"
    FAILED = "failed"  # some of it did not go back: see its refund


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What of a payment came out of a drawer."""

    transaction_id: int
    amount_minor: int
    rounding_minor: int
    currency: str
    country_code: str | None  # where the drawer is


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What somebody got back at a till, for one order or several."""

    visit_number: str
    location_code: str
    back_in: BackIn
    override_reason: str | None
    given_by: str
    given_at: datetime
    refunds: tuple[Refund, ...]
    cash: tuple[Given, ...]

    @property
    def cash_minor(self) -> int:
        """Return what came out of the drawer."""
        return sum(each.amount_minor + each.rounding_minor for each in self.cash)

    @property
    def rounding_minor(self) -> int:
        """Return what of it is beyond its refunds, or less."""
        return sum(each.rounding_minor for each in self.cash)

    @property
    def state(self) -> VisitState:
        """Return how far all of it is."""
        states = {each.state for each in self.refunds}
        if states - {RefundState.SUCCEEDED, RefundState.REQUESTED, RefundState.AWAITING_APPROVAL}:
            return VisitState.FAILED
        if RefundState.AWAITING_APPROVAL in states:
            return VisitState.AWAITING_APPROVAL
        return VisitState.PENDING if RefundState.REQUESTED in states else VisitState.DONE
