"""Exchanges: an order of what is wanted instead, reserved at once and sent when it is paid.

Whoever makes or ends one holds the order the return is of, then the new one, which has the
higher number. What was accepted pays for it where refunds are made (`workflows/refunds`).
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any, Final

from oms.change_orders.model import Addition
from oms.channels import queries as channels
from oms.exchanges import operations, queries
from oms.exchanges.model import (
    ExchangeNotPossible,
    OrderType,
    PriceReasonMissing,
    Wanted,
    WantedMissing,
)
from oms.holds import operations as holding
from oms.holds import queries as holds
from oms.holds.model import RULES, HoldType
from oms.kernel.money import round_half_up, shares_of_units
from oms.ledger.database import Tx
from oms.orders import operations as orders
from oms.orders import queries as order_queries
from oms.orders.model import (
    GROUP_DRAFT,
    LINE_DRAFT,
    ORDER_DRAFT,
    ChangeKind,
    FulfillmentMethod,
    Group,
    Order,
    OrderState,
)
from oms.refunds import queries as refunded
from oms.refunds.rules import LineValue
from oms.returns.model import Asked, Resolution, Return
from oms.returns.rules import LineFacts
from oms.workflows import actions, amending, changes
from oms.workflows.actions import Situation
from oms.workflows.capture import capture
from oms.workflows.documents import csv_rows

BY: Final = "exchanges"
IN_KIND: Final = frozenset({Resolution.EXCHANGE, Resolution.REPLACE})
UNEXCHANGED: Final = "unexchanged"
# How what is sent instead gets to its customer: as what comes back did, where it was sent.
_COLLECTED: Final = frozenset({FulfillmentMethod.COLLECT_STORE, FulfillmentMethod.PICKUP_POINT})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A line of the new order, and the line of the return it is for."""

    line_no: int
    sku: str
    title: str | None
    quantity: int
    unit_price_minor: int | None
    total_minor: int
    tax_minor: int
    reason: str | None


def check(lines: Sequence[Asked], wanted: Mapping[int, Wanted]) -> None:
    """Refuse what does not say what is wanted, or says it of what is not exchanged.

    Raises WantedMissing, PriceReasonMissing.
    """
    exchanged = {each.line_no for each in lines if each.resolution is Resolution.EXCHANGE}
    for line_no in sorted(exchanged ^ set(wanted)):
        raise WantedMissing(line_no=line_no)
    for line_no, each in sorted(wanted.items()):
        if each.unit_price is not None and not (each.reason or "").strip():
            raise PriceReasonMissing(line_no=line_no)


def open_order(
    tx: Tx, order: Order, made: Return, wanted: Mapping[int, Wanted],
    known: Mapping[int, LineFacts], *, by: str, at: datetime,
) -> None:  # fmt: skip
    """Make the order of what is wanted for a return's lines, and keep its stock.

    It is on hold until it is paid. Raises InsufficientStock, UnknownSku, PriceUnknown and
    NotEditable by what is wanted; ExchangeNotPossible where nobody knows where to send it.
    """
    lines = _lines(tx, order, made, wanted, known)
    if not lines:
        return
    channel = channels.channel(tx, order.summary.channel_code)
    result = capture(
        tx, _drafts(order, made, lines, at=at), channel=channel, actor_type="user", actor=by,
        at=at, refuse_shortage=not order.summary.is_test,
    )  # fmt: skip
    (captured,) = result.orders
    if result.problems or captured.order_number is None:
        found = [each.detail for problem in result.problems.values() for each in problem]
        raise ExchangeNotPossible("; ".join(found) or None)
    number = captured.order_number
    order_id = order_queries.order(tx, number).summary.order_id
    numbered = {each.line_no: (no, each.reason) for no, each in enumerate(lines, start=1)}
    operations.link(tx, made.return_id, order_id, numbered, at=at)
    comment = f"sent when {made.return_number} or its customer has paid for it"
    holding.place(tx, number, HoldType.EXCHANGE, comment, by=by, at=at)
    told = {
        "return_number": made.return_number,
        "original": order.summary.order_number,
        "order": number,
    }
    steps = [(each, "exchange.opened", told) for each in (order.summary.order_id, order_id)]
    orders.tell(tx, steps, actor_type="user", actor=by, at=at)


def let_go(tx: Tx, of: Return, *, at: datetime) -> None:
    """Cancel what was to be sent for a return that comes to nothing, unless it was let go."""
    found = queries.of_return(tx, of.return_id)
    if found is None:
        return
    orders.hold(tx, found.order_id)
    if not release(tx, found.order_number, UNEXCHANGED, at=at):
        return
    order = order_queries.order(tx, found.order_number)
    left = {no: n for no, n in actions.situation_of(tx, order).cancelable().items() if n}
    if left:
        changes.apply(
            tx, order, ChangeKind.CANCEL, left, ref=f"*C{order.summary.version + 1}",
            location_code=None, reason=UNEXCHANGED, by=BY, at=at,
        )  # fmt: skip
    told = {"return_number": found.return_number, "order": found.order_number}
    steps = [(each, "exchange.ended", told) for each in (found.original_id, found.order_id)]
    orders.tell(tx, steps, actor_type="system", actor=BY, at=at)


