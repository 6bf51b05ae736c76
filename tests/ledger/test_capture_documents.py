"""Capture, document by document: what is new, the same, older, newer, and told twice."""

import pytest

from oms.orders.model import Outcome
from tests.builders import a_change, a_line, a_movement, a_partial, an_order, minutes
from tests.ledger.shop import Shelf, Shop

CAPTURED, UPDATED = Outcome.CAPTURED, Outcome.UPDATED
DUPLICATE, STALE, REJECTED = Outcome.DUPLICATE, Outcome.STALE, Outcome.REJECTED


class TestANewOrder:
    def test_it_is_written_down_whole(self, shop: Shop) -> None:
        lines = [a_line(quantity=3, discount=100), a_line("INK", 2, total=999, tax=0)]
        (captured,) = shop.take(
            an_order(
                lines=lines, shipping_net_minor=400, shipping_tax_minor=84, location_code="AMS",
                ship_to='{"city": "Delft"}', note="Ring twice",
            )
        ).orders  # fmt: skip
        order = shop.order()
        assert captured.outcome is CAPTURED
        assert captured.order_number == order.summary.order_number == "R100000001"
        assert [(each.line_no, each.sku, each.quantity) for each in order.lines] == [
            (1, "PEN", 3),
            (2, "INK", 2),
        ]
        assert order.summary.total_minor == 2900 + 999 + 484
        assert (order.items_net_minor, order.items_tax_minor) == (2397 + 999, 503)
        assert order.ship_to == {"city": "Delft"}
        assert shop.rows("select body, visibility, is_captured from notes") == [
            ("Ring twice", "customer", True)
        ]
        assert [(each.seq, each.type) for each in order.events] == [(1, "order.captured")]

    def test_its_business_date_is_the_channels(self, shop: Shop) -> None:
        late = minutes(-12 * 60 - 30)  # 23:30 UTC the day before
        shop.take(an_order("W-1", placed_at=late))
        shop.take(an_order("B-1", placed_at=late, prices_include_tax=False), channel="trade")
        assert str(shop.order("W-1").summary.placed_on) == "2026-01-05"
        assert str(shop.order("B-1").summary.placed_on) == "2026-01-04"

    def test_two_channels_may_use_one_reference(self, shop: Shop) -> None:
        assert shop.outcomes(an_order("1")) == [CAPTURED]
        assert shop.outcomes(an_order("1"), channel="market") == [CAPTURED]
        assert shop.value("select count(*) from orders") == 2

    def test_its_lines_are_numbered_as_they_came(self, shop: Shop) -> None:
        refs = [f"line-{number}" for number in range(30)]
        shop.take(an_order(lines=[a_line(ref=ref) for ref in reversed(refs)]))
        assert [each.line_ref for each in shop.order().lines] == refs[::-1]

    def test_an_empty_batch_is_no_trouble(self, shop: Shop) -> None:
        assert shop.take().orders == ()


class TestAKnownOrder:
    @pytest.mark.parametrize("version", [1, None])
    def test_the_same_document_again_is_a_duplicate(self, shop: Shop, version: int | None) -> None:
        document = an_order(version=version)
        shop.take(document)
        before = shop.order()
        assert shop.outcomes(document, at=minutes(5)) == [DUPLICATE]
        assert shop.order() == before

    def test_an_older_document_is_stale_and_changes_nothing(self, shop: Shop) -> None:
        shop.take(an_order(version=7, lines=[a_line(quantity=2)]))
        before = shop.order()
        assert shop.outcomes(an_order(version=6)) == [STALE]
        assert shop.order() == before

    def test_a_newer_document_is_applied(self, shop: Shop) -> None:
        shop.take(an_order(version=1))
        newer = an_order(
            version=2, customer_name="Ada Ink", customer_email=None, lines=[a_line(quantity=2)]
        )
        assert shop.outcomes(newer, at=minutes(5)) == [UPDATED]
        order = shop.order()
        assert (order.summary.customer_name, order.summary.customer_email) == ("Ada Ink", None)
        assert order.lines[0].quantity == 2
        assert order.summary.updated_at == minutes(5)
        assert shop.outcomes(an_order(version=1)) == [STALE]

    def test_the_same_version_with_other_content_is_applied(self, shop: Shop) -> None:
        shop.take(an_order(version=1))
        assert shop.outcomes(an_order(version=1, lines=[a_line(quantity=2)])) == [UPDATED]
        assert shop.line().quantity == 2

    def test_without_versions_the_content_decides(self, shop: Shop) -> None:
        one, other = an_order(version=None), an_order(version=None, lines=[a_line(quantity=2)])
        outcomes = [shop.outcomes(each)[0] for each in (one, other, other, one)]
        assert outcomes == [CAPTURED, UPDATED, DUPLICATE, UPDATED]
        assert shop.line().quantity == 1

    def test_a_document_without_version_does_not_let_older_ones_in(self, shop: Shop) -> None:
        shop.take(an_order(version=5, lines=[a_line(quantity=5)]))
        shop.take(an_order(version=None, lines=[a_line(quantity=6)]))
        assert shop.outcomes(an_order(version=3, lines=[a_line(quantity=3)])) == [STALE]

    def test_a_newer_version_of_the_same_content_raises_the_version(self, shop: Shop) -> None:
        document = an_order(version=1)
        shop.take(document)
        digest = document.rows["orders"][0]["sha256"]
        assert shop.outcomes(an_order(version=3, sha256=digest)) == [UPDATED]
        assert shop.outcomes(an_order(version=2, lines=[a_line(quantity=9)])) == [STALE]

    def test_an_order_keeps_its_currency(self, shop: Shop) -> None:
        shop.take(an_order(version=1, lines=[a_line(total=1000)]))
        assert shop.problems(an_order(version=2, currency="JPY", lines=[a_line(total=999)])) == {
            1: ["CURRENCY_MISMATCH"]
        }
        assert shop.order().summary.total_minor == 1000


