"""Exchanges on the wire: what is wanted instead, and what it comes to."""

from typing import Annotated, Self

from pydantic import Field

from api.schemas.common import MoneyOut, Out, Wire, Words
from oms.adapters.channels.canonical.fields import Amount, NoteText
from oms.exchanges.model import Balance, Direction, Wanted
from oms.kernel.limits import QUANTITY_MAX

Units = Annotated[int, Field(strict=True, ge=1, le=QUANTITY_MAX)]
Text = Annotated[NoteText, Field(min_length=1)]


class ReturnPreviewOut(Out):
    """What a return would come to if all of it were accepted: its goods alone."""

    refund: MoneyOut
    store_credit: MoneyOut
    exchanged: Annotated[MoneyOut, Field(description="what pays for what is wanted")]
    wanted: Annotated[MoneyOut, Field(description="what that costs")]
    balance: Annotated[MoneyOut, Field(description="wanted less exchanged; negative: goes back")]
    direction: Direction

    @classmethod
    def of(cls, found: Balance) -> Self:
        """Write a preview."""
        names = [name for name in cls.model_fields if name != "direction"]
        return cls(direction=found.direction, **{
            name: MoneyOut.of(getattr(found, f"{name}_minor"), found.currency) for name in names
        })  # fmt: skip


class WantedIn(Wire):
    """What is wanted instead of what comes back."""

    sku: Words
    quantity: Annotated[Units | None, Field(description="left out: as many as come back")] = None
    unit_price: Annotated[
        Amount | None, Field(description="left out: what was paid for the same, or its price now")
    ] = None
    tax: Annotated[Amount | None, Field(description="on all of it; left out: at its rate")] = None
    price_reason: Annotated[Text | None, Field(description="why it costs that")] = None

    def value(self) -> Wanted:
        """Return it as a value."""
        return Wanted(
            sku=self.sku, quantity=self.quantity, unit_price=self.unit_price, tax=self.tax,
            reason=self.price_reason,
        )  # fmt: skip
