"""Pushing: subscribers hold the latest value of every SKU, whatever one of them answers."""

from collections.abc import Callable, Iterator

import pytest

from oms.feeds import operations, queries
from oms.webhooks.model import Transport
from oms.workflows import telling
from tests.builders import a_movement, a_product, an_order
from tests.conftest import Clock
from tests.endpoints import Endpoint, Reply, Sent, listening, nobody
from tests.ledger.shop import Shop
from tests.ledger.subscribers import STOCK, Dying, Town, move, town_of

WEB = ("web",)


@pytest.fixture
def town(shop: Shop, clock: Clock) -> Iterator[Town]:
    with town_of(shop) as made:
        made.recompute()
        yield made


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with listening() as made:
        yield made


def held(endpoint: Endpoint) -> dict[str, int]:
    """Return what a receiver holds that takes the highest version of each SKU."""
    known: dict[str, tuple[int, int]] = {}
    for sent in endpoint.sent:
        for each in sent.document["data"]["items"]:
            value = each["version"], each["available_to_sell"]
            known[each["sku"]] = max(known.get(each["sku"], (0, 0)), value)
    return {sku: available for sku, (_, available) in known.items()}


def refuses(*skus: str, status: int = 422) -> Callable[[Sent], Reply]:
    """Refuse every message that has one of these SKUs in it."""

    def answer(sent: Sent) -> Reply:
        return (status if set(skus) & set(sent.items) else 204), {}

    return answer


class TestPush:
    def test_sends_what_changed_and_of_it_the_latest(self, town: Town, endpoint: Endpoint) -> None:
        number = town.subscribe(endpoint.url, *STOCK, channels=WEB)
        town.serve(number)
        assert endpoint.sent[-1].items == {"PEN": 0, "INK": 0, "LAMP": 0}
        for each in range(3):
            town.shop.take(a_movement(1, ref=f"m-{each}"))
            town.recompute()
        assert town.due() == [number]
        town.serve(number)
        assert endpoint.sent[-1].items == {"PEN": 3}
        assert endpoint.sent[-1].document["channel_code"] == "web"
        assert len(endpoint.sent) == 2
        assert town.due() == []

    def test_each_channel_has_a_message_of_its_own(self, town: Town, endpoint: Endpoint) -> None:
        number = town.subscribe(endpoint.url, *STOCK, channels=("web", "trade"))
        town.serve(number)
        assert {sent.document["channel_code"] for sent in endpoint.sent} == {"web", "trade"}

    def test_small_changes_wait_for_a_batch_and_crossings_do_not(
        self, town: Town, endpoint: Endpoint, clock: Clock
    ) -> None:
        town.shop.take(a_movement(9), a_movement(50, sku="INK"))
        town.recompute()
        number = town.subscribe(endpoint.url, *STOCK, channels=WEB, batch_seconds=60)
        town.serve(number)
        town.shop.take(a_movement(1, sku="INK", ref="more"))
        town.recompute()
        assert town.due() == []
        town.shop.take(a_movement(4, kind="write_off"))  # to 5: few
        town.recompute()
        assert town.due() == [number]
        town.serve(number)
        assert endpoint.sent[-1].items == {"INK": 51, "PEN": 5}
        town.shop.take(a_movement(1, sku="INK", ref="another"))
        town.recompute()
        clock.forward(seconds=59)
        assert town.due() == []
        clock.forward(seconds=1)
        assert town.due() == [number]

    def test_one_that_was_down_gets_where_it_is_now(self, town: Town, clock: Clock) -> None:
        number = town.subscribe(nobody(), *STOCK, channels=WEB)
        for each in range(5):
            town.shop.take(a_movement(1, ref=f"m-{each}"))
            town.recompute()
            town.serve(number)
            clock.forward(minutes=2)
        with listening() as endpoint:
            move(town.shop.ledger, number, endpoint)
            clock.forward(hours=1)
            town.serve(number)
            assert [sent.items for sent in endpoint.sent] == [{"PEN": 5, "INK": 0, "LAMP": 0}]

    def test_a_kill_amid_the_call_loses_nothing(self, town: Town, endpoint: Endpoint) -> None:
        number = town.subscribe(endpoint.url, *STOCK, channels=WEB)

        with pytest.raises(KeyboardInterrupt):
            telling.serve(town.shop.ledger, {Transport.WEBHOOK: Dying()}, number)
        town.serve(number)
        assert held(endpoint) == {"PEN": 0, "INK": 0, "LAMP": 0}
        assert town.states(number) == [("superseded", 1), ("delivered", 1)]


