"""Payments as values: tenders, transactions and their states."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from oms.kernel.errors import Conflict, NotFound, Rejected

# The columns of the draft table, in the order adapters write them: totals so far, of each payment.
PAYMENT_DRAFT: Final = (
    "position", "external_ref", "tender", "psp", "psp_reference", "managed_by", "brand", "last4",
    "amount_minor", "authorized_minor", "captured_minor", "refunded_minor",
    "authorized_until_at", "location_code", "occurred_at",
)  # fmt: skip


class Tender(StrEnum):
    """What somebody pays with."""

    CARD = "card"
    WALLET = "wallet"
    BANK = "bank"
    GIFT_CARD = "gift_card"
    STORE_CREDIT = "store_credit"
    CASH = "cash"
    INVOICE = "invoice"


class TransactionType(StrEnum):
    """What is done with a payment, or happens to it."""

    AUTHORIZE = "authorize"
    CAPTURE = "capture"
    VOID = "void"
    REFUND = "refund"
    REFUND_REVERSAL = "refund_reversal"
    CHARGEBACK = "chargeback"
    CHARGEBACK_REVERSAL = "chargeback_reversal"


# What we ask a PSP for; the others only happen.
ASKED: Final = frozenset({
    TransactionType.AUTHORIZE, TransactionType.CAPTURE, TransactionType.VOID,
    TransactionType.REFUND,
})  # fmt: skip


class TransactionState(StrEnum):
    """How far an operation is (features: a timeout is not a failure)."""

    REQUESTED = "requested"
    PENDING = "pending"
    UNKNOWN = "unknown"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


# A PSP has the last word: what it first said was done may turn out not to be, and the reverse.
NEXT: Final[Mapping[TransactionState, frozenset[TransactionState]]] = {
    TransactionState.REQUESTED: frozenset({
        TransactionState.PENDING, TransactionState.UNKNOWN, TransactionState.SUCCEEDED,
        TransactionState.FAILED,
    }),
    TransactionState.PENDING: frozenset({
        TransactionState.UNKNOWN, TransactionState.SUCCEEDED, TransactionState.FAILED,
    }),
    TransactionState.UNKNOWN: frozenset({
        TransactionState.PENDING, TransactionState.SUCCEEDED, TransactionState.FAILED,
    }),
    TransactionState.SUCCEEDED: frozenset({TransactionState.FAILED}),
    TransactionState.FAILED: frozenset({TransactionState.SUCCEEDED}),
}  # fmt: skip
assert set(NEXT) == set(TransactionState)
# Not over yet: it counts as if it had succeeded, so that nothing is done a second time meanwhile.
OPEN: Final = frozenset({
    TransactionState.REQUESTED, TransactionState.PENDING, TransactionState.UNKNOWN,
})  # fmt: skip


class PaymentState(StrEnum):
    """How far a payment is, folded from its transactions."""

    CREATED = "created"
    AUTHORIZED = "authorized"
    PARTIALLY_CAPTURED = "partially_captured"
    CAPTURED = "captured"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    VOIDED = "voided"
    FAILED = "failed"
    CHARGED_BACK = "charged_back"


class OrderPaymentState(StrEnum):
    """How an order is paid, folded from its payments and what it comes to."""

    NONE = "none"
    AWAITING = "awaiting"
    PARTIALLY_AUTHORIZED = "partially_authorized"
    AUTHORIZED = "authorized"
    PARTIALLY_PAID = "partially_paid"
    PAID = "paid"
    OVERPAID = "overpaid"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    VOIDED = "voided"
    CHARGEBACK = "chargeback"


class ManagedBy(StrEnum):
    """Who captures, voids and refunds a payment."""

    OMS = "oms"
    CHANNEL = "channel"  # by itself, and tells us


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentDraft:
    """A payment that is begun with us."""

    tender: Tender
    amount_minor: int
    currency: str
    external_ref: str
    psp: str | None = None
    token: str | None = None  # of the instrument: never its number
    brand: str | None = None
    last4: str | None = None
    location_code: str | None = None
    credit_account_id: int | None = None  # it is paid with store credit


class PaymentNotFound(NotFound):
    """There is no such payment."""

    code = "PAYMENT_NOT_FOUND"


class PaymentExceeded(Conflict):
    """The payment does not have that much left."""

    code = "PAYMENT_EXCEEDED"


class NotManaged(Conflict):
    """Its channel does that with this payment by itself."""

    code = "PAYMENT_NOT_MANAGED"


class UnknownPsp(Rejected):
    """There is no such payment service."""

    code = "UNKNOWN_PSP"


class PaymentDue(Conflict):
    """It is to be paid before it is handed over."""

    code = "PAYMENT_DUE"


class CurrencyDiffers(Rejected):
    """A payment is in the currency of its order."""

    code = "CURRENCY_MISMATCH"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """What of a payment is where, in minor units; what is not over yet counts apart."""

    authorized: int = 0
    authorizing: int = 0
    captured: int = 0
    capturing: int = 0
    voided: int = 0
    voiding: int = 0
    refunded: int = 0
    refunding: int = 0
    charged_back: int = 0

    @property
    def capturable(self) -> int:
        """What is authorized and neither captured nor given up, by anybody's request."""
        gone = self.captured + self.capturing + self.voided + self.voiding
        return max(0, self.authorized - gone)

    @property
    def refundable(self) -> int:
        """What may still be given back: captured, less every refund that is not known to fail."""
        return max(0, self.stays)

    @property
    def stays(self) -> int:
        """What is captured and went to nobody since, nor is on its way; below zero: more did."""
        return self.captured - self.refunded - self.refunding - self.charged_back

    def __add__(self, other: "Sums") -> "Sums":
        """Add what is where of another payment."""
        return Sums(
            authorized=self.authorized + other.authorized,
            authorizing=self.authorizing + other.authorizing,
            captured=self.captured + other.captured, capturing=self.capturing + other.capturing,
            voided=self.voided + other.voided, voiding=self.voiding + other.voiding,
            refunded=self.refunded + other.refunded, refunding=self.refunding + other.refunding,
            charged_back=self.charged_back + other.charged_back,
        )  # fmt: skip


