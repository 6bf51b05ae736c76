"""The answer book equals what can be read back from the bytes alone, format by format."""

import json
from collections import Counter

import pytest

from oms.simulator.model import CALM, Rates
from tests.unit.simulator.recount import Recount
from tests.unit.simulator.stories import WILD, Story, a_story

CHANNELS = ("webshop-eu", "webshop-uk", "pos", "kiosk", "marketplace", "phone")


@pytest.fixture(scope="module", params=["usual", "wild", "calm"])
def story(request: pytest.FixtureRequest) -> Story:
    rates = {"usual": None, "wild": WILD, "calm": CALM}[request.param]
    return a_story(rates=rates)


@pytest.fixture(scope="module")
def recount(story: Story) -> Recount:
    return Recount(set(story.skus)).read(story.payloads)


@pytest.mark.parametrize("channel", CHANNELS)
class TestBook:
    def test_has_the_orders_that_were_told(
        self, channel: str, story: Story, recount: Recount
    ) -> None:
        booked = {
            tuple(key): (s.orders, s.lines, s.shipping_net, s.shipping_tax, s.total)
            for key, s in story.book.orders.items()
            if key.channel == channel
        }
        told = {key: s for key, s in recount.order_sums().items() if key[0] == channel}
        assert sum(row[0] for row in booked.values()) > 30
        assert booked == told

    def test_has_every_sale_and_change_to_the_cent(
        self, channel: str, story: Story, recount: Recount
    ) -> None:
        booked = {
            tuple(key): (s.events, s.units, s.net, s.tax)
            for key, s in story.book.sales.items()
            if key.channel == channel
        }
        told = {key: s for key, s in recount.event_sums().items() if key[1] == channel}
        kinds = {"sale", "return"} if channel in {"webshop-eu", "webshop-uk", "pos"} else {"sale"}
        assert kinds <= {key[0] for key in booked}
        assert booked == told


class TestMishaps:
    def test_are_booked_as_they_came(self, story: Story, recount: Recount) -> None:
        book = story.book
        assert +recount.broken == +book.broken
        assert recount.duplicates == book.duplicates
        assert recount.stale == book.stale
        assert recount.repeated_payloads == book.repeated_payloads
        assert recount.mismatched() == book.mismatched

    def test_are_as_many_as_declared(self, story: Story) -> None:
        """Five standard deviations around the declared share of the orders."""
        book, rates = story.book, _rates(story)
        told = book.orders_count() + sum(book.broken.values())
        stateful = sum(book.orders_count(c) for c in ("webshop-eu", "webshop-uk", "kiosk"))
        broken = sum(book.broken.values()) + sum(book.mismatched.values())
        _near(broken, told, rates.broken)
        _near(sum(book.duplicates.values()), stateful, rates.repeated)
        # Orders to which nothing happened yet have no old state that could come again.
        assert sum(book.stale.values()) <= _most(stateful, rates.stale + rates.late)
        assert sum(book.stale.values()) > 0 or rates.stale < WILD.stale

    def test_come_in_every_kind(self) -> None:
        book = a_story(rates=WILD).book
        reasons = {reason for _, reason in book.broken}
        assert reasons == {
            "truncated_json", "unknown_sku", "unknown_store", "unknown_currency", "bad_date",
            "wrong_column_count",
        }  # fmt: skip
        assert sum(book.mismatched.values()) > 0
        assert sum(book.repeated_payloads.values()) > 0
        assert sum(book.late_payloads.values()) > 0

    def test_let_an_update_overtake_its_creation(self) -> None:
        rates = Rates(broken=0, repeated=0, stale=0, late=0.5, file_twice=0, file_late=0)
        story = a_story(rates=rates, days=5)
        first: dict[int, bool] = {}
        again: Counter[int] = Counter()
        for payload in story.payloads:
            if payload.transport == "pull":
                for order in json.loads(payload.body)["orders"]:
                    is_creation = order["updated_at"] == order["created_at"]
                    first.setdefault(order["id"], is_creation)
                    again[order["id"]] += is_creation
        overtaken = [n for n, is_creation in first.items() if not is_creation and again[n]]
        assert len(overtaken) == story.book.stale["webshop-uk"] > 5

    def test_do_not_happen_in_a_calm_world(self) -> None:
        book = a_story(rates=CALM).book
        for count in (book.broken, book.duplicates, book.stale, book.mismatched):
            assert not count
        assert not book.repeated_payloads
        assert not book.late_payloads


class TestEdits:
    def test_are_told_after_the_sale(self) -> None:
        book = a_story(days=2, orders_per_day=2_000, rates=CALM).book
        edits = [key for key in book.sales if key.kind == "edit"]
        assert edits
        assert all(key.event_on >= key.placed_on for key in edits)


class TestPayloads:
    def test_are_counted(self, story: Story) -> None:
        told = Counter((p.channel_code, p.transport, p.topic) for p in story.payloads)
        for code, count in story.book.repeated_payloads.items():
            assert count > 0, code
        assert told == story.book.payloads


def _rates(story: Story) -> Rates:
    for rates in (CALM, WILD):
        if story.book is a_story(rates=rates).book:
            return rates
    return Rates()


def _most(count: int, share: float) -> float:
    return count * share + 5 * (count * share * (1 - share)) ** 0.5


def _near(found: int, count: int, share: float) -> None:
    spread = 5 * (count * share * (1 - share)) ** 0.5
    assert abs(found - count * share) <= spread, (found, count * share)
