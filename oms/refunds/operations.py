"""Writes on refunds: added with their parts, moved on, followed. Whoever does holds the order."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

from oms.kernel.errors import VersionConflict
from oms.ledger.database import Tx
from oms.payments.model import Payment
from oms.refunds.batches import (
    Batch,
    BatchNotFound,
    Row,
    RowDraft,
    RowNotOpen,
    RowState,
    Seen,
)
from oms.refunds.model import Policy, Reduction, Refund, RefundKind, RefundState
from oms.refunds.store import BATCHES, SQL


def add(
    tx: Tx, order_id: int, kind: RefundKind, shares: Sequence[tuple[Payment, int]], *,
    state: RefundState, currency: str, reason: str, cause: str, by: str, at: datetime,
    decided_by: str | None = None,
) -> str | None:  # fmt: skip
    """Add a refund with what goes back to which payment; None when its cause has one."""
    made = SQL.run(
        tx, "add", order_id=order_id, kind=kind.value, state=state.value, currency=currency,
        amount_minor=sum(amount for _, amount in shares), reason=reason, cause=cause, by=by, at=at,
        decided_by=decided_by,
    ).one_or_none()  # fmt: skip
    if made is None:
        return None
    share(tx, made.refund_id, shares)
    return str(made.refund_number)


def share(tx: Tx, refund_id: int, shares: Sequence[tuple[Payment, int]]) -> None:
    """Say anew what of a refund goes back to which payments."""
    SQL.run(tx, "unshare", refund_id=refund_id)
    parts = [
        {"payment_id": payment.payment_id, "amount_minor": amount} for payment, amount in shares
    ]
    SQL.run(tx, "share", refund_id=refund_id, shares=json.dumps(parts))


def reduce_lines(tx: Tx, refund_id: int, lines: Sequence[Reduction]) -> None:
    """Say what a refund takes off the price of which lines; what was said stays."""
    SQL.run(tx, "reduce", refund_id=refund_id, lines=json.dumps(list(map(asdict, lines))))


def move(
    tx: Tx, moved: Refund, state: RefundState, *, at: datetime, decided_by: str | None = None
) -> None:
    """Write the next state of a refund. Raises VersionConflict."""
    done = SQL.run(
        tx, "move", refund_id=moved.refund_id, version=moved.version, state=state.value,
        decided_by=decided_by, at=at,
    )  # fmt: skip
    if done.rowcount != 1:
        raise VersionConflict


def try_again(tx: Tx, refund: Refund) -> None:
    """Let what failed of a refund be asked for once more."""
    SQL.run(tx, "again", refund_id=refund.refund_id, number=refund.refund_number)


def set_policy(tx: Tx, channel_id: int | None, kind: RefundKind, policy: Policy) -> None:
    """Say how a channel, or every other, lets a kind of refund go."""
    SQL.run(
        tx, "set_policy", channel_id=channel_id, kind=kind.value, mode=policy.mode.value,
        limit_minor=policy.limit_minor,
    )  # fmt: skip


def add_batch(
    tx: Tx, name: str, rows: Sequence[RowDraft], *, channel_codes: Collection[str] | None, by: str,
    at: datetime,
) -> str:  # fmt: skip
    """Add a batch with its rows, and return its number."""
    codes = None if channel_codes is None else sorted(channel_codes)
    made = BATCHES.run(tx, "add_batch", title=name, channel_codes=codes, by=by, at=at).one()
    put_rows(tx, made.batch_id, dict(enumerate(rows, start=1)))
    return str(made.batch_number)


def hold_batch(tx: Tx, number: str) -> None:
    """Hold a batch: whoever changes it or its rows does so first. Raises BatchNotFound."""
    if BATCHES.run(tx, "hold_batch", number=number.upper()).one_or_none() is None:
        raise BatchNotFound


def take_batch(tx: Tx) -> str | None:
    """Hold the first batch there is something to do for that nobody else holds."""
    found: str | None = BATCHES.run(tx, "take_batch").scalar()
    return found


def move_batch(tx: Tx, batch: Batch, *, at: datetime) -> None:
    """Write what a batch that is held has come to. Raises VersionConflict."""
    done = BATCHES.run(
        tx, "move_batch", batch_id=batch.batch_id, version=batch.version, state=batch.state.value,
        digest=batch.digest, edited_by=batch.edited_by, submitted_by=batch.submitted_by,
        approved_by=batch.approved_by, at=at,
    )  # fmt: skip
    if done.rowcount != 1:
        raise VersionConflict


def put_rows(tx: Tx, batch_id: int, rows: Mapping[int, RowDraft]) -> None:
    """Write rows of a batch by their numbers. Raises RowNotOpen for one that is paid."""
    written = [{"row_no": row_no, **asdict(row)} for row_no, row in rows.items()]
    done = BATCHES.run(tx, "put_rows", batch_id=batch_id, rows=json.dumps(written))
    if done.rowcount != len(rows):
        raise RowNotOpen


def remove_rows(tx: Tx, batch_id: int, numbers: Collection[int]) -> None:
    """Take rows out of a batch. Raises RowNotOpen for one that is paid or not there."""
    done = BATCHES.run(tx, "remove_rows", batch_id=batch_id, numbers=sorted(numbers))
    if done.rowcount != len(set(numbers)):
        raise RowNotOpen


def open_rows(tx: Tx, batch_id: int, *, is_retry: bool = False) -> None:
    """Have every row looked at anew that is not paid."""
    BATCHES.run(tx, "open_rows", batch_id=batch_id, is_retry=is_retry)


def judge(
    tx: Tx, batch_id: int, row: Row, state: RowState, *, code: str | None = None,
    seen: Seen | None = None, refund_number: str | None = None,
) -> None:  # fmt: skip
    """Write what a look at a row has found, or what became of it."""
    BATCHES.run(
        tx, "judge", batch_id=batch_id, row_no=row.row_no, state=state.value, code=code,
        seen=None if seen is None else json.dumps(asdict(seen)), refund_number=refund_number,
    )  # fmt: skip
