"""What a refund would come to: the same numbers it has when it is made. Nothing is written."""

from collections.abc import Mapping, Sequence

from oms.channels import queries as channels
from oms.ledger.database import Tx
from oms.orders import queries as order_queries
from oms.orders.model import Summary
from oms.payments import queries as payment_queries
from oms.payments.model import Payment, total
from oms.refunds import queries
from oms.refunds.model import (
    BackIn,
    Hand,
    Preview,
    Reduction,
    Refund,
    RefundDraft,
    RefundExceeded,
    RefundKind,
    TenderOrder,
)
from oms.refunds.rules import (
    Counter,
    LineValue,
    Rules,
    policy_of,
    reduced,
    reduced_by_name,
    refuse_beyond,
    room_minor,
    spread,
    tender_order_of,
)
from oms.workflows import refund_caps, refund_limits


def preview(
    tx: Tx, number: str, draft: RefundDraft, *, counter: Counter | None = None,
    hand: Hand | None = None,
) -> Preview:  # fmt: skip
    """Tell what a refund would come to; nothing is written. Of nobody's hand no limits count.

    Raises OrderNotFound, RefundExceeded, WrongLines, AmountMissing.
    """
    order = order_queries.order(tx, number).summary
    kind, occasion = draft.kind, draft.occasion
    known = _payable(tx, order.order_id, counter)
    stays = _stays_minor(tx, order.order_id)
    waiting = queries.waiting_minor(tx, order.order_id)
    owed = refund_caps.owed_minor(tx, order.order_id)
    wanted = draft.wanted_minor(owed)
    lines = _named(draft.kind, wanted, draft.lines)
    most = sum(each.sums.refundable for each in known) - waiting
    if kind is RefundKind.OWED:
        most = min(most, owed)
    values = queries.line_values(tx, order.order_id)
    cheaper = _cheaper(order, kind, wanted, lines, values, stays_minor=stays)
    if lines:
        most = min(most, room_minor(lines, values, stays))
    if not 0 < wanted <= most:
        raise RefundExceeded(max_minor=max(0, most), currency=order.currency)
    said = rules_of(tx, order.channel_code)
    if kind is RefundKind.OWED and occasion is None:
        occasion = queries.by_occasion(tx, order.order_id, wanted)[0][0]
    shares = spread(wanted, known, _tender_order(said, counter))
    return Preview(
        kind=kind, paid_as=draft.paid_as, amount_minor=wanted, currency=order.currency,
        owed_minor=owed, max_minor=most, stays_minor=stays - waiting - wanted,
        # What makes nothing cheaper was owed, or paid too much.
        owed_after_minor=max(0, owed - wanted + sum(each.minor for each in cheaper)),
        tenders=tuple((each.payment_number, share) for each, share in shares),
        needs_approval=not policy_of(said, kind, occasion).lets_go(wanted, order.currency),
        occasion=occasion,
        beyond=None if hand is None else refund_limits.beyond_of(
            tx, order.order_id, wanted, order.currency, hand, said=said),
        cheaper=tuple(cheaper), is_named=bool(lines),
    )  # fmt: skip


def rules_of(tx: Tx, channel_code: str) -> list[Rules]:
    """Return how a channel gives money back: what is said of it, then what is said of all."""
    return queries.rules_of(tx, channels.channel(tx, channel_code).channel_id)


def parts_of(
    tx: Tx, order_id: int, found: Preview, counter: Counter | None
) -> list[tuple[Payment, int]]:
    """Return what of a refund that was previewed goes back to which payment."""
    known = {each.payment_number: each for each in _payable(tx, order_id, counter)}
    return [(known[number], amount) for number, amount in found.tenders]


def cheaper_of(tx: Tx, held: Refund) -> list[Reduction]:
    """Return which lines a refund makes cheaper when it is let go now.

    Raises RefundExceeded where it names a line that has no longer so much.
    """
    order = order_queries.order(tx, held.order_number).summary
    lines = _named(held.kind, held.amount_minor, {e.line_no: e.minor for e in held.cheaper})
    values = queries.line_values(tx, order.order_id, except_for=held.refund_id)
    stays = _stays_minor(tx, order.order_id)
    return _cheaper(order, held.kind, held.amount_minor, lines, values, stays_minor=stays)


def refuse_beyond_lines(tx: Tx, held: Refund) -> None:
    """Refuse to pay what failed of a refund whose lines have no longer so much.

    Raises RefundExceeded.
    """
    others = queries.line_values(tx, held.order_id, except_for=held.refund_id)
    lines = {
        with_it.line_no: with_it.waiting_minor - without.waiting_minor
        for with_it, without in zip(queries.line_values(tx, held.order_id), others, strict=True)
    }
    stays = _stays_minor(tx, held.order_id)
    refuse_beyond(lines, others, stays_minor=stays, currency=held.currency)


def _stays_minor(tx: Tx, order_id: int) -> int:
    """Return what of an order's money stays, with what waits to go back."""
    return total(each.sums for each in payment_queries.of_order(tx, order_id)).stays


def _named(kind: RefundKind, amount_minor: int, lines: Mapping[int, int]) -> Mapping[int, int]:
    """Return off which lines a refund is by its own word: one of shipping is off line 0."""
    return {0: amount_minor} if kind is RefundKind.SHIPPING else lines


def _cheaper(
    order: Summary, kind: RefundKind, amount_minor: int, lines: Mapping[int, int],
    values: Sequence[LineValue], *, stays_minor: int,
) -> list[Reduction]:  # fmt: skip
    """Return which lines a refund makes cheaper: what is owed for goods makes none so.

    Raises as `reduced_by_name` does, where lines are named.
    """
    if kind is RefundKind.OWED:
        return []
    if lines:
        return reduced_by_name(lines, values, stays_minor=stays_minor, currency=order.currency)
    return reduced(amount_minor, values)


def _payable(tx: Tx, order_id: int, counter: Counter | None) -> list[Payment]:
    """Return the payments money can be given back from, as they were made or a till takes them."""
    if counter is None:
        return payment_queries.ours_to_move(tx, order_id)
    return counter.payable(payment_queries.of_order(tx, order_id))


def _tender_order(said: Sequence[Rules], counter: Counter | None) -> TenderOrder:
    """Return of which payments money is taken first: in cash, of what was paid in cash."""
    if counter is not None and counter.back_in is BackIn.CASH:
        return TenderOrder.AS_PAID
    return tender_order_of(said)
