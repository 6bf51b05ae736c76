"""Refunds as values: why money goes back, how far it is, and how it is spread over payments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from typing import Final

from oms.kernel.errors import Conflict, Forbidden, NotFound, Rejected
from oms.kernel.money import round_half_up, split
from oms.payments.model import Payment, TransactionState


class RefundKind(StrEnum):
    """Why money goes back."""

    OWED = "owed"  # what was returned, canceled after it was paid, or paid too much
    SHIPPING = "shipping"
    GOODWILL = "goodwill"  # without goods


class RefundState(StrEnum):
    """How far a refund is (features 4.5)."""

    AWAITING_APPROVAL = "awaiting_approval"
    REQUESTED = "requested"
    SUCCEEDED = "succeeded"
    PARTIALLY_SUCCEEDED = "partially_succeeded"
    FAILED = "failed"
    REJECTED = "rejected"
    CANCELED = "canceled"


class RefundAction(StrEnum):
    """What somebody may do with a refund."""

    APPROVE = "approve"
    REJECT = "reject"
    CANCEL = "cancel"
    RETRY = "retry"


# What a person may do, and what becomes of it; the rest follows from what payments say.
NEXT: Final[Mapping[RefundState, Mapping[RefundAction, RefundState]]] = {
    RefundState.AWAITING_APPROVAL: {
        RefundAction.APPROVE: RefundState.REQUESTED,
        RefundAction.REJECT: RefundState.REJECTED,
        RefundAction.CANCEL: RefundState.CANCELED,
    },
    RefundState.REQUESTED: {},
    RefundState.SUCCEEDED: {},
    RefundState.PARTIALLY_SUCCEEDED: {RefundAction.RETRY: RefundState.REQUESTED},
    RefundState.FAILED: {
        RefundAction.RETRY: RefundState.REQUESTED,
        RefundAction.CANCEL: RefundState.CANCELED,
    },
    RefundState.REJECTED: {},
    RefundState.CANCELED: {},
}
assert set(NEXT) == set(RefundState)


class Mode(StrEnum):
    """How a kind of refund is let go."""

    AUTO = "auto"
    APPROVE = "approve"  # above its limit somebody else must agree


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


class ReasonMissing(Rejected):
    """A refund beyond what is owed needs a reason."""

    code = "REASON_NEEDED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Up to how much a kind of refund goes by itself, in minor units; None: however much."""

    mode: Mode
    limit_minor: int | None

    def lets_go(self, amount_minor: int) -> bool:
        """Tell whether an amount needs nobody's leave."""
        if self.mode is not Mode.AUTO:
            return False
        return self.limit_minor is None or amount_minor <= self.limit_minor


# Where nothing is said: what is owed goes back by itself, what is not is agreed on.
POLICIES: Final[Mapping[RefundKind, Policy]] = {
    RefundKind.OWED: Policy(mode=Mode.AUTO, limit_minor=50_000),
    RefundKind.SHIPPING: Policy(mode=Mode.AUTO, limit_minor=2_500),
    RefundKind.GOODWILL: Policy(mode=Mode.APPROVE, limit_minor=0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TenderShare:
    """What of a refund goes back to one payment, and what became of it."""

    payment_number: str
    amount_minor: int
    attempt: int
    state: TransactionState | None  # None: not asked for
    failure: str | None


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
    tenders: tuple[TenderShare, ...]

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
    amount_minor: int
    currency: str
    owed_minor: int  # of it or not: what is owed back now
    max_minor: int
    tenders: tuple[tuple[str, int], ...]  # payment, amount
    needs_approval: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LineValue:
    """What a line of an order comes to, with tax; line 0 is its shipping."""

    line_no: int
    held_minor: int  # what has left and stays
    open_minor: int  # what is still to leave
    minor: int
    tax_minor: int  # in all of it
    reduced_minor: int  # what was taken off it before


@dataclass(frozen=True, slots=True, kw_only=True)
class Reduction:
    """What a refund without goods takes off the price of a line."""

    line_no: int
    net_minor: int
    tax_minor: int


def reduced(
    amount_minor: int, values: Sequence[LineValue], *, is_of_shipping: bool
) -> list[Reduction]:
    """Say which lines a refund without goods makes cheaper: by largest remainder, with tax.

    Off what has left and stays before what is still to leave, shipping first where it is of
    shipping. What is more than the lines come to was paid too much, and makes nothing cheaper.
    """
    held = [max(0, each.held_minor - each.reduced_minor) for each in values]
    in_all = [max(0, each.minor - each.reduced_minor) for each in values]
    rest = [most - part for most, part in zip(in_all, map(min, held, in_all), strict=True)]
    first = [most * (is_of_shipping and not each.line_no)
             for most, each in zip(in_all, values, strict=True)]  # fmt: skip
    left, parts = amount_minor, [0] * len(values)
    for room in (first, held, rest):
        weights = [min(most, all_ - part)
                   for most, all_, part in zip(room, in_all, parts, strict=True)]  # fmt: skip
        taken = min(left, sum(weights))
        parts = [part + more for part, more in zip(parts, split(taken, weights), strict=True)]
        left -= taken
    return [_reduction(each, part) for each, part in zip(values, parts, strict=True) if part]


def _reduction(of: LineValue, minor: int) -> Reduction:
    tax = min(max(round_half_up(Fraction(of.tax_minor * minor, of.minor)), 0), minor)
    return Reduction(line_no=of.line_no, net_minor=minor - tax, tax_minor=tax)


def spread(amount_minor: int, payments: Sequence[Payment]) -> list[tuple[Payment, int]]:
    """Spread an amount over payments, to the original ones in their order.

    Raises RefundExceeded with the most they have.
    """
    left, shares = amount_minor, []
    for payment in payments:
        share = min(left, payment.sums.refundable)
        if share > 0:
            shares.append((payment, share))
            left -= share
    if left:
        currency = payments[0].currency if payments else None
        raise RefundExceeded(max_minor=amount_minor - left, currency=currency)
    return shares


def state_of(states: Sequence[TransactionState | None]) -> RefundState:
    """Return how far a refund is that was asked for, from what became of its parts."""
    ends = set(states)
    if not ends <= {TransactionState.SUCCEEDED, TransactionState.FAILED}:
        return RefundState.REQUESTED
    if ends == {TransactionState.SUCCEEDED}:
        return RefundState.SUCCEEDED
    return RefundState.FAILED if ends == {TransactionState.FAILED} else (
        RefundState.PARTIALLY_SUCCEEDED
    )  # fmt: skip
