"""Payments on the wire."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import Field

from api.paging import Paging
from api.schemas.common import MoneyOut, Out, Wire, Words, values_of
from oms.adapters.channels.canonical.fields import Amount, Currency, Last4, Ref, TenderName
from oms.kernel.errors import Rejected
from oms.kernel.limits import AMOUNT_MINOR_MAX
from oms.kernel.money import NotAnAmount, exponent_of, minor_from_text
from oms.payments.model import (
    OrderPaymentState,
    Payment,
    PaymentDraft,
    PaymentState,
    Sums,
    Tender,
    Transaction,
    TransactionState,
    TransactionType,
    total,
)
from oms.payments.notices import Parked
from oms.payments.queries import Unfinished
from oms.payments.rules import Dues


class TransactionOut(Out):
    """One operation on a payment, and what became of it."""

    transaction_number: str
    type: TransactionType
    state: TransactionState
    amount: MoneyOut
    psp_reference: str | None
    source: Annotated[str, Field(description="who began it: oms, channel, psp or till")]
    cause: str
    failure: Annotated[str | None, Field(description="the payment service's code")]
    requested_at: datetime
    finished_at: datetime | None
    tender: Annotated[Tender | None, Field(description="what a till gave it back in")]
    location_code: Annotated[str | None, Field(description="of the till that gave it back")]
    rounding: Annotated[
        MoneyOut, Field(description="given beyond the amount, or less, for want of small coins")
    ]

    @classmethod
    def of(cls, done: Transaction) -> Self:
        """Write a transaction."""
        values = {name: getattr(done, name) for name in cls.model_fields if hasattr(done, name)}
        return cls(
            **values, amount=MoneyOut.of(done.amount_minor, done.currency),
            rounding=MoneyOut.of(done.rounding_minor, done.currency),
        )  # fmt: skip


class UnfinishedOut(TransactionOut):
    """An operation that is not known to be over, and whose it is."""

    payment_number: str
    order_number: str
    channel_code: str
    psp: str | None

    @classmethod
    def of_open(cls, found: Unfinished) -> Self:
        """Write an operation with whose it is."""
        return cls(
            **dict(TransactionOut.of(found.transaction)), payment_number=found.payment_number,
            order_number=found.order_number, channel_code=found.channel_code, psp=found.psp,
        )  # fmt: skip


class TransactionQuery(Paging):
    """Which operations to list: those that are not over, or that failed."""

    state: Annotated[
        list[Literal["requested", "pending", "unknown", "failed"]],
        Field(
            default_factory=list,
            max_length=4,
            description="repeat it for several; none: all that are not over. failed: captures and"
            " what was not given up, nobody having asked for it again",
        ),
    ]
    psp: Annotated[Words | None, Field(description="a payment service")] = None
    channel: Annotated[Words | None, Field(description="a channel's code")] = None


class NoticeOut(Out):
    """Something a payment service told of which nothing became."""

    psp: str
    ref: Annotated[str, Field(description="the service's id of the notice")]
    received_at: datetime
    waits: Annotated[bool, Field(description="it is applied once its payment is known here")]
    type: TransactionType
    state: TransactionState
    amount: MoneyOut
    payment_reference: Annotated[str | None, Field(description="the service's id of the payment")]
    psp_reference: Annotated[str | None, Field(description="the service's id of the operation")]
    reference: Annotated[str | None, Field(description="what we are said to have called it")]
    failure: str | None

    @classmethod
    def of(cls, found: Parked) -> Self:
        """Write a notice."""
        told = found.detail
        return cls(
            psp=found.psp, ref=found.ref, received_at=found.received_at, waits=found.waits,
            type=TransactionType(told["type"]), state=TransactionState(told["state"]),
            amount=MoneyOut.of(int(told["amount_minor"]), told["currency"]),
            payment_reference=told.get("parent_reference"),
            psp_reference=told.get("psp_reference"), reference=told.get("reference"),
            failure=told.get("failure"),
        )  # fmt: skip


class NoticeQuery(Paging):
    """Which notices to list."""

    psp: Annotated[Words | None, Field(description="a payment service")] = None


class PaymentOut(Out):
    """An instrument used on an order, and where its money is."""

    payment_number: str
    external_ref: str
    tender: Tender
    psp: str | None
    psp_reference: str | None
    managed_by: Annotated[str, Field(description="who captures, voids and refunds it")]
    brand: str | None
    last4: str | None
    state: PaymentState
    amount: Annotated[MoneyOut, Field(description="what it was meant for")]
    authorized: MoneyOut
    captured: MoneyOut
    capturing: Annotated[MoneyOut, Field(description="asked for and not known to be done")]
    voided: MoneyOut
    refunded: MoneyOut
    refunding: Annotated[MoneyOut, Field(description="asked for and not known to be done")]
    charged_back: MoneyOut
    capturable: MoneyOut
    refundable: MoneyOut
    authorized_until_at: datetime | None
    captures_once: Annotated[
        bool, Field(description="its service lets go of what the first capture leaves")
    ]
    location_code: str | None
    created_at: datetime
    version: Annotated[int, Field(description="what `If-Match` is to say")]
    transactions: list[TransactionOut]

    @classmethod
    def of(cls, payment: Payment) -> Self:
        """Write a payment."""
        values: dict[str, Any] = values_of(payment)
        kept: dict[str, Any] = {name: values[name] for name in cls.model_fields if name in values}
        kept["transactions"] = [TransactionOut.of(each) for each in payment.transactions]
        kept |= {
            name: MoneyOut.of(getattr(payment.sums, name), payment.currency)
            for name in cls.model_fields
            if hasattr(payment.sums, name)
        }
        return cls(**kept, amount=MoneyOut.of(payment.amount_minor, payment.currency))


class BalanceOut(Out):
    """How an order is paid: what it comes to, and what was taken for it."""

    payment_state: OrderPaymentState
    due: Annotated[MoneyOut, Field(description="after all that was canceled and returned")]
    authorized: MoneyOut
    captured: MoneyOut
    refunded: MoneyOut
    balance: Annotated[MoneyOut, Field(description="due less what is kept; negative: owed back")]

    @classmethod
    def of(cls, state: OrderPaymentState, due: Dues, sums: Sums, currency: str) -> Self:
        """Write how an order is paid."""
        return cls(
            payment_state=state, due=MoneyOut.of(due.due_minor, currency),
            authorized=MoneyOut.of(sums.authorized - sums.voided, currency),
            captured=MoneyOut.of(sums.captured, currency),
            refunded=MoneyOut.of(sums.refunded, currency),
            balance=MoneyOut.of(due.due_minor - sums.captured + sums.refunded, currency),
        )  # fmt: skip


class PaymentsOut(BalanceOut):
    """How an order is paid, with every payment."""

    payments: list[PaymentOut]

    @classmethod
    def of_order(
        cls, state: OrderPaymentState, due: Dues, payments: Sequence[Payment], currency: str
    ) -> Self:
        """Write the payments of an order."""
        sums = total(each.sums for each in payments)
        balance = BalanceOut.of(state, due, sums, currency)
        return cls(**dict(balance), payments=[PaymentOut.of(each) for each in payments])


class SumIn(Wire):
    """A sum of money, or none: a decimal text, never a number."""

    amount: Amount
    currency: Currency

    def minor(self) -> int:
        """Return it in minor units. Raises UnknownCurrency, NotAnAmount."""
        exponent = exponent_of(self.currency)
        if len(self.amount.partition(".")[2]) > exponent:
            raise NotAnAmount(f"{self.currency} has {exponent} decimals")
        minor = minor_from_text(self.amount, self.currency)
        if minor > AMOUNT_MINOR_MAX:
            raise NotAnAmount("an amount of money has its limit")
        return minor


class MoneyIn(SumIn):
    """An amount of money: more than nothing."""

    def minor(self) -> int:
        """Return it in minor units. Raises UnknownCurrency, NotAnAmount."""
        minor = super().minor()
        if not minor:
            raise NotAnAmount("an amount of money is more than nothing")
        return minor


class TokenNeeded(Rejected):
    """A payment at a payment service needs the token of its instrument."""

    code = "VALIDATION"


class CodeMisplaced(Rejected):
    """A code is of a payment with store credit, and of no other."""

    code = "VALIDATION"


class PaymentPost(Wire):
    """A payment: at a payment service by a token, or taken at a till."""

    external_ref: Annotated[Ref, Field(description="the caller's id of it: the same is the same")]
    tender: TenderName
    amount: MoneyIn
    psp: Annotated[
        Ref | None, Field(description="the payment service; left out: a till has the money")
    ] = None
    token: Annotated[Ref | None, Field(description="of the instrument, never its number")] = None
    credit_code: Annotated[
        Words | None, Field(description="of store credit: it is paid at once, and nobody is asked")
    ] = None
    brand: Words | None = None
    last4: Last4 | None = None
    location_code: Annotated[Ref | None, Field(description="where the till is")] = None

    def draft(self) -> PaymentDraft:
        """Return it as a value.

        Raises TokenNeeded, CodeMisplaced, NotAnAmount, UnknownCurrency.
        """
        if (self.psp is None) is not (self.token is None):
            raise TokenNeeded
        if self.credit_code is not None and (self.psp or self.tender != Tender.STORE_CREDIT.value):
            raise CodeMisplaced
        return PaymentDraft(
            tender=Tender(self.tender), amount_minor=self.amount.minor(), psp=self.psp,
            currency=self.amount.currency, external_ref=self.external_ref, token=self.token,
            brand=self.brand, last4=self.last4, location_code=self.location_code,
        )  # fmt: skip


class PaymentActionPost(Wire):
    """Something that is done with a payment at its service."""

    action: Literal["capture", "void"]
    amount: Annotated[MoneyIn | None, Field(description="left out: all there is")] = None


class NoticesOut(Out):
    """What became of what a payment service told."""

    outcomes: list[Literal["applied", "ignored", "external", "parked"]]