class TestRefused:
    @pytest.fixture
    def stocked(self, town: Town) -> Town:
        skus = [f"S-{number}" for number in range(40)]
        town.shop.take(*(a_product(sku) for sku in skus))
        town.shop.take(*(a_movement(9, sku=sku) for sku in skus))
        town.recompute()
        return town

    def test_one_item_holds_up_nobody_else(self, stocked: Town, clock: Clock) -> None:
        with listening(refuses("S-7")) as endpoint:
            number = stocked.subscribe(endpoint.url, *STOCK, channels=WEB)
            stocked.serve(number)
            assert stocked.due() == []
            taken = {sku for sent in endpoint.sent if "S-7" not in sent.items for sku in sent.items}
            assert len(taken) == 42
            assert self.refused(stocked) == ["S-7"]
            count = len(endpoint.sent)
            stocked.shop.take(a_movement(1, sku="S-7", ref="x"), a_movement(1, sku="S-8", ref="y"))
            stocked.recompute()
            stocked.serve(number)
            assert [sent.items for sent in endpoint.sent[count:]] == [{"S-8": 10}]

    def test_it_is_tried_again_as_it_is_then(self, stocked: Town, clock: Clock) -> None:
        with listening(refuses("S-7")) as endpoint:
            number = stocked.subscribe(endpoint.url, *STOCK, channels=WEB)
            stocked.serve(number)
            stocked.shop.take(a_movement(1, sku="S-7", ref="x"))
            stocked.recompute()
            stocked.serve(number)
            clock.forward(seconds=5)
            assert stocked.due() == [number]
            stocked.serve(number)
            assert endpoint.sent[-1].items == {"S-7": 10}
            assert stocked.due() == []
            endpoint.answer = lambda _: (204, {})
            clock.forward(seconds=30)
            stocked.serve(number)
            assert endpoint.sent[-1].items == {"S-7": 10}
            assert self.refused(stocked) == []

    def test_an_endpoint_that_breaks_over_one_item_is_helped_too(
        self, stocked: Town, clock: Clock
    ) -> None:
        with listening(refuses("S-7", status=500)) as endpoint:
            number = stocked.subscribe(endpoint.url, *STOCK, channels=WEB)
            for _ in range(4):
                stocked.serve(number)
                clock.forward(minutes=1)
            assert self.refused(stocked) == ["S-7"]
            assert stocked.of(number).failures_count == 0
            assert {"S-6", "S-8", "PEN"} < set(held(endpoint))

    def test_one_that_refuses_everything_is_left_in_peace(self, stocked: Town) -> None:
        with listening(lambda _: (400, {})) as endpoint:
            number = stocked.subscribe(endpoint.url, *STOCK, channels=WEB)
            stocked.serve(number)
            assert len(endpoint.sent) == 16
            assert stocked.due() == []
            assert self.refused(stocked) == []
            assert stocked.of(number).failures_count == 1

    def refused(self, town: Town) -> list[str]:
        """Return what is refused of the web shop's values."""
        with town.shop.ledger.snapshot() as tx:
            return [each.sku for each in queries.refusals(tx, "web", limit=10)]


class TestClosed:
    def test_a_channel_that_is_switched_off_is_told_later(
        self, town: Town, endpoint: Endpoint
    ) -> None:
        number = town.subscribe(endpoint.url, *STOCK, channels=WEB)
        town.serve(number)
        self.switch(town, is_enabled=False)
        town.shop.take(a_movement(3))
        town.recompute()
        assert town.due() == []
        town.serve(number)
        assert len(endpoint.sent) == 1
        self.switch(town, is_enabled=True)
        town.serve(number)
        assert endpoint.sent[-1].items == {"PEN": 3}

    def test_everything_is_told_again_when_asked_for(
        self, town: Town, endpoint: Endpoint, clock: Clock
    ) -> None:
        number = town.subscribe(endpoint.url, *STOCK, channels=WEB)
        town.shop.take(a_movement(3), an_order("W-1"))
        town.recompute()
        town.serve(number)
        with town.shop.ledger.transaction() as tx:
            operations.reconcile(tx, queries.feed(tx, "web").channel_id, at=clock.at)
        town.recompute()
        town.serve(number)
        first, second = endpoint.sent
        assert first.document["data"] == second.document["data"]

    def test_a_reconciliation_amid_a_push_is_not_lost(
        self, town: Town, endpoint: Endpoint, clock: Clock
    ) -> None:
        number = town.subscribe(endpoint.url, *STOCK, channels=WEB)
        town.serve(number)
        town.shop.take(a_movement(3))
        town.recompute()

        def reconciling(_: Sent) -> Reply:
            endpoint.answer = lambda _: (204, {})
            with town.shop.ledger.transaction() as tx:
                operations.reconcile(tx, queries.feed(tx, "web").channel_id, at=clock.at)
            return 204, {}

        endpoint.answer = reconciling
        town.serve(number)
        town.recompute()
        assert town.due() == [number]
        town.serve(number)
        assert endpoint.sent[-1].items == {"PEN": 3, "INK": 0, "LAMP": 0}

    def switch(self, town: Town, *, is_enabled: bool) -> None:
        with town.shop.ledger.transaction() as tx:
            operations.switch(
                tx, queries.feed(tx, "web"), is_enabled=is_enabled, few_units=None,
                zeroed_ratio_max=None,
            )  # fmt: skip
