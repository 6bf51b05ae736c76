"""Refunds: what is owed goes back by itself, what is more by two people, each part once."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from oms.access.model import is_same_person
from oms.exchanges import queries as exchanges
from oms.exchanges.model import Exchange
from oms.kernel.errors import VersionConflict
from oms.ledger.database import Tx
from oms.orders import operations as orders
from oms.orders import queries as order_queries
from oms.payments import operations as payments
from oms.payments import queries as payment_queries
from oms.payments.model import (
    NotManaged,
    Payment,
    PaymentNotFound,
    Tender,
    TransactionType,
    total,
)
from oms.refunds import operations, queries
from oms.refunds.model import (
    Hand,
    PaidAs,
    Preview,
    ReasonMissing,
    Refund,
    RefundAction,
    RefundDraft,
    RefundKind,
    RefundState,
    SamePerson,
    StalePreview,
    TenderOrder,
)
from oms.refunds.rules import (
    Counter,
    spread,
    state_of,
    tender_order_of,
)
from oms.returns import queries as returned
from oms.returns.model import Resolution, Return, ReturnState
from oms.workflows import refund_caps, refund_limits, refund_previews, returns, store_credit
from oms.workflows.exchanges import IN_KIND
from oms.workflows.returned import Doing

AUTOMATIC: Final = "refunds"
# What is over when the customer has what was owed.
OF_MONEY: Final = frozenset({Resolution.REFUND, Resolution.STORE_CREDIT})


def compose(
    tx: Tx, number: str, draft: RefundDraft, *, reason: str, cause: str, by: str, at: datetime,
    hand: Hand | None = None, counter: Counter | None = None,
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
    if draft.kind is not RefundKind.OWED and not reason.strip():
        raise ReasonMissing
    refund_limits.hold(tx, hand)
    found = refund_previews.preview(tx, number, draft, counter=counter, hand=hand)
    approved_by = None if hand is None or hand.name == by else hand.name
    is_waiting = found.beyond is not None or (found.needs_approval and approved_by is None)
    if counter is not None:
        parts = refund_previews.parts_of(tx, order_id, found, counter)
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
    parts = refund_previews.parts_of(tx, order_id, found, counter)
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
    tx: Tx, number: str, draft: RefundDraft, *, reason: str, by: str, at: datetime,
    already_refunded_minor: int | None, role: str | None = None,
) -> Refund:  # fmt: skip
    """Make a refund somebody asks for: each time it is another.

    Raises as `compose` does, and StalePreview when more has gone back than its caller has seen.
    """
    order_id = order_queries.order(tx, number).summary.order_id
    orders.hold(tx, order_id)
    _refuse_stale(tx, order_id, already_refunded_minor)
    return compose(
        tx, number, draft, reason=reason, by=by, at=at,
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
    there, or not there at other payments or off the lines it names; NotManaged.
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
        _hold_to_lines(tx, held)
    if action is RefundAction.APPROVE:
        refund_limits.release(tx, held, by=by, role=role, at=at)
        _share_anew(tx, held)
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

    Raises RefundExceeded with what the others have; PaymentNotFound; NotManaged for one to be
    asked again that is no longer ours to move.
    """
    known = payment_queries.ours_to_move(tx, held.order_id)
    failed: dict[str, int] = {}
    for each in held.dead:
        failed[each.payment_number] = failed.get(each.payment_number, 0) + each.amount_minor
    if action is RefundAction.RETRY:
        return _again(known, failed, _tender_order(tx, held))
    others = [
        each for each in known
        if (each.payment_number not in failed if payment_number is None
            else each.payment_number == payment_number.upper())
    ]  # fmt: skip
    if payment_number is not None and not others:
        raise PaymentNotFound
    shares = spread(sum(failed.values()), others, _tender_order(tx, held))
    return [(each.payment_id, amount) for each, amount in shares]


def _again(
    known: Sequence[Payment], failed: Mapping[str, int], order: TenderOrder
) -> list[tuple[int, int]]:
    """Return the same parts again; what a payment has no more room for goes to the others.

    Raises RefundExceeded, NotManaged.
    """
    own = [each for each in known if each.payment_number in failed]
    if len(own) < len(failed):
        raise NotManaged
    shares = {
        each.payment_id: min(failed[each.payment_number], each.sums.refundable) for each in own
    }
    left = sum(failed.values()) - sum(shares.values())
    others = [each for each in known if each.payment_number not in failed]
    shares |= {each.payment_id: minor for each, minor in spread(left, others, order)}
    return [(payment_id, minor) for payment_id, minor in shares.items() if minor]


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


def _hold_to_lines(tx: Tx, held: Refund) -> None:
    """Hold what is not owed to what its lines have now. Raises RefundExceeded.

    What failed before anybody said off which lines it was is said so now.
    """
    if held.kind is RefundKind.OWED:
        return
    if held.cheaper and held.state is not RefundState.AWAITING_APPROVAL:
        refund_previews.refuse_beyond_lines(tx, held)
    else:
        operations.reduce_lines(tx, held.refund_id, refund_previews.cheaper_of(tx, held))


def _share_anew(tx: Tx, held: Refund) -> None:
    """Hold what was asked for to what payments have now: as it was seen, where they have that.

    Raises RefundExceeded.
    """
    known = payment_queries.ours_to_move(tx, held.order_id)
    rooms = {each.payment_number: each.sums.refundable for each in known}
    if any(each.amount_minor > rooms.get(each.payment_number, 0) for each in held.tenders):
        shares = spread(held.amount_minor, known, _tender_order(tx, held))
        operations.share(tx, held.refund_id, shares)


def _tender_order(tx: Tx, refund: Refund) -> TenderOrder:
    return tender_order_of(refund_previews.rules_of(tx, refund.channel_code))


def _ask(tx: Tx, refund: Refund, *, by: str, at: datetime, counter: Counter | None = None) -> None:
    """Ask payments for their parts; what is over or on its way is not asked for again.

    At a till what comes out of its drawer is written down as done.
    """
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
