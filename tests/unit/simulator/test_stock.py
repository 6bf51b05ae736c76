"""The shelves: never below nothing, filled up, counted with small errors, told as documents."""

import json
from collections import Counter, defaultdict
from datetime import date

from oms.simulator.model import CALM, Plan
from oms.simulator.network import STOCKED, STORES
from oms.simulator.retailer import Retailer
from tests.unit.simulator.stories import a_story

FIRST = date(2025, 10, 6)


class TestShelves:
    def test_never_hold_less_than_nothing(self) -> None:
        retailer = Retailer(Plan(seed=4, first=FIRST, orders_per_day=120, rates=CALM))
        for _ in range(21):
            retailer.day()
            for place in STOCKED:
                assert min(retailer._shelves.on_hand[place.code]) >= 0, place.code

    def test_are_what_the_documents_say(self) -> None:
        """Guards the feed: opening, movements, sales, counts folded give what lies there."""
        retailer = Retailer(Plan(seed=4, first=FIRST, orders_per_day=60, rates=CALM))
        signs = {"receipt": 1, "transfer_in": 1, "transfer_out": -1, "write_off": -1}
        level: defaultdict[tuple[str, int], int] = defaultdict(int)
        counted = 0
        for _ in range(21):
            day = retailer.day()
            for moved in day.stock.movements:
                level[moved.place.code, moved.product.index] += signs[moved.kind] * moved.quantity
            for happenings in day.happenings.values():
                for happening in happenings:
                    _follow(level, happening)
            for count in day.stock.counts:
                before = level[count.place.code, count.product.index]
                assert abs(count.counted - before) <= 2
                counted += count.counted != before
                level[count.place.code, count.product.index] = count.counted
        assert counted
        for place in STOCKED:
            for index, there in enumerate(retailer._shelves.on_hand[place.code]):
                assert level[place.code, index] == there


def _follow(level: defaultdict[tuple[str, int], int], happening: object) -> None:
    order, upto = happening.order, happening.upto  # type: ignore[attr-defined]  # a Happening
    if upto == 0:
        if order.method in {"carry_out", "mixed"}:
            for line in order.lines[: order.carried or len(order.lines)]:
                level[order.store.code, line.product.index] -= line.quantity
        return
    change = order.changes[upto - 1]
    sign = {"ship": -1, "return": 1 if change.restock else 0}.get(change.kind, 0)
    for part in change.parts:
        if change.place is not None and sign:
            index = order.lines[part.line].product.index
            level[change.place.code, index] += sign * part.quantity


class TestFeed:
    def test_counts_every_store_every_week(self) -> None:
        stores: Counter[str] = Counter()
        for payload in a_story().payloads:
            if payload.topic == "counts":
                for text in payload.body.splitlines():
                    stores[json.loads(text)["location_code"]] += 1
        assert set(stores) == {store.code for store in STORES}
        assert stores == a_story().book.counts

    def test_books_what_moved(self) -> None:
        moved: Counter[tuple[str, str]] = Counter()
        refs: set[str] = set()
        for payload in a_story().payloads:
            if payload.topic == "movements":
                for text in payload.body.splitlines():
                    document = json.loads(text)
                    assert document["movement_ref"] not in refs
                    refs.add(document["movement_ref"])
                    moved[document["kind"], document["location_code"]] += document["quantity"]
        assert moved == a_story().book.moved
        assert {kind for kind, _ in moved} >= {"receipt", "transfer_in", "transfer_out"}

    def test_opens_before_anything_is_sold(self) -> None:
        first = a_story().payloads[0]
        assert (first.channel_code, first.topic) == ("backoffice", "movements")
        kinds = {json.loads(text)["kind"] for text in first.body.splitlines()}
        assert kinds == {"receipt"}

    def test_tells_new_products_and_the_renamed_and_the_retyped_one(self) -> None:
        told = [
            json.loads(text)
            for payload in a_story().payloads
            if payload.topic == "products"
            for text in payload.body.splitlines()
        ]
        assert len(told) == a_story().book.products > 2
        assert any("Scented Candle" in document["title"] for document in told)
        assert any(document["product_type"] == "Outdoor Cushion" for document in told)
