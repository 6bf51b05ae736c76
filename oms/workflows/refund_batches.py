"""Refunds in bulk: looked at row by row, let go by somebody else, made one after the other.

Whoever changes a batch holds it, and the worker holds it for one step: some rows of a dry run, or
the refund of one row with what became of it, in one transaction. Killed anywhere, it goes on with
the row it was at, whose refund is made or is not.
"""

import logging
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from oms.access.model import is_same_person
from oms.kernel.errors import OmsError, Unavailable, VersionConflict
from oms.ledger.database import Tx, ends_transaction
from oms.orders import operations as orders
from oms.orders import queries as order_queries
from oms.orders.model import OrderNotFound
from oms.payments.model import CurrencyDiffers
from oms.refunds import operations, queries
from oms.refunds.batches import (
    DECIDING,
    EDITABLE,
    ROWS_MAX,
    Batch,
    BatchAction,
    BatchState,
    NothingEligible,
    OrderTwice,
    Row,
    RowDraft,
    RowState,
    Seen,
    Step,
    TooManyRows,
    WrongBatchState,
    end_of,
)
from oms.refunds.model import (
    Hand,
    Refund,
    RefundAction,
    RefundDraft,
    RefundExceeded,
    RefundKind,
    RefundState,
    SamePerson,
    StalePreview,
)
from oms.workflows import refund_previews, refunds

log = logging.getLogger("oms.refunds")

LOOKED_AT_MAX: Final = 50
# A row that fails in a way nobody foresaw is tried so often, with a rest of its batch between.
TRIES_MAX: Final = 3
REST: Final = timedelta(seconds=5)
UNFORESEEN: Final = "INTERNAL"


def make(
    tx: Tx, name: str, rows: Sequence[RowDraft], *, channel_codes: Collection[str] | None, by: str,
    at: datetime,
) -> Batch:  # fmt: skip
    """Make a batch of what is asked for; nothing of it is looked at. Raises TooManyRows."""
    if not 0 < len(rows) <= ROWS_MAX:
        raise TooManyRows(max=ROWS_MAX)
    number = operations.add_batch(tx, name, rows, channel_codes=channel_codes, by=by, at=at)
    return queries.batch(tx, number)


def edit(
    tx: Tx, number: str, *, put: Sequence[tuple[int | None, RowDraft]], remove: Collection[int],
    version: int, by: str, at: datetime,
) -> Batch:  # fmt: skip
    """Change, add and remove rows; what was found and agreed on is void.

    Raises BatchNotFound, VersionConflict, WrongBatchState, RowNotOpen, TooManyRows.
    """
    held = _held(tx, number, version)
    if held.state not in EDITABLE:
        raise WrongBatchState(state=held.state, editable_in=sorted(EDITABLE))
    operations.remove_rows(tx, held.batch_id, remove)
    _, last = queries.size_of(tx, held.batch_id)
    new = [row for row_no, row in put if row_no is None]
    rows = {row_no: row for row_no, row in put if row_no is not None}
    operations.put_rows(tx, held.batch_id, rows | dict(enumerate(new, start=last + 1)))
    count, _ = queries.size_of(tx, held.batch_id)
    if not 0 < count <= ROWS_MAX:
        raise TooManyRows(max=ROWS_MAX)
    operations.move_batch(tx, replace(_undone(held, BatchState.DRAFT), edited_by=by), at=at)
    return queries.batch(tx, number)


def act(
    tx: Tx, number: str, action: BatchAction, *, digest: str | None, version: int, by: str,
    at: datetime, role: str | None = None,
) -> Batch:  # fmt: skip
    """Move a batch on, as its state allows.

    Raises BatchNotFound, VersionConflict, WrongBatchState; NothingEligible; SamePerson;
    StalePreview when what was seen is not what the batch holds.
    """
    held = _held(tx, number, version)
    moved = replace(held, state=held.after(action))
    if action in DECIDING and any(
        is_same_person(by, name) for name in (held.submitted_by, held.edited_by) if name
    ):
        raise SamePerson
    if action is BatchAction.APPROVE:
        if digest != held.digest or digest != queries.digest_of(tx, held.batch_id):
            raise StalePreview(digest=held.digest)
        moved = replace(moved, approved_by=by, approved_role=role)
    if action is BatchAction.SUBMIT:
        if not queries.rows(tx, held.batch_id, states=[RowState.ELIGIBLE], limit=1)[0]:
            raise NothingEligible
        moved = replace(moved, submitted_by=by)
    if moved.state in {BatchState.DRAFT, BatchState.VALIDATING}:
        moved = _undone(held, moved.state)
    if action in {BatchAction.VALIDATE, BatchAction.RETRY}:
        operations.open_rows(tx, held.batch_id, is_retry=action is BatchAction.RETRY)
    operations.move_batch(tx, moved, at=at)
    return queries.batch(tx, number)


