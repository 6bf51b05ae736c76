"""What may be done with an order now, and why not else: asked by commands and by pages alike."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from oms.access.model import ScopeMissing
from oms.change_orders.model import NotEditable
from oms.channels import queries as channels
from oms.fulfillment import queries as fulfillments
from oms.fulfillment.model import Action, FulfillmentOrder, FulfillmentOrderState
from oms.holds import operations as holding
from oms.holds import queries as holds
from oms.holds.model import Command, Hold, refuse_held
from oms.kernel.errors import Conflict, Forbidden, OmsError, VersionConflict
from oms.ledger.database import Tx
from oms.orders import operations as orders
from oms.orders.model import Order
from oms.stock import queries as stock

# What is picked lies in somebody's hands: they must put it back before it can be canceled.
IN_HAND: Final = frozenset({
    FulfillmentOrderState.PICKED, FulfillmentOrderState.PACKED,
    FulfillmentOrderState.READY_FOR_COLLECTION,
})  # fmt: skip
# What a refusal's event says beside what was refused and why.
FACTS_TOLD: Final = ("hold_no", "hold_type", "state", "line_no", "max", "scope")


class QuantityNotCancelable(Conflict):
    """That much of the line cannot be canceled any more."""

    code = "QTY_NOT_CANCELABLE"


class NotRouted(Conflict):
    """The channel gives its orders to locations by itself."""

    code = "NOT_ROUTED"


class NothingToRoute(Conflict):
    """Nothing is kept for this order that nobody has been asked to pick."""

    code = "NOTHING_TO_ROUTE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """An order and all that decides what may be done with it."""

    order: Order
    holds: tuple[Hold, ...]
    fulfillments: tuple[FulfillmentOrder, ...]
    is_routed: bool
    unassigned_units: int

    def cancelable(self) -> dict[int, int]:
        """Return how much of each line has neither left nor is in hand."""
        if self.order.summary.is_historical:
            return {}
        left = {
            line.line_no: line.quantity - line.canceled - max(line.shipped, line.returned)
            for line in self.order.lines
        }
        for found in self.fulfillments:
            if found.state in IN_HAND:
                for line in found.lines:
                    left[line.line_no] -= line.open
        return left


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether something may be done with an order, or one of its parts; if not, why."""

    action: str
    fulfillment_number: str | None = None
    hold_no: int | None = None
    code: str | None = None
    reason: str | None = None

    @property
    def is_allowed(self) -> bool:
        """Whether nothing is in the way."""
        return self.code is None


def situation_of(tx: Tx, order: Order) -> Situation:
    """Return an order's situation; whoever acts on it holds the order first."""
    summary = order.summary
    return Situation(
        order=order, holds=holds.of_order(tx, summary.order_id),
        fulfillments=tuple(fulfillments.of_order(tx, summary.order_number)),
        is_routed=channels.channel(tx, summary.channel_code).is_routed,
        unassigned_units=stock.unassigned_units(tx, summary.order_id),
    )  # fmt: skip


def refuse_cancel(now: Situation) -> None:
    """Refuse to cancel where nothing can be. Raises QuantityNotCancelable, OrderOnHold."""
    if now.order.summary.is_historical:
        raise QuantityNotCancelable("what was imported as history stays as it was", max=0)
    refuse_held(now.holds, Command.CANCEL)
    if not any(now.cancelable().values()):
        raise QuantityNotCancelable("nothing of the order can be canceled any more", max=0)


def refuse_edit(now: Situation) -> None:
    """Refuse to change what is over. Raises NotEditable, OrderOnHold."""
    summary = now.order.summary
    if summary.is_historical:
        raise NotEditable("what was imported as history stays as it was")
    refuse_held(now.holds, Command.EDIT)
    if summary.order_state in holding.ENDED:
        raise NotEditable(f"an order that is {summary.order_state} is not changed any more")
    if not any(now.cancelable().values()):
        raise NotEditable("everything of it has left or is in somebody's hands")


def refuse_route(now: Situation) -> None:
    """Say why nobody is asked to pick. Raises NotRouted, NothingToRoute, OrderOnHold."""
    if not now.is_routed:
        raise NotRouted
    if not now.unassigned_units:
        raise NothingToRoute
    refuse_held(now.holds, Command.ROUTE)


def verdicts(now: Situation, scopes: frozenset[str]) -> list[Verdict]:
    """Return of every command whether somebody with these scopes may give it now."""
    return [_verdict(each, scopes) for each in (*_of_order(now), *_of_parts(now, scopes))]


def is_refusal(error: OmsError) -> bool:
    """Tell whether an error says no to a command, and not only that its giver was too late.

    What makes no sense, or names nothing that is there, was never a command.
    """
    return isinstance(error, Conflict | Forbidden) and not isinstance(error, VersionConflict)


def record_refusal(
    tx: Tx, order_id: int, command: str, error: OmsError, *, by: str, at: datetime
) -> None:
    """Tell in an order's story what was refused, why and to whom; its version stays."""
    facts = {name: error.facts[name] for name in FACTS_TOLD if name in error.facts}
    data = {"command": command, "code": error.code, "reason": error.detail, **facts}
    orders.tell(tx, [(order_id, "command.refused", data)], actor_type="user", actor=by, at=at)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A command: the scope it takes, what refuses it, and on what it is given."""

    action: str
    scope: str | None  # None: nobody gives it, it is done by the system
    refuse: Callable[[], object]
    fulfillment_number: str | None = None
    hold_no: int | None = None


# The scope each command on an order takes.
SCOPES: Final[Mapping[str, str | None]] = {
    "cancel": "orders:write", "edit": "orders:write", "hold": "orders:hold",
    "note": "orders:read", "route": None,
}  # fmt: skip
RELEASE_SCOPE: Final = "orders:hold"
FULFILLMENT_SCOPE: Final = "fulfillment:write"


def _of_order(now: Situation) -> Iterator[_Asked]:
    refusals: dict[str, Callable[[], object]] = {
        "cancel": lambda: refuse_cancel(now),
        "edit": lambda: refuse_edit(now),
        "hold": lambda: holding.refuse_closed(now.order.summary),
        "note": lambda: None,
        "route": lambda: refuse_route(now),
    }
    for action, scope in SCOPES.items():
        yield _Asked(action=action, scope=scope, refuse=refusals[action])


def _of_parts(now: Situation, scopes: frozenset[str]) -> Iterator[_Asked]:
    for hold in now.holds:
        if hold.is_active:
            yield _Asked(
                action="release", scope=RELEASE_SCOPE, hold_no=hold.hold_no,
                refuse=partial(holding.refuse_release, hold, scopes),
            )  # fmt: skip
    for found in now.fulfillments:
        for action in Action:
            yield _Asked(
                action=action.value, scope=FULFILLMENT_SCOPE, refuse=partial(found.after, action),
                fulfillment_number=found.fulfillment_number,
            )  # fmt: skip


def _verdict(asked: _Asked, scopes: frozenset[str]) -> Verdict:
    code = reason = None
    try:
        if asked.scope is not None and asked.scope not in scopes:
            raise ScopeMissing(scope=asked.scope)
        asked.refuse()
    except OmsError as error:
        code, reason = error.code, error.detail
    return Verdict(
        action=asked.action, fulfillment_number=asked.fulfillment_number, hold_no=asked.hold_no,
        code=code, reason=reason,
    )  # fmt: skip
