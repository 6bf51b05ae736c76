"""Telling: events reach subscribers signed, in order and at least once, whatever they answer."""

import base64
import hashlib
import hmac
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from oms.kernel.limits import DELIVERY_DAYS_MAX
from oms.webhooks import operations
from oms.webhooks.model import ENDPOINT_PAUSES_SECONDS, MESSAGE_PAUSES_SECONDS, Transport
from oms.workflows import telling
from tests.builders import a_change, a_partial, an_order
from tests.conftest import Clock
from tests.endpoints import Endpoint, Reply, Sent, listening, nobody
from tests.ledger.shop import Shop
from tests.ledger.subscribers import Dying, Town, move, town_of


@pytest.fixture
def town(shop: Shop, clock: Clock) -> Iterator[Town]:
    with town_of(shop) as made:
        yield made


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with listening() as made:
        yield made


def told(endpoint: Endpoint) -> list[tuple[str, int]]:
    """Return what an endpoint was told: the channel's id of each order, and the event's number."""
    return [
        (sent.document["data"]["order"]["external_ref"], sent.document["sequence"])
        for sent in endpoint.sent
    ]


def order_of(sent: Sent) -> str:
    """Return the channel's id of the order a message is of."""
    return str(sent.document["data"]["order"]["external_ref"])


class TestServe:
    def test_tells_what_happens_from_then_on_in_order(self, town: Town, endpoint: Endpoint) -> None:
        town.shop.take(an_order("W-0"))
        number = town.subscribe(endpoint.url)
        assert town.due() == []
        town.shop.take(an_order("W-1"), an_order("W-2"))
        town.shop.take(a_partial("W-1", a_change("cancel")))
        assert town.due() == [number]
        assert town.serve(number)
        assert told(endpoint) == [("W-1", 1), ("W-2", 1), ("W-1", 2)]
        assert town.due() == []
        assert not town.serve(number)
        assert town.states(number) == [("delivered", 1)] * 3

    def test_signs_each_message_by_the_standard(
        self, town: Town, endpoint: Endpoint, clock: Clock
    ) -> None:
        number = town.subscribe(endpoint.url)
        town.shop.take(an_order("W-1"))
        town.serve(number)
        (sent,) = endpoint.sent
        assert sent.headers["webhook-id"] == sent.document["event_id"] == "evt_R100000001_1"
        assert sent.headers["webhook-timestamp"] == str(int(clock.at.timestamp()))
        content = b".".join([
            sent.headers["webhook-id"].encode(), sent.headers["webhook-timestamp"].encode(),
            sent.body,
        ])  # fmt: skip
        key = base64.b64decode(town.secrets[number].removeprefix("whsec_"))
        expected = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
        assert sent.headers["webhook-signature"] == f"v1,{expected}"

    def test_signs_with_both_secrets_while_one_replaces_the_other(
        self, town: Town, endpoint: Endpoint, clock: Clock
    ) -> None:
        number = town.subscribe(endpoint.url)
        with town.shop.ledger.transaction() as tx:
            operations.rotate(tx, number, overlap=timedelta(hours=1), at=clock.at)
        for ref, count in (("W-1", 2), ("W-2", 1)):
            town.shop.take(an_order(ref))
            town.serve(number)
            assert len(endpoint.sent[-1].headers["webhook-signature"].split()) == count
            clock.forward(hours=2)

    def test_tells_only_of_topics_and_channels_that_were_asked_for(
        self, town: Town, endpoint: Endpoint
    ) -> None:
        number = town.subscribe(endpoint.url, "order.canceled", channels=("web",))
        town.shop.take(an_order("W-1"))
        town.shop.take(an_order("M-1"), channel="market")
        town.shop.take(a_partial("W-1", a_change("cancel")))
        town.shop.take(a_partial("M-1", a_change("cancel")), channel="market")
        town.serve(number)
        assert told(endpoint) == [("W-1", 2)]

    def test_shows_a_foreign_channel_nobodys_address(self, town: Town, endpoint: Endpoint) -> None:
        number = town.subscribe(endpoint.url, channel="market")
        town.shop.take(an_order("W-1"))
        town.shop.take(an_order("M-1"), channel="market")
        town.serve(number)
        foreign, own = endpoint.sent
        assert b"ada@example.org" not in foreign.body
        assert b"ada@example.org" in own.body

    def test_leaves_history_alone(self, town: Town, endpoint: Endpoint) -> None:
        number = town.subscribe(endpoint.url)
        town.shop.take(an_order("W-1", is_historical=True))
        assert not town.serve(number)
        assert endpoint.sent == []


