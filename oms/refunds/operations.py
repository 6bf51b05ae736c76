"""Writes on refunds: added with their parts, moved on, followed. Whoever does holds the order."""

import json
from collections import Counter
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
from oms.refunds.model import BackIn, Preview, Reduction, Refund, RefundState
from oms.refunds.rules import Rules, given_again
from oms.refunds.store import BATCHES, SQL


def add(
    tx: Tx, order_id: int, found: Preview, shares: Sequence[tuple[Payment, int]], *,
    state: RefundState, reason: str, cause: str, by: str, at: datetime,
    decided_by: str | None = None, visit_id: int | None = None,
) -> str | None:  # fmt: skip
    """Add a refund as it was previewed, with what goes back to which payment.

    Lines are cheaper by it from when it is let go, which documents say (ADR 0034); until then it
    is known off which lines it is to be where somebody has named them.
    Returns its number; None when its cause has a refund.
    """
    made = SQL.run(
        tx, "add", order_id=order_id, kind=found.kind.value, state=state.value,
        currency=found.currency, amount_minor=sum(amount for _, amount in shares), reason=reason,
        cause=cause, by=by, at=at, decided_by=decided_by, visit_id=visit_id,
        paid_as=found.paid_as.value,
        occasion=None if found.occasion is None else found.occasion.value,
    ).one_or_none()  # fmt: skip
    if made is None:
        return None
    share(tx, made.refund_id, shares)
    if state is RefundState.REQUESTED or found.is_named:
        reduce_lines(tx, made.refund_id, found.cheaper)
    return str(made.refund_number)


def name_account(tx: Tx, refund_id: int, account_id: int) -> None:
    """Note the account of store credit a refund is paid to."""
    SQL.run(tx, "name_account", refund_id=refund_id, account_id=account_id)


def share(tx: Tx, refund_id: int, shares: Sequence[tuple[Payment, int]]) -> None:
    """Say anew what of a refund goes back to which payments."""
    SQL.run(tx, "unshare", refund_id=refund_id)
    parts = [
        {"payment_id": payment.payment_id, "amount_minor": amount} for payment, amount in shares
    ]
    SQL.run(tx, "share", refund_id=refund_id, shares=json.dumps(parts))


def reduce_lines(tx: Tx, refund_id: int, lines: Sequence[Reduction]) -> None:
    """Say anew what a refund takes off the price of which lines."""
    SQL.run(tx, "unreduce", refund_id=refund_id)
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


def hold_person(tx: Tx, person: str) -> None:
    """Hold what somebody lets go: after the order, so that nobody waits for who waits for them."""
    SQL.run(tx, "hold_person", person=person)


def release(tx: Tx, refund_id: int, person: str, *, at: datetime) -> None:
    """Note who has let a refund go: it counts against their limits."""
    SQL.run(tx, "release", refund_id=refund_id, person=person, at=at)


def pay_instead(tx: Tx, refund_id: int, shares: Sequence[tuple[int, int]]) -> None:
    """Have parts of payments, by their ids, stand in the place of what failed or came back."""
    ended = SQL.run(tx, "end_dead", refund_id=refund_id, ended="replaced").all()
    given = Counter[int]()
    for each in ended:
        if each.was_given:
            given[each.payment_id] += int(each.amount_minor)
    again = given_again(shares, given)
    for parts, is_for_reversed in ((again.first, False), (again.anew, True)):
        told = [{"payment_id": payment_id, "amount_minor": minor} for payment_id, minor in parts]
        SQL.run(
            tx, "instead", refund_id=refund_id, shares=json.dumps(told),
            is_for_reversed=is_for_reversed,
        )  # fmt: skip


def give_up(tx: Tx, refund: Refund, *, is_rest: bool) -> int:
    """Give up what failed or came back of a refund, and return how much; what went back stays."""
    ended = SQL.run(tx, "end_dead", refund_id=refund.refund_id, ended="given_up").all()
    amount = sum(int(each.amount_minor) for each in ended)
    if is_rest:
        SQL.run(tx, "lower", refund_id=refund.refund_id, amount_minor=amount)
    return amount


def revive(tx: Tx, order_id: int) -> list[str]:
    """Count what was given up of an order's refunds and arrived all the same; return whose."""
    return list(SQL.run(tx, "revive", order_id=order_id).scalars())


def set_rules(
    tx: Tx, channel_id: int | None, rules: Rules, *, version_no: int, reason: str, by: str,
    at: datetime,
) -> None:  # fmt: skip
    """Say how a channel, or every other, gives money back: a version after the one that was seen.

    Raises VersionConflict when somebody else has said something since.
    """
    last = SQL.run(tx, "versions", channel_id=channel_id, limit=1).one_or_none()
    now = 0 if last is None else last.version_no
    made = None if now != version_no else SQL.run(
        tx, "set_rules", channel_id=channel_id, version_no=version_no + 1,
        rules=json.dumps(rules.kept()), reason=reason, by=by, at=at,
    ).scalar()  # fmt: skip
    if made is None:
        raise VersionConflict(version=now)


def add_visit(
    tx: Tx, location_code: str, back_in: BackIn, *, override_reason: str | None, by: str,
    at: datetime,
) -> int:  # fmt: skip
    """Note that somebody gets money back at a till; return its id."""
    return int(SQL.run(
        tx, "add_visit", location_code=location_code, back_in=back_in.value,
        override_reason=override_reason, by=by, at=at,
    ).scalar_one())  # fmt: skip


def drop_visit(tx: Tx, visit_id: int) -> None:
    """Forget a visit of which nothing was given back."""
    SQL.run(tx, "drop_visit", visit_id=visit_id)


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


def take_batch(tx: Tx, *, at: datetime) -> str | None:
    """Hold the first batch there is something to do for that nobody else holds."""
    found: str | None = BATCHES.run(tx, "take_batch", at=at).scalar()
    return found


def move_batch(tx: Tx, batch: Batch, *, at: datetime) -> None:
    """Write what a batch that is held has come to. Raises VersionConflict."""
    done = BATCHES.run(
        tx, "move_batch", batch_id=batch.batch_id, version=batch.version, state=batch.state.value,
        digest=batch.digest, edited_by=batch.edited_by, submitted_by=batch.submitted_by,
        approved_by=batch.approved_by, approved_role=batch.approved_role, at=at,
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


def try_later(tx: Tx, batch_id: int, row: Row, *, tries_max: int, resumes_at: datetime) -> bool:
    """Have a row tried again, others before it; False when it had its tries."""
    tries = BATCHES.run(
        tx, "try_later", batch_id=batch_id, row_no=row.row_no, tries_max=tries_max,
        resumes_at=resumes_at,
    ).scalar_one()  # fmt: skip
    return int(tries) < tries_max


def judge(
    tx: Tx, batch_id: int, row: Row, state: RowState, *, code: str | None = None,
    seen: Seen | None = None, refund_number: str | None = None,
) -> None:  # fmt: skip
    """Write what a look at a row has found, or what became of it."""
    BATCHES.run(
        tx, "judge", batch_id=batch_id, row_no=row.row_no, state=state.value, code=code,
        seen=None if seen is None else json.dumps(asdict(seen)), refund_number=refund_number,
    )  # fmt: skip
