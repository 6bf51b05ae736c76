"""Returns: asked for by the channel's rules, moved on step by step, and over when their time is.

Whoever does something here holds the order first, then its return, then levels of stock. Goods
and money are told apart: a refund takes up what `return.accepted` says is owed, and completes
the return.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from oms.channels import queries as channels
from oms.exchanges.model import Balance, Wanted
from oms.fulfillment.model import ReasonNeeded
from oms.kernel.errors import Rejected, VersionConflict
from oms.kernel.money import shares_of_units
from oms.ledger.database import Tx
from oms.orders import operations as orders
from oms.orders import queries as order_queries
from oms.orders.model import Order, OrderNotFound
from oms.payments import queries as payments
from oms.returns import operations, queries, rules
from oms.returns.model import (
    Asked,
    Inspected,
    Kind,
    Method,
    Resolution,
    Return,
    ReturnAction,
    ReturnState,
    Row,
)
from oms.returns.operations import Draft
from oms.returns.rules import USUAL, PaidHere, Policy, ResolutionNotOffered, Returnable
from oms.shipments.model import Size, UnknownCarrier
from oms.shipments.port import Carrier, LabelRequest
from oms.workflows import exchanges, refund_caps, returned
from oms.workflows.returned import Doing, Effect

# What a customer may get for goods: nobody is promised what nobody would give.
OFFERED: Final = frozenset({Resolution.REFUND, Resolution.NONE})
# Where we have the money of an order: what its channel took, its channel gives back.
OFFERED_WITH_MONEY: Final = OFFERED | {Resolution.STORE_CREDIT} | exchanges.IN_KIND
# Nothing more of it comes: what was to be sent instead is not sent.
FRUITLESS: Final = frozenset({ReturnState.DECLINED, ReturnState.CANCELED, ReturnState.EXPIRED})


class OverrideNeedsReason(Rejected):
    """Who sets the channel's rules aside says why."""

    code = "OVERRIDE_REASON_NEEDED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What somebody wants to give back, and how."""

    lines: tuple[Asked, ...]
    kind: Kind = Kind.CUSTOMER
    method: Method = Method.CARRIER
    location_code: str | None = None
    note: str | None = None
    override_reason: str | None = None
    wanted: Mapping[int, Wanted] = field(default_factory=dict)  # by line, of what is exchanged


def returnable(tx: Tx, order: Order, *, at: datetime) -> dict[int, Returnable]:
    """Return how much of each line of an order may be given back now, and why not else."""
    channel = channels.channel(tx, order.summary.channel_code)
    policy = Policy.of(channel.return_policy)
    return {
        each.line_no: rules.returnable(each, policy, time_zone=channel.time_zone, at=at)
        for each in queries.facts(tx, order.summary.order_id, at=at)
    }


def request(
    tx: Tx, number: str, asked: Request, *, by: str, at: datetime,
    carriers: Mapping[str, Carrier] | None = None,
) -> Return:  # fmt: skip
    """Ask for goods of an order to be taken back; approved at once where the channel has it so.

    Raises OrderNotFound, UnknownLocation, and NotShipped, AlreadyReturned, WindowExpired,
    FinalSale or QuantityExceedsReturnable by the channel's rules.
    """
    made = open_for(tx, number, asked, state=ReturnState.REQUESTED, by=by, at=at)
    operations.tell(
        tx, made, "requested", actor_type="user", actor=by, at=at, reason=asked.override_reason,
        lines=[{"line_no": each.line_no, "quantity": each.quantity, "reason": each.reason}
               for each in asked.lines],
    )  # fmt: skip
    policy = Policy.of(channels.channel(tx, made.channel_code).return_policy)
    if policy.approval == "auto" or asked.override_reason is not None:
        is_by_rule = asked.override_reason is None
        doing = Doing(
            by="return rules" if is_by_rule else by, at=at, carriers=carriers or {},
            actor_type="system" if is_by_rule else "user",
        )  # fmt: skip
        made = do(tx, made, ReturnAction.APPROVE, doing)
    return made


