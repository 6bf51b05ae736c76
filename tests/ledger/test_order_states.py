"""Roll-ups and story: an order's states are folded from its lines, its steps have no gaps."""

import pytest

from oms.orders import history
from oms.orders.model import FulfillmentState, OrderState
from tests.builders import Row, a_change, a_line, a_movement, a_partial, an_order, minutes
from tests.ledger.shop import Shop

# Of three pens and two inks: what happens, and the two states it ends in.
# stock: pens there; the inks always are.
CASES: list[tuple[int, list[Row], str, str]] = [
    (3, [], "placed", "allocated"),
    (2, [], "placed", "backordered"),
    (0, [], "placed", "backordered"),
    (3, [a_change("ship", 1)], "in_progress", "partially_shipped"),
    (0, [a_change("ship", 2, line="INK")], "in_progress", "backordered"),
    (3, [a_change("ship", 3), a_change("ship", 2, line="INK")], "completed", "shipped"),
    (3, [a_change("cancel", 3)], "placed", "allocated"),
    (0, [a_change("cancel", 3)], "placed", "allocated"),
    (3, [a_change("cancel", 3), a_change("cancel", 2, line="INK")], "canceled", "canceled"),
    (3, [a_change("cancel", 3), a_change("ship", 2, line="INK")], "completed", "shipped"),
    (3, [a_change("cancel", 3), a_change("ship", line="INK")], "in_progress", "partially_shipped"),
    (3, [a_change("ship", 3), a_change("return", 1)], "in_progress", "partially_returned"),
    (3, [a_change("return", 3)], "in_progress", "partially_returned"),
    (3, [a_change("return", 3), a_change("return", 2, line="INK")], "completed", "returned"),
    (3, [a_change("return", 3), a_change("cancel", 2, line="INK")], "completed", "returned"),
    (3, [a_change("ship", 3), a_change("return", 3), a_change("ship", 2, line="INK")],
     "completed", "partially_returned"),
]  # fmt: skip


def fold(ordered: int, canceled: int, gone: int) -> OrderState:
    """Return an order's state as the specification words it."""
    if canceled >= ordered:
        return OrderState.CANCELED
    if canceled + gone >= ordered:
        return OrderState.COMPLETED
    return OrderState.IN_PROGRESS if gone else OrderState.PLACED


class TestStates:
    @pytest.mark.parametrize(("pens", "changes", "order", "fulfillment"), CASES)
    @pytest.mark.parametrize("is_at_once", [True, False])
    def test_they_follow_the_lines(
        self, shop: Shop, pens: int, changes: list[Row], order: str, fulfillment: str,
        is_at_once: bool,  # noqa: FBT001 - a case
    ) -> None:  # fmt: skip
        shop.take(a_movement(pens), a_movement(2, sku="INK"))
        lines = [a_line(quantity=3), a_line("INK", 2)]
        if is_at_once:
            shop.take(an_order(lines=lines, changes=changes))
        else:
            shop.take(an_order(lines=lines))
            for change in changes:
                shop.take(a_partial("W-1", change))
        assert shop.states() == (order, fulfillment)

    def test_the_function_of_the_database_is_the_specifications(self, shop: Shop) -> None:
        sums = [
            (ordered, canceled, gone)
            for ordered in range(4)
            for canceled in range(ordered + 1)
            for gone in range(ordered - canceled + 1)
        ]
        for each in sums:
            found = shop.value(
                "select order_state_of(:ordered, :canceled, :gone)",
                **dict(zip(("ordered", "canceled", "gone"), each, strict=True)),
            )
            assert found == fold(*each), each

    def test_every_state_there_is_can_be_told(self) -> None:
        assert {OrderState(order) for _, _, order, _ in CASES} == set(OrderState)
        assert {FulfillmentState(state) for *_, state in CASES} == set(FulfillmentState)


class TestStory:
    def test_every_step_is_told_once_and_in_order(self, shop: Shop) -> None:
        shop.take(an_order(lines=[a_line(quantity=5)]))
        shop.take(an_order(version=2, lines=[a_line(quantity=6)]))
        shop.take(
            a_partial("W-1", a_change("ship", 2, ref="s", at=minutes(20))),
            a_partial("W-1", a_change("cancel", 1, ref="c", at=minutes(10))),
        )
        shop.take(a_partial("W-1", a_change("ship", 2, ref="s")))
        shop.take(a_partial("W-1", a_change("return", 1, ref="r")))
        assert [(each.seq, each.type) for each in shop.order().events] == [
            (1, "order.captured"), (2, "order.updated"), (3, "order.canceled"),
            (4, "order.shipped"), (5, "order.returned"),
        ]  # fmt: skip

    def test_one_refund_of_two_lines_is_one_step(self, shop: Shop) -> None:
        shop.take(a_movement(9, sku="INK"))
        changes = [a_change("return", ref="r"), a_change("return", 2, ref="r", line="INK")]
        shop.take(an_order(lines=[a_line(), a_line("INK", 3)], changes=changes))
        step = shop.order().events[-1]
        assert step.data == {
            "change_ref": "r",
            "lines": [{"line_no": 1, "quantity": 1}, {"line_no": 2, "quantity": 2}],
        }

    def test_each_step_says_what_it_was_about_and_what_it_changed(self, shop: Shop) -> None:
        shop.take(an_order(lines=[a_line(quantity=2)]), at=minutes(0))
        shop.take(a_movement(1))
        shop.take(a_partial("W-1", a_change("ship", 1, location_code="DC")))
        shop.take(a_partial("W-1", a_change("cancel", 1, ref="c", reason="too late")))
        told = [
            (each.event.type, each.from_state, each.to_state, each.fulfillment_state)
            for each in history.steps(shop.order().events)
        ]
        assert told == [
            ("order.captured", None, "placed", "backordered"),
            ("order.backorder_eased", "placed", "placed", "backordered"),
            ("order.shipped", "placed", "in_progress", "backordered"),
            ("order.canceled", "in_progress", "completed", "shipped"),
        ]  # fmt: skip
        assert shop.order().events[-1].data == {
            "change_ref": "c", "reason": "too late", "lines": [{"line_no": 1, "quantity": 1}],
            "backordered": [{"line_no": 1, "before": 1, "after": 0}],
        }  # fmt: skip

    def test_what_changes_nothing_raises_no_version(self, shop: Shop) -> None:
        shop.take(an_order(), a_partial("W-1", a_change("ship")))
        version = shop.order().summary.version
        shop.take(an_order(), a_partial("W-1", a_change("ship")))
        assert shop.order().summary.version == version
