"""Refunds: what is owed goes back by itself, what is more by two people, each part once."""

from datetime import datetime
from typing import Final

from oms.access.model import is_same_person
from oms.channels import queries as channels
from oms.kernel.errors import VersionConflict
from oms.ledger.database import Tx
from oms.orders import operations as orders
from oms.orders import queries as order_queries
from oms.payments import operations as payments
from oms.payments import queries as payment_queries
from oms.payments.model import TransactionType, total
from oms.refunds import operations, queries
from oms.refunds.model import (
    Preview,
    ReasonMissing,
    Refund,
    RefundAction,
    RefundExceeded,
    RefundKind,
    RefundState,
    SamePerson,
    StalePreview,
    reduced,
    spread,
    state_of,
)
from oms.returns import queries as returned
from oms.returns.model import Resolution, ReturnState
from oms.workflows import returns
from oms.workflows.returned import Doing

AUTOMATIC: Final = "refunds"


def preview(tx: Tx, number: str, kind: RefundKind, amount_minor: int | None) -> Preview:
    """Tell what a refund would come to; nothing is written.

    Without an amount it is all that is owed. Raises OrderNotFound, RefundExceeded.
    """
    order = order_queries.order(tx, number).summary
    known = payment_queries.ours_to_move(tx, order.order_id)
    owed = owed_minor(tx, order.order_id)
    most = sum(each.sums.refundable for each in known) - queries.waiting_minor(tx, order.order_id)
    if kind is RefundKind.OWED:
        most = min(most, owed)
    wanted = owed if amount_minor is None else amount_minor
    if not 0 < wanted <= most:
        raise RefundExceeded(max_minor=max(0, most), currency=order.currency)
    channel = channels.channel(tx, order.channel_code)
    policy = queries.policy_of(tx, channel.channel_id, kind)
    return Preview(
        kind=kind, amount_minor=wanted, currency=order.currency, owed_minor=owed, max_minor=most,
        tenders=tuple((each.payment_number, share) for each, share in spread(wanted, known)),
        needs_approval=not policy.lets_go(wanted),
    )  # fmt: skip


def owed_minor(tx: Tx, order_id: int) -> int:
    """Return what is owed back for an order and on no way back yet."""
    due, _ = payment_queries.owed_of(tx, [order_id])[order_id]
    known = payment_queries.of_order(tx, order_id)
    sums = total(each.sums for each in known)
    has = sums.captured - sums.charged_back - sums.refunded - sums.refunding
    kept = due.kept_minor(sums.captured)
    return max(0, has - kept - queries.waiting_minor(tx, order_id))


def compose(
    tx: Tx, number: str, kind: RefundKind, amount_minor: int | None, *, reason: str, cause: str,
    by: str, at: datetime, already_refunded_minor: int | None = None,
    approved_by: str | None = None,
) -> Refund:  # fmt: skip
    """Make a refund: let go at once, or kept until somebody else approves it, or has.

    The same cause again is the same refund. Raises as the preview does; ReasonMissing;
    StalePreview when more has gone back than its caller has seen.
    """
    order_id = order_queries.order(tx, number).summary.order_id
    orders.hold(tx, order_id)
    known = queries.of_cause(tx, order_id, cause)
    if known is not None:
        return known
    if kind is not RefundKind.OWED and not reason.strip():
        raise ReasonMissing
    if already_refunded_minor is not None:
        _refuse_stale(tx, order_id, already_refunded_minor)
    found = preview(tx, number, kind, amount_minor)
    is_waiting = found.needs_approval and approved_by is None
    state = RefundState.AWAITING_APPROVAL if is_waiting else RefundState.REQUESTED
    by_number = {each.payment_number: each for each in payment_queries.ours_to_move(tx, order_id)}
    made = operations.add(
        tx, order_id, kind, [(by_number[pay], amount) for pay, amount in found.tenders],
        state=state, currency=found.currency, reason=reason.strip(), cause=cause, by=by, at=at,
        decided_by=approved_by,
    )  # fmt: skip
    assert made is not None, "its cause has none: the order is held"
    refund = queries.refund(tx, made)
    _tell(tx, refund, state, by=by, at=at)
    if state is RefundState.REQUESTED:
        _ask(tx, refund, by=by, at=at)
    return queries.refund(tx, made)


def compose_by_hand(
    tx: Tx, number: str, kind: RefundKind, amount_minor: int | None, *, reason: str, by: str,
    at: datetime, already_refunded_minor: int | None,
) -> Refund:  # fmt: skip
    """Make a refund somebody asks for: each time it is another. Raises as `compose` does."""
    order_id = order_queries.order(tx, number).summary.order_id
    orders.hold(tx, order_id)
    return compose(
        tx, number, kind, amount_minor, reason=reason, by=by, at=at,
        cause=f"by hand:{queries.count_of(tx, order_id) + 1}",
        already_refunded_minor=already_refunded_minor,
    )  # fmt: skip


