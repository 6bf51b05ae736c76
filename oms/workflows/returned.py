"""What is done with goods that came back: received, looked at, put away, accepted or rejected.

Its callers hold the order and the return. No money moves here: what is owed stands with each
decision. A channel that told of a unit by itself, since the return was opened, has settled it by
itself: that unit is decided upon, and nothing is owed for it (ADR 0030).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from oms.channels import queries as channels
from oms.fulfillment.model import QuantityNotOpen, ReasonNeeded
from oms.kernel.errors import Rejected
from oms.kernel.money import split
from oms.ledger.database import Tx
from oms.orders import operations as orders
from oms.orders import queries as order_queries
from oms.orders.model import ChangeKind, FulfillmentState, Order
from oms.refunds import queries as refunded
from oms.returns import operations, queries
from oms.returns.model import (
    FOR_SALE,
    NOT_KEPT,
    Condition,
    ConditionNeeded,
    Decision,
    Inspected,
    NothingCame,
    Resolution,
    Return,
    ReturnState,
    Row,
    Told,
    Verdict,
    WrongItemKept,
)
from oms.returns.rules import (
    Policy,
    QuantityExceedsReturnable,
    fee_of,
    shipping_back,
    sort_out,
)
from oms.shipments.port import Carrier
from oms.stock import operations as stock
from oms.stock.model import TakenBack
from oms.transfers.model import ReceiptNeeded
from oms.workflows import changes

Facts = dict[str, Any]


class NotYetReceived(Rejected):
    """What is received has come already: not in the future."""

    code = "RECEIVED_IN_FUTURE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a location says when goods come; without lines all that is expected has come."""

    receipt_id: str
    lines: tuple[Told, ...] | None = None
    location_code: str | None = None
    received_at: datetime | None = None
    is_complete: bool = False  # what has not come by now will not
    is_late: bool = False  # nothing of it is decided by rules
    as_told: Facts | None = None  # what a WMS said, where that is more than this

    def told(self, return_number: str | None) -> dict[str, Any]:
        """Return it as it is kept."""
        if self.as_told is not None:
            return self.as_told
        lines = None if self.lines is None else [
            [each.line_no, each.sku, each.quantity, each.condition, each.disposition]
            for each in self.lines
        ]  # fmt: skip
        at = self.received_at
        return {
            "return": return_number, "lines": lines, "is_complete": self.is_complete,
            "received_at": None if at is None else at.isoformat(),
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """What somebody does with a return, and what they say of it."""

    by: str
    at: datetime
    actor_type: str = "user"
    reason: str | None = None
    carrier: str | None = None
    tracking_number: str | None = None
    receipt: Receipt | None = None
    inspected: tuple[Inspected, ...] = ()
    quantities: Mapping[int, int] | None = None  # by line; None: all that is not decided
    has_rules: bool = True  # whether the channel's rules decide where they can
    carriers: Mapping[str, Carrier] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What doing something comes to: the state, what is known of the return, what is told."""

    state: ReturnState
    known: Facts
    told: Facts


def receipt_of(held: Return, doing: Doing) -> tuple[Receipt, str]:
    """Return the receipt and where it was taken in. Raises ReceiptNeeded, UnknownLocation."""
    receipt = doing.receipt
    if receipt is None:
        raise ReceiptNeeded
    code = receipt.location_code or held.location_code
    if code is None:
        raise ReceiptNeeded("a receipt says at which location goods came")
    return receipt, code


def receive(tx: Tx, held: Return, doing: Doing, state: ReturnState) -> Effect:
    """Note what came; what was not announced stands beside it."""
    receipt, code = receipt_of(held, doing)
    queries.place_of(tx, 0, code)
    if receipt.received_at is not None and receipt.received_at > doing.at:
        raise NotYetReceived
    rows = sort_out(held, _named(held, receipt))
    if not rows and not (receipt.is_complete and any(line.received for line in held.lines)):
        raise NothingCame
    receipt_no = operations.note_receipt(
        tx, code, receipt.receipt_id, receipt.told(held.return_number), by=doing.by, at=doing.at,
        received_at=receipt.received_at or doing.at,
    )  # fmt: skip
    operations.note_rows(tx, receipt_no, rows, return_id=held.return_id)
    came: Counter[int] = Counter()
    for row in rows:
        if row.state is Row.TAKEN and row.line_no is not None:
            came[row.line_no] += row.quantity
    still = {line.line_no: line.awaited - came[line.line_no] for line in held.lines}
    is_over = receipt.is_complete and (came.total() or any(line.received for line in held.lines))
    operations.count_lines(
        tx, held.return_id,
        {no: {"received": came[no], "missing": left if is_over else 0}
         for no, left in still.items()},
    )  # fmt: skip
    is_late = receipt.is_late or held.state is ReturnState.EXPIRED
    others = [
        {"kind": row.state, "sku": row.sku, "quantity": row.quantity}
        for row in rows if row.state is not Row.TAKEN
    ]  # fmt: skip
    return Effect(
        state=state if is_over or not any(still.values()) else ReturnState.PARTIALLY_RECEIVED,
        known={"location_code": code, "is_after_expiry": is_late},
        told={"receipt_id": receipt.receipt_id, "location": code, "came": _listed(came),
              "others": others or None, "is_after_expiry": is_late or None},
    )  # fmt: skip


def _named(held: Return, receipt: Receipt) -> Sequence[Told]:
    if receipt.lines is None:
        return [
            Told(line_no=line.line_no, quantity=line.awaited) for line in held.lines if line.awaited
        ]
    for each in receipt.lines:
        if each.line_no is not None and held.line(each.line_no) is None:
            raise QuantityNotOpen(line_no=each.line_no, max=0)
    return receipt.lines


def inspect(tx: Tx, held: Return, doing: Doing, state: ReturnState) -> Effect:
    """Note what units are like, and put them away where they came to, each once."""
    if not doing.inspected:
        raise ConditionNeeded
    units, back = _looked_at(held, doing.inspected)
    operations.note_inspections(tx, held.return_id, units, by=doing.by, at=doing.at)
    seen = _sums((found.line_no, found.quantity) for _, _, found in units)
    operations.count_lines(tx, held.return_id, {no: {"inspected": n} for no, n in seen.items()})
    order = order_queries.order(tx, held.order_number)
    if back and not order.summary.is_test:
        risen = stock.take_back(tx, held.return_number, back, at=doing.at)
        filled = stock.fill_backorders(tx, risen, at=doing.at)
        orders.record_backorders(tx, filled, at=doing.at)
    is_all = all(line.received == line.inspected + seen[line.line_no] for line in held.lines)
    told = [
        {"line_no": each.line_no, "quantity": each.quantity, "condition": each.condition,
         "disposition": each.disposition}
        for each in doing.inspected
    ]  # fmt: skip
    return Effect(state=state if is_all else held.state, known={}, told={"units": told})


def _looked_at(
    held: Return, inspected: Sequence[Inspected]
) -> tuple[list[tuple[int, int, Inspected]], list[TakenBack]]:
    """Return which units of which receipts are meant, the oldest first, and what is kept."""
    used = {row.row_id: row.inspected for row in held.rows}
    units: list[tuple[int, int, Inspected]] = []
    back: list[TakenBack] = []
    for found in inspected:
        if found.condition is Condition.WRONG_ITEM and found.disposition not in NOT_KEPT:
            raise WrongItemKept(line_no=found.line_no)
        line = held.line(found.line_no)
        rest = found.quantity
        for row in held.rows:
            quantity = min(rest, row.quantity - used[row.row_id])
            if line is None or row.state is not Row.TAKEN or row.line_no != line.line_no:
                continue
            if not quantity:
                continue
            before = used[row.row_id]
            units.append((row.row_id, before, replace(found, quantity=quantity)))
            if found.disposition not in NOT_KEPT:
                back.append(TakenBack(
                    cause_line=f"{line.line_no}:{row.row_id}:{before}", product_id=line.product_id,
                    location_id=row.location_id, quantity=quantity,
                    is_for_sale=found.disposition in FOR_SALE, occurred_at=row.received_at,
                ))  # fmt: skip
            used[row.row_id] += quantity
            rest -= quantity
        if rest:
            raise QuantityNotOpen(line_no=found.line_no, max=found.quantity - rest)
    return units, back


def accept(tx: Tx, held: Return, doing: Doing, state: ReturnState) -> Effect:
    """Let the customer have something for units, and tell the order that they are back."""
    wanted = _undecided(held, doing)
    told = queries.told_by_channel(tx, held.return_id)
    before = {no: min(quantity, told.get(no, 0)) for no, quantity in wanted.items()}
    ref = f"*{held.return_number}:{held.version}"
    fresh = {no: wanted[no] - before[no] for no in wanted if wanted[no] > before[no]}
    order = _write_back(tx, held, fresh, ref, doing)
    decisions = _owed(tx, held, order, wanted, before=before, ref=ref)
    operations.note_decisions(tx, held, decisions, by=doing.by, at=doing.at)
    operations.count_lines(tx, held.return_id, {no: {"accepted": n} for no, n in wanted.items()})
    return Effect(
        state=_after_decision(held, wanted, state), known={},
        told={"currency": held.currency, "paid_by": "oms" if held.is_paid_here else "channel",
              "lines": [_owed_of(held, each) for each in decisions]},
    )  # fmt: skip


def reject(tx: Tx, held: Return, doing: Doing, state: ReturnState) -> Effect:
    """Give the customer nothing for units, for a reason."""
    if not (doing.reason or "").strip():
        raise ReasonNeeded("what is rejected needs a reason")
    wanted = _undecided(held, doing)
    decisions = [
        Decision(line_no=no, verdict=Verdict.REJECTED, quantity=quantity, reason=doing.reason)
        for no, quantity in wanted.items()
    ]
    operations.note_decisions(tx, held, decisions, by=doing.by, at=doing.at)
    operations.count_lines(tx, held.return_id, {no: {"rejected": n} for no, n in wanted.items()})
    told = {"lines": _listed(wanted), "reason": doing.reason}
    return Effect(state=_after_decision(held, wanted, state), known={}, told=told)


def is_anything_owed(of: Return) -> bool:
    """Tell whether the customer has still to get something for what was accepted."""
    resolutions = {line.line_no: line.resolution for line in of.lines}
    return any(
        each.verdict is Verdict.ACCEPTED and resolutions[each.line_no] != "none"
        and (each.owed_minor > 0 or resolutions[each.line_no] in _IN_KIND)
        and each.told_before < each.quantity
        for each in of.decisions
    )  # fmt: skip


_IN_KIND: Final = frozenset({"exchange", "replace"})
# For which shipping may be given back and a fee be kept.
_OF_MONEY: Final = frozenset({Resolution.REFUND, Resolution.STORE_CREDIT})


def _undecided(held: Return, doing: Doing) -> dict[int, int]:
    left = {line.line_no: line.undecided for line in held.lines}
    wanted = left if doing.quantities is None else doing.quantities
    for no, quantity in wanted.items():
        if quantity > left.get(no, 0):
            raise QuantityNotOpen(line_no=no, max=left.get(no, 0))
    found = {no: quantity for no, quantity in sorted(wanted.items()) if quantity}
    if not found:
        raise QuantityNotOpen("nothing of it is left to decide", max=0)
    return found


def _after_decision(held: Return, wanted: Mapping[int, int], state: ReturnState) -> ReturnState:
    is_all = all(line.undecided == wanted.get(line.line_no, 0) for line in held.lines)
    return state if is_all else held.state


def _write_back(tx: Tx, held: Return, fresh: Mapping[int, int], ref: str, doing: Doing) -> Order:
    """Let capture write that units came back, as it does when a channel tells; return the order."""
    order = order_queries.order(tx, held.order_number)
    lines = {line.line_no: line for line in order.lines}
    for no, quantity in fresh.items():
        left = lines[no].shipped - lines[no].returned
        if quantity > left:
            raise QuantityExceedsReturnable(line_no=no, max=max(0, left))
    reasons = {line.line_no: line.reason for line in held.lines}
    for reason in sorted({reasons[no] for no in fresh}):
        changes.apply(
            tx, order, ChangeKind.RETURN,
            {no: quantity for no, quantity in fresh.items() if reasons[no] == reason},
            ref=ref, location_code=held.location_code, reason=reason, by=doing.by, at=doing.at,
        )  # fmt: skip
    return order_queries.order(tx, held.order_number) if fresh else order


def _owed(
    tx: Tx, held: Return, order: Order, wanted: Mapping[int, int], *, before: Mapping[int, int],
    ref: str,
) -> list[Decision]:  # fmt: skip
    """Return what is owed for units: their share of the line, shipping once, less the fee.

    Shipping is given back, and a fee kept, where money is given for the goods.
    """
    goods = {
        each.line_no: (-each.net_minor, -each.tax_minor)
        for each in order.changes if each.change_ref == ref and each.kind == ChangeKind.RETURN
    }  # fmt: skip
    policy = Policy.of(channels.channel(tx, held.channel_code).return_policy)
    is_whole = (
        bool(goods)
        and order.summary.fulfillment_state == FulfillmentState.RETURNED
        and not queries.is_shipping_owed(tx, held.order_id)
    )  # fmt: skip
    reasons = [line.reason for line in held.lines]
    shipping = shipping_back(
        policy, held.currency, order.shipping_net_minor, order.shipping_tax_minor, reasons
    )
    paid = {line.line_no for line in held.lines if line.resolution in _OF_MONEY}
    first = min(goods.keys() & paid, default=None)
    decisions = [
        Decision(
            line_no=no, verdict=Verdict.ACCEPTED, quantity=quantity, told_before=before[no],
            change_ref=ref if no in goods else None,
            goods_net_minor=goods.get(no, (0, 0))[0], goods_tax_minor=goods.get(no, (0, 0))[1],
            shipping_net_minor=shipping[0] if is_whole and no == first else 0,
            shipping_tax_minor=shipping[1] if is_whole and no == first else 0,
        )
        for no, quantity in wanted.items()
    ]  # fmt: skip
    kept = sum(each.fee_minor for each in held.decisions)
    fee = fee_of(policy, held.currency, reasons) - kept
    worth = _worth(tx, held.order_id, decisions)
    weights = [worth[each.line_no] * (each.line_no in paid) for each in decisions]
    fees = split(max(0, min(fee, sum(weights))), weights)
    return [replace(each, fee_minor=part) for each, part in zip(decisions, fees, strict=True)]


def _worth(tx: Tx, order_id: int, decisions: Sequence[Decision]) -> dict[int, int]:
    """Return what goods that came back, and their shipping, give back by line: no more is kept.

    It is less than their price where their line was made cheaper by more than is left of it
    (ADR 0034): that part went back before.
    """
    values = {each.line_no: each for each in refunded.line_values(tx, order_id)}
    found = {}
    for each in decisions:
        shipping = each.shipping_net_minor + each.shipping_tax_minor
        goods = each.goods_net_minor + each.goods_tax_minor
        line, freight = values[each.line_no], values[0]
        # The goods are off their line already, shipping only with the decision.
        found[each.line_no] = line.gives_back(line.minor + goods, goods) + freight.gives_back(
            freight.minor, shipping
        )
    return found


def _owed_of(held: Return, decision: Decision) -> Facts:
    line = held.line(decision.line_no)
    assert line is not None, "what is decided is a line of the return"
    names = (
        "line_no", "quantity", "told_before", "goods_net_minor", "goods_tax_minor",
        "shipping_net_minor", "shipping_tax_minor", "fee_minor",
    )  # fmt: skip
    return {name: getattr(decision, name) for name in names} | {"resolution": line.resolution}


def _listed(quantities: Mapping[int, int]) -> list[Facts]:
    return [{"line_no": no, "quantity": n} for no, n in sorted(quantities.items()) if n]


def _sums(pairs: Any) -> Counter[int]:
    sums: Counter[int] = Counter()
    for no, quantity in pairs:
        sums[no] += quantity
    return sums
