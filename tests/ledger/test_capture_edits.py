"""Edits: a newer document changes lines, adds and removes them, and the books follow."""

from tests.builders import (
    Draft,
    a_change,
    a_line,
    a_movement,
    a_partial,
    a_receipt,
    an_order,
    minutes,
)
from tests.ledger.shop import Shelf, Shop


def edited(**columns: object) -> Draft:
    """Return a newer document of the usual order, of five minutes later."""
    return an_order(version=2, updated_at=minutes(5), **columns)  # type: ignore[arg-type]  # builder's


def events(shop: Shop) -> list[tuple[object, ...]]:
    """Return the sales and edits of the order: line, kind, quantity, money with tax."""
    return shop.rows(
        "select line_no, kind, quantity, net_minor + tax_minor from line_events"
        " where kind in ('sale', 'edit') order by line_no, kind desc, change_ref"
    )


class TestQuantity:
    def test_more_of_a_line_is_the_difference(self, shop: Shop) -> None:
        shop.take(a_movement(9))
        shop.take(an_order(lines=[a_line(quantity=2)]))
        shop.take(edited(lines=[a_line(quantity=5)]))
        assert events(shop) == [(1, "sale", 2, 2000), (1, "edit", 3, 3000)]
        assert shop.shelf() == Shelf(9, 5)

    def test_less_of_a_line_frees_its_stock(self, shop: Shop) -> None:
        shop.take(a_movement(9))
        shop.take(an_order(lines=[a_line(quantity=5)]))
        shop.take(edited(lines=[a_line(quantity=2)]))
        assert events(shop) == [(1, "sale", 5, 5000), (1, "edit", -3, -3000)]
        assert shop.shelf() == Shelf(9, 2)

    def test_up_and_down_and_up_again_is_the_last(self, shop: Shop) -> None:
        shop.take(a_movement(9))
        for version, quantity in enumerate([2, 7, 1, 4], start=1):
            shop.take(an_order(version=version, lines=[a_line(quantity=quantity)]))
        assert shop.shelf() == Shelf(9, 4)
        assert shop.order().summary.total_minor == 4000

    def test_the_edit_is_dated_when_it_was_made(self, shop: Shop) -> None:
        shop.take(an_order())
        shop.take(edited(lines=[a_line(quantity=2)]), at=minutes(60))
        (found,) = shop.rows("select occurred_at from line_events where kind = 'edit'")
        assert found == (minutes(5),)


class TestLines:
    def test_an_added_line_takes_the_next_number(self, shop: Shop) -> None:
        shop.take(an_order(lines=[a_line(), a_line("INK")]))
        shop.take(edited(lines=[a_line("LAMP"), a_line("INK"), a_line(), a_line("PEN", ref="x")]))
        assert [(each.line_no, each.line_ref) for each in shop.order().lines] == [
            (1, "PEN"), (2, "INK"), (3, "LAMP"), (4, "x"),
        ]  # fmt: skip
        assert (3, "edit", 1, 1000) in events(shop)

    def test_a_line_that_is_gone_goes_to_nothing(self, shop: Shop) -> None:
        shop.take(a_movement(9))
        shop.take(an_order(lines=[a_line(quantity=2), a_line("INK")]))
        shop.take(edited(lines=[a_line("INK")]))
        line = shop.line()
        assert (line.quantity, line.net_minor, line.tax_minor, line.list_minor) == (0, 0, 0, 0)
        assert shop.shelf() == Shelf(9, 0)
        assert shop.order().summary.total_minor == 1000

    def test_a_line_may_come_back(self, shop: Shop) -> None:
        shop.take(an_order(lines=[a_line(quantity=2), a_line("INK")]))
        shop.take(edited(lines=[a_line("INK")]))
        shop.take(an_order(version=3, lines=[a_line(quantity=4), a_line("INK")]))
        assert (shop.line().line_no, shop.line().quantity) == (1, 4)

    def test_lines_in_another_order_are_the_same_lines(self, shop: Shop) -> None:
        shop.take(an_order(lines=[a_line(), a_line("INK", 2)]))
        shop.take(edited(lines=[a_line("INK", 2), a_line()]))
        assert all(kind == "sale" for _, kind, *_ in events(shop))

    def test_a_line_with_another_product_promises_that_one(self, shop: Shop) -> None:
        shop.take(a_movement(5), a_movement(5, sku="INK"))
        shop.take(an_order(lines=[a_line("PEN", 2, ref="1")]))
        shop.take(edited(lines=[a_line("INK", 2, ref="1")]))
        assert (shop.shelf(sku="PEN"), shop.shelf(sku="INK")) == (Shelf(5, 0), Shelf(5, 2))