class TestTrouble:
    def test_an_endpoint_that_is_down_gets_everything_later(self, town: Town, clock: Clock) -> None:
        number = town.subscribe(nobody())
        town.shop.take(an_order("W-1"), an_order("W-2"))
        assert town.serve(number)
        assert town.attempts(number) == [(None, "connect")]
        assert town.due() == []
        clock.forward(seconds=ENDPOINT_PAUSES_SECONDS[0] * 1.3)
        with listening() as endpoint:
            move(town.shop.ledger, number, endpoint)
            town.serve(number)
            assert told(endpoint) == [("W-1", 1), ("W-2", 1)]

    def test_the_body_stays_as_it_was_first_sent(self, town: Town, clock: Clock) -> None:
        with listening(answers(500, 204)) as endpoint:
            number = town.subscribe(endpoint.url)
            town.shop.take(an_order("W-1"))
            town.serve(number)
            town.shop.take(an_order("W-1", version=2, customer_name="Bea"))
            clock.forward(seconds=10)
            town.serve(number)
            first, second, *_ = endpoint.sent
            assert first.body == second.body
            assert first.headers["webhook-id"] == second.headers["webhook-id"]
            assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]

    def test_a_message_that_is_refused_holds_up_only_its_own_order(
        self, town: Town, clock: Clock
    ) -> None:
        with listening(lambda sent: (422 if order_of(sent) == "W-1" else 204, {})) as endpoint:
            number = town.subscribe(endpoint.url)
            town.shop.take(an_order("W-1"), an_order("W-2"))
            town.shop.take(a_partial("W-1", a_change("cancel")))
            town.serve(number)
            assert told(endpoint) == [("W-1", 1), ("W-2", 1)]
            for pause in MESSAGE_PAUSES_SECONDS:
                clock.forward(seconds=pause * 1.3)
                town.serve(number)
            assert town.states(number) == [("parked", 12), ("delivered", 1), ("pending", 1)]
            assert town.of(number).state == "enabled"
            assert town.of(number).parked_count == 1

    def test_what_failed_with_the_whole_endpoint_is_not_held_against_a_message(
        self, town: Town, clock: Clock
    ) -> None:
        with listening(lambda _: (502, {})) as endpoint:
            number = town.subscribe(endpoint.url)
            town.shop.take(an_order("W-1"), an_order("W-2"))
            for _ in range(20):
                town.serve(number)
                clock.forward(hours=2)
            assert len(endpoint.sent) > 15
            endpoint.answer = lambda sent: (422 if order_of(sent) == "W-1" else 204, {})
            town.serve(number)
            assert [state for state, _ in town.states(number)] == ["pending", "delivered"]

    def test_one_failure_over_one_message_stops_nobody_else(self, town: Town) -> None:
        with listening(lambda sent: (500 if order_of(sent) == "W-1" else 204, {})) as endpoint:
            number = town.subscribe(endpoint.url)
            town.shop.take(an_order("W-1"), an_order("W-2"), an_order("W-3"))
            town.serve(number)
            assert told(endpoint) == [("W-1", 1), ("W-2", 1), ("W-3", 1)]

    def test_a_broken_endpoint_is_left_in_peace_longer_and_longer(
        self, town: Town, clock: Clock
    ) -> None:
        with listening(lambda _: (500, {})) as endpoint:
            number = town.subscribe(endpoint.url)
            town.shop.take(*(an_order(f"W-{each}") for each in range(30)))
            for pause in ENDPOINT_PAUSES_SECONDS[1:]:
                town.serve(number)
                clock.forward(seconds=pause * 0.7)
                assert town.due() == []
                clock.forward(seconds=pause * 0.6)
            assert len(endpoint.sent) <= len(ENDPOINT_PAUSES_SECONDS) + 1

    def test_nothing_but_failures_for_days_disables_it(self, town: Town, clock: Clock) -> None:
        number = town.subscribe(nobody())
        town.shop.take(an_order("W-1"))
        while town.of(number).state == "enabled":
            town.serve(number)
            clock.forward(hours=2)
        assert town.of(number).state_reason == "nothing but failures for 72 hours"
        assert town.of(number).pending_count == 1
        with listening() as endpoint:
            move(town.shop.ledger, number, endpoint)
            with town.shop.ledger.transaction() as tx:
                operations.change_state(tx, number, "enabled", reason=None, at=clock.at)
            town.serve(number)
            assert told(endpoint) == [("W-1", 1)]

    @pytest.mark.parametrize(("status", "asked", "waits"), [
        (429, "120", 120), (503, "7", 7), (429, "Mon, 05 Jan 2026 12:01:00 GMT", 60),
        (429, "999999999", 86_400),
    ])  # fmt: skip
    def test_is_called_again_when_it_asks_to(
        self, town: Town, clock: Clock, status: int, asked: str, waits: int
    ) -> None:
        with listening(lambda _: (status, {"Retry-After": asked})) as endpoint:
            number = town.subscribe(endpoint.url)
            town.shop.take(an_order("W-1"), an_order("W-2"))
            town.serve(number)
            assert len(endpoint.sent) == 1
            clock.forward(seconds=waits - 1)
            assert town.due() == []
            clock.forward(seconds=1)
            assert town.due() == [number]

    def test_410_disables_it_at_once(self, town: Town) -> None:
        with listening(lambda _: (410, {})) as endpoint:
            number = town.subscribe(endpoint.url)
            town.shop.take(an_order("W-1"), an_order("W-2"))
            town.serve(number)
            assert len(endpoint.sent) == 1
        assert (town.of(number).state, town.of(number).state_reason) == (
            "disabled", "it answered 410",
        )  # fmt: skip
        assert town.due() == []

    def test_a_redirect_is_not_followed(self, town: Town, endpoint: Endpoint) -> None:
        with listening(lambda _: (307, {"Location": endpoint.url})) as elsewhere:
            number = town.subscribe(elsewhere.url)
            town.shop.take(an_order("W-1"))
            town.serve(number)
        assert endpoint.sent == []
        assert town.attempts(number) == [(307, None)]
        assert town.states(number) == [("pending", 1)]

    def test_one_that_does_not_answer_is_hung_up_on(self, shop: Shop, clock: Clock) -> None:
        free = threading.Event()

        def never(_: Sent) -> Reply:
            free.wait(30)
            return 204, {}

        with town_of(shop, seconds_max=0.2) as town, listening(never) as endpoint:
            number = town.subscribe(endpoint.url)
            shop.take(an_order("W-1"))
            town.serve(number)
            free.set()
        assert town.attempts(number) == [(None, "timeout")]

    def test_what_was_not_written_down_is_sent_again(self, town: Town, clock: Clock) -> None:
        """As after a kill amid the call: the attempt is there, its end is not."""
        with listening() as endpoint:
            number = town.subscribe(endpoint.url)
            town.shop.take(an_order("W-1"))
            with pytest.raises(KeyboardInterrupt):
                telling.serve(town.shop.ledger, {Transport.WEBHOOK: Dying()}, number)
            assert town.attempts(number) == [(None, None)]
            town.serve(number)
            assert told(endpoint) == [("W-1", 1)]
            assert town.attempts(number) == [(None, "interrupted"), (204, None)]