def go_on(tx: Tx, *, at: datetime) -> bool:
    """Do the next step of a batch: look at some rows, or pay one; tell whether there was any."""
    number = operations.take_batch(tx, at=at)
    if number is None:
        return False
    batch = queries.batch(tx, number)
    if batch.state is BatchState.VALIDATING:
        _look(tx, batch, at=at)
    else:
        _pay_next(tx, batch, at=at)
    return True


def _held(tx: Tx, number: str, version: int) -> Batch:
    operations.hold_batch(tx, number)
    held = queries.batch(tx, number)
    if held.version != version:
        raise VersionConflict(version=held.version, state=held.state)
    return held


def _undone(held: Batch, state: BatchState) -> Batch:
    return replace(held, state=state, digest=None, submitted_by=None, approved_by=None,
                   approved_role=None)  # fmt: skip


def _look(tx: Tx, batch: Batch, *, at: datetime) -> None:
    """Look at some rows; when none is left the dry run is over."""
    found, _ = queries.rows(tx, batch.batch_id, states=[RowState.OPEN], limit=LOOKED_AT_MAX)
    for row in found:
        seen: Seen | None = None
        code: str | None = None
        try:
            with tx.begin_nested():
                seen = _seen(tx, batch, row)
        except Unavailable:
            raise
        except OmsError as error:
            code = error.code
        except Exception as error:
            log.exception("%s row %s", batch.batch_number, row.row_no)
            if _is_tried_again(tx, batch, row, error, at=at):
                continue
            code = UNFORESEEN
        state = RowState.REFUSED if seen is None else RowState.ELIGIBLE
        operations.judge(tx, batch.batch_id, row, state, code=code, seen=seen)
    if not found:
        digest = queries.digest_of(tx, batch.batch_id)
        operations.move_batch(tx, replace(batch, state=BatchState.VALIDATED, digest=digest), at=at)


def _seen(tx: Tx, batch: Batch, row: Row) -> Seen:
    """Return what a row comes to now.

    Raises OrderTwice, OrderNotFound, CurrencyDiffers, RefundExceeded, WrongRefundState.
    """
    if row.is_twice:
        raise OrderTwice
    order = order_queries.order(tx, row.order_number).summary
    if batch.channel_codes is not None and order.channel_code not in batch.channel_codes:
        raise OrderNotFound
    if row.currency not in {None, order.currency}:
        raise CurrencyDiffers
    if row.refund_number is not None:
        return _again(queries.refund(tx, row.refund_number))
    if row.kind is RefundKind.OWED:
        waiting = _waiting(tx, order.order_id)
        if waiting is not None:
            return _leave(waiting, row.amount_minor)
    draft = RefundDraft(kind=row.kind, amount_minor=row.amount_minor)
    found = refund_previews.preview(tx, row.order_number, draft)
    return Seen(
        step=Step.MAKE, amount_minor=found.amount_minor, max_minor=found.max_minor,
        currency=found.currency, tenders=found.tenders,
    )  # fmt: skip


def _again(refund: Refund) -> Seen:
    """Return what of a refund failed and may be asked for once more."""
    refund.after(RefundAction.RETRY)
    parts = tuple((each.payment_number, each.amount_minor) for each in refund.dead)
    amount = sum(amount for _, amount in parts)
    return Seen(
        step=Step.RETRY, amount_minor=amount, max_minor=amount, currency=refund.currency,
        tenders=parts, refund_number=refund.refund_number,
    )  # fmt: skip


