"""Refunds: what is owed goes back by itself, what is more by two people, each part once."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from oms.access.model import is_same_person
from oms.channels import queries as channels
from oms.exchanges import queries as exchanges
from oms.exchanges.model import Exchange
from oms.kernel.errors import VersionConflict
from oms.ledger.database import Tx
from oms.orders import operations as orders
from oms.orders import queries as order_queries
from oms.payments import operations as payments
from oms.payments import queries as payment_queries
from oms.payments.model import Payment, PaymentNotFound, Tender, TransactionType, total
from oms.refunds import operations, queries
from oms.refunds.model import (
    Hand,
    Occasion,
    PaidAs,
    Preview,
    ReasonMissing,
    Reduction,
    Refund,
    RefundAction,
    RefundExceeded,
    RefundKind,
    RefundState,
    SamePerson,
    StalePreview,
    spread,
    state_of,
)
from oms.refunds.rules import Counter, policy_of, reduced
from oms.returns import queries as returned
from oms.returns.model import Resolution, Return, ReturnState
from oms.workflows import refund_caps, refund_limits, returns, store_credit
from oms.workflows.exchanges import IN_KIND
from oms.workflows.returned import Doing

AUTOMATIC: Final = "refunds"
# What is over when the customer has what was owed.
OF_MONEY: Final = frozenset({Resolution.REFUND, Resolution.STORE_CREDIT})


def preview(
    tx: Tx, number: str, kind: RefundKind, amount_minor: int | None,
    paid_as: PaidAs = PaidAs.MONEY, *, counter: Counter | None = None, hand: Hand | None = None,
    occasion: Occasion | None = None,
) -> Preview:  # fmt: skip
    """Tell what a refund would come to; nothing is written. Of nobody's hand no limits count.

    Without an amount it is all that is owed. Raises OrderNotFound, RefundExceeded.
    """
    order = order_queries.order(tx, number).summary
    known = _payable(tx, order.order_id, counter)
    owed = refund_caps.owed_minor(tx, order.order_id)
    most = sum(each.sums.refundable for each in known) - queries.waiting_minor(tx, order.order_id)
    if kind is RefundKind.OWED:
        most = min(most, owed)
    if kind is RefundKind.SHIPPING:
        most = min(most, refund_caps.shipping_minor(tx, order.order_id))
    wanted = owed if amount_minor is None else amount_minor
    if not 0 < wanted <= most:
        raise RefundExceeded(max_minor=max(0, most), currency=order.currency)
    said = queries.rules_of(tx, channels.channel(tx, order.channel_code).channel_id)
    if kind is RefundKind.OWED and occasion is None:
        occasion = queries.by_occasion(tx, order.order_id, wanted)[0][0]
    policy = policy_of(said, kind, occasion)
    return Preview(
        kind=kind, paid_as=paid_as, amount_minor=wanted, currency=order.currency,
        owed_minor=owed, max_minor=most,
        tenders=tuple((each.payment_number, share) for each, share in spread(wanted, known)),
        needs_approval=not policy.lets_go(wanted, order.currency), occasion=occasion,
        beyond=None if hand is None else refund_limits.beyond_of(
            tx, order.order_id, wanted, order.currency, hand, said=said),
        cheaper=tuple(_cheaper(tx, order.order_id, kind, wanted)),
    )  # fmt: skip


def _cheaper(tx: Tx, order_id: int, kind: RefundKind, amount_minor: int) -> list[Reduction]:
    """Return which lines a refund makes cheaper: what is owed for goods makes none so."""
    if kind is RefundKind.OWED:
        return []
    values = queries.line_values(tx, order_id)
    return reduced(amount_minor, values, is_of_shipping=kind is RefundKind.SHIPPING)


def _payable(tx: Tx, order_id: int, counter: Counter | None) -> list[Payment]:
    """Return the payments money can be given back from, in the order it is taken from."""
    if counter is None:
        return payment_queries.ours_to_move(tx, order_id)
    return counter.payable(payment_queries.of_order(tx, order_id))


def _parts(
    tx: Tx, order_id: int, found: Preview, counter: Counter | None
) -> list[tuple[Payment, int]]:
    """Return what of a refund that was previewed goes back to which payment."""
    known = {each.payment_number: each for each in _payable(tx, order_id, counter)}
    return [(known[number], amount) for number, amount in found.tenders]


def compose(
    tx: Tx, number: str, kind: RefundKind, amount_minor: int | None, *, reason: str, cause: str,
    by: str, at: datetime, hand: Hand | None = None, counter: Counter | None = None,
    occasion: Occasion | None = None, paid_as: PaidAs = PaidAs.MONEY,
) -> Refund:  # fmt: skip
    """Make a refund: let go at once, or kept until somebody else approves it, or has.

    What is beyond the limits of whose hand lets it go waits for somebody else, too; it is nobody's
    where a rule does. The hand of somebody else than who asks is their approval. The same cause
    again is the same refund. Raises as the preview does; ReasonMissing; at a till CashLimited,
    LeaveNeeded and LimitExceeded.
    """
    order_id = order_queries.order(tx, number).summary.order_id
    orders.hold(tx, order_id)
    known = queries.of_cause(tx, order_id, cause)
    if known is not None:
        return known
    if kind is not RefundKind.OWED and not reason.strip():
        raise ReasonMissing
    refund_limits.hold(tx, hand)
    found = preview(
        tx, number, kind, amount_minor, paid_as, counter=counter, hand=hand, occasion=occasion
    )
    approved_by = None if hand is None or hand.name == by else hand.name
    is_waiting = found.beyond is not None or (found.needs_approval and approved_by is None)
    if counter is not None:
        parts = _parts(tx, order_id, found, counter)
        is_waiting = refund_limits.waits_at(tx, counter, number, parts, found)
    made = add(
        tx, order_id, found, is_waiting=is_waiting, reason=reason, cause=cause, by=by, at=at,
        decided_by=None if is_waiting else approved_by, counter=counter,
    )  # fmt: skip
    refund = let_go(tx, made, by=by, at=at, hand=hand, counter=counter)
    if counter is not None:
        follow(tx, order_id, at=at)
        refund = queries.refund(tx, made)
    return refund


def add(
    tx: Tx, order_id: int, found: Preview, *, is_waiting: bool, reason: str, cause: str, by: str,
    at: datetime, decided_by: str | None = None, counter: Counter | None = None,
) -> str:  # fmt: skip
    """Add a refund as it was previewed, and return its number; its cause is new."""
    state = RefundState.AWAITING_APPROVAL if is_waiting else RefundState.REQUESTED
    parts = _parts(tx, order_id, found, counter)
    made = operations.add(
        tx, order_id, found, parts, state=state, reason=reason.strip(), cause=cause, by=by, at=at,
        decided_by=decided_by, visit_id=None if counter is None else counter.visit_id,
    )  # fmt: skip
    assert made is not None, "its cause has none: the order is held"
    return made


def let_go(
    tx: Tx, number: str, *, by: str, at: datetime, hand: Hand | None = None,
    counter: Counter | None = None,
) -> Refund:  # fmt: skip
    """Have a refund that was just added asked for, unless it waits for somebody."""
    refund = queries.refund(tx, number)
    _tell(tx, refund, refund.state, by=by, at=at)
    if refund.state is RefundState.REQUESTED:
        refund_limits.count(tx, refund, hand)
        _ask(tx, refund, by=by, at=at, counter=counter)
    return queries.refund(tx, number)


def compose_by_hand(
    tx: Tx, number: str, kind: RefundKind, amount_minor: int | None, *, reason: str, by: str,
    at: datetime, already_refunded_minor: int | None, paid_as: PaidAs = PaidAs.MONEY,
    role: str | None = None,
) -> Refund:  # fmt: skip
    """Make a refund somebody asks for: each time it is another.

    Raises as `compose` does, and StalePreview when more has gone back than its caller has seen.
    """
    order_id = order_queries.order(tx, number).summary.order_id
    orders.hold(tx, order_id)
    _refuse_stale(tx, order_id, already_refunded_minor)
    return compose(
        tx, number, kind, amount_minor, reason=reason, by=by, at=at, paid_as=paid_as,
        cause=f"by hand:{queries.count_of(tx, order_id) + 1}",
        hand=Hand(name=by, role=role, at=at),
    )  # fmt: skip


def act(
    tx: Tx, number: str, action: RefundAction, *, version: int, by: str, at: datetime,
    role: str | None = None, reason: str = "", payment_number: str | None = None,
) -> Refund:  # fmt: skip
    """Approve, reject, cancel or retry a refund, or pay it otherwise, as its state allows.

    Raises RefundNotFound, VersionConflict, WrongRefundState; SamePerson; LimitExceeded for who
    may not let so much go either; ReasonMissing; RefundExceeded when what it is for is no longer
    there, or not there at other payments.
    """
    orders.hold(tx, queries.order_of(tx, number))
    held = queries.refund(tx, number)
    if held.version != version:
        raise VersionConflict(version=held.version, state=held.state)
    state = held.after(action)
    is_decision = action in {RefundAction.APPROVE, RefundAction.REJECT}
    if is_decision and is_same_person(by, held.requested_by):
        raise SamePerson
    if state is RefundState.REQUESTED:
        refund_caps.refuse_paid(tx, held)
    if action is RefundAction.APPROVE:
        refund_limits.release(tx, held, by=by, role=role, at=at)
        _spread_anew(tx, held)
    _end_dead(tx, held, action, payment_number, reason=reason, by=by, at=at)
    operations.move(tx, held, state, at=at, decided_by=by if is_decision else None)
    moved = queries.refund(tx, number)
    _tell(tx, moved, state, by=by, at=at)
    if state is RefundState.REQUESTED:
        _ask(tx, moved, by=by, at=at)
    return queries.refund(tx, number)


def _end_dead(
    tx: Tx, held: Refund, action: RefundAction, payment_number: str | None, *, reason: str,
    by: str, at: datetime,
) -> None:  # fmt: skip
    """Have what failed or came back of a refund asked for again, paid otherwise, or given up."""
    if action in {RefundAction.RETRY, RefundAction.OTHER_TENDER}:
        operations.pay_instead(tx, held.refund_id, _shares(tx, held, action, payment_number))
    if action is not RefundAction.CANCEL or not held.dead:
        return
    went_back = held.state in {RefundState.PARTIALLY_SUCCEEDED, RefundState.REVERSED}
    if went_back and not reason.strip():
        raise ReasonMissing
    amount = operations.give_up(tx, held, is_rest=held.state is RefundState.PARTIALLY_SUCCEEDED)
    data = {
        "refund": held.refund_number, "amount_minor": amount, "currency": held.currency,
        "reason": reason.strip(),
    }  # fmt: skip
    orders.tell(tx, [(held.order_id, "refund.given_up", data)], actor_type="user", actor=by, at=at)


def _shares(
    tx: Tx, held: Refund, action: RefundAction, payment_number: str | None
) -> list[tuple[int, int]]:
    """Return to which payments, by their ids, what did not reach its customer goes instead.

    Raises RefundExceeded with what the others have; PaymentNotFound.
    """
    known = payment_queries.ours_to_move(tx, held.order_id)
    failed: dict[str, int] = {}
    for each in held.dead:
        failed[each.payment_number] = failed.get(each.payment_number, 0) + each.amount_minor
    if action is RefundAction.RETRY:
        return [(each.payment_id, failed[each.payment_number]) for each in known
                if each.payment_number in failed]  # fmt: skip
    others = [
        each for each in known
        if (each.payment_number not in failed if payment_number is None
            else each.payment_number == payment_number.upper())
    ]  # fmt: skip
    if payment_number is not None and not others:
        raise PaymentNotFound
    return [(each.payment_id, amount) for each, amount in spread(sum(failed.values()), others)]


def follow(tx: Tx, order_id: int, *, at: datetime) -> None:
    """Let the refunds of an order that is held follow its payments, and its returns those."""
    arrived = operations.revive(tx, order_id)
    for refund in queries.followed(tx, order_id):
        _follow(tx, refund, at=at)
    for number in arrived:
        _follow(tx, queries.refund(tx, number), at=at)
    _complete_returns(tx, order_id, at=at)


def _follow(tx: Tx, refund: Refund, *, at: datetime) -> None:
    state = state_of(refund.tenders)
    if state is not refund.state:
        operations.move(tx, refund, state, at=at)
        _tell(tx, refund, state, by=AUTOMATIC, at=at)


def _complete_returns(tx: Tx, order_id: int, *, at: datetime) -> None:
    """Note that the customer has what was owed for returns, once no more is kept than is due."""
    due, _ = payment_queries.dues_of(tx, [order_id])[order_id]
    sums = total(each.sums for each in payment_queries.of_order(tx, order_id))
    gone = sums.refunded + sums.charged_back
    if not gone or sums.captured - gone > due.kept_minor(sums.captured):
        return
    exchanged = {each.return_id: each for each in exchanges.of_original(tx, order_id)}
    for each in returned.of_order(tx, order_id):
        if each.state is ReturnState.RESOLVED and _is_over(each, exchanged):
            doing = Doing(by=AUTOMATIC, at=at, actor_type="system")
            returns.complete(tx, each.return_number, doing)


def _is_over(of: Return, exchanged: Mapping[int, Exchange]) -> bool:
    """Tell whether a return's customer has what was to be had, where no money is owed any more."""
    if any(line.resolution in IN_KIND and line.accepted for line in of.lines):
        known = exchanged.get(of.return_id)
        return known is not None and known.is_over
    return any(line.resolution in OF_MONEY for line in of.lines)