def act(
    tx: Tx, number: str, action: RefundAction, *, version: int, by: str, at: datetime
) -> Refund:
    """Approve, reject, cancel or retry a refund, as its state allows.

    Raises RefundNotFound, VersionConflict, WrongRefundState; SamePerson; RefundExceeded when
    what it is for is no longer there.
    """
    orders.hold(tx, queries.order_of(tx, number))
    held = queries.refund(tx, number)
    if held.version != version:
        raise VersionConflict(version=held.version, state=held.state)
    state = held.after(action)
    if action in {RefundAction.APPROVE, RefundAction.REJECT} and is_same_person(
        by, held.requested_by
    ):
        raise SamePerson
    if action is RefundAction.APPROVE:
        _spread_anew(tx, held)
    if action is RefundAction.RETRY:
        operations.try_again(tx, held)
    decided = by if action in {RefundAction.APPROVE, RefundAction.REJECT} else None
    operations.move(tx, held, state, at=at, decided_by=decided)
    moved = queries.refund(tx, number)
    _tell(tx, moved, state, by=by, at=at)
    if state is RefundState.REQUESTED:
        _ask(tx, moved, by=by, at=at)
    return queries.refund(tx, number)


def follow(tx: Tx, order_id: int, *, at: datetime) -> None:
    """Let the refunds of an order that is held follow its payments, and its returns those."""
    for refund in queries.followed(tx, order_id):
        state = state_of([each.state for each in refund.tenders])
        if state is not refund.state:
            operations.move(tx, refund, state, at=at)
            _tell(tx, refund, state, by=AUTOMATIC, at=at)
    _complete_returns(tx, order_id, at=at)


def give_back_owed(tx: Tx, order_id: int, *, at: datetime) -> None:
    """Begin a refund of what is owed for an order that is held and on no way back yet.

    What a person has decided against does not begin again by itself.
    """
    possible = sum(each.sums.refundable for each in payment_queries.ours_to_move(tx, order_id))
    back = min(
        owed_minor(tx, order_id) - queries.decided_against_minor(tx, order_id),
        possible - queries.waiting_minor(tx, order_id),
    )
    if back > 0:
        nth = queries.count_of(tx, order_id) + 1
        number = order_queries.number_of(tx, order_id)
        compose(
            tx, number, RefundKind.OWED, back, reason="owed", cause=f"owed:{nth}", by=AUTOMATIC,
            at=at,
        )  # fmt: skip


def _complete_returns(tx: Tx, order_id: int, *, at: datetime) -> None:
    """Note that the customer has what was owed for returns, once no more is kept than is due."""
    due, _ = payment_queries.owed_of(tx, [order_id])[order_id]
    sums = total(each.sums for each in payment_queries.of_order(tx, order_id))
    if not sums.refunded or sums.captured - sums.refunded > due.kept_minor(sums.captured):
        return
    for each in returned.of_order(tx, order_id):
        is_of_money = any(line.resolution is Resolution.REFUND for line in each.lines)
        if each.state is ReturnState.RESOLVED and is_of_money:
            doing = Doing(by=AUTOMATIC, at=at, actor_type="system")
            returns.complete(tx, each.return_number, doing)


def _refuse_stale(tx: Tx, order_id: int, seen_minor: int) -> None:
    known = payment_queries.of_order(tx, order_id)
    sums = total(each.sums for each in known)
    if sums.refunded + sums.refunding != seen_minor:
        raise StalePreview(already_refunded_minor=sums.refunded + sums.refunding)


def _spread_anew(tx: Tx, held: Refund) -> None:
    """Hold what was asked for to what is there now. Raises RefundExceeded."""
    operations.share(
        tx,
        held.refund_id,
        spread(held.amount_minor, payment_queries.ours_to_move(tx, held.order_id)),
    )


def _ask(tx: Tx, refund: Refund, *, by: str, at: datetime) -> None:
    """Ask payments for their parts; what is over or on its way is not asked for again.

    What is not owed makes lines cheaper from then on, which documents say (ADR 0034).
    """
    if refund.kind is not RefundKind.OWED:
        cheaper = reduced(
            refund.amount_minor, queries.line_values(tx, refund.order_id),
            is_of_shipping=refund.kind is RefundKind.SHIPPING,
        )  # fmt: skip
        operations.reduce_lines(tx, refund.refund_id, cheaper)
    for share in refund.tenders:
        if share.state is None:
            payment = payment_queries.payment(tx, share.payment_number)
            payments.request(
                tx, payment, TransactionType.REFUND, share.amount_minor,
                cause=f"{refund.refund_number}.{share.attempt}", by=by, at=at,
            )  # fmt: skip


def _tell(tx: Tx, refund: Refund, state: RefundState, *, by: str, at: datetime) -> None:
    data = {
        "refund": refund.refund_number, "kind": refund.kind, "amount_minor": refund.amount_minor,
        "currency": refund.currency, "reason": refund.reason,
    }  # fmt: skip
    orders.tell(
        tx, [(refund.order_id, f"refund.{state}", data)],
        actor_type="system" if by == AUTOMATIC else "user", actor=by, at=at,
    )  # fmt: skip