class TestPrice:
    def test_another_price_is_an_edit_of_no_units(self, shop: Shop) -> None:
        shop.take(an_order(lines=[a_line(quantity=2, total=2000)]))
        shop.take(edited(lines=[a_line(quantity=2, total=1700, discount=300)]))
        assert events(shop) == [(1, "sale", 2, 2000), (1, "edit", 0, -300)]
        line = shop.line()
        assert (line.list_minor, line.discount_minor) == (2000, 300)

    def test_an_unchanged_line_has_no_edit(self, shop: Shop) -> None:
        shop.take(an_order(lines=[a_line(), a_line("INK")]))
        shop.take(edited(lines=[a_line(), a_line("INK", 2)]))
        assert [(no, kind) for no, kind, *_ in events(shop)] == [
            (1, "sale"),
            (2, "sale"),
            (2, "edit"),
        ]

    def test_other_shipping_moves_the_total_alone(self, shop: Shop) -> None:
        shop.take(an_order(shipping_net_minor=500, shipping_tax_minor=105))
        shop.take(edited(shipping_net_minor=0, shipping_tax_minor=0))
        assert shop.order().summary.total_minor == 1000
        assert len(events(shop)) == 1


def corrections(shop: Shop) -> list[tuple[object, ...]]:
    """Return what edits made of recorded changes: kind, change, units, net, tax, discount."""
    return shop.rows(
        "select kind, split_part(change_ref, ':', 2), quantity, net_minor, tax_minor,"
        " discount_net_minor from line_events"
        " where kind in ('cancel', 'return') and change_ref like '*%:%'"
        " order by occurred_at, kind, change_ref"
    )


class TestMoneyNobodyGave:
    """Guards that it is the share of the line as its newest document has it (ADR 0012)."""

    def test_an_edit_of_the_price_corrects_it_at_the_day_and_place_of_the_change(
        self, shop: Shop
    ) -> None:
        shop.take(an_order(lines=[a_line(quantity=3, total=3000, tax=300)]))
        for number, place in enumerate(["AMS", "UTR"]):
            change = a_change(
                "return", ref=f"r-{number}", at=minutes(2000 * number), location_code=place,
                reason="too blue",
            )  # fmt: skip
            shop.take(a_partial("W-1", change))
        shop.take(edited(lines=[a_line(quantity=3, total=1500, tax=150)]))
        assert corrections(shop) == [
            ("return", "r-0", 0, 450, 50, 0),
            ("return", "r-1", 0, 450, 50, 0),
        ]
        by_day = shop.rows(
            "select occurred_on - date '2026-01-05', location_code, reason, sum(net_minor)"
            " from line_events e join locations using (location_id) where e.kind = 'return'"
            " group by 1, 2, 3 order by 1"
        )
        assert by_day == [(0, "AMS", "too blue", -450), (1, "UTR", "too blue", -450)]

    def test_what_is_recorded_stays_and_is_no_new_step(self, shop: Shop) -> None:
        shop.take(an_order(lines=[a_line(quantity=2)]))
        shop.take(a_partial("W-1", a_change("return", 1, restock=True, location_code="UTR")))
        before = shop.rows("select * from line_events order by kind")
        shop.take(edited(lines=[a_line(quantity=2, total=1000)]))
        assert set(before) < set(shop.rows("select * from line_events"))
        assert [each.type for each in shop.order().events] == [
            "order.captured", "order.returned", "order.updated",
        ]  # fmt: skip
        assert (shop.line().returned, shop.shelf("UTR")) == (1, Shelf(1, 1))

    def test_money_the_channel_gave_stays_as_given_but_for_its_discount(self, shop: Shop) -> None:
        shop.take(an_order(lines=[a_line(quantity=2, total=2000, tax=0)]))
        shop.take(a_partial("W-1", a_change("return", 1, total_minor=700, tax_minor=0)))
        shop.take(edited(lines=[a_line(quantity=2, total=1800, tax=0, discount=200)]))
        assert corrections(shop) == [("return", "return-1", 0, 0, 0, -100)]

    def test_an_edit_that_moves_no_share_corrects_nothing(self, shop: Shop) -> None:
        shop.take(an_order(lines=[a_line(quantity=2)]))
        shop.take(a_partial("W-1", a_change("return")))
        shop.take(edited(lines=[a_line(quantity=2, title="Pen, blue")]))
        assert corrections(shop) == []

    def test_up_and_down_and_up_again_is_the_last(self, shop: Shop) -> None:
        shop.take(an_order(lines=[a_line(quantity=3)]))
        shop.take(a_partial("W-1", a_change("cancel"), a_change("return")))
        for version, total in enumerate([999, 5000, 1], start=2):
            shop.take(an_order(version=version, lines=[a_line(quantity=3, total=total, tax=0)]))
        shop.take(a_partial("W-1", a_change("return", ref="last")))
        assert shop.kept() == (0, 0)

    def test_it_adds_up_the_same_before_and_after_money_that_is_given(self, shop: Shop) -> None:
        kept = []
        for ref, order in (("W-1", 1), ("W-2", -1)):
            shop.take(an_order(ref, lines=[a_line(quantity=3, total=1000, tax=0)]))
            changes = [
                a_change("return", 2, ref="a"),
                a_change("return", 1, ref="b", total_minor=300, tax_minor=0),
            ]
            for change in changes[::order]:
                shop.take(a_partial(ref, change))
            kept.append(shop.kept(ref))
        assert kept == [(1000 - 666 - 300, 0)] * 2