def _waiting(tx: Tx, order_id: int) -> Refund | None:
    """Return the refund of what is owed for an order that waits for somebody's leave."""
    states = (RefundState.AWAITING_APPROVAL,)
    number = order_queries.number_of(tx, order_id)
    sought = queries.Sought(states=states, kind=RefundKind.OWED, order_number=number)
    found, _ = queries.page(tx, sought, after=0, limit=1)
    return found[0] if found else None


def _leave(waiting: Refund, amount_minor: int | None) -> Seen:
    """Return what goes back by approving a refund: all of it, or nothing."""
    if amount_minor not in {None, waiting.amount_minor}:
        raise RefundExceeded(max_minor=waiting.amount_minor, currency=waiting.currency)
    return Seen(
        step=Step.APPROVE, amount_minor=waiting.amount_minor, max_minor=waiting.amount_minor,
        currency=waiting.currency, refund_number=waiting.refund_number,
        tenders=waiting.parts,
    )  # fmt: skip


def _pay_next(tx: Tx, batch: Batch, *, at: datetime) -> None:
    """Pay the next row, or end a batch of which every row is over."""
    found, _ = queries.rows(tx, batch.batch_id, states=[RowState.ELIGIBLE], limit=1)
    if not found:
        end = end_of(queries.totals(tx, batch.batch_id))
        operations.move_batch(tx, replace(batch, state=end), at=at)
        return
    if batch.state is BatchState.APPROVED:
        operations.move_batch(tx, replace(batch, state=BatchState.EXECUTING), at=at)
    (row,) = found
    number: str | None = None
    code: str | None = None
    try:
        with tx.begin_nested():
            number = _paid(tx, batch, row, at=at).refund_number
        state = RowState.DONE
    except Unavailable:
        raise
    except StalePreview as error:
        state, code = RowState.STALE, str(error.facts.get("because", error.code))
    except OmsError as error:
        state, code = RowState.FAILED, error.code
    except Exception as error:
        log.exception("%s row %s", batch.batch_number, row.row_no)
        if _is_tried_again(tx, batch, row, error, at=at):
            return
        state, code = RowState.FAILED, UNFORESEEN
    operations.judge(tx, batch.batch_id, row, state, code=code, seen=row.seen, refund_number=number)


def _is_tried_again(tx: Tx, batch: Batch, row: Row, error: Exception, *, at: datetime) -> bool:
    """Note that a row failed in a way nobody foresaw; tell whether it has tries left.

    Raises what is of the transaction and not of the row.
    """
    if ends_transaction(error):
        raise error
    return operations.try_later(tx, batch.batch_id, row, tries_max=TRIES_MAX, resumes_at=at + REST)


def _paid(tx: Tx, batch: Batch, row: Row, *, at: datetime) -> Refund:
    """Pay a row as it was seen. Raises StalePreview when it would be anything else now."""
    assert row.seen is not None, "it is eligible"
    assert batch.submitted_by is not None, "it is approved"
    assert batch.approved_by is not None, "it is approved"
    orders.hold(tx, order_queries.order(tx, row.order_number).summary.order_id)
    try:
        now = _seen(tx, batch, row)
    except Unavailable:
        raise
    except OmsError as error:
        raise StalePreview(because=error.code) from error
    if now != row.seen:
        raise StalePreview
    if now.refund_number is not None:
        action = RefundAction.RETRY if now.step is Step.RETRY else RefundAction.APPROVE
        held = queries.refund(tx, now.refund_number)
        done = refunds.act(
            tx, held.refund_number, action, version=held.version, by=batch.approved_by, at=at,
            role=batch.approved_role,
        )  # fmt: skip
        if now.step is Step.APPROVE and done.parts != now.tenders:
            raise StalePreview  # its payments have not what was seen any more
        return done
    draft = RefundDraft(kind=row.kind, amount_minor=now.amount_minor)
    return refunds.compose(
        tx, row.order_number, draft, reason=row.reason, at=at,
        cause=f"batch:{batch.batch_number}:{row.row_no}", by=batch.submitted_by,
        hand=Hand(name=batch.approved_by, role=batch.approved_role, at=at),
    )  # fmt: skip
