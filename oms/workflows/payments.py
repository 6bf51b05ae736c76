"""Money follows the goods: captured when they leave, given up when nothing will, as PSPs say.

A PSP is never called inside a transaction. What it is to do is committed first, with its key; a
worker takes it up for a while, asks, and writes the answer in a transaction of its own. One that
was frozen meanwhile is not listened to, and what it asked for had the same key.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from oms.credits import operations as accounts
from oms.credits import queries as credit_queries
from oms.exchanges import queries as exchanges
from oms.fulfillment.model import FulfillmentLine
from oms.kernel import clock
from oms.kernel.errors import VersionConflict
from oms.ledger import followers, journal
from oms.ledger.database import Ledger, Tx
from oms.orders import operations as orders
from oms.orders import queries as order_queries
from oms.payments import leases, operations, queries
from oms.payments.model import (
    CurrencyDiffers,
    Payment,
    PaymentDraft,
    PaymentDue,
    PaymentExceeded,
    Tender,
    TransactionState,
    TransactionType,
    UnknownPsp,
    total,
)
from oms.payments.port import Answer, NoAnswer, Psp
from oms.payments.rules import Dues, is_settled, wanted_minor
from oms.workflows import owing, refunds, store_credit, unpaid

log = logging.getLogger("oms.payments")

FOLLOWER: Final = "payments"
# Asked one after the other, by one who keeps them meanwhile.
AT_ONCE_MAX: Final = 5
# Orders a follower holds at once.
ORDERS_AT_ONCE_MAX: Final = 500


def psp_of(psps: Mapping[str, Psp], code: str) -> Psp:
    """Return a payment service. Raises UnknownPsp."""
    if code not in psps:
        raise UnknownPsp(f"there is no payment service {code[:40]!r}")
    return psps[code]


def authorize(
    tx: Tx, number: str, draft: PaymentDraft, *, by: str, at: datetime, actor_type: str = "user"
) -> Payment:
    """Begin a payment of an order at a PSP; the worker asks it. The same ref is the same payment.

    Raises OrderNotFound, CurrencyDiffers.
    """
    order_id = order_queries.order(tx, number).summary.order_id
    orders.hold(tx, order_id)
    begun = queries.payment(tx, operations.add(tx, order_id, draft, at=at))
    if not begun.transactions:
        operations.request(
            tx, begun, TransactionType.AUTHORIZE, draft.amount_minor, cause="authorize", by=by,
            at=at, actor_type=actor_type,
        )  # fmt: skip
    return queries.payment(tx, begun.payment_number)


def take_at_till(tx: Tx, number: str, draft: PaymentDraft, *, by: str, at: datetime) -> Payment:
    """Write down what a till has taken for an order. The same ref is the same payment.

    Raises OrderNotFound, CurrencyDiffers.
    """
    order_id = order_queries.order(tx, number).summary.order_id
    orders.hold(tx, order_id)
    taken = queries.payment(tx, operations.add(tx, order_id, draft, at=at))
    operations.done(
        tx, taken, TransactionType.CAPTURE, draft.amount_minor, cause="till", source="till",
        by=by, at=at,
    )  # fmt: skip
    return queries.payment(tx, taken.payment_number)


def redeem(
    tx: Tx, number: str, draft: PaymentDraft, code: str, *, by: str, at: datetime
) -> Payment:
    """Pay for an order with store credit, at once. The same ref is the same payment.

    Raises OrderNotFound, CreditNotFound, CreditBound, CreditExpired, CreditExceeded,
    CurrencyDiffers; PaymentExceeded when the order does not come to that much any more.
    """
    order_id = order_queries.order(tx, number).summary.order_id
    orders.hold(tx, order_id)
    account = accounts.hold(tx, credit_queries.account_by_code(tx, code).account_id)
    begun = store_credit.begin(tx, order_id, draft, account, at=at)
    if not begun.transactions:
        _refuse_more(tx, order_id, begun.amount_minor)
        store_credit.redeem(tx, begun, account, by=by, at=at)
    return queries.payment(tx, begun.payment_number)


def _refuse_more(tx: Tx, order_id: int, amount_minor: int) -> None:
    """Refuse to take more for an order than it still comes to. Raises PaymentExceeded."""
    due, currency = queries.dues_of(tx, [order_id])[order_id]
    sums = total(each.sums for each in queries.of_order(tx, order_id))
    most = due.due_minor - sums.captured - sums.capturing + sums.refunded + sums.charged_back
    if amount_minor > most:
        raise PaymentExceeded(max_minor=max(0, most), currency=currency)


def act(
    tx: Tx, number: str, action: str, amount_minor: int | None, *, currency: str | None,
    version: int, by: str, at: datetime,
) -> Payment:  # fmt: skip
    """Have a payment captured or given up by hand, all of it unless an amount is said.

    Raises PaymentNotFound, VersionConflict, CurrencyDiffers, NotManaged, PaymentExceeded.
    """
    orders.hold(tx, queries.order_of(tx, number))
    held = queries.payment(tx, number)
    if held.version != version:
        raise VersionConflict(version=held.version, state=held.state)
    if currency not in {None, held.currency}:
        raise CurrencyDiffers
    wanted = held.sums.capturable if amount_minor is None else amount_minor
    operations.request(
        tx, held, TransactionType(action), wanted, cause=f"by hand:{version}", by=by, at=at,
        actor_type="user",
    )  # fmt: skip
    return queries.payment(tx, number)


def stop(tx: Tx, after: int, upto: int) -> int:
    """Say how far to go in one step: so many orders are held until it ends."""
    return journal.rows_before(tx, "orders", after=after, upto=upto, rows_max=ORDERS_AT_ONCE_MAX)


def refuse_unpaid(tx: Tx, order_id: int, lines: Sequence[FulfillmentLine], *, at: datetime) -> None:
    """Refuse to hand over units that are to be paid and are not. Raises PaymentDue with how much.

    An order of which no payment was ever told is its channel's business, unless we made it of a
    return; what is paid by invoice is paid after it has come.
    """
    known = queries.of_order(tx, order_id)
    if any(each.tender is Tender.INVOICE for each in known):
        return
    leaving = {each.line_no: each.open for each in lines}
    due, currency = queries.dues_of(tx, [order_id], leaving=leaving)[order_id]
    sums = total(each.sums for each in known)
    held = max(sums.captured - sums.refunded, 0) + sums.capturing
    held += sum(each.capturable_minor(at=at) for each in known)
    missing = due.earned_minor - due.returned_minor - held
    if missing > 0 and (known or exchanges.is_exchange(tx, order_id)):
        raise PaymentDue(due_minor=missing, currency=currency)


def follow_orders(tx: Tx, after: int, upto: int, *, at: datetime) -> bool:
    """Let money follow what happened to orders: a follower's step.

    Orders nobody pays for here are passed, too: the follower is to get beyond them. What is
    exchanged is followed with its exchange: what the one owes pays for the other.
    """
    changed = {*queries.changed(tx, after, upto), *followers.again(tx, FOLLOWER, at=at)}
    found = sorted({*changed, *exchanges.linked(tx, sorted(changed))})
    orders.hold_all(tx, found)
    followers.take_in(tx, FOLLOWER, found, lambda ids: settle_all(tx, ids, at=at), at=at)
    return bool(found) or order_queries.has_changes(tx, after, upto)


def settle_all(tx: Tx, order_ids: Sequence[int], *, at: datetime) -> None:
    """Settle orders that are held: one by one those of which something is to be done.

    Of most there is nothing, and to find that out takes the same few statements for all.
    """
    due = queries.dues_of(tx, order_ids)
    known = queries.standings(tx, order_ids)
    shown = order_queries.with_exceptions(tx, order_ids, unpaid.CODES)
    for order_id in order_ids:
        if order_id in shown or not is_settled(due[order_id][0], known.get(order_id, ())):
            settle(tx, order_id, at=at)
    operations.balance(tx, order_ids, at=at)


def settle(tx: Tx, order_id: int, *, at: datetime) -> None:
    """Capture what an order that is held has earned, give up what is not, refund what is owed.

    It asks for the difference between what should be and what is, or is asked for: asked again
    it asks for nothing. What cannot be asked for is shown to a person.
    """
    due, _ = queries.dues_of(tx, [order_id])[order_id]
    known = queries.of_order(tx, order_id)
    wanted = wanted_minor(
        due, total(each.sums for each in known), sum(each.back_minor for each in known)
    )
    ours = [each for each in known if each.is_ours_to_move]
    missing = wanted
    for payment in ours:
        taken = _part(payment, due, wanted, at=at)
        if taken:
            is_asked = _ask(tx, payment, TransactionType.CAPTURE, taken, due.earned_minor, at=at)
            missing -= taken if is_asked else 0
            wanted -= taken
    unpaid.tell_expired(tx, order_id, ours, wanted, at=at)
    unpaid.tell_missing(tx, order_id, known, missing, at=at)
    if not due.open_minor:
        _give_up(tx, order_id, due, at=at)
    store_credit.take_back_unused(tx, order_id, at=at)
    refunds.follow(tx, order_id, at=at)
    owing.give_back(tx, order_id, at=at)
    operations.balance(tx, [order_id], at=at)


def _part(payment: Payment, due: Dues, wanted_minor: int, *, at: datetime) -> int:
    """Return what of a payment is captured where so much is wanted.

    One that is captured once is captured for what is still to leave, too: its service lets go of
    the rest, and nothing would pay for that (ADR 0039).
    """
    ahead = due.open_minor if payment.captures_once and wanted_minor > 0 else 0
    return min(max(0, wanted_minor) + ahead, payment.capturable_minor(at=at))


def settle_apart(tx: Tx, order_id: int, *, at: datetime) -> None:
    """Settle an order that is held; what a service has told stays written, whatever follows."""
    followers.take_in(tx, FOLLOWER, [order_id], lambda _: settle(tx, order_id, at=at), at=at)


def _give_up(tx: Tx, order_id: int, due: Dues, *, at: datetime) -> None:
    """Give up what nothing will be earned for; what is earned and could not be captured is kept."""
    known = queries.ours_to_move(tx, order_id)
    sums = total(each.sums for each in known)
    missing = max(0, due.earned_minor - sums.captured - sums.capturing)
    left = sum(each.sums.capturable for each in known) - missing
    for payment in reversed(known):
        given_up = min(left, payment.sums.capturable)
        if given_up > 0:
            _ask(tx, payment, TransactionType.VOID, given_up, due.payable_minor, at=at)
            left -= given_up


def _ask(
    tx: Tx, payment: Payment, kind: TransactionType, amount_minor: int, upto: int, *, at: datetime
) -> bool:
    """Ask for what is missing up to an amount, once: what failed is for a person to ask again.

    What came to that amount before, and was moved up to another one since, is another wish.
    """
    asked = [each for each in payment.transactions if each.cause.startswith(f"{kind}:")]
    same = [each for each in asked if each.cause.split(":")[1] == str(upto)]
    cause = same[-1].cause if same else f"{kind}:{upto}"
    if same and any(
        each.state is TransactionState.SUCCEEDED and each.transaction_id >= same[-1].transaction_id
        for each in asked
    ):
        cause = f"{kind}:{upto}:{len(same)}"
    return operations.request(tx, payment, kind, amount_minor, cause=cause, by="payments", at=at)


def execute_due(
    ledger: Ledger, psps: Mapping[str, Psp], silences: leases.Silences | None = None
) -> bool:
    """Ask PSPs for what is due, one after the other; tell whether anything was.

    With `silences`, which a process keeps, one that does not answer keeps the others waiting once.
    """
    known = silences or leases.Silences()
    but = known.now()
    due = ledger.run(lambda tx: leases.take_due(tx, but=but, at=clock.now(), limit=AT_ONCE_MAX))
    if not due:
        return False
    left, skipped = list(due), list[leases.Due]()
    with _keeping(ledger, left):
        for each in due:
            if each.psp in known.now():
                skipped.append(each)
                continue
            try:
                if ledger.run(_still_ours(each)):
                    told = _told(psps.get(each.psp), each, known)
                    left.remove(each)
                    ledger.run(_writing(each, told))
            except Exception:  # one that fails unforeseen is tried again; the others are not kept
                log.exception("%s failed", each.asked.reference)
    if skipped:
        ledger.run(lambda tx: leases.give_back(tx, skipped, at=clock.now()))
    return True


@contextmanager
def _keeping(ledger: Ledger, left: list[leases.Due]) -> Iterator[None]:
    """Keep others from taking up what is left, for as long as it takes to ask for it.

    A service may be slower than any lease. A process that was frozen keeps nothing meanwhile, and
    finds out what others have taken up before it asks for it.
    """
    is_over = threading.Event()

    def keep() -> None:
        while not is_over.wait(leases.LEASE.total_seconds() / 3):
            try:
                ledger.run(lambda tx: leases.keep(tx, list(left), at=clock.now()))
            except Exception:  # others may take it up: by the same keys
                log.exception("nothing is kept")

    thread = threading.Thread(target=keep, name="keeping", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _still_ours(due: leases.Due) -> Callable[[Tx], bool]:
    return lambda tx: leases.keep(tx, [due], at=clock.now()) == 1


def _writing(due: leases.Due, told: tuple[Answer, str]) -> Callable[[Tx], bool]:
    def write(tx: Tx) -> bool:
        at = clock.now()
        order_id = leases.order_of(tx, due.transaction_id)
        orders.hold(tx, order_id)
        is_new = operations.answer(
            tx, due.transaction_id, told[0], source=told[1], at=at, claim=due.claim
        )
        if is_new:
            settle_apart(tx, order_id, at=at)
        return is_new

    return write


def _told(psp: Psp | None, due: leases.Due, silences: leases.Silences) -> tuple[Answer, str]:
    """Return what a PSP says became of an operation, and whether it was asked for that alone.

    Whoever cannot know whether it was done asks before it is asked for again, by the same key.
    """
    if psp is None:
        return Answer(state=TransactionState.UNKNOWN, failure="PSP_NOT_THERE"), "answer"
    begun = silences.clock()
    try:
        found, source = None, "inquiry"
        if not due.is_first:
            found = psp.find(due.asked)
            if found is None and due.is_over:
                found = Answer(state=TransactionState.FAILED, failure="NOT_KNOWN_THERE")
        if found is None:
            found, source = psp.execute(due.asked), "answer"
    except NoAnswer as error:
        log.warning("%s: no answer from %s (%s)", due.asked.reference, due.psp, error)
        found, source = Answer(state=TransactionState.UNKNOWN, failure="NO_ANSWER"), "answer"
        silences.miss(due, after_seconds=silences.clock() - begun)
    else:
        silences.hear(due.psp)
    return found, source
