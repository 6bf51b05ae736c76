"""Holds: what each type blocks, who ends it, and what waits for that."""

import pytest

from oms.access.model import ROLES, SCOPES, ScopeMissing
from oms.fulfillment.model import COMMAND_OF, Action, FulfillmentOrder, WrongState
from oms.holds import operations, queries
from oms.holds.model import (
    RULES,
    Command,
    Hold,
    HoldExists,
    HoldNotFound,
    HoldReleased,
    HoldType,
    OrderClosed,
    OrderOnHold,
)
from oms.kernel.errors import VersionConflict
from oms.workflows import changes, fulfillment
from tests.builders import NOW, a_change, a_movement, a_partial, an_order, minutes
from tests.ledger.routing import do, route, work
from tests.ledger.shop import Shop
from tests.ledger.threads import together

T = HoldType
ALL = frozenset(SCOPES)


def place(shop: Shop, hold_type: HoldType = T.MANUAL, ref: str = "W-1") -> Hold:
    number = shop.order(ref).summary.order_number
    return shop.ledger.run(
        lambda tx: operations.place(tx, number, hold_type, "Look.", by="ann", at=NOW)
    )[0]


def release(
    shop: Shop, hold_no: int = 1, *, version: int | None = None, scopes: frozenset[str] = ALL
) -> Hold:
    summary = shop.order().summary
    return shop.ledger.run(
        lambda tx: fulfillment.release_hold(
            tx, summary.order_number, hold_no, "Seen.", version=version or summary.version,
            scopes=scopes, by="bob", at=minutes(1),
        )
    )[0]  # fmt: skip


def cancel(shop: Shop) -> None:
    summary = shop.order().summary
    shop.ledger.run(
        lambda tx: changes.cancel(
            tx, summary.order_number, None, reason="asked", version=summary.version, by="ann",
            at=NOW,
        )
    )  # fmt: skip


def of_order(shop: Shop) -> tuple[Hold, ...]:
    with shop.ledger.snapshot() as tx:
        return queries.of_order(tx, shop.order().summary.order_id)


class TestRules:
    def test_every_type_can_be_released_by_somebody(self) -> None:
        for rule in RULES.values():
            assert rule.blocks
            assert any({rule.release_scope, "orders:hold"} <= set(of) for of in ROLES.values())

    def test_who_serves_customers_does_not_clear_fraud(self) -> None:
        for hold_type in (T.FRAUD, T.PAYMENT_REVIEW):
            assert RULES[hold_type].release_scope not in ROLES["agent"]


class TestPlacing:
    def test_marks_the_order_and_is_told(self, shop: Shop) -> None:
        shop.take(an_order())
        before = shop.order().summary.version
        placed = place(shop, T.ADDRESS)
        assert (placed.hold_no, placed.placed_by, placed.comment) == (1, "ann", "Look.")
        now = shop.order()
        assert (now.summary.is_on_hold, now.summary.version) == (True, before + 1)
        assert (now.events[-1].type, now.events[-1].data) == (
            "hold.placed", {"hold_no": 1, "type": "address"},
        )  # fmt: skip

    def test_of_a_type_that_is_there_is_refused(self, shop: Shop) -> None:
        shop.take(an_order())
        place(shop, T.FRAUD)
        place(shop, T.MANUAL)
        with pytest.raises(HoldExists):
            place(shop, T.FRAUD)
        assert [hold.hold_no for hold in of_order(shop)] == [1, 2]

    def test_of_one_type_by_two_at_once_is_one(self, shop: Shop) -> None:
        shop.take(an_order())
        found = together([lambda: place(shop)] * 2)
        assert sorted(type(each).__name__ for each in found) == ["Hold", "HoldExists"]

    @pytest.mark.parametrize("is_historical", [True, False])
    def test_comes_too_late_for_what_is_over(self, shop: Shop, *, is_historical: bool) -> None:
        shop.take(an_order(is_historical=is_historical))
        if not is_historical:
            shop.take(a_partial("W-1", a_change("cancel")))
        with pytest.raises(OrderClosed):
            place(shop)


