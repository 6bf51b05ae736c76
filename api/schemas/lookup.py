"""What a store is shown of any store's and channel's orders."""

from datetime import date
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from api.paging import Limit
from api.schemas.common import Out, Words
from api.schemas.customers import PurchaseOut
from oms.customers.model import Purchase


class LookUpQuery(BaseModel):
    """What is known of an order: at least one thing, and all that is given must fit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    receipt: Annotated[Words | None, Field(description="what the receipt says, or its code")] = None
    number: Annotated[Words | None, Field(description="our number, or the channel's")] = None
    email: Words | None = None
    phone: Words | None = None
    name: Annotated[
        Words | None, Field(min_length=2, description="words of the name, or how they begin")
    ] = None
    limit: Limit = 20

    def asked(self) -> dict[str, str]:
        """Return what was given."""
        return self.model_dump(exclude={"limit"}, exclude_none=True)


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
