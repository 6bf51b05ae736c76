"""What a store is shown of any store's and channel's orders."""

from datetime import date
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from api.paging import Limit
from api.schemas.common import Out, Wire, Words
from api.schemas.customers import PurchaseOut
from oms.customers.model import Purchase


class KnownQuery(Wire):
    """What a store may know of an order; all that is given must fit."""

    number: Annotated[Words | None, Field(description="our number, or the channel's")] = None
    email: Words | None = None
    phone: Words | None = None
    name: Annotated[
        Words | None, Field(min_length=2, description="words of the name, or how they begin")
    ] = None
    limit: Limit = 20

    def asked(self) -> dict[str, str]:
        """Return what is known of the order."""
        return self.model_dump(mode="json", include=self.KNOWN, exclude_none=True)

    KNOWN: ClassVar[set[str]] = {"number", "email", "phone", "name"}


class LookUpQuery(KnownQuery):
    """What is known of an order: at least one thing, of a card and its day both."""

    receipt: Annotated[Words | None, Field(description="what the receipt says, or its code")] = None
    card_last4: Annotated[
        str | None,
        Field(pattern="^[0-9]{4}$", description="of the card it was paid with; with `placed_on`"),
    ] = None
    placed_on: Annotated[
        date | None, Field(description="the day it was bought on, where it was bought")
    ] = None

    KNOWN: ClassVar[set[str]] = {*KnownQuery.KNOWN, "receipt", "card_last4", "placed_on"}

    @model_validator(mode="after")
    def _card_has_a_day(self) -> Self:
        """Have four digits that many cards end with tell of one day's orders only."""
        if self.card_last4 is not None and self.placed_on is None:
            raise ValueError("card_last4 goes with placed_on")
        if self.placed_on is not None and self.asked().keys() == {"placed_on"}:
            raise ValueError("placed_on goes with something else that is known")
        return self


class CustomerHintOut(Out):
    """As much of a customer as tells two of them apart at a till."""

    initial: str | None
    city: str | None

    @classmethod
    def of(cls, purchase: Purchase) -> Self:
        """Write as much of whose purchase it is."""
        return cls(initial=purchase.customer_initial, city=purchase.customer_city)


class LookedUpOut(PurchaseOut):
    """An order as a store is shown it."""

    customer: CustomerHintOut

    @classmethod
    def of(cls, purchase: Purchase, *, today: date) -> Self:
        """Write an order as it is on a day."""
        hint = CustomerHintOut.of(purchase)
        return cls(**cls.values(purchase, today=today), customer=hint)