class TestABatch:
    def test_of_two_documents_of_one_order_the_newest_counts(self, shop: Shop) -> None:
        older, newest = an_order(version=1), an_order(version=2, lines=[a_line(quantity=2)])
        assert shop.outcomes(newest, older) == [CAPTURED, STALE]
        assert shop.line().quantity == 2
        assert len(shop.order().events) == 1

    def test_the_same_document_twice_in_it_is_written_once(self, shop: Shop) -> None:
        assert sorted(shop.outcomes(an_order(), an_order())) == [CAPTURED, DUPLICATE]
        assert shop.value("select count(*) from order_lines") == 1

    def test_without_versions_the_last_counts(self, shop: Shop) -> None:
        documents = [an_order(version=None, lines=[a_line(quantity=n)]) for n in (1, 2, 3)]
        assert shop.outcomes(*documents) == [STALE, STALE, CAPTURED]
        assert shop.line().quantity == 3

    def test_each_document_stands_alone(self, shop: Shop) -> None:
        bad = an_order("W-2", lines=[a_line("NONE")])
        outcomes = shop.outcomes(an_order("W-1"), bad, an_order("W-3"))
        assert outcomes == [CAPTURED, REJECTED, CAPTURED]
        assert shop.value("select count(*) from orders") == 2

    def test_a_usable_document_is_not_dropped_for_an_unusable_newer_one(self, shop: Shop) -> None:
        newer = an_order(version=2, lines=[a_line("NONE")])
        assert shop.outcomes(an_order(version=1), newer) == [CAPTURED, REJECTED]

    def test_a_usable_document_is_not_dropped_for_an_impossible_newer_one(self, shop: Shop) -> None:
        newer = an_order(version=2, changes=[a_change("ship", 5)])
        assert shop.outcomes(an_order(version=1), newer) == [CAPTURED, REJECTED]

    @pytest.mark.parametrize("version", [1, None])
    def test_three_times_the_same_file_is_once(self, shop: Shop, version: int | None) -> None:
        shop.take(a_movement(9))
        file = [an_order(f"W-{n}", version=version) for n in range(12)]
        for _ in range(3):
            shop.take(*file, a_partial("W-3", a_change("ship", location_code="DC")))
        assert shop.shelf() == Shelf(8, 8)
        assert shop.value("select count(*) from order_events") == 13

    def test_two_batches_may_share_a_transaction(self, shop: Shop) -> None:
        first, second = shop.work(an_order("W-1")), shop.work(an_order("W-2"))
        with shop.ledger.transaction() as tx:
            assert [each.external_ref for each in first(tx).orders] == ["W-1"]
            assert [each.external_ref for each in second(tx).orders] == ["W-2"]


class TestATestOrder:
    @pytest.mark.parametrize("flag", ["is_test", "is_historical"])
    def test_it_moves_and_promises_no_stock(self, shop: Shop, flag: str) -> None:
        shop.take(a_movement(3))
        changes = [a_change("return", restock=True, location_code="DC")]
        shop.take(an_order(**{flag: True}, lines=[a_line(quantity=2)], changes=changes))
        assert shop.shelf() == Shelf(3, 0)
        assert shop.value("select count(*) from reservations") == 0

    def test_a_historical_order_has_long_been_shipped(self, shop: Shop) -> None:
        shop.take(an_order(is_historical=True))
        assert shop.states() == ("completed", "shipped")
        assert shop.line().allocated == 0

    def test_a_historical_order_may_have_been_canceled_or_returned(self, shop: Shop) -> None:
        lines = [a_line(quantity=2), a_line("INK", 2)]
        changes = [a_change("return", 2), a_change("cancel", 1, line="INK")]
        shop.take(an_order(is_historical=True, lines=lines, changes=changes))
        assert shop.states() == ("completed", "partially_returned")
        shop.take(a_partial("W-1", a_change("return", line="INK", ref="r2")))
        assert shop.states() == ("completed", "returned")

    def test_a_historical_order_edited_is_still_shipped(self, shop: Shop) -> None:
        shop.take(an_order(is_historical=True))
        shop.take(an_order(is_historical=True, version=2, lines=[a_line(quantity=4)]))
        assert shop.states() == ("completed", "shipped")
        assert shop.line().shipped == 4

    def test_a_historical_canceled_order_is_canceled(self, shop: Shop) -> None:
        shop.take(an_order(is_historical=True, canceled_at=minutes(1)))
        assert shop.states() == ("canceled", "canceled")
        assert shop.kept() == (0, 0)