def preview(tx: Tx, number: str, asked: Request, *, by: str, at: datetime) -> Balance:
    """Tell what a return would come to if all of it were accepted: it is asked for, and undone.

    Of the goods alone: fees that are kept and shipping that is given back are not in it. Raises
    as the request does.
    """
    order = order_queries.order(tx, number)
    known = returnable(tx, order, at=at)
    with tx.begin_nested() as tried:
        made = open_for(tx, number, asked, state=ReturnState.REQUESTED, by=by, at=at)
        new = made.exchange_order_number
        wanted = 0 if new is None else order_queries.order(tx, new).summary.total_minor
        tried.rollback()
    worth: Counter[Resolution] = Counter()
    for each in asked.lines:
        facts = known[each.line_no].facts
        worth[each.resolution] += sum(shares_of_units(
            facts.net_minor, facts.tax_minor, facts.quantity, facts.shared, each.quantity
        ))  # fmt: skip
    return Balance(
        refund_minor=worth[Resolution.REFUND], store_credit_minor=worth[Resolution.STORE_CREDIT],
        exchanged_minor=sum(worth[each] for each in exchanges.IN_KIND), wanted_minor=wanted,
        currency=order.summary.currency,
    )  # fmt: skip


def open_for(
    tx: Tx, number: str, asked: Request, *, state: ReturnState, by: str, at: datetime,
    is_lenient: bool = False,
) -> Return:  # fmt: skip
    """Open a return of an order; where it is lenient, neither time nor kind is in its way."""
    orders.hold(tx, order_queries.order(tx, number).summary.order_id)
    order = order_queries.order(tx, number)
    found = returnable(tx, order, at=at)
    is_ours = bool(payments.ours_to_move(tx, order.summary.order_id))
    offered = OFFERED_WITH_MONEY if is_ours else OFFERED
    for each in asked.lines:
        if each.resolution not in offered:
            raise ResolutionNotOffered(line_no=each.line_no, offered=sorted(offered))
    exchanges.check(asked.lines, asked.wanted)
    is_overridden = is_lenient or asked.override_reason is not None
    for each in asked.lines:
        if each.line_no not in found:
            raise OrderNotFound(f"the order has no line {each.line_no}")
        rules.refuse(found[each.line_no], each.quantity, is_overridden=is_overridden)
    channel = channels.channel(tx, order.summary.channel_code)
    policy = Policy.of(channel.return_policy)
    draft = Draft(
        order_id=order.summary.order_id, kind=asked.kind, state=state, method=asked.method,
        location_code=queries.place_of(
            tx, channel.channel_id, asked.location_code or policy.location
        ),
        expires_at=at + timedelta(days=policy.expires_days), lines=asked.lines, note=asked.note,
        override_reason=asked.override_reason,
    )  # fmt: skip
    made = operations.open_return(tx, draft, by=by, at=at)
    known = {line_no: each.facts for line_no, each in found.items()}
    exchanges.open_order(tx, order, made, asked.wanted, known, by=by, at=at)
    return queries.return_of(tx, made.return_number)


def act(tx: Tx, number: str, action: ReturnAction, doing: Doing, *, version: int) -> Return:
    """Do something with a return, as its state allows; return what it is then.

    A receipt that was taken in already changes nothing. Raises ReturnNotFound; VersionConflict
    when it is no longer the version that was seen; WrongState, ReturnExpired, GoodsReceived; and
    what the action asks: ReasonNeeded, ReceiptNeeded, ReceiptDiffers, ConditionNeeded,
    QuantityNotOpen, QuantityExceedsReturnable, WrongItemKept, NothingCame or PaidHere.
    """
    held = hold(tx, number)
    if action is ReturnAction.RECEIVE and is_known(tx, held, doing):
        return held
    if held.version != version:
        raise VersionConflict(version=held.version, state=held.state)
    if action is ReturnAction.COMPLETE:
        _refuse_to_complete(tx, held, doing)
    return do(tx, held, action, doing)


def hold(tx: Tx, number: str) -> Return:
    """Hold the order a return is of, then the return; return it."""
    orders.hold(tx, operations.order_of(tx, number))
    return operations.hold(tx, number)


def is_known(tx: Tx, held: Return, doing: Doing) -> bool:
    """Tell whether a receipt was taken in already. Raises ReceiptNeeded, ReceiptDiffers."""
    receipt, code = returned.receipt_of(held, doing)
    told = receipt.told(held.return_number)
    return operations.known_receipt(tx, code, receipt.receipt_id, told) is not None


