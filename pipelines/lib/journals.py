"""Where changes come from: the ledger's journal, as loading reads it."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from sqlalchemy import text

from oms.ledger import journal
from oms.ledger.database import Ledger, Tx
from oms.ledger.journal import Journaled


class Reading(Protocol):
    """One moment of the ledger."""

    @property
    def horizon(self) -> int:
        """The transaction below which everything has ended."""
        ...

    def copy(self, journaled: Journaled, *, after: int, to: BinaryIO) -> int:
        """Copy the rows written from `after` up to the horizon as CSV; return their number."""
        ...

    def has(self, journaled: Journaled, *, after: int) -> bool:
        """Tell whether rows were written from `after` up to the horizon."""
        ...

    def count_orders(self) -> int:
        """Count the orders there are."""
        ...

    def orders_beyond(self) -> set[int]:
        """Return the orders written by transactions at or past the horizon."""
        ...


class Journal(Protocol):
    """Something that can be read at one moment."""

    def reading(self) -> AbstractContextManager[Reading]:
        """Open one moment. Raises LedgerAway when the ledger cannot be reached."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _LedgerReading:
    tx: Tx
    horizon: int

    def copy(self, journaled: Journaled, *, after: int, to: BinaryIO) -> int:
        return journal.copy_changes(self.tx, journaled, after=after, upto=self.horizon, to=to)

    def has(self, journaled: Journaled, *, after: int) -> bool:
        return journal.has_changes(self.tx, journaled, after=after, upto=self.horizon)

    def count_orders(self) -> int:
        return int(self.tx.execute(text("select count(*) from orders")).scalar_one())

    def orders_beyond(self) -> set[int]:
        rows = self.tx.execute(
            text("select order_id from orders where changed_xid >= cast(:horizon as xid8)"),
            {"horizon": str(self.horizon)},
        )
        return {int(row.order_id) for row in rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerJournal:
    """The journal of a ledger."""

    ledger: Ledger

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """Open one moment of the ledger. Raises LedgerAway when it cannot be reached."""
        with self.ledger.snapshot() as tx:
            yield _LedgerReading(tx=tx, horizon=journal.horizon(tx))
