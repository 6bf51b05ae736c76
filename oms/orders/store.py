"""Orders in the database: the staging of a batch, and its writing."""

import itertools
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import text

from oms.kernel.cards import mask_cards
from oms.ledger.copying import copy_in
from oms.ledger.database import Tx
from oms.ledger.scratch import Scratch
from oms.ledger.statements import Statements
from oms.orders.model import (
    CHANGE_DRAFT,
    GROUP_DRAFT,
    LINE_DRAFT,
    ORDER_DRAFT,
    OWN_CHANGE_DRAFT,
    OWN_LINE_DRAFT,
    Captured,
    Outcome,
)
from oms.orders.tables import DRAFT_TABLES

SQL: Final = Statements(Path(__file__).with_name("capture.sql"))

ANALYZE_BYTES_MIN: Final = 32 * 1024
ANALYZE_ROWS_MIN: Final = 200

_SCRATCH: Final = Scratch(DRAFT_TABLES)
_DRAFTS: Final = {
    "orders": ("draft_orders", ORDER_DRAFT),
    "lines": ("draft_lines", LINE_DRAFT),
    "groups": ("draft_groups", GROUP_DRAFT),
    "changes": ("draft_changes", CHANGE_DRAFT),
    "own_changes": ("draft_changes", OWN_CHANGE_DRAFT),
    "own_lines": ("draft_own_lines", OWN_LINE_DRAFT),
}


# Documents of ours that say what lines shall be; all that do.
_IS_OWN: Final = "position in (select position from draft_own_lines)"
_HAS_LINES: Final = f"(is_partial is not true or {_IS_OWN})"


def load(tx: Tx, drafts: Mapping[str, bytes]) -> None:
    """Put a batch of drafts into this connection's draft tables, which hold nothing else."""
    _SCRATCH.clear(tx)
    for name, (table, columns) in _DRAFTS.items():
        copy_in(tx, table, columns, drafts.get(name, b""))
    # The planner knows nothing of temporary tables it was not told about; for a few rows its
    # guess is good and looking costs more than it saves.
    if len(drafts.get("orders", b"")) > ANALYZE_BYTES_MIN:
        for table, _ in _DRAFTS.values():
            tx.execute(text(f"analyze {table}"))


def object_to(tx: Tx, problems: Sequence[tuple[int, str, str, str]]) -> None:
    """Note what somebody else finds wrong with loaded documents: they go no further."""
    if problems:
        names = ("position", "field", "code", "detail")
        told = [dict(zip(names, problem, strict=True)) for problem in problems]
        SQL.run(tx, "object", problems=json.dumps(told))
        SQL.run(tx, "reject_marked")


def stage(
    tx: Tx, *, channel_id: int, currencies: list[str], time_zone: str, inbox_id: int | None,
    at: datetime,
) -> None:  # fmt: skip
    """Decide what becomes of each document, and put what shall be written beside it."""
    if SQL.run(tx, "mark_unusable", currencies=currencies).rowcount:
        SQL.run(tx, "reject_marked")
    # Each round refuses a document at least, and the last one none.
    for number in itertools.count(1):
        _stage_round(
            tx, number, channel_id=channel_id, time_zone=time_zone, inbox_id=inbox_id, at=at
        )
        refused = SQL.run(tx, "mark_impossible", round=number).rowcount
        if not refused:
            break
        if refused > ANALYZE_ROWS_MIN:
            tx.execute(text("analyze draft_orders, draft_problems"))
        for name in ("unclaim", "unstage_lines", "unstage_changes", "take_again"):
            SQL.run(tx, name)
    if _some(tx, f"outcome = 'updated' and {_HAS_LINES}"):
        SQL.run(tx, "stage_corrections")
    if _some(tx, "canceled_at is not null"):
        SQL.run(tx, "stage_cancellations")
    SQL.run(tx, "drop_repeated")


def _stage_round(
    tx: Tx, number: int, *, channel_id: int, time_zone: str, inbox_id: int | None, at: datetime
) -> None:
    """Claim or find the order of each document not judged so far; stage its lines and changes."""
    SQL.run(tx, "drop_superseded")
    claimed = SQL.run(
        tx, "claim_new", channel_id=channel_id, time_zone=time_zone, inbox_id=inbox_id, at=at
    ).rowcount
    if _some(tx, "outcome is null"):
        claimed += SQL.run(tx, "lock_known", channel_id=channel_id).rowcount
        SQL.run(tx, "follow_new")
        SQL.run(tx, "mark_orphans")
    if claimed > ANALYZE_ROWS_MIN:
        # What became of the documents so far: what follows asks for it, and joins by it.
        tx.execute(text("analyze draft_orders"))
    staged = SQL.run(tx, "stage_new_lines", round=number).rowcount
    if _some(tx, "outcome = 'updated'"):
        staged += SQL.run(tx, "stage_known_lines", round=number).rowcount
    if _some(tx, f"outcome = 'updated' and {_IS_OWN}"):
        staged += SQL.run(tx, "stage_own_lines", round=number).rowcount
    if staged > ANALYZE_ROWS_MIN:
        tx.execute(text("analyze staged_lines"))
    changes = SQL.run(tx, "stage_changes", round=number, at=at).rowcount
    if changes > ANALYZE_ROWS_MIN:
        tx.execute(text("analyze staged_changes"))


def _some(tx: Tx, condition: str) -> bool:
    """Tell whether some draft order meets a condition, so that idle statements are left out."""
    query = text(f"select exists (select from draft_orders where {condition})")  # noqa: S608 - ours
    return bool(tx.execute(query).scalar())


def write(tx: Tx, *, time_zone: str, actor_type: str, actor: str, at: datetime) -> None:
    """Write what was staged: lines, their events, the story, the roll-ups."""
    SQL.run(tx, "write_groups")
    SQL.run(tx, "write_lines")
    SQL.run(tx, "write_sales", time_zone=time_zone, at=at)
    SQL.run(tx, "tell_captured", actor_type=actor_type, actor=actor, at=at)
    if _some(tx, "note is not null"):
        _mask_cards(tx)
        SQL.run(tx, "add_notes", actor=actor)
    is_updating = _some(tx, "outcome = 'updated'")
    if is_updating:
        SQL.run(tx, "edit_lines")
        SQL.run(tx, "write_headers")
        SQL.run(tx, "write_own_totals")
    changes = SQL.run(tx, "write_changes", time_zone=time_zone).rowcount
    if is_updating or changes:
        SQL.run(tx, "write_echoes")
        SQL.run(tx, "fold_changes")
        SQL.run(tx, "tell_changes", actor_type=actor_type, actor=actor, at=at)
        SQL.run(tx, "fold_orders", at=at)
    SQL.run(tx, "flag_totals", at=at)


def _mask_cards(tx: Tx) -> None:
    """Keep the numbers of payment cards out of what came with new orders."""
    for row in SQL.run(tx, "list_numbers").all():
        masked = mask_cards(row.note)
        if masked != row.note:
            SQL.run(tx, "mask_note", position=row.position, note=masked)


def outcomes(tx: Tx) -> list[Captured]:
    """Return what became of each document of the batch, in their order."""
    return [
        Captured(
            position=row.position,
            external_ref=row.external_ref,
            outcome=Outcome(row.outcome),
            order_number=row.order_number,
            problems=tuple((field, code, detail) for field, code, detail in row.problems or ()),
        )
        for row in SQL.run(tx, "outcomes")
    ]