def do(tx: Tx, held: Return, action: ReturnAction, doing: Doing) -> Return:
    """Do something with a return that is held, and what follows from it by itself."""
    now = held.at(doing.at)
    state = now.after(action)
    effect = _EFFECTS.get(action, _nothing)(tx, now, doing, state)
    moved = operations.move(tx, now, effect.state, at=doing.at, **effect.known)
    operations.tell(
        tx, moved, _STEPS.get(action, effect.state), actor_type=doing.actor_type, actor=doing.by,
        at=doing.at, **effect.told,
    )  # fmt: skip
    if action is ReturnAction.RECEIVE and moved.state is ReturnState.RECEIVED and doing.has_rules:
        return _by_rules(tx, moved, doing)
    if moved.state in FRUITLESS or _is_refused(moved):
        exchanges.let_go(tx, moved, at=doing.at)
    if moved.state is ReturnState.RESOLVED and not returned.is_anything_owed(moved):
        return do(tx, moved, ReturnAction.COMPLETE, doing)
    return moved


def _is_refused(of: Return) -> bool:
    """Tell whether all is decided, and nothing that is exchanged was accepted."""
    kept = [line.accepted for line in of.lines if line.resolution in exchanges.IN_KIND]
    return of.state is ReturnState.RESOLVED and not any(kept)


def scanned(
    tx: Tx, carrier: str, tracking_number: str, *, may_see: Callable[[str], bool], at: datetime
) -> bool | None:
    """Let a return be on its way whose parcel its carrier has; None where it has none of ours."""
    for number in queries.receivable_by(tx, tracking_number):
        held = hold(tx, number)
        if held.carrier == carrier and may_see(held.channel_code):
            is_new = held.at(at).state is ReturnState.APPROVED
            if is_new:
                do(tx, held, ReturnAction.SHIP, Doing(by=carrier, at=at, actor_type="system"))
            return is_new
    return None


def expire_due(tx: Tx, *, at: datetime) -> bool:
    """Let one return be over whose time is; tell whether there was any."""
    number = queries.due(tx, at=at)
    if number is not None:
        held = hold(tx, number)
        if held.at(at).state is ReturnState.EXPIRED and held.state is not ReturnState.EXPIRED:
            moved = operations.move(tx, held, ReturnState.EXPIRED, at=at)
            operations.tell(tx, moved, "expired", actor_type="system", actor="return rules", at=at)
            exchanges.let_go(tx, moved, at=at)
    return number is not None


def complete_told(tx: Tx, *, at: datetime) -> bool:
    """Complete one return whose channel has told of it, too; tell whether there was any."""
    number = queries.paid_by_channel(tx)
    if number is not None:
        held = hold(tx, number)
        if held.state is ReturnState.RESOLVED:
            doing = Doing(by=held.channel_code, at=at, actor_type="channel")
            do(tx, held, ReturnAction.COMPLETE, doing)
    return number is not None


def complete(tx: Tx, number: str, doing: Doing) -> Return:
    """Note that the customer has what was owed for a return. Raises WrongState."""
    return do(tx, hold(tx, number), ReturnAction.COMPLETE, doing)


def _refuse_to_complete(tx: Tx, held: Return, doing: Doing) -> None:
    """Let a person say that a customer has what is owed where we have no word of it.

    That is so, too, where somebody decided not to pay the rest from here.
    """
    held.after(ReturnAction.COMPLETE)
    if held.is_paid_here and refund_caps.is_to_be_paid(tx, held.order_id):
        raise PaidHere(state=held.state, allowed_actions=held.allowed())
    if not (doing.reason or "").strip():
        raise ReasonNeeded("who completes a return says how its customer was paid")


def _nothing(_tx: Tx, _held: Return, doing: Doing, state: ReturnState) -> Effect:
    return Effect(state=state, known={"reason": doing.reason}, told={"reason": doing.reason})


