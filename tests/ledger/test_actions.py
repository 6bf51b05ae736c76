"""What may be done with an order: the page says of every command what the command would say."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from oms.access.model import SCOPES
from oms.change_orders.model import Edit
from oms.fulfillment.model import Action, Reason
from oms.holds import operations as holding
from oms.holds.model import HoldType
from oms.kernel.errors import OmsError
from oms.ledger.database import Tx
from oms.notes import operations as notes
from oms.notes.model import Draft as Remark
from oms.workflows import actions, changes, editing, fulfillment
from oms.workflows.actions import Situation, Verdict
from oms.workflows.fulfillment import Doing
from tests.builders import (
    NOW,
    a_change,
    a_group,
    a_line,
    a_movement,
    a_partial,
    an_order,
    minutes,
)
from tests.ledger.routing import do, route, work
from tests.ledger.shop import Shop

A = Action
ALL: Final = frozenset(SCOPES)
PICKED: Final = (A.ACCEPT, A.START_PICK, A.PICK)


def situation(shop: Shop) -> Situation:
    order = shop.order()
    with shop.ledger.snapshot() as tx:
        return actions.situation_of(tx, order)


def said(shop: Shop, scopes: frozenset[str] = ALL) -> list[Verdict]:
    return actions.verdicts(situation(shop), scopes)


def word_of(shop: Shop, action: str) -> str | None:
    """Return the code an order's command is refused with, None when it may be given."""
    (found,) = (each for each in said(shop) if each.action == action and not each.hold_no)
    return found.code


def give(tx: Tx, now: Situation, verdict: Verdict) -> object:
    """Give the command a verdict speaks of, with everything it needs."""
    number, version = now.order.summary.order_number, now.order.summary.version
    if verdict.fulfillment_number is not None:
        (found,) = (
            each for each in now.fulfillments
            if each.fulfillment_number == verdict.fulfillment_number
        )  # fmt: skip
        doing = Doing(
            by="ann", at=minutes(2), reason=Reason.OTHER, collect_code=found.collect_code,
            to_location_code="DC" if found.location_code == "AMS" else "AMS", split_off={1: 1},
        )  # fmt: skip
        return fulfillment.act(
            tx, found.fulfillment_number, A(verdict.action), doing, version=found.version
        )
    given: dict[str, Callable[[], object]] = {
        "cancel": lambda: changes.cancel(
            tx, number, None, reason="asked", version=version, by="ann", at=NOW
        ),
        "edit": lambda: editing.change(
            tx, number, Edit(quantities={1: 0}, reason="asked"), {},
            version=version, by="ann", at=NOW,
        ),
        "hold": lambda: holding.place(tx, number, HoldType.MANUAL, "Look.", by="ann", at=NOW),
        "note": lambda: notes.add(tx, number, Remark(body="Hm."), scopes=ALL, by="a", at=NOW),
        "route": lambda: fulfillment.open_work(tx, [now.order.summary.order_id], at=NOW),
        "release": lambda: fulfillment.release_hold(
            tx, number, verdict.hold_no or 0, "Seen.", version=version, scopes=ALL, by="bob",
            at=NOW,
        ),
    }  # fmt: skip
    return given[verdict.action]()


def answer(shop: Shop, now: Situation, verdict: Verdict) -> str | None:
    """Return the code a command is refused with; whatever it does is undone."""
    with shop.ledger.engine.connect() as tx, tx.begin() as undone:
        try:
            done = give(tx, now, verdict)
        except OmsError as error:
            return error.code
        finally:
            undone.rollback()
    # Routing is nobody's command: it refuses by doing nothing.
    return verdict.code if verdict.action == "route" and done == 0 else None


def place(shop: Shop, hold_type: HoldType) -> None:
    number = shop.order().summary.order_number
    shop.ledger.run(lambda tx: holding.place(tx, number, hold_type, "Look.", by="ann", at=NOW))


def waiting(shop: Shop, **order: Any) -> None:
    shop.take(a_movement(9), a_movement(9, location="AMS"), an_order(**order))