def release(tx: Tx, number: str, comment: str, *, at: datetime) -> bool:
    """Release an order that is held from the hold of its exchange; tell whether it was on it."""
    order = order_queries.order(tx, number).summary
    for hold in holds.of_order(tx, order.order_id):
        if hold.is_active and hold.type is HoldType.EXCHANGE:
            holding.release(
                tx, number, hold.hold_no, comment, version=order.version, by=BY, at=at,
                scopes=frozenset({RULES[HoldType.EXCHANGE].release_scope}), actor_type="system",
            )  # fmt: skip
            return order.order_state != OrderState.CANCELED
    return False


def _lines(
    tx: Tx, order: Order, made: Return, wanted: Mapping[int, Wanted],
    known: Mapping[int, LineFacts],
) -> list[_Line]:  # fmt: skip
    now = actions.situation_of(tx, order)
    values = {each.line_no: each for each in refunded.line_values(tx, order.summary.order_id)}
    found = []
    for line in made.lines:
        if line.resolution in IN_KIND:
            asked = wanted.get(line.line_no, Wanted(sku=line.sku))
            quantity = asked.quantity or line.expected
            is_same = asked.sku == line.sku and asked.unit_price is None
            if is_same and quantity <= line.expected:
                facts, value = known[line.line_no], values[line.line_no]
                found.append(_as_paid(order, facts, value, quantity))
            else:
                found.append(_as_sold(tx, now, line.line_no, asked, quantity))
    return found


def _as_paid(order: Order, facts: LineFacts, value: LineValue, quantity: int) -> _Line:
    """Return units of what comes back at what they were paid with.

    That is what they give back: less, where their line was made cheaper since.
    """
    net, tax = shares_of_units(
        facts.net_minor, facts.tax_minor, facts.quantity, facts.shared, quantity
    )
    worth = value.gives_back(value.minor, net + tax)
    if worth < net + tax:
        tax = round_half_up(Fraction(tax * worth, net + tax))
        net = worth - tax
    total = net + tax if order.prices_include_tax else net
    return _Line(
        line_no=facts.line_no, sku=facts.sku, title=facts.title, quantity=quantity,
        unit_price_minor=None if total % quantity else total // quantity, total_minor=total,
        tax_minor=tax, reason=None,
    )  # fmt: skip


def _as_sold(tx: Tx, now: Situation, line_no: int, asked: Wanted, quantity: int) -> _Line:
    """Return units of an article at what its channel asked for it last, or as it was said."""
    addition = Addition(
        sku=asked.sku, quantity=quantity, unit_price=asked.unit_price, tax=asked.tax
    )
    fresh = amending.fresh_line(tx, now, line_no, addition)
    return _Line(
        line_no=line_no, sku=fresh.sku, title=fresh.title, quantity=quantity,
        unit_price_minor=fresh.unit_price_minor, total_minor=fresh.list_minor,
        tax_minor=fresh.tax_minor, reason=asked.reason,
    )  # fmt: skip


def _drafts(
    order: Order, made: Return, lines: Sequence[_Line], *, at: datetime
) -> dict[str, bytes]:
    """Return the document of the new order: for the same customer, to the same place."""
    same = order.summary
    group = _group(order, lines)
    method = FulfillmentMethod(group.method)
    where = group.ship_to or order.ship_to
    if method not in _COLLECTED:
        if where is None:
            raise ExchangeNotPossible("nobody knows where to send it: take it back for money")
        method = FulfillmentMethod.SHIP_HOME
    is_replaced = all(
        each.resolution is Resolution.REPLACE for each in made.lines if each.resolution in IN_KIND
    )
    header: dict[str, Any] = {
        "position": 1, "external_ref": f"*{made.return_number}", "placed_at": at,
        "currency": same.currency, "prices_include_tax": order.prices_include_tax,
        "order_type": OrderType.REPLACEMENT if is_replaced else OrderType.EXCHANGE,
        "fulfillment_method": method, "customer_ref": order.customer_ref,
        "customer_name": same.customer_name, "customer_email": same.customer_email,
        "customer_phone": order.customer_phone, "ship_to": _json(where),
        "bill_to": _json(order.bill_to), "country_code": same.country_code,
        "is_test": same.is_test, "is_historical": False, "is_partial": False,
    }  # fmt: skip
    rows = [
        {
            "position": 1, "line_ref": str(no), "sku": each.sku, "title": each.title,
            "quantity": each.quantity, "unit_price_minor": each.unit_price_minor,
            "discount_minor": 0, "total_minor": each.total_minor, "tax_minor": each.tax_minor,
        }
        for no, each in enumerate(lines, start=1)
    ]  # fmt: skip
    header["sha256"] = hashlib.sha256(json.dumps([header, rows], default=str).encode()).hexdigest()
    drafts = {
        "orders": csv_rows([[header.get(name) for name in ORDER_DRAFT]]),
        "lines": csv_rows([each[name] for name in LINE_DRAFT] for each in rows),
    }
    if method in _COLLECTED:
        kept = {
            "position": 1, "group_no": 1, "method": method, "location_code": group.location_code,
            "pickup_point": _json(group.pickup_point), "ship_to": _json(group.ship_to),
            "line_refs": json.dumps([each["line_ref"] for each in rows]),
        }  # fmt: skip
        drafts["groups"] = csv_rows([[kept[name] for name in GROUP_DRAFT]])
    return drafts


def _group(order: Order, lines: Sequence[_Line]) -> Group:
    group_no = {line.line_no: line.group_no for line in order.lines}[lines[0].line_no]
    return next(group for group in order.groups if group.group_no == group_no)


def _json(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value)
