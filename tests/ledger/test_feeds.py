"""Feeds: availability follows the stock, each value under a rising version, and is guarded."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from oms.feeds import operations, queries
from oms.feeds.model import Availability, Feed, isolate
from oms.ledger.followers import follow
from oms.stock import queries as stock
from tests.builders import NOW, a_movement, a_product, an_order
from tests.conftest import Clock
from tests.ledger.shop import Shop
from tests.ledger.subscribers import Town, town_of


@pytest.fixture
def town(shop: Shop, clock: Clock) -> Iterator[Town]:
    with town_of(shop) as made:
        yield made


def feed(town: Town, channel: str = "web") -> Feed:
    with town.shop.ledger.snapshot() as tx:
        return queries.feed(tx, channel)


def values(town: Town, channel: str = "web", after: int = 0) -> dict[str, int]:
    return {item.sku: item.available_to_sell for item in items(town, channel, after)}


def items(town: Town, channel: str = "web", after: int = 0) -> list[Availability]:
    with town.shop.ledger.snapshot() as tx:
        return queries.after(tx, queries.feed(tx, channel).channel_id, after, limit=1000)


def run(town: Town, statement: str, **parameters: Any) -> None:
    with town.shop.ledger.transaction() as tx:
        tx.execute(text(statement), parameters)


class TestRecompute:
    def test_follows_what_came_and_what_was_ordered(self, town: Town) -> None:
        town.shop.take(a_movement(10), a_movement(3, location="UTR"))
        town.recompute()
        assert values(town)["PEN"] == values(town, "market")["PEN"] == 13
        assert values(town, "trade")["PEN"] == 10
        assert values(town, "till") == {"PEN": 0, "INK": 0, "LAMP": 0}
        town.shop.take(an_order("W-1"))
        town.recompute()
        assert (values(town)["PEN"], values(town, "trade")["PEN"]) == (12, 9)

    def test_is_what_the_one_function_says(self, town: Town) -> None:
        town.shop.take(a_movement(4), a_movement(2, sku="INK", location="AMS"))
        town.shop.take(an_order("W-1"), a_product("LAMP", is_sellable=False))
        town.recompute()
        with town.shop.ledger.snapshot() as tx:
            said = stock.available_to_sell(tx, ["PEN", "INK", "LAMP"], channel_codes=None, at=NOW)
        for each in said:
            assert values(town, each.channel_code)[each.sku] == each.available_to_sell

    def test_a_version_rises_with_each_change_and_with_nothing_else(self, town: Town) -> None:
        town.shop.take(a_movement(5))
        town.recompute()
        before = {item.sku: item.version for item in items(town)}
        town.shop.take(a_movement(0, kind="adjust", ref="none"), a_product("PEN", title="Pen II"))
        town.recompute()
        assert {item.sku: item.version for item in items(town)} == before
        town.shop.take(an_order("W-1"))
        town.recompute()
        (changed,) = items(town, after=max(before.values()))
        assert (changed.sku, changed.available_to_sell) == ("PEN", 4)

    def test_a_channels_threshold_is_a_change_of_everything(self, town: Town) -> None:
        town.shop.take(a_movement(5), a_movement(1, sku="INK"))
        town.recompute()
        run(town, "update channels set threshold = 2 where channel_code = 'web'")
        town.recompute()
        assert values(town) == {"PEN": 3, "INK": 0, "LAMP": 0}
        assert values(town, "market") == {"PEN": 5, "INK": 1, "LAMP": 0}

    def test_a_location_that_closes_is_a_change_of_everything(self, town: Town) -> None:
        town.shop.take(a_movement(5), a_movement(2, location="UTR"))
        town.recompute()
        run(town, "update locations set is_enabled = false where location_code = 'DC'")
        town.recompute()
        assert values(town)["PEN"] == 2

    def test_a_hold_that_expires_is_seen_though_no_row_says_so(
        self, town: Town, clock: Clock
    ) -> None:
        town.shop.take(a_movement(5))
        run(
            town,
            "insert into reservations (kind, state, product_id, location_id, channel_id, quantity,"
            " hold_ref, expires_at, wanted_at, created_at) select 'hold', 'active', product_id,"
            " location_id, channel_id, 2, 'basket', :at + interval '10 minutes', :at, :at"
            " from products, locations, channels"
            " where sku = 'PEN' and location_code = 'DC' and channel_code = 'web'",
            at=NOW,
        )
        town.recompute()
        assert values(town)["PEN"] == 3
        clock.forward(minutes=9)
        with town.shop.ledger.snapshot() as tx:
            assert not queries.is_waiting(tx, at=clock.at)
        clock.forward(minutes=1)
        with town.shop.ledger.snapshot() as tx:
            assert queries.is_waiting(tx, at=clock.at)
        assert town.recompute() == 1
        assert values(town)["PEN"] == 5
        assert town.recompute() == 0

    def test_works_out_a_bounded_number_at_once(self, town: Town, clock: Clock) -> None:
        town.recompute()
        town.shop.take(*(a_product(f"S-{number}") for number in range(7)))
        follow(town.shop.ledger, operations.FOLLOWER, operations.mark_changed)
        parts = [
            town.shop.ledger.run(lambda tx: operations.recompute(tx, at=clock.at, limit=3))
            for _ in range(4)
        ]
        assert parts == [3, 3, 1, 0]

    def test_of_two_processes_one_numbers_versions(self, town: Town, clock: Clock) -> None:
        town.recompute()
        town.shop.take(a_product("NEW"))
        follow(town.shop.ledger, operations.FOLLOWER, operations.mark_changed)
        with town.shop.ledger.transaction() as first:
            assert operations.recompute(first, at=clock.at) == 1
            with town.shop.ledger.transaction() as second:
                assert operations.recompute(second, at=clock.at) == 0


class TestGuard:
    @pytest.fixture
    def stocked(self, town: Town) -> Town:
        skus = [f"S-{number}" for number in range(50)]
        town.shop.take(*(a_product(sku) for sku in skus))
        town.shop.take(*(a_movement(5, sku=sku) for sku in skus))
        town.recompute()
        return town

    def zero(self, town: Town, first: int, last: int) -> None:
        """Take everything of some SKUs away."""
        town.shop.take(
            *(a_movement(5, kind="write_off", sku=f"S-{each}") for each in range(first, last))
        )
        town.recompute()

    def test_holds_a_feed_in_which_too_much_goes_to_none(self, stocked: Town) -> None:
        self.zero(stocked, 0, 25)
        assert feed(stocked).held_reason == "25 of 50 products went to none within minutes"
        assert not feed(stocked).is_open
        assert feed(stocked, "till").is_open

    def test_adds_up_what_goes_in_small_steps(self, stocked: Town) -> None:
        for step in range(0, 24, 6):
            self.zero(stocked, step, step + 6)
        assert feed(stocked).held_at is not None

    def test_lets_little_and_slow_changes_pass(self, stocked: Town, clock: Clock) -> None:
        self.zero(stocked, 0, 15)
        clock.forward(minutes=11)
        self.zero(stocked, 15, 30)
        assert feed(stocked).is_open

    def test_what_was_released_stays_open(self, stocked: Town, clock: Clock) -> None:
        self.zero(stocked, 0, 25)
        clock.forward(seconds=1)
        with stocked.shop.ledger.transaction() as tx:
            operations.release(tx, queries.feed(tx, "web"), at=clock.at)
        clock.forward(seconds=1)
        self.zero(stocked, 25, 30)
        assert feed(stocked).is_open
        assert feed(stocked).released_at is not None

    def test_is_as_strict_as_it_was_set(self, stocked: Town) -> None:
        with stocked.shop.ledger.transaction() as tx:
            operations.switch(
                tx, queries.feed(tx, "web"), is_enabled=None, few_units=None, zeroed_ratio_max=0.9
            )
        self.zero(stocked, 0, 25)
        assert feed(stocked).is_open
        assert not feed(stocked, "market").is_open


class TestReconcile:
    def test_is_due_once_a_day(self, town: Town, clock: Clock) -> None:
        ledger = town.shop.ledger
        assert ledger.run(lambda tx: operations.reconcile_due(tx, at=clock.at)) == 4
        assert ledger.run(lambda tx: operations.reconcile_due(tx, at=clock.at)) == 0
        clock.forward(hours=24)
        assert ledger.run(lambda tx: operations.reconcile_due(tx, at=clock.at)) == 4

    def test_finds_what_nobody_told_it_of(self, town: Town, clock: Clock) -> None:
        town.shop.take(a_movement(5))
        town.recompute()
        run(town, "update channel_availability set available_to_sell = 99")
        with town.shop.ledger.transaction() as tx:
            operations.reconcile(tx, queries.feed(tx, "web").channel_id, at=clock.at)
        town.recompute()
        assert values(town)["PEN"] == 5


class TestDifferences:
    def test_name_what_is_not_as_we_say(self, town: Town) -> None:
        town.shop.take(a_movement(5))
        town.recompute()
        with town.shop.ledger.snapshot() as tx:
            found = queries.differences(tx, "web", {"PEN": 5, "INK": 1, "NONE": 2})
        assert [(each.sku, each.ours, each.theirs) for each in found] == [
            ("INK", 0, 1), ("NONE", None, 2),
        ]  # fmt: skip


class TestIsolate:
    def sent(self, bad: set[int], count: int = 100) -> tuple[Any, list[list[int]]]:
        calls: list[list[int]] = []

        def send(part: Any) -> bool:
            calls.append(list(part))
            return not bad & set(part)

        return isolate(list(range(count)), send), calls

    @pytest.mark.parametrize("bad", [set(), {0}, {99}, {50}, {3, 70}, {10, 11}])
    def test_finds_exactly_what_is_refused(self, bad: set[int]) -> None:
        ended, calls = self.sent(bad)
        assert (set(ended.refused), ended.is_done) == (bad, True)
        taken = [item for part in calls for item in part if not bad & set(part)]
        assert sorted(taken) == sorted(set(range(100)) - bad)

    def test_gives_up_an_endpoint_that_refuses_everything(self) -> None:
        ended, calls = self.sent(set(range(100)))
        assert (ended.refused, ended.is_done, ended.is_refusing) == ((), False, True)
        assert len(calls) == 16

    def test_ends_when_the_endpoint_is_not_to_be_called(self) -> None:
        ended = isolate([1, 2], lambda _: None)
        assert (ended.refused, ended.is_done, ended.is_refusing) == ((), False, False)
