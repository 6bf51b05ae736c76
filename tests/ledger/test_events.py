"""Events of orders: none is skipped, an order's come in their sequence, and who sees what."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from oms.events import queries
from oms.events.model import (
    EventsCursorInvalid,
    OrderEvent,
    Position,
    View,
    document,
    view_of,
)
from oms.ledger.database import Tx
from tests.builders import a_change, a_partial, an_order
from tests.ledger.shop import Shop

START = Position()


def tell(tx: Tx, ref: str, event: str = "order.updated") -> None:
    """Add a step to an order's story, as capture does: under the order's lock."""
    tx.execute(
        text("""
            with told as (
                update orders set last_seq = last_seq + 1 where external_ref = :ref
                returning order_id, last_seq
            )
            insert into order_events (
                order_id, seq, type, occurred_at, recorded_at, actor_type, actor)
            select order_id, last_seq, :event, now(), now(), 'system', 'test' from told
        """),
        {"ref": ref, "event": event},
    )


def begin(tx: Tx) -> None:
    """Give a transaction its number."""
    tx.execute(text("select pg_current_xact_id()"))


def read(
    shop: Shop, after: Position = START, *, limit: int = 100, channels: list[str] | None = None
) -> tuple[list[OrderEvent], Position]:
    """Read everything after a place, page by page."""
    found: list[OrderEvent] = []
    has_more = True
    while has_more:
        with shop.ledger.snapshot() as tx:
            events, after, has_more = queries.page(tx, after, limit=limit, channel_codes=channels)
        found += events
    return found, after


def names(events: list[OrderEvent]) -> list[tuple[str, int]]:
    """Name events by their order and their number in it."""
    return [(event.order.header["external_ref"], event.seq) for event in events]


class TestPage:
    @pytest.mark.parametrize("limit", [1, 2, 100])
    def test_every_event_comes_once_whatever_the_limit(self, shop: Shop, limit: int) -> None:
        shop.take(an_order("W-1"), an_order("W-2"), an_order("W-3"))
        shop.take(a_partial("W-2", a_change("cancel")))
        events, _ = read(shop, limit=limit)
        assert names(events) == [("W-1", 1), ("W-2", 1), ("W-3", 1), ("W-2", 2)]

    def test_a_reader_goes_on_where_it_was(self, shop: Shop) -> None:
        shop.take(an_order("W-1"))
        _, after = read(shop)
        assert read(shop, after)[0] == []
        shop.take(an_order("W-2"))
        events, _ = read(shop, Position.read(after.write()))
        assert names(events) == [("W-2", 1)]

    def test_what_commits_late_is_not_skipped(self, shop: Shop) -> None:
        shop.take(an_order("W-1"), an_order("W-2"))
        _, after = read(shop)
        with shop.ledger.transaction() as slow:
            tell(slow, "W-1")
            with shop.ledger.transaction() as quick:
                tell(quick, "W-2")
            events, after = read(shop, after)
            assert events == []
        events, _ = read(shop, after)
        assert names(events) == [("W-1", 2), ("W-2", 2)]

    @pytest.mark.parametrize("limit", [1, 2, 100])
    def test_who_began_early_and_wrote_late_comes_in_sequence(self, shop: Shop, limit: int) -> None:
        """The lower transaction wrote the higher numbers: by transaction alone 3 came before 2."""
        shop.take(an_order("W-1"))
        _, after = read(shop)
        with shop.ledger.transaction() as early:
            begin(early)
            with shop.ledger.transaction() as late:
                tell(late, "W-1")
            tell(early, "W-1")
            tell(early, "W-1")
        events, _ = read(shop, after, limit=limit)
        assert names(events) == [("W-1", 2), ("W-1", 3), ("W-1", 4)]

    def test_any_place_is_good_to_go_on_from(self, shop: Shop) -> None:
        """Events that share a place are gone on from together: the rest comes, and once."""
        shop.take(an_order("W-1"), an_order("W-2"))
        with shop.ledger.transaction() as early:
            begin(early)
            with shop.ledger.transaction() as late:
                tell(late, "W-1")
                tell(late, "W-2")
            tell(early, "W-1")
        events, _ = read(shop)
        places = [event.place for event in events]
        last = [n for n, place in enumerate(places, 1) if place not in places[n:]]
        assert len(last) == len(events) - 1, "the third of W-1 shares the place of its second"
        for number in last:
            assert names(read(shop, places[number - 1])[0]) == names(events[number:])

    def test_such_a_one_waits_for_what_came_before_it(self, shop: Shop) -> None:
        """The horizon lies between the two: what came later may not be told yet."""
        shop.take(an_order("W-1"))
        _, after = read(shop)
        with shop.ledger.transaction() as early:
            begin(early)
            with shop.ledger.transaction() as between:
                begin(between)
                with shop.ledger.transaction() as late:
                    tell(late, "W-1")
                tell(early, "W-1")
                early.commit()
                events, after = read(shop, after)
                assert events == []
        events, _ = read(shop, after)
        assert names(events) == [("W-1", 2), ("W-1", 3)]

    def test_a_long_stretch_of_others_is_passed_in_parts(
        self, shop: Shop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(queries, "WINDOW_EVENTS_MAX", 3)
        shop.take(*(an_order(f"W-{number}") for number in range(10)))
        shop.take(an_order("T-1"), channel="market")
        with shop.ledger.snapshot() as tx:
            events, after, has_more = queries.page(
                tx, Position(), limit=5, channel_codes=["market"]
            )
        assert (events, has_more) == ([], True)
        assert names(read(shop, after, channels=["market"])[0]) == [("T-1", 1)]

    def test_history_can_be_left_out(self, shop: Shop) -> None:
        shop.take(an_order("W-1", is_historical=True), an_order("W-2"))
        with shop.ledger.snapshot() as tx:
            events, _, _ = queries.page(
                tx, Position(), limit=5, channel_codes=None, has_history=False
            )
        assert names(events) == [("W-2", 1)]


class TestPosition:
    def test_is_read_as_it_was_written(self) -> None:
        position = Position(7, 100000042, 3)
        assert Position.read(position.write()) == position

    @pytest.mark.parametrize("cursor", ["", "x", "AAAA", "MS4y", "LTEuMi4z", "é", "MS4yLjMuNA"])
    def test_is_not_read_from_anything_else(self, cursor: str) -> None:
        with pytest.raises(EventsCursorInvalid):
            Position.read(cursor)


PERSONAL = ("Ada Pen", "ada@example.org", "+31 20 555", "Canal 1")


class TestView:
    @pytest.fixture
    def event(self, shop: Shop) -> OrderEvent:
        order = an_order(
            "W-1", customer_phone=PERSONAL[2], ship_to='{"street": "Canal 1"}',
            bill_to='{"street": "Canal 1"}', customer_ref="c-1",
        )  # fmt: skip
        shop.take(order)
        return read(shop)[0][0]

    @pytest.mark.parametrize(
        ("view", "seen"),
        [(View.OWN, PERSONAL), (View.COUNTER, PERSONAL[:1]), (View.FOREIGN, ())],
    )
    def test_a_channel_sees_what_it_may(
        self, event: OrderEvent, view: View, seen: tuple[str, ...]
    ) -> None:
        told = str(document(event, view, {}))
        assert [each for each in PERSONAL if each in told] == list(seen)
        assert "PEN" in told
        assert "c-1" not in told or view is View.OWN

    def test_a_foreign_channel_sees_no_remarks(self, event: OrderEvent) -> None:
        noted = replace(event, data={"lines": [], "note": "call Ada"})
        assert document(noted, View.OWN, {})["data"]["change"] == {"lines": [], "note": "call Ada"}
        assert document(noted, View.FOREIGN, {})["data"]["change"] == {"lines": []}

    @pytest.mark.parametrize(
        ("reader", "kind", "view"),
        [(None, None, View.OWN), ("web", "webshop", View.OWN), ("till", "pos", View.COUNTER),
         ("kiosk", "kiosk", View.COUNTER), ("market", "marketplace", View.FOREIGN),
         ("app", "webshop", View.FOREIGN)],
    )  # fmt: skip
    def test_is_by_whose_order_it_is(self, reader: str, kind: str, view: View) -> None:
        assert view_of(channel_code="web", reader_code=reader, reader_kind=kind) is view
