"""Store credit as values: accounts, their entries, and the codes they are spent by."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from oms.kernel.errors import Conflict, NotFound, Rejected

# What payments and operations in store credit have in the place of a payment service: none is
# asked, and none settles them.
SERVICE: Final = "store_credit"
# Without what is taken for something else when it is read out: 78 bits.
_ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_CHARACTERS: Final = 16
# What is given back to an account that is over may be spent for so long.
GRACE: Final = timedelta(days=30)


class EntryKind(StrEnum):
    """What changed the balance of an account."""

    ISSUED = "issued"
    REDEEMED = "redeemed"
    RESTORED = "restored"  # a payment with it was given back
    WITHDRAWN = "withdrawn"  # an exchange had no use for it: it went back to where it came from
    EXPIRED = "expired"
    CORRECTED = "corrected"


class CreditNotFound(NotFound):
    """There is no such store credit."""

    code = "CREDIT_NOT_FOUND"


class CreditExceeded(Conflict):
    """The store credit does not have that much left."""

    code = "CREDIT_EXCEEDED"


class CreditExpired(Conflict):
    """The store credit's time is over."""

    code = "CREDIT_EXPIRED"


class CreditBound(Conflict):
    """Store credit of an exchange pays for its order only."""

    code = "CREDIT_BOUND"


class NotLowered(Rejected):
    """A correction takes some of a balance away: more of it is given by a refund."""

    code = "NOT_LOWERED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What a retailer owes to whoever has its code."""

    account_id: int
    account_number: str
    code: str
    order_id: int
    order_number: str
    channel_code: str
    pays_order_id: int | None
    currency: str
    balance_minor: int
    expires_at: datetime | None
    created_at: datetime
    changed_at: datetime
    version: int

    @property
    def shown_code(self) -> str:
        """Its code as people read it."""
        parts = range(0, len(self.code), 4)
        return "-".join(self.code[start : start + 4] for start in parts)

    def refuse(self, amount_minor: int, order_id: int, *, at: datetime) -> None:
        """Refuse to pay so much for an order with it.

        Raises CreditBound, CreditExpired, CreditExceeded.
        """
        if self.pays_order_id not in {None, order_id}:
            raise CreditBound
        if self.expires_at is not None and self.expires_at <= at:
            raise CreditExpired
        if amount_minor > self.balance_minor:
            raise CreditExceeded(max_minor=self.balance_minor, currency=self.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What changed a balance, and to what."""

    entry_no: int
    kind: EntryKind
    amount_minor: int
    balance_minor: int
    cause: str
    order_number: str | None
    reason: str | None
    recorded_by: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is to change a balance: once per cause."""

    kind: EntryKind
    amount_minor: int
    cause: str
    order_id: int | None
    by: str
    reason: str | None = None


def new_code() -> str:
    """Return a code nobody can guess."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(CODE_CHARACTERS))


def read_code(text: str) -> str:
    """Return a code as it is kept, however somebody wrote it."""
    return "".join(each for each in text.upper() if each.isalnum())