class TestReceipts:
    """Guards that a till's receipt ends the same, whether its first version was seen or not."""

    def test_units_added_to_a_receipt_were_carried_out_too(self, shop: Shop) -> None:
        shop.take(a_movement(9, location="AMS"))
        shop.take(a_receipt(lines=[a_line(quantity=2)]), channel="till")
        shop.take(a_receipt(version=2, lines=[a_line(quantity=5)]), channel="till")
        assert (shop.states("T-1"), shop.shelf("AMS")) == (("completed", "shipped"), Shelf(4, 0))

    def test_a_line_added_to_a_receipt_was_carried_out_too(self, shop: Shop) -> None:
        shop.take(a_movement(9, location="AMS", sku="INK"))
        shop.take(a_receipt(), channel="till")
        shop.take(a_receipt(version=2, lines=[a_line(), a_line("INK")]), channel="till")
        assert (shop.states("T-1"), shop.shelf("AMS", "INK")) == (
            ("completed", "shipped"), Shelf(8, 0),
        )  # fmt: skip

    def test_units_canceled_at_the_till_stay_in_the_shop(self, shop: Shop) -> None:
        shop.take(a_movement(9, location="AMS"))
        document = a_receipt(lines=[a_line(quantity=3)], changes=[a_change("cancel", 1)])
        assert shop.problems(document, channel="till") == {}
        assert shop.shelf("AMS") == Shelf(7, 0)


class TestFlags:
    def test_an_order_found_to_be_a_test_gives_its_stock_back(self, shop: Shop) -> None:
        shop.take(a_movement(5))
        shop.take(an_order())
        shop.take(edited(is_test=True))
        assert shop.shelf() == Shelf(5, 0)


class TestCancellationOfAnOrder:
    def test_what_is_open_of_it_is_canceled(self, shop: Shop) -> None:
        shop.take(a_movement(9))
        shop.take(an_order(lines=[a_line(quantity=3)], changes=[a_change("ship", 1)]))
        shop.take(
            edited(lines=[a_line(quantity=3)], canceled_at=minutes(5), cancel_reason="too late")
        )
        line = shop.line()
        assert (line.canceled, line.shipped, shop.shelf()) == (2, 1, Shelf(8, 0))
        assert shop.states() == ("completed", "shipped")
        assert [each.reason for each in shop.order().changes if each.kind == "cancel"] == [
            "too late"
        ]

    def test_it_may_be_canceled_as_it_comes(self, shop: Shop) -> None:
        shop.take(a_movement(9))
        shop.take(an_order(canceled_at=minutes(1)))
        assert (shop.states(), shop.shelf()) == (("canceled", "canceled"), Shelf(9, 0))
        assert shop.kept() == (0, 0)

    def test_told_again_it_stays_canceled(self, shop: Shop) -> None:
        for version in (1, 2, 3):
            shop.take(an_order(version=version, canceled_at=minutes(1)))
        assert (shop.line().canceled, shop.kept()) == (1, (0, 0))

    def test_a_canceled_order_may_be_edited(self, shop: Shop) -> None:
        shop.take(an_order(canceled_at=minutes(1)))
        shop.take(edited(lines=[a_line(quantity=2)], canceled_at=minutes(1)), an_order("W-2"))
        assert (shop.line().canceled, shop.kept()) == (2, (0, 0))

    def test_another_price_leaves_nothing_of_a_canceled_order(self, shop: Shop) -> None:
        lines = [a_line(quantity=3, total=3000, tax=300)]
        given = a_change("cancel", total_minor=900, tax_minor=90)
        shop.take(an_order(lines=lines, changes=[given]))
        shop.take(edited(lines=lines, changes=[given], canceled_at=minutes(1)))
        assert shop.kept() == (0, 0)
        for version, total in ((3, 1000), (4, 5000)):
            lines = [a_line(quantity=3, total=total, tax=total // 7)]
            shop.take(an_order(version=version, lines=lines, canceled_at=minutes(1)))
            assert shop.kept() == (0, 0)

    def test_a_cancel_may_be_called_order_too(self, shop: Shop) -> None:
        changes = [a_change("cancel", 1, ref="order")]
        shop.take(an_order(lines=[a_line(quantity=3)], changes=changes, canceled_at=minutes(1)))
        assert shop.line().canceled == 3
