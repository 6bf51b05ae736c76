"""Settlement reports as values: rows, what was found for each, and the queue of differences."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from oms.kernel.errors import Conflict, NotFound, Rejected

# What we did and no report has told of by then is missing.
MISSING_AFTER: Final = timedelta(days=7)
PROBLEMS_MAX: Final = 20
# What a service may be called.
SERVICE: Final = re.compile(r"[a-z0-9_-]{1,40}")


class RowType(StrEnum):
    """What a row of a report is about."""

    CAPTURE = "capture"
    REFUND = "refund"
    REFUND_REVERSAL = "refund_reversal"
    CHARGEBACK = "chargeback"
    CHARGEBACK_REVERSAL = "chargeback_reversal"
    FEE = "fee"  # of the service itself, for no operation of ours
    BALANCE = "balance"  # kept back, or carried over from one payout to another
    PAYOUT = "payout"
    OTHER = "other"  # in a word of the service's that we have no meaning for


class Finding(StrEnum):
    """What was found for a row: one each, the first of these that is so."""

    DUPLICATE = "duplicate"  # an earlier row has told of it
    OWN = "own"  # the service's own: a fee, a balance, a payout that adds up
    PAYOUT_TOTAL = "payout_total"  # a payout that is not the sum of its rows
    UNKNOWN = "unknown"  # we know of no such operation
    OTHER_PAYMENT = "other_payment"  # its operation is one of another payment than it says
    TYPE_DIFFERS = "type_differs"  # another operation than ours, or the wrong sign
    NOT_SUCCEEDED = "not_succeeded"  # settled, though we hold it for failed or do not know
    CURRENCY_DIFFERS = "currency_differs"
    AMOUNT_DIFFERS = "amount_differs"
    FEE_DIFFERS = "fee_differs"  # the fee is in the amount, or does not explain what is left
    PERIOD_DIFFERS = "period_differs"  # of another day than ours
    MISSING = "missing"  # no row: ours, and not reported in time
    MATCHED = "matched"


# What needs nobody.
AGREED: Final = frozenset({Finding.MATCHED, Finding.OWN})


class DifferenceState(StrEnum):
    """Whether somebody has settled a difference."""

    OPEN = "open"
    RESOLVED = "resolved"


class ReportNotFound(NotFound):
    """There is no such settlement report."""

    code = "SETTLEMENT_NOT_FOUND"


class DifferenceNotFound(NotFound):
    """There is no such difference."""

    code = "DIFFERENCE_NOT_FOUND"


class AlreadyResolved(Conflict):
    """Somebody has resolved the difference."""

    code = "WRONG_STATE"


class UnknownLayout(Rejected):
    """Nobody here reads settlement reports of that layout."""

    code = "UNKNOWN_LAYOUT"


class Unreadable(Rejected):
    """The file is not a settlement report of its layout."""

    code = "SETTLEMENT_UNREADABLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A settlement report as it was taken in."""

    report_id: int
    report_number: str
    psp: str
    layout: str
    name: str
    digest: str
    size_bytes: int
    rows_count: int
    first_at: datetime | None  # of its rows, by the service's clock
    last_at: datetime | None
    received_by: str
    received_at: datetime
    open_count: int  # differences nobody has resolved


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """Rows of one type, finding and currency, added up."""

    type: RowType
    finding: Finding
    currency: str
    count: int
    amount_minor: int
    fee_minor: int | None  # None: in another currency


@dataclass(frozen=True, slots=True, kw_only=True)
class Payout:
    """What a report says was paid out, beside the sum of its rows."""

    payout_ref: str
    currency: str
    rows_count: int
    rows_minor: int
    paid_minor: int | None  # None: the report has no row of the payout itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of a report, and the operation of ours it is."""

    row_no: int
    entry_ref: str | None
    payout_ref: str | None
    type: RowType
    psp_reference: str | None
    payment_reference: str | None
    reference: str | None
    currency: str
    amount_minor: int
    net_currency: str
    fee_minor: int
    net_minor: int
    occurred_at: datetime | None
    finding: Finding
    transaction_number: str | None
    payment_number: str | None
    order_number: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Something a person is to explain: what we have beside what the service says."""

    difference_id: int
    difference_number: str
    psp: str
    finding: Finding
    report_number: str | None  # None: in no report
    row_no: int | None
    entry_ref: str | None
    transaction_number: str | None
    payment_number: str | None
    order_number: str | None
    ours_minor: int | None
    ours_currency: str | None
    theirs_minor: int | None
    theirs_currency: str | None
    state: DifferenceState
    found_at: datetime
    resolved_by: str | None
    resolved_at: datetime | None
    reason: str | None
    version: int


SIGNS: Final[Mapping[RowType, int]] = {
    RowType.CAPTURE: 1, RowType.REFUND: -1, RowType.REFUND_REVERSAL: 1, RowType.CHARGEBACK: -1,
    RowType.CHARGEBACK_REVERSAL: 1,
}  # fmt: skip
"""Operations of ours, and what each does to our money."""
