"""Refunds in bulk as values: what is asked for, what a dry run found, what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from oms.kernel.errors import Conflict, NotFound, Rejected
from oms.refunds.model import RefundKind, RefundState

ROWS_MAX: Final = 10_000


class BatchState(StrEnum):
    """How far a batch is."""

    DRAFT = "draft"
    VALIDATING = "validating"  # the worker is at its dry run
    VALIDATED = "validated"
    AWAITING_APPROVAL = "awaiting_approval"
    APPROVED = "approved"
    EXECUTING = "executing"
    PAUSED = "paused"
    COMPLETED = "completed"
    PARTIALLY_FAILED = "partially_failed"
    STOPPED = "stopped"
    CANCELED = "canceled"


class BatchAction(StrEnum):
    """What somebody may do with a batch."""

    VALIDATE = "validate"
    SUBMIT = "submit"
    WITHDRAW = "withdraw"
    APPROVE = "approve"
    REJECT = "reject"
    CANCEL = "cancel"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    RETRY = "retry"


# What a person may do, and what becomes of it; the rest is the worker's.
NEXT: Final[Mapping[BatchState, Mapping[BatchAction, BatchState]]] = {
    BatchState.DRAFT: {
        BatchAction.VALIDATE: BatchState.VALIDATING,
        BatchAction.CANCEL: BatchState.CANCELED,
    },
    BatchState.VALIDATING: {BatchAction.CANCEL: BatchState.CANCELED},
    BatchState.VALIDATED: {
        BatchAction.VALIDATE: BatchState.VALIDATING,
        BatchAction.SUBMIT: BatchState.AWAITING_APPROVAL,
        BatchAction.CANCEL: BatchState.CANCELED,
    },
    BatchState.AWAITING_APPROVAL: {
        BatchAction.APPROVE: BatchState.APPROVED,
        BatchAction.REJECT: BatchState.DRAFT,
        BatchAction.WITHDRAW: BatchState.DRAFT,
        BatchAction.CANCEL: BatchState.CANCELED,
    },
    BatchState.APPROVED: {
        BatchAction.PAUSE: BatchState.PAUSED,
        BatchAction.STOP: BatchState.STOPPED,
    },
    BatchState.EXECUTING: {
        BatchAction.PAUSE: BatchState.PAUSED,
        BatchAction.STOP: BatchState.STOPPED,
    },
    BatchState.PAUSED: {
        BatchAction.RESUME: BatchState.EXECUTING,
        BatchAction.STOP: BatchState.STOPPED,
    },
    BatchState.COMPLETED: {},
    BatchState.PARTIALLY_FAILED: {BatchAction.RETRY: BatchState.DRAFT},
    BatchState.STOPPED: {BatchAction.RETRY: BatchState.DRAFT},
    BatchState.CANCELED: {},
}
assert set(NEXT) == set(BatchState)
# Its rows may be changed; whatever was found and agreed on is void then.
EDITABLE: Final = frozenset({
    BatchState.DRAFT, BatchState.VALIDATED, BatchState.AWAITING_APPROVAL,
})  # fmt: skip
DECIDING: Final = frozenset({BatchAction.APPROVE, BatchAction.REJECT})


class RowState(StrEnum):
    """What became of a row."""

    OPEN = "open"  # to be looked at
    ELIGIBLE = "eligible"
    REFUSED = "refused"
    DONE = "done"  # its refund is made; how far that is, the refund says
    FAILED = "failed"
    STALE = "stale"  # what it would come to has changed since the dry run


class Step(StrEnum):
    """What is done for a row."""

    MAKE = "make"  # a refund of its own
    APPROVE = "approve"  # the one of what is owed, which waits for leave
    RETRY = "retry"  # the one it has, which failed


class BatchNotFound(NotFound):
    """There is no such batch of refunds."""

    code = "REFUND_BATCH_NOT_FOUND"


class WrongBatchState(Conflict):
    """The batch is not in a state for this."""

    code = "WRONG_STATE"


class RowNotOpen(Conflict):
    """The batch has no such row, or its refund is made."""

    code = "ROW_NOT_OPEN"


class NothingEligible(Conflict):
    """No row of the batch can be refunded."""

    code = "NOTHING_ELIGIBLE"


class OrderTwice(Conflict):
    """The batch has more than one row of the order."""

    code = "ORDER_TWICE"


class TooManyRows(Rejected):
    """A batch has at least one row and at most ten thousand."""

    code = "TOO_MANY_ROWS"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowDraft:
    """What a row asks for; without an amount it is all that is owed."""

    order_number: str
    kind: RefundKind
    amount_minor: int | None = None
    currency: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a row would come to: the same again, or it is not paid."""

    step: Step
    amount_minor: int
    max_minor: int
    currency: str
    tenders: tuple[tuple[str, int], ...]  # payment, amount
    refund_number: str | None = None

    @classmethod
    def of(cls, kept: Any) -> "Seen | None":
        """Read what was kept of it."""
        if kept is None:
            return None
        tenders = tuple((number, amount) for number, amount in kept["tenders"])
        return cls(**{**kept, "step": Step(kept["step"]), "tenders": tenders})


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of a batch, and what became of it."""

    row_no: int
    order_number: str
    kind: RefundKind
    amount_minor: int | None
    currency: str | None
    reason: str
    state: RowState
    code: str | None
    seen: Seen | None
    refund_number: str | None
    refund_state: RefundState | None
    is_twice: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Refunds that are asked for together."""

    batch_id: int
    batch_number: str
    name: str
    state: BatchState
    channel_codes: tuple[str, ...] | None
    digest: str | None
    created_by: str
    edited_by: str
    submitted_by: str | None
    approved_by: str | None
    approved_role: str | None
    created_at: datetime
    changed_at: datetime
    version: int

    def after(self, action: BatchAction) -> BatchState:
        """Return what an action makes of it. Raises WrongBatchState with what may be done."""
        possible = NEXT[self.state]
        if action not in possible:
            raise WrongBatchState(state=self.state, allowed_actions=sorted(possible))
        return possible[action]


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """Rows of one kind, currency and fate, added up."""

    kind: RefundKind
    currency: str | None  # None: nothing was found
    state: RowState
    refund_state: RefundState | None
    count: int
    amount_minor: int

    @property
    def is_bad(self) -> bool:
        """Tell whether money that was to go back did not."""
        if self.state is RowState.DONE:
            return self.refund_state not in {RefundState.REQUESTED, RefundState.SUCCEEDED}
        return self.state is not RowState.REFUSED


def end_of(totals: Sequence[Total]) -> BatchState:
    """Return how a batch ended whose rows were all tried."""
    is_bad = any(each.is_bad for each in totals)
    return BatchState.PARTIALLY_FAILED if is_bad else BatchState.COMPLETED