def routed_to(*steps: Action, **order: Any) -> Callable[[Shop], None]:
    def make(shop: Shop) -> None:
        waiting(shop, **order)
        route(shop)
        (made,) = work(shop)
        for step in steps:
            said_of = {
                "reason": Reason.OTHER if step is A.REJECT else None,
                "collect_code": made.collect_code,
            }
            made = do(shop, made, step, **said_of)

    return make


COLLECTED: Final[dict[str, Any]] = {
    "groups": [a_group("collect_store", "PEN", location="AMS")],
    "fulfillment_method": "collect_store",
}
SITUATIONS: Final[dict[str, Callable[[Shop], None]]] = {
    "reserved": waiting,
    "backordered": lambda shop: shop.take(an_order()) and None,
    "historical": lambda shop: shop.take(an_order(is_historical=True)) and None,
    "assigned": routed_to(),
    "several units": routed_to(lines=[a_line(quantity=2)]),
    "accepted": routed_to(A.ACCEPT),
    "picking": routed_to(*PICKED[:2]),
    "picked": routed_to(*PICKED),
    "packed": routed_to(*PICKED, A.PACK),
    "shipped": routed_to(*PICKED, A.PACK, A.SHIP),
    "delivery failed": routed_to(*PICKED, A.PACK, A.SHIP, A.FAIL_DELIVERY),
    "returned to sender": routed_to(*PICKED, A.PACK, A.SHIP, A.RETURN_TO_SENDER),
    "taken back": routed_to(*PICKED, A.PACK, A.SHIP, A.RETURN_TO_SENDER, A.TAKE_BACK),
    "rejected": routed_to(A.REJECT),
    "ready": routed_to(*PICKED, A.PACK, A.READY, **COLLECTED),
    "collected": routed_to(*PICKED, A.PACK, A.READY, A.COLLECT, **COLLECTED),
    "refused": routed_to(*PICKED, A.PACK, A.READY, A.REFUSE, **COLLECTED),
    "not collected": routed_to(*PICKED, A.PACK, A.READY, A.NO_SHOW, **COLLECTED),
}
# One more after the other: some commands, then all of them are blocked.
HOLDS: Final = (None, HoldType.ADDRESS, HoldType.PAYMENT_REVIEW, HoldType.FRAUD)
OVER: Final = {
    "historical", "shipped", "delivery failed", "returned to sender", "taken back", "collected",
    "refused", "not collected",
}  # fmt: skip


class TestVerdicts:
    @pytest.mark.parametrize("made", SITUATIONS)
    def test_are_what_the_commands_say(self, routed: Shop, made: str) -> None:
        SITUATIONS[made](routed)
        for hold_type in HOLDS[: 1 if made in OVER else None]:
            if hold_type is not None:
                place(routed, hold_type)
            now, verdicts = situation(routed), said(routed)
            assert {each.action for each in verdicts} >= {"cancel", "hold", "note", "route"}
            for verdict in verdicts:
                assert answer(routed, now, verdict) == verdict.code, (hold_type, verdict)
                assert verdict.is_allowed == (verdict.reason is None)

    def test_say_why_nobody_is_asked_to_pick(self, shop: Shop) -> None:
        waiting(shop)
        assert word_of(shop, "route") == "NOT_ROUTED"

    def test_follow_what_is_left(self, routed: Shop) -> None:
        waiting(routed, lines=[a_line(quantity=2)])
        assert (word_of(routed, "route"), word_of(routed, "cancel")) == (None, None)
        route(routed)
        assert word_of(routed, "route") == "NOTHING_TO_ROUTE"
        routed.take(a_partial("W-1", a_change("cancel", 2)))
        assert word_of(routed, "cancel") == "QTY_NOT_CANCELABLE"
        assert word_of(routed, "hold") == "ORDER_CLOSED"

    def test_are_for_who_asks(self, shop: Shop) -> None:
        waiting(shop)
        may = {each.action: each.code for each in said(shop, frozenset({"orders:write"}))}
        assert may == {
            "cancel": None, "edit": None, "hold": "SCOPE_MISSING", "note": "SCOPE_MISSING",
            "route": "NOT_ROUTED",
        }  # fmt: skip