def _approve(tx: Tx, held: Return, doing: Doing, state: ReturnState) -> Effect:
    policy = Policy.of(channels.channel(tx, held.channel_code).return_policy)
    until = doing.at + timedelta(days=policy.expires_days)
    label = _label(held, policy.carrier, doing.carriers)
    told = {name: label[name] for name in ("carrier", "tracking_number") if name in label}
    return Effect(
        state=state, known={"expires_at": until, **label},
        told={"expires_at": until.isoformat(), **told},
    )  # fmt: skip


def _label(
    held: Return, code: str | None, carriers: Mapping[str, Carrier]
) -> dict[str, str | None]:
    """Make the label goods come back with; asked for again it is the same one."""
    if code is None or held.method is not Method.CARRIER:
        return {}
    if code not in carriers:
        raise UnknownCarrier(carrier=code, known=sorted(carriers))
    asked = LabelRequest(ref=held.return_number, service=None, size=Size())
    label = carriers[code].label(asked)
    return {
        "carrier": code, "tracking_number": label.tracking_number, "label_ref": label.label_ref,
    }  # fmt: skip


def _decline(tx: Tx, held: Return, doing: Doing, state: ReturnState) -> Effect:
    if not (doing.reason or "").strip():
        raise ReasonNeeded("a return is declined for a reason")
    return _nothing(tx, held, doing, state)


def _ship(_tx: Tx, _held: Return, doing: Doing, state: ReturnState) -> Effect:
    known = {"carrier": doing.carrier, "tracking_number": doing.tracking_number}
    return Effect(state=state, known=known, told=known)


_EFFECTS: Final[
    Mapping[ReturnAction, Callable[[Tx, Return, Doing, ReturnState], Effect]]
] = {
    ReturnAction.APPROVE: _approve,
    ReturnAction.DECLINE: _decline,
    ReturnAction.SHIP: _ship,
    ReturnAction.RECEIVE: returned.receive,
    ReturnAction.INSPECT: returned.inspect,
    ReturnAction.ACCEPT: returned.accept,
    ReturnAction.REJECT: returned.reject,
}  # fmt: skip
# What is told is what was done, where it need not be done to all of it at once.
_STEPS: Final[Mapping[ReturnAction, str]] = {
    ReturnAction.INSPECT: "inspected",
    ReturnAction.ACCEPT: "accepted",
    ReturnAction.REJECT: "rejected",
}


def _by_rules(tx: Tx, moved: Return, doing: Doing) -> Return:
    """Look at units whose condition was told, and decide what the channel's rules decide.

    What came late, or with something else in the box, waits for a person.
    """
    taken = [row for row in moved.rows if row.state is Row.TAKEN]
    is_odd = moved.is_after_expiry or len(taken) < len(moved.rows)
    if is_odd or any(row.condition is None for row in taken):
        return moved
    found = tuple(
        Inspected(
            line_no=row.line_no, quantity=row.quantity - row.inspected, condition=row.condition,
            disposition=row.disposition or USUAL[row.condition],
        )
        for row in taken
        if row.line_no is not None and row.condition is not None and row.quantity > row.inspected
    )  # fmt: skip
    by_rule = replace(doing, by="return rules", actor_type="system", reason="by rule")
    moved = do(tx, moved, ReturnAction.INSPECT, replace(by_rule, inspected=found))
    decided = _decided(tx, moved, found)
    for action, outcome in ((ReturnAction.ACCEPT, "accept"), (ReturnAction.REJECT, "reject")):
        if decided[outcome]:
            moved = do(tx, moved, action, replace(by_rule, quantities=decided[outcome]))
    return moved


def _decided(tx: Tx, moved: Return, found: tuple[Inspected, ...]) -> dict[str, dict[int, int]]:
    policy = Policy.of(channels.channel(tx, moved.channel_code).return_policy)
    order = order_queries.order(tx, moved.order_number)
    units = {
        line.line_no: (line.net_minor + line.tax_minor) // max(1, line.quantity)
        for line in order.lines
    }
    decided: dict[str, dict[int, int]] = {"accept": {}, "reject": {}, "manual": {}}
    for each in found:
        line = moved.line(each.line_no)
        assert line is not None, "what was looked at is a line of the return"
        quantities = decided[policy.outcome(each, line.reason, units[each.line_no])]
        quantities[each.line_no] = quantities.get(each.line_no, 0) + each.quantity
    return decided
