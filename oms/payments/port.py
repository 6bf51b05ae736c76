"""What moves money: a payment service provider (PSP), as payments know it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from oms.kernel.errors import OmsError
from oms.payments.model import TransactionState, TransactionType


class NotOurs(OmsError):
    """A notification that is not signed as its PSP signs, or is too old."""

    code = "NOT_AUTHENTICATED"


class NoAnswer(Exception):
    """The PSP did not answer, or not in a way that says what it did: it may have done it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An operation a PSP is asked for; under the same key it does it once."""

    key: str
    type: TransactionType
    amount_minor: int
    currency: str
    reference: str  # our transaction's number: it comes back in notifications
    parent_reference: str | None  # the PSP's, of the payment it is on; None to authorize anew
    token: str | None = None  # of the instrument, to authorize
    held_minor: int | None = None  # what the payment still holds, where it is known
    requested_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a PSP says became of an operation."""

    state: TransactionState
    psp_reference: str | None = None
    failure: str | None = None  # the PSP's own code
    # Said of the payment: whether its capture is the only one, and lets go of the rest; None: as
    # its PSP does.
    captures_once: bool | None = None
    authorized_until_at: datetime | None = None  # said of the payment, with its authorization
    psp_at: datetime | None = None  # when it says so by its own clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something a PSP tells by itself, with an identity of its own."""

    ref: str
    type: TransactionType
    answer: Answer
    amount_minor: int
    currency: str
    reference: str | None  # our transaction's number, where it was we who asked
    parent_reference: str | None  # the payment it is on
    is_last_word: bool = False  # its PSP cannot be asked: this is believed as an answer to it is


class Psp(Protocol):
    """A payment service provider."""

    @property
    def code(self) -> str:
        """Its name among ours."""
        ...

    @property
    def acknowledgment(self) -> str | None:
        """What it is to be told when its notifications are taken; None: how many they were."""
        ...

    @property
    def captures_once(self) -> bool:
        """Whether a payment of which nothing else is said is captured once, and the rest let go."""
        ...

    def execute(self, asked: Asked) -> Answer:
        """Do an operation, once per key. Raises NoAnswer when what it did is not known."""
        ...

    def find(self, asked: Asked) -> Answer | None:
        """Return what became of an operation; None when the PSP never heard of it.

        Raises NoAnswer.
        """
        ...

    def read(self, headers: Mapping[str, str], body: bytes, *, at: datetime) -> Sequence[Notice]:
        """Read a notification. Raises NotOurs for one the PSP did not sign, or long ago."""
        ...