class TestReleasing:
    def test_ends_with_the_last(self, shop: Shop) -> None:
        shop.take(an_order())
        place(shop, T.FRAUD)
        place(shop, T.MANUAL)
        released = release(shop, 1)
        assert (released.released_by, released.release_comment) == ("bob", "Seen.")
        assert shop.order().summary.is_on_hold
        release(shop, 2)
        assert not shop.order().summary.is_on_hold
        assert shop.story()[-2:] == ["hold.released", "hold.released"]

    def test_is_for_who_may(self, shop: Shop) -> None:
        shop.take(an_order())
        place(shop, T.FRAUD)
        with pytest.raises(ScopeMissing):
            release(shop, scopes=frozenset(ROLES["agent"]))
        assert of_order(shop)[0].is_active
        release(shop, scopes=frozenset(ROLES["finance"]))

    def test_happens_once_to_what_is_there_and_was_seen(self, shop: Shop) -> None:
        shop.take(an_order())
        place(shop)
        with pytest.raises(HoldNotFound):
            release(shop, 2)
        with pytest.raises(VersionConflict):
            release(shop, version=1)
        release(shop)
        with pytest.raises(HoldReleased):
            release(shop)

    def test_lets_a_type_be_placed_again(self, shop: Shop) -> None:
        shop.take(an_order())
        place(shop)
        release(shop)
        assert place(shop).hold_no == 2


class TestRouting:
    def test_passes_over_what_is_held_until_the_last_is_released(self, routed: Shop) -> None:
        routed.take(a_movement(5))
        routed.take(an_order("W-1"), an_order("W-2"))
        place(routed, T.FRAUD)
        place(routed, T.STOCK_CHECK)
        route(routed)
        assert (work(routed), len(work(routed, "W-2"))) == ([], 1)
        release(routed, 1)
        assert work(routed) == []
        release(routed, 2)
        assert [f.location_code for f in work(routed)] == ["DC"]
        assert routed.story()[-2:] == ["hold.released", "fulfillment.assigned"]

    def test_goes_on_behind_many_that_are_held(
        self, routed: Shop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(fulfillment, "ORDERS_AT_ONCE_MAX", 1)
        routed.take(a_movement(5))
        routed.take(an_order("W-1"), an_order("W-2"))
        place(routed)
        route(routed)
        assert len(work(routed, "W-2")) == 1

    def test_a_hold_that_does_not_speak_of_it_changes_nothing(self, routed: Shop) -> None:
        routed.take(a_movement(5), an_order())
        place(routed, T.ADDRESS)
        route(routed)
        assert len(work(routed)) == 1


def ready_for(shop: Shop, action: Action) -> FulfillmentOrder:
    """Give the one fulfillment order of an order, where this action is next."""
    shop.take(a_movement(5), an_order())
    route(shop)
    (made,) = work(shop)
    for step in (Action.ACCEPT, Action.START_PICK, Action.PICK, Action.PACK):
        if action in made.allowed():
            return made
        made = do(shop, made, step)
    return made


class TestCommands:
    @pytest.mark.parametrize("hold_type", T)
    @pytest.mark.parametrize("action", [Action.START_PICK, Action.PICK, Action.SHIP])
    def test_of_locations_wait_where_the_type_says(
        self, routed: Shop, hold_type: HoldType, action: Action
    ) -> None:
        made = ready_for(routed, action)
        place(routed, hold_type)
        (now,) = work(routed)
        if COMMAND_OF[action] not in RULES[hold_type].blocks:
            assert do(routed, made, action).version > made.version
            return
        assert action not in now.allowed()
        with pytest.raises(OrderOnHold) as refused:
            do(routed, made, action)
        assert refused.value.facts == {
            "hold_no": 1, "hold_type": hold_type, "blocked": COMMAND_OF[action],
        }  # fmt: skip
        release(routed)
        assert do(routed, made, action).version > made.version

    def test_what_no_hold_speaks_of_goes_on(self, routed: Shop) -> None:
        made = ready_for(routed, Action.PACK)
        place(routed, T.FRAUD)
        assert do(routed, made, Action.UNPICK).state == "accepted"

    def test_wrong_ones_are_wrong_first(self, routed: Shop) -> None:
        made = ready_for(routed, Action.ACCEPT)
        place(routed, T.FRAUD)
        with pytest.raises(WrongState):
            do(routed, made, Action.SHIP)

    @pytest.mark.parametrize("hold_type", T)
    def test_to_cancel_wait_where_the_type_says(self, shop: Shop, hold_type: HoldType) -> None:
        shop.take(an_order())
        place(shop, hold_type)
        if Command.CANCEL in RULES[hold_type].blocks:
            with pytest.raises(OrderOnHold):
                cancel(shop)
            release(shop)
        cancel(shop)
        assert shop.states() == ("canceled", "canceled")

    def test_of_the_channel_are_facts(self, shop: Shop) -> None:
        shop.take(an_order())
        place(shop, T.FRAUD)
        shop.take(a_partial("W-1", a_change("cancel")))
        assert shop.states() == ("canceled", "canceled")
