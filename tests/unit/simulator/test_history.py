"""A history: the same seed tells the same bytes, in time's order, with no id twice."""

import hashlib
import json
import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import islice

import pytest

from oms.simulator.book import Expected
from oms.simulator.history import history
from oms.simulator.live import live
from oms.simulator.model import CALM, Payload
from tests.unit.simulator.recount import Recount
from tests.unit.simulator.stories import UNTIL, WILD, a_story


def digest(payloads: tuple[Payload, ...]) -> str:
    return hashlib.sha256(repr(payloads).encode()).hexdigest()


class TestSeed:
    def test_tells_the_same_bytes_again(self) -> None:
        again = tuple(history(9, 4, 50, UNTIL, book=Expected()))
        assert digest(again) == digest(a_story(days=4).payloads)

    def test_tells_other_bytes_when_it_is_another(self) -> None:
        assert digest(a_story(seed=12, days=3).payloads) != digest(a_story(days=3).payloads)

    def test_is_not_shifted_by_mishaps(self) -> None:
        """Guards the separate streams: what goes wrong must not change who buys what."""
        calm = a_story(days=1, orders_per_day=400, rates=CALM)
        wild = a_story(days=1, orders_per_day=400, rates=WILD)
        bought = Counter(k[5] for k in calm.book.sales if k.kind == "sale" and k.channel == "pos")
        wildly = Counter(k[5] for k in wild.book.sales if k.kind == "sale" and k.channel == "pos")
        assert sum((wildly - bought).values()) == 0
        assert sum((bought - wildly).values()) < 0.1 * sum(bought.values())


class TestOrderOfPayloads:
    def test_is_that_of_time_and_within_the_story(self) -> None:
        moments = [payload.at for payload in a_story(rates=WILD).payloads]
        assert moments == sorted(moments)
        assert moments[0] >= datetime(2025, 10, 20, 22, tzinfo=UTC)
        assert moments[-1] < datetime(2025, 11, 9, 23, tzinfo=UTC)

    def test_products_are_known_before_they_are_named(self) -> None:
        """Guards against a quarantine full of new products: catalogue first, then stock, sales."""
        from oms.simulator.setup import products

        known = {json.loads(text)["sku"] for text in products(9, UNTIL - timedelta(days=20))}
        for payload in a_story(rates=CALM).payloads:
            for text in re.findall(rb'"sku":"([^"]+)"', payload.body):
                if payload.topic == "products":
                    known.add(text.decode())
                assert text.decode() in known, (payload.channel_code, payload.topic, payload.at)


class TestIds:
    def test_are_never_shared_by_two_orders(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """An order told twice is a repetition of bytes; two orders of one id would not be."""
        story = a_story(rates=CALM)
        recount = Recount(set(story.skus)).read(story.payloads)
        assert len(recount.orders) == story.book.orders_count()
        assert sum(recount.duplicates.values()) == 0
        assert sum(recount.stale.values()) == 0

    def test_do_not_collide_when_live_goes_on(self) -> None:
        story = a_story(days=4, rates=CALM)
        before = Recount(set(story.skus)).read(story.payloads)
        start = datetime(2025, 11, 9, 23, tzinfo=UTC)
        book = Expected()
        told = live(9, start, 1, days=4, orders_per_day=50, book=book, rates=CALM)
        after = Recount(set(story.skus)).read(islice(told, 400))
        fresh = {key for key, order in after.orders.items() if order.placed_at >= start}
        assert len(fresh) > 50
        assert not fresh & set(before.orders)
        known = {key for key, order in after.orders.items() if order.placed_at < start}
        assert known, "orders of the history are shipped and returned in the present"
        assert known <= set(before.orders)


class TestShape:
    @pytest.mark.parametrize(
        ("channel", "transport", "topic", "ending"),
        [
            ("webshop-eu", "file", "orders", r"orders_\d{4}-\d\d-\d\d_\d{3}\.jsonl"),
            ("webshop-eu", "push", "orders/create", None),
            ("webshop-eu", "push", "orders/updated", None),
            ("webshop-uk", "pull", "orders", None),
            ("pos", "file", "orders", r"POS_all_\d{4}-\d\d-\d\d\.csv"),
            ("kiosk", "push", "orders", None),
            ("marketplace", "file", "orders", r"order_report_\d{4}-\d\d-\d\d\.tsv"),
            ("phone", "file", "orders", r"calls_\d{4}-\d\d-\d\d\.parquet"),
            ("backoffice", "file", "movements", r"movements_\d{4}-\d\d-\d\d_\d{3}\.ndjson"),
            ("backoffice", "file", "counts", r"counts_\d{4}-\d\d-\d\d_\d{3}\.ndjson"),
            ("backoffice", "file", "products", r"products_\d{4}-\d\d-\d\d_\d{3}\.ndjson"),
        ],
    )
    def test_every_channel_speaks_its_own_way(
        self, channel: str, transport: str, topic: str, ending: str | None
    ) -> None:
        found = [p for p in a_story().payloads if p[:3] == (channel, transport, topic)]
        assert found
        for payload in found:
            assert payload.body
            if ending is None:
                assert payload.file_name is None
            else:
                assert payload.file_name is not None
                assert re.fullmatch(ending, payload.file_name)

    def test_pages_and_exports_stay_within_their_size(self) -> None:
        big = a_story(days=2, orders_per_day=2_000, rates=CALM)
        pages = [p for p in big.payloads if p.transport == "pull"]
        sizes = [len(json.loads(page.body)["orders"]) for page in pages]
        assert max(sizes) == 250
        exports = [p for p in big.payloads if (p.file_name or "").endswith(".jsonl")]
        assert max(len(export.body.splitlines()) for export in exports) == 500

    def test_follows_the_week_and_the_sale(self) -> None:
        book = a_story(days=14, orders_per_day=80, until=date(2025, 12, 1)).book
        weekdays: Counter[tuple[str, int]] = Counter()
        weeks: Counter[int] = Counter()
        for key, sums in book.orders.items():
            weekdays[key.channel, key.placed_on.weekday()] += sums.orders
            weeks[key.placed_on.isocalendar().week] += sums.orders
        assert weekdays["pos", 5] > 1.5 * weekdays["pos", 1]
        assert weekdays["phone", 6] == 0
        assert weekdays["webshop-eu", 6] > weekdays["webshop-eu", 5]
        assert weeks[48] > 1.4 * weeks[47]