def _refuse_stale(tx: Tx, order_id: int, seen_minor: int | None) -> None:
    if seen_minor is None:
        return
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


def _ask(tx: Tx, refund: Refund, *, by: str, at: datetime, counter: Counter | None = None) -> None:
    """Ask payments for their parts; what is over or on its way is not asked for again.

    At a till what comes out of its drawer is written down as done. What is not owed makes lines
    cheaper from then on, which documents say (ADR 0034).
    """
    if refund.kind is not RefundKind.OWED:
        cheaper = _cheaper(tx, refund.order_id, refund.kind, refund.amount_minor)
        operations.reduce_lines(tx, refund.refund_id, cheaper)
    account_id = _account_of(tx, refund, at=at)
    for share in refund.tenders:
        if share.state is None:
            payment = payment_queries.payment(tx, share.payment_number)
            cause = f"{refund.refund_number}.{share.attempt}"
            if counter is not None and counter.is_cash(payment):
                payments.give_back(
                    tx, payment, share.amount_minor, cause=cause, tender=Tender.CASH,
                    location_code=counter.location_code, by=by, at=at,
                )  # fmt: skip
            else:
                payments.request(
                    tx, payment, TransactionType.REFUND, share.amount_minor, cause=cause, by=by,
                    at=at, credit_account_id=account_id,
                )  # fmt: skip
    if account_id is not None:
        _follow(tx, queries.refund(tx, refund.refund_number), at=at)


def _account_of(tx: Tx, refund: Refund, *, at: datetime) -> int | None:
    if refund.paid_as is PaidAs.MONEY or refund.credit_account_id is not None:
        return refund.credit_account_id
    order = order_queries.order(tx, refund.order_number).summary
    account_id = store_credit.account_of(tx, order, at=at).account_id
    operations.name_account(tx, refund.refund_id, account_id)
    return account_id


def _tell(tx: Tx, refund: Refund, state: RefundState, *, by: str, at: datetime) -> None:
    data = {
        "refund": refund.refund_number, "kind": refund.kind, "amount_minor": refund.amount_minor,
        "currency": refund.currency, "reason": refund.reason, "paid_as": refund.paid_as,
        **({"visit": refund.visit_number} if refund.visit_number else {}),
    }  # fmt: skip
    orders.tell(
        tx, [(refund.order_id, f"refund.{state}", data)],
        actor_type="system" if by == AUTOMATIC else "user", actor=by, at=at,
    )  # fmt: skip
