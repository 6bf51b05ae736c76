"""Writes on settlements: a report taken in and matched, differences looked for and resolved.

A report is matched in the transaction that takes it in. Nothing it says changes a payment: what
differs is queued, and who resolves it says why.
"""

import hashlib
import json
from datetime import datetime
from typing import Final

from sqlalchemy import text

from oms.kernel.errors import VersionConflict
from oms.ledger.copying import copy_in
from oms.ledger.database import Tx
from oms.settlements import queries
from oms.settlements.model import (
    MISSING_AFTER,
    SIGNS,
    AlreadyResolved,
    Difference,
    DifferenceNotFound,
    DifferenceState,
    Report,
)
from oms.settlements.port import SETTLED, Layout
from oms.settlements.store import DRAFTS, SQL

_SIGNS: Final = json.dumps({kind.value: sign for kind, sign in SIGNS.items()})
# Without it the planner takes a table of many rows for one of few.
_LOOK_AT_DRAFTS: Final = text("analyze draft_settled, draft_free")


def take_in(
    tx: Tx, layout: Layout, content: bytes, *, psp: str, name: str, by: str, at: datetime
) -> tuple[Report, bool]:
    """Take in a service's report and match it; tell whether it is new: the same file is one.

    Raises Unreadable: nothing of a file is taken that cannot be read to its end.
    """
    digest = hashlib.sha256(content).hexdigest()
    known = SQL.run(tx, "known", psp=psp, digest=digest).scalar()
    if known is not None:
        return queries.report_by_id(tx, known), False
    settled = layout.read(content)
    SQL.run(tx, "cover", psp=psp, first_at=settled.first_at, at=at)
    # Who came with the same file meanwhile is done by now.
    known = SQL.run(tx, "known", psp=psp, digest=digest).scalar()
    if known is not None:
        return queries.report_by_id(tx, known), False
    report_id = SQL.run(
        tx, "add", psp=psp, layout=layout.name, file_name=name, digest=digest, content=content,
        size_bytes=len(content), rows_count=settled.rows_count, first_at=settled.first_at,
        last_at=settled.last_at, by=by, at=at,
    ).scalar_one()  # fmt: skip
    DRAFTS.clear(tx)
    copy_in(tx, "draft_settled", SETTLED, settled.rows)
    tx.execute(_LOOK_AT_DRAFTS)
    _match(tx, layout, report_id, psp, at=at)
    return queries.report_by_id(tx, report_id), True


def _match(tx: Tx, layout: Layout, report_id: int, psp: str, *, at: datetime) -> None:
    SQL.run(tx, "name_payments", psp=psp)
    SQL.run(tx, "find_by_reference", psp=psp)
    SQL.run(tx, "find_by_service", psp=psp)
    SQL.run(tx, "find_free", psp=psp)
    tx.execute(_LOOK_AT_DRAFTS)
    for is_exact in (True, False):
        for has_id in (True, False):
            SQL.run(tx, "find_by_payment", is_exact=is_exact, has_id=has_id)
    SQL.run(tx, "find_duplicates", psp=psp)
    SQL.run(tx, "match", report_id=report_id, psp=psp, signs=_SIGNS, shift_max=layout.shift_max)
    SQL.run(tx, "check_payouts", report_id=report_id)
    SQL.run(tx, "queue", report_id=report_id, signs=_SIGNS, at=at)
    SQL.run(tx, "end_missing", report_id=report_id, at=at)


def look_for_missing(tx: Tx, *, at: datetime) -> int:
    """Queue what we did and no report has told of in time; return how many that are."""
    found = SQL.run(tx, "look_for_missing", upto=at - MISSING_AFTER, signs=_SIGNS, at=at)
    return int(found.scalar_one())


def resolve(tx: Tx, number: str, reason: str, *, version: int, by: str, at: datetime) -> Difference:
    """Write down what explains a difference.

    Raises DifferenceNotFound, VersionConflict, AlreadyResolved.
    """
    held = SQL.run(tx, "hold_difference", number=number.upper()).one_or_none()
    if held is None:
        raise DifferenceNotFound
    if held.version != version:
        raise VersionConflict(version=held.version, state=held.state)
    if held.state == DifferenceState.RESOLVED:
        raise AlreadyResolved(state=held.state, allowed_actions=[])
    SQL.run(tx, "resolve", difference_id=held.difference_id, by=by, reason=reason, at=at)
    return queries.difference(tx, number)