class TestRedeliver:
    def test_sends_the_same_again(self, town: Town, endpoint: Endpoint) -> None:
        number = town.subscribe(endpoint.url)
        town.shop.take(an_order("W-1"))
        town.serve(number)
        delivery = town.shop.value("select delivery_id from webhook_deliveries")
        with town.shop.ledger.transaction() as tx:
            operations.redeliver(tx, number, delivery)
        assert town.due() == [number]
        town.serve(number)
        first, second = endpoint.sent
        assert (first.body, first.headers["webhook-id"]) == (
            second.body, second.headers["webhook-id"],
        )  # fmt: skip


class TestForget:
    def test_keeps_what_waits_and_what_is_young(
        self, town: Town, endpoint: Endpoint, clock: Clock
    ) -> None:
        number = town.subscribe(endpoint.url)
        town.shop.take(an_order("W-1"))
        town.serve(number)
        clock.forward(days=DELIVERY_DAYS_MAX)
        endpoint.answer = lambda _: (422, {})
        town.shop.take(an_order("W-2"))
        town.serve(number)
        ledger = town.shop.ledger
        assert ledger.run(lambda tx: operations.forget_deliveries(tx, at=clock.at)) == 0
        clock.forward(days=40)
        assert ledger.run(lambda tx: operations.forget_deliveries(tx, at=clock.at)) == 1
        assert town.states(number) == [("pending", 1)]
        assert town.attempts(number) == [(422, None)]


class TestDispatcher:
    def test_a_slow_endpoint_delays_no_other(self, town: Town, endpoint: Endpoint) -> None:
        free = threading.Event()

        def slowly(_: Sent) -> Reply:
            free.wait(30)
            return 204, {}

        with listening(slowly) as slow:
            town.subscribe(slow.url)
            town.subscribe(endpoint.url)
            town.shop.take(an_order("W-1"))
            dispatcher = telling.Dispatcher(town.shop.ledger, town.tellers, threads_max=2)
            assert dispatcher.step()
            slow.until(lambda sent: len(sent) == 1)
            endpoint.until(lambda sent: len(sent) == 1)
            assert not free.is_set()
            free.set()
            dispatcher.close()
        assert len(slow.sent) == 1

    def test_two_processes_serve_a_subscription_one_at_a_time(
        self, town: Town, endpoint: Endpoint
    ) -> None:
        number = town.subscribe(endpoint.url)
        town.shop.take(an_order("W-1"))
        with town.shop.ledger.claim(telling.LOCK_SPACE + number):
            assert not town.serve(number)
        assert endpoint.sent == []


def answers(*statuses: int) -> Callable[[Sent], Reply]:
    """Answer with these statuses in turn, the last one for ever."""
    waiting = list(statuses)
    return lambda _: (waiting.pop(0) if len(waiting) > 1 else waiting[0], {})
