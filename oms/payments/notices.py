"""What payment services tell, as it is kept: each once, and what became of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from oms.ledger.database import Tx
from oms.payments.store import NOTICES


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A notice as it was kept."""

    psp: str
    ref: str
    detail: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """A notice of which nothing became, and since when."""

    notice_id: int
    psp: str
    ref: str
    received_at: datetime
    waits: bool  # for a payment nobody knows
    detail: Mapping[str, str]


def is_known(tx: Tx, psp: str, ref: str) -> bool:
    """Tell whether a PSP has told this before."""
    return NOTICES.run(tx, "known_notice", psp=psp, notice_ref=ref).scalar() is not None


def keep(
    tx: Tx, psp: str, ref: str, *, outcome: str, waits: bool, detail: Mapping[str, Any],
    at: datetime,
) -> None:  # fmt: skip
    """Keep what a PSP has told, and what became of it: nothing as long as it waits."""
    NOTICES.run(
        tx, "note", psp=psp, notice_ref=ref, outcome=outcome, waits=waits,
        detail=json.dumps(detail), at=at,
    )  # fmt: skip


def take_waiting(tx: Tx) -> tuple[int | None, Sequence[Kept]]:
    """Take up the notices of one order that waited for its payment, as they happened."""
    rows = NOTICES.run(tx, "waiting").all()
    if not rows:
        return None, ()
    first: int = rows[0].order_id
    return first, [
        Kept(psp=row.psp, ref=row.notice_ref, detail=row.detail)
        for row in rows if row.order_id == first
    ]  # fmt: skip


def resolve(tx: Tx, psp: str, ref: str, *, outcome: str, at: datetime) -> None:
    """Write what became of a notice that waited."""
    NOTICES.run(tx, "resolve", psp=psp, notice_ref=ref, outcome=outcome, at=at)


def parked(tx: Tx, *, psp: str | None, after: int, limit: int) -> tuple[list[Parked], int | None]:
    """Return notices of which nothing became, oldest first, and where the next page begins."""
    rows = NOTICES.run(tx, "parked", psp=psp, after=after, limit=limit + 1).all()
    found = [
        Parked(
            notice_id=row.notice_id, psp=row.psp, ref=row.notice_ref, detail=row.detail,
            received_at=row.received_at, waits=row.waits_for_payment,
        )
        for row in rows[:limit]
    ]  # fmt: skip
    return found, found[-1].notice_id if len(rows) > limit else None
