"""Money over the counter of a store, on the wire."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from api.schemas.common import MoneyOut, Out, Wire, Words
from api.schemas.refunds import RefundIn, RefundOut
from oms.refunds.model import BackIn, Visit, VisitState
from oms.workflows.counters import Wanted

ORDERS_MAX = 50


class VisitOut(Out):
    """What somebody got back at a till, for one order or several."""

    visit_number: str
    location_code: str
    back_in: BackIn
    state: Annotated[
        VisitState,
        Field(
            description="done: the customer has all of it; pending: a payment service gives back"
            " what came through it, look again or have the customer wait for their bank;"
            " awaiting_approval: somebody else lets it go first; failed: see which refund"
        ),
    ]
    given_by: str
    given_at: datetime
    override_reason: str | None
    refunds: list[RefundOut]
    cash: Annotated[
        MoneyOut | None, Field(description="what comes out of the drawer, in the coins there are")
    ]
    rounding: Annotated[
        MoneyOut | None, Field(description="of it, what is beyond the refunds, or less")
    ]

    @classmethod
    def of(cls, visit: Visit) -> Self:
        """Write a visit."""
        names = ("visit_number", "location_code", "back_in", "state", "given_by", "given_at",
                 "override_reason")  # fmt: skip
        cash = rounding = None
        if visit.cash:
            currency = visit.cash[0].currency
            cash = MoneyOut.of(visit.cash_minor, currency)
            rounding = MoneyOut.of(visit.rounding_minor, currency)
        return cls(
            **{name: getattr(visit, name) for name in names}, cash=cash, rounding=rounding,
            refunds=[RefundOut.of(each) for each in visit.refunds],
        )  # fmt: skip


class GivesBack(Wire):
    """Whatever has a till give money back."""

    override_reason: Annotated[
        Words | None,
        Field(
            description="why the channel's limits for money at a till do not count; takes the"
            " scope `refunds:override`"
        ),
    ] = None


class StoreRefundIn(RefundIn):
    """What somebody gets back for an order."""

    order_number: Words

    def wanted(self, currency: str) -> Wanted:
        """Return it as a value. Raises CurrencyDiffers, NotAnAmount, WrongLines."""
        return Wanted(
            order_number=self.order_number, draft=self.draft(currency), reason=self.reason
        )


class StoreRefundsPost(GivesBack):
    """What somebody gets back at a till on one visit, and in what."""

    back_in: BackIn
    refunds: Annotated[list[StoreRefundIn], Field(min_length=1, max_length=ORDERS_MAX)]
