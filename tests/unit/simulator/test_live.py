"""Live: goes on after the history, payload by payload, in the caller's own time."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile

from oms.simulator.book import Expected
from oms.simulator.live import live
from oms.simulator.model import CALM, Payload
from tests.unit.simulator.recount import Recount
from tests.unit.simulator.stories import a_story

START = datetime(2025, 11, 10, 9, 30, tzinfo=UTC)


def an_hour(speed: float, book: Expected | None = None) -> list[Payload]:
    until = START + timedelta(hours=1)
    told = live(9, START, speed, days=2, orders_per_day=120, book=book)
    return list(takewhile(lambda payload: payload.at < until, told))


class TestDue:
    def test_rises_and_starts_at_once(self) -> None:
        told = an_hour(1)
        assert told[0].at == START
        assert [p.at for p in told] == sorted(p.at for p in told)

    def test_comes_sooner_when_the_clock_runs_faster(self) -> None:
        assert len(an_hour(24)) > 2 * len(an_hour(1))

    def test_days_never_end(self) -> None:
        told = islice(live(9, START, 10_000, days=1, orders_per_day=20, rates=CALM), 600)
        days = Counter(p.file_name[:16] for p in told if p.file_name and p.channel_code == "pos")
        assert days


class TestTelling:
    def test_is_one_by_one_where_a_channel_can(self) -> None:
        told = an_hour(8)
        for payload in told:
            if payload.channel_code in {"webshop-eu", "kiosk"} and payload.body.endswith(b"}"):
                assert isinstance(json.loads(payload.body), dict)
            if payload.channel_code == "webshop-uk":
                assert len(json.loads(payload.body)["orders"]) == 1
        names = [p.file_name for p in told if p.channel_code == "pos"]
        assert len(names) - len(set(names)) <= 2, "a file has its own name, unless it comes twice"

    def test_books_only_what_is_new(self) -> None:
        """Guards the books of a retailer that lives on: the history's orders are not counted."""
        book, recount = Expected(), Recount(set(a_story(days=5).skus))
        told = live(9, START, 1, days=5, orders_per_day=50, book=book, rates=CALM)
        recount.read(islice(told, 400))
        midnight = START.replace(hour=23, minute=0) - timedelta(days=1)
        fresh = [o for o in recount.orders.values() if o.placed_at >= midnight]
        assert 0 < len(fresh) < len(recount.orders), "old orders are told on, new ones come"
        assert len(fresh) <= book.orders_count()
        assert min(key.placed_on for key in book.orders) == START.date()
        assert {"ship", "return"} <= {k.kind for k in book.sales if k.placed_on < START.date()}
