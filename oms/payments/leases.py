"""What payment services are to be asked, as one worker takes it up for a while, and keeps it."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from oms.ledger.database import Tx
from oms.payments.model import OPEN, TransactionState, TransactionType
from oms.payments.port import Asked
from oms.payments.store import LEASES, SQL

# For so long nobody else takes up operations that were taken up. Whoever is at them keeps them
# meanwhile, however long a service takes: what a killed one was at waits no longer than this.
LEASE: Final = timedelta(seconds=30)
# When a PSP is asked again that has not answered: at once, then ever later, but never so late that
# somebody waits for more than a minute once everything is up again.
_WAITS: Final = (0.5, 1, 2, 5, 10, 20, 30)
# Who waited so long in vain for a service, for so many operations one after the other, asks it
# nothing for a while: what others are to be asked does not stand behind it.
SILENT_SECONDS_MIN: Final = 5.0
SILENT_OPERATIONS_MIN: Final = 2
SILENT_SECONDS: Final = 20.0
# What is over elsewhere, but not told so far, is asked for this often.
_PENDING_WAIT: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """An operation that was taken up, and how its PSP is to be asked."""

    transaction_id: int
    psp: str
    claim: int
    is_first: bool  # the PSP was never asked
    is_over: bool  # it is only to be asked what became of it
    asked: Asked


@dataclass(slots=True)
class Silences:
    """Which services let a process wait in vain just now, whatever they are asked for.

    One operation that is never answered is its own trouble: the others of its service go on.
    """

    clock: Callable[[], float] = time.monotonic
    _missed: dict[str, set[int]] = field(default_factory=dict)
    _until: dict[str, float] = field(default_factory=dict)

    def now(self) -> list[str]:
        """Return the services that are asked nothing for the moment."""
        return [psp for psp, until in self._until.items() if self.clock() < until]

    def hear(self, psp: str) -> None:
        """Note that a service says something."""
        self._missed.pop(psp, None)
        self._until.pop(psp, None)

    def miss(self, due: Due, *, after_seconds: float) -> None:
        """Note that a service has said nothing of an operation, and how long it was waited for."""
        if after_seconds < SILENT_SECONDS_MIN:
            self.hear(due.psp)
            return
        missed = self._missed.setdefault(due.psp, set())
        missed.add(due.transaction_id)
        if len(missed) >= SILENT_OPERATIONS_MIN:
            self._until[due.psp] = self.clock() + SILENT_SECONDS


def take_due(tx: Tx, *, but: Sequence[str] = (), at: datetime, limit: int) -> list[Due]:
    """Take up operations whose time it is, for a while; none that is asked of some services."""
    rows = LEASES.run(tx, "take_due", but=list(but), at=at, limit=limit, lease_until=at + LEASE)
    return [
        Due(
            transaction_id=row.transaction_id, psp=row.psp, claim=row.claim,
            is_first=row.attempts == 1 and row.state == TransactionState.REQUESTED,
            is_over=TransactionState(row.state) not in OPEN,
            asked=Asked(
                key=row.idempotency_key, type=TransactionType(row.type), token=row.token,
                amount_minor=row.amount_minor, currency=row.currency,
                reference=row.transaction_number, parent_reference=row.parent_reference,
                held_minor=row.held_minor, requested_at=row.requested_at,
            ),
        )
        for row in rows
    ]  # fmt: skip


def keep(tx: Tx, due: Sequence[Due], *, at: datetime) -> int:
    """Go on having operations that were taken up; return how many nobody has taken up since."""
    claims = [{"transaction_id": each.transaction_id, "claim": each.claim} for each in due]
    kept = LEASES.run(tx, "keep", claims=json.dumps(claims), lease_until=at + LEASE)
    return len(kept.all())


def give_back(tx: Tx, due: Sequence[Due], *, at: datetime) -> None:
    """Let others take up at once what was taken up and not asked for: it is as it was before."""
    claims = [{"transaction_id": each.transaction_id, "claim": each.claim} for each in due]
    LEASES.run(tx, "give_back", claims=json.dumps(claims), at=at)


def know_services(tx: Tx, captures_once: Mapping[str, bool]) -> None:
    """Keep what payment services do with what is left of a payment: let go of it, or hold it."""
    told = [{"psp": psp, "captures_once": once} for psp, once in captures_once.items()]
    SQL.run(tx, "know_services", services=json.dumps(told))


def order_of(tx: Tx, transaction_id: int) -> int:
    """Return the order a transaction is of."""
    return int(SQL.run(tx, "order_of_transaction", transaction_id=transaction_id).scalar_one())


def next_try(state: TransactionState, attempts: int, *, at: datetime) -> datetime | None:
    """Return when a PSP is asked of an operation in a state next; None: it is over."""
    if state not in OPEN:
        return None
    if state is TransactionState.PENDING:
        return at + _PENDING_WAIT
    return at + timedelta(seconds=_WAITS[min(max(attempts, 1), len(_WAITS)) - 1])
