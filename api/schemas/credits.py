"""Store credit on the wire."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from api.paging import Paging
from api.schemas.common import MoneyOut, Out, Wire, Words, values_of
from api.schemas.payments import SumIn
from oms.adapters.channels.canonical.fields import NoteText
from oms.credits.model import Account, Entry, EntryKind
from oms.payments.model import CurrencyDiffers


class CreditOut(Out):
    """What a retailer owes to whoever has its code."""

    credit_number: str
    code: Annotated[str, Field(description="who has it may spend it")]
    order_number: Annotated[str, Field(description="it was given for")]
    channel_code: str
    balance: MoneyOut
    is_of_exchange: Annotated[bool, Field(description="it pays for an exchange's order only")]
    expires_at: datetime | None
    created_at: datetime
    changed_at: datetime
    version: Annotated[int, Field(description="what `If-Match` is to say")]

    @classmethod
    def of(cls, account: Account) -> Self:
        """Write an account."""
        values = {name: value for name, value in values_of(account).items()
                  if name in cls.model_fields}  # fmt: skip
        return cls(**values | {
            "credit_number": account.account_number, "code": account.shown_code,
            "balance": MoneyOut.of(account.balance_minor, account.currency),
            "is_of_exchange": account.pays_order_id is not None,
        })  # fmt: skip


class CreditEntryOut(Out):
    """What changed a balance, and to what."""

    entry_no: int
    kind: EntryKind
    amount: Annotated[MoneyOut, Field(description="negative: it is less since")]
    balance: Annotated[MoneyOut, Field(description="after it")]
    cause: str
    order_number: str | None
    reason: str | None
    recorded_by: str
    recorded_at: datetime

    @classmethod
    def of(cls, entry: Entry, currency: str) -> Self:
        """Write an entry."""
        values = {name: value for name, value in values_of(entry).items()
                  if name in cls.model_fields}  # fmt: skip
        return cls(
            **values, amount=MoneyOut.of(entry.amount_minor, currency),
            balance=MoneyOut.of(entry.balance_minor, currency),
        )  # fmt: skip


class CreditDetailOut(CreditOut):
    """A store credit with its first entries; the rest is in pages."""

    entries: list[CreditEntryOut]

    @classmethod
    def of_all(cls, account: Account, entries: Sequence[Entry]) -> Self:
        """Write an account with its entries."""
        return cls(
            **dict(CreditOut.of(account)),
            entries=[CreditEntryOut.of(each, account.currency) for each in entries],
        )


class CreditQuery(Paging):
    """Which store credits to list."""

    order: Annotated[Words | None, Field(description="the order it was given for")] = None
    customer: Annotated[
        int | None, Field(ge=1, le=2**62, description="whose orders it was given for")
    ] = None
    channel: Annotated[Words | None, Field(description="a channel's code")] = None


class CreditLookup(Wire):
    """A code somebody shows."""

    code: Annotated[Words, Field(description="however it is written")]


class CreditCorrection(Wire):
    """What a balance shall be instead, and why."""

    balance: SumIn
    reason: Annotated[NoteText, Field(min_length=1)]

    def minor(self, currency: str) -> int:
        """Return it in minor units. Raises CurrencyDiffers, NotAnAmount."""
        if self.balance.currency != currency:
            raise CurrencyDiffers
        return self.balance.minor()
