"""Refunds on the wire."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Final, Self

from pydantic import Field

from api.paging import Paging
from api.schemas.common import MoneyOut, Out, Wire, Words, values_of
from api.schemas.payments import MoneyIn, SumIn
from oms.payments.model import CurrencyDiffers, TransactionState
from oms.refunds.model import (
    NEXT,
    Occasion,
    PaidAs,
    Preview,
    Reduction,
    Refund,
    RefundAction,
    RefundDraft,
    RefundKind,
    RefundState,
    TenderShare,
    WrongLines,
)

_OFF_NOTHING: Final = frozenset({RefundState.REJECTED, RefundState.CANCELED})


class ShareOut(Out):
    """What of a refund goes back to one payment."""

    payment_number: str
    amount: MoneyOut
    state: Annotated[TransactionState | None, Field(description="null: not asked for")]
    failure: Annotated[str | None, Field(description="the payment service's code")]
    is_reversed: Annotated[bool, Field(description="it went back, and was returned")]
    is_given_up: Annotated[bool, Field(description="nobody is to pay it any more")]

    @classmethod
    def of(cls, share: TenderShare, currency: str) -> Self:
        """Write a part of a refund."""
        return cls(
            payment_number=share.payment_number, state=share.state, failure=share.failure,
            amount=MoneyOut.of(share.amount_minor, currency), is_reversed=share.is_reversed,
            is_given_up=share.is_given_up,
        )  # fmt: skip


class CheaperOut(Out):
    """What a refund that is not owed takes off the price of a line."""

    line_no: Annotated[int, Field(description="0: shipping")]
    net: MoneyOut
    tax: MoneyOut

    @classmethod
    def of(cls, line: Reduction, currency: str) -> Self:
        """Write what a line costs less."""
        return cls(
            line_no=line.line_no, net=MoneyOut.of(line.net_minor, currency),
            tax=MoneyOut.of(line.tax_minor, currency),
        )  # fmt: skip


class RefundOut(Out):
    """Money that goes back for an order, and how far it is."""

    refund_number: str
    order_number: str
    channel_code: str
    kind: RefundKind
    state: RefundState
    amount: MoneyOut
    reason: str
    requested_by: str
    decided_by: Annotated[str | None, Field(description="who approved or rejected it")]
    paid_as: PaidAs
    credit_number: Annotated[
        str | None,
        Field(description="the store credit it was paid to; its code is asked for there"),
    ]
    created_at: datetime
    changed_at: datetime
    occasion: Annotated[Occasion | None, Field(description="what it is owed for")]
    visit_number: Annotated[str | None, Field(description="of the visit to a till it is of")]
    version: Annotated[int, Field(description="what `If-Match` is to say")]
    tenders: list[ShareOut]
    cheaper: Annotated[
        list[CheaperOut],
        Field(
            description="the lines that cost less by it, or will: none of what is owed, nor of what"
            " waits and names none"
        ),
    ]
    allowed_actions: list[RefundAction]

    @classmethod
    def of(cls, refund: Refund) -> Self:
        """Write a refund."""
        values = {name: value for name, value in values_of(refund).items()
                  if name in cls.model_fields and name not in {"tenders", "cheaper"}}  # fmt: skip
        return cls(
            **values, amount=MoneyOut.of(refund.amount_minor, refund.currency),
            tenders=[ShareOut.of(each, refund.currency) for each in refund.tenders],
            cheaper=[] if refund.state in _OFF_NOTHING else [
                CheaperOut.of(each, refund.currency) for each in refund.cheaper
            ],
            allowed_actions=sorted(NEXT[refund.state]),
        )  # fmt: skip


class PreviewTenderOut(Out):
    """What would go back to one payment."""

    payment_number: str
    amount: MoneyOut


class PreviewOut(Out):
    """What a refund would come to."""

    kind: RefundKind
    paid_as: PaidAs
    amount: MoneyOut
    owed: Annotated[MoneyOut, Field(description="owed back now, and on no way back yet")]
    owed_after: Annotated[MoneyOut, Field(description="owed back still once it has gone")]
    stays: Annotated[
        MoneyOut, Field(description="paid, and not given back with it and all that waits")
    ]
    maximum: MoneyOut
    occasion: Annotated[Occasion | None, Field(description="what it is owed for")]
    tenders: list[PreviewTenderOut]
    cheaper: Annotated[
        list[CheaperOut],
        Field(
            description="the lines that would cost less, with the tax in it; none of what is owed"
        ),
    ]
    needs_approval: bool

    @classmethod
    def of(cls, found: Preview) -> Self:
        """Write a preview."""
        currency = found.currency
        return cls(
            kind=found.kind, paid_as=found.paid_as, occasion=found.occasion,
            amount=MoneyOut.of(found.amount_minor, currency),
            owed=MoneyOut.of(found.owed_minor, currency),
            owed_after=MoneyOut.of(found.owed_after_minor, currency),
            stays=MoneyOut.of(found.stays_minor, currency),
            maximum=MoneyOut.of(found.max_minor, currency),
            needs_approval=found.needs_approval or found.beyond is not None,
            tenders=[
                PreviewTenderOut(payment_number=number, amount=MoneyOut.of(amount, currency))
                for number, amount in found.tenders
            ],
            cheaper=[CheaperOut.of(each, currency) for each in found.cheaper],
        )  # fmt: skip


class OffLine(Wire):
    """What of goodwill is off the price of a line."""

    line_no: Annotated[int, Field(ge=1, le=32_767)]
    amount: Annotated[MoneyIn, Field(description="with the tax in it")]


class RefundIn(Wire):
    """What somebody is to get back."""

    kind: RefundKind = RefundKind.OWED
    amount: Annotated[
        MoneyIn | None, Field(description="left out: what its lines come to, or all that is owed")
    ] = None
    lines: Annotated[
        list[OffLine],
        Field(
            default_factory=list,
            description="what of goodwill is off which line; none: of all, by what they come to",
            max_length=1000,
        ),
    ]
    reason: Annotated[Words, Field(description="for what is not owed", max_length=500)] = ""

    def draft(self, currency: str) -> RefundDraft:
        """Return what is asked for. Raises CurrencyDiffers, NotAnAmount, WrongLines."""
        lines = {each.line_no: _of(each.amount, currency) for each in self.lines}
        if len(lines) < len(self.lines):
            raise WrongLines
        return RefundDraft(
            kind=self.kind, lines=lines,
            amount_minor=None if self.amount is None else _of(self.amount, currency),
        )  # fmt: skip


class RefundPost(RefundIn):
    """A refund to make, or to look at first."""

    paid_as: Annotated[
        PaidAs, Field(description="money goes back as it was paid; store credit is ours")
    ] = PaidAs.MONEY
    already_refunded: Annotated[
        SumIn | None, Field(description="what its caller has seen gone back; refused if not so")
    ] = None

    def draft(self, currency: str) -> RefundDraft:
        """Return what is asked for. Raises CurrencyDiffers, NotAnAmount, WrongLines."""
        return replace(super().draft(currency), paid_as=self.paid_as)

    def seen_minor(self, currency: str) -> int | None:
        """Return what was seen gone back. Raises CurrencyDiffers, NotAnAmount."""
        return None if self.already_refunded is None else _of(self.already_refunded, currency)


def _of(amount: SumIn, currency: str) -> int:
    if amount.currency != currency:
        raise CurrencyDiffers
    return amount.minor()


class RefundActionPost(Wire):
    """Something that is done with a refund."""

    action: RefundAction
    reason: Annotated[
        Words, Field(description="why what failed after some went back is given up", max_length=500)
    ] = ""
    payment_number: Annotated[
        Words | None, Field(description="the `other_tender`; left out: the order's others in turn")
    ] = None


class RefundQuery(Paging):
    """Which refunds to list."""

    state: Annotated[
        list[RefundState],
        Field(default_factory=list, description="repeat it for several; none: all", max_length=20),
    ]
    channel: Annotated[Words | None, Field(description="a channel's code")] = None
    kind: RefundKind | None = None
    order: Annotated[Words | None, Field(description="an order's number")] = None
