"""How settlement reports are read: a layout for each kind of file."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

# The columns of the draft table, in the order layouts write them.
SETTLED: Final = (
    "row_no", "entry_ref", "payout_ref", "type", "psp_reference", "payment_reference",
    "reference", "currency", "amount_minor", "net_currency", "fee_minor", "net_minor",
    "occurred_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """The rows of a report, as CSV of the draft table."""

    rows: bytes
    rows_count: int
    first_at: datetime | None
    last_at: datetime | None


class Layout(Protocol):
    """A kind of file payment services report in."""

    @property
    def name(self) -> str:
        """Its name among ours."""
        ...

    @property
    def shift_max(self) -> timedelta:
        """How far its times may be from when an operation was done."""
        ...

    def read(self, content: bytes) -> Settled:
        """Read a file. Raises Unreadable with every row that cannot be, and why."""
        ...