def total(parts: Iterable[Sums]) -> Sums:
    """Return what is where of several payments together."""
    return sum(parts, Sums())


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """One operation on a payment: what was asked or told, and what became of it."""

    transaction_id: int
    transaction_number: str
    payment_id: int
    type: TransactionType
    state: TransactionState
    amount_minor: int
    currency: str
    psp_reference: str | None
    source: str  # oms, channel, psp or till: who began it
    cause: str
    failure: str | None
    requested_at: datetime
    finished_at: datetime | None
    attempts: int
    tender: Tender | None  # what went back of it otherwise than it came
    location_code: str | None  # of the till that gave it back
    rounding_minor: int  # what the till gave beyond it, or less, for want of small coins


@dataclass(frozen=True, slots=True, kw_only=True)
class Mover:
    """Who moved money instead of its payment's service: a till in some tender, or our credit."""

    tender: Tender | None = None
    location_code: str | None = None
    psp: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """An instrument used on an order, with all that happened with it."""

    payment_id: int
    payment_number: str
    order_id: int
    order_number: str
    channel_code: str
    external_ref: str
    tender: Tender
    psp: str | None
    psp_reference: str | None
    managed_by: ManagedBy
    brand: str | None
    last4: str | None
    currency: str
    amount_minor: int
    state: PaymentState
    authorized_until_at: datetime | None
    location_code: str | None
    captures_once: bool  # its service lets go of what the first capture leaves
    credit_account_id: int | None  # of store credit: what is given back goes there, at once
    created_at: datetime
    version: int
    sums: Sums
    transactions: tuple[Transaction, ...]

    @property
    def is_ours_to_move(self) -> bool:
        """Whether we have its service capture, give up and refund it, and it is there to do so."""
        return self.managed_by is ManagedBy.OMS and self.psp_reference is not None

    @property
    def back_minor(self) -> int:
        """What we have had it give back, or asked it to, less what came back again."""
        kinds = {TransactionType.REFUND: 1, TransactionType.REFUND_REVERSAL: -1}
        return sum(
            kinds.get(each.type, 0) * each.amount_minor for each in self.transactions
            if each.state is not TransactionState.FAILED
            and (each.source in {"oms", "till"} or each.type is TransactionType.REFUND_REVERSAL)
        )  # fmt: skip

    def capturable_minor(self, *, at: datetime) -> int:
        """Return what its service would capture now: nothing once the authorization is over."""
        is_over = self.authorized_until_at is not None and self.authorized_until_at <= at
        return 0 if is_over else self.sums.capturable
