"""Tracking: whoever has number and address sees how an order is, and nobody learns of another."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from api.throttle import Buckets, Guesses
from tests.api.conftest import House
from tests.api.wire import an_order
from tests.builders import NOW
from tests.conftest import Clock

HOUR = timedelta(hours=1)


def ordered(house: House, ref: str = "W-1", **fields: Any) -> str:
    body = an_order(ref, allow_backorder=True, customer_phone="+31612345678", **fields)
    return str(house.order(body).json()["order_number"])


def track(house: House, **query: str) -> Any:
    """Ask without a key."""
    return house.client.get("/v1/tracking", params=query)


@contextmanager
def statements(house: House) -> Iterator[list[str]]:
    """Note what the ledger is asked."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    event.listen(house.system.ledger.engine, "before_cursor_execute", note)
    yield asked
    event.remove(house.system.ledger.engine, "before_cursor_execute", note)


class TestByNumber:
    @pytest.mark.parametrize("number", ["R100000001", "r100000001", "#W-1", "W-1", " W-1 "])
    def test_tells_states_and_dates_and_nobody(self, house: House, number: str) -> None:
        ordered(house)
        answer = track(house, number=number, email="ADA@example.org")
        assert answer.status_code == 200
        assert answer.json() == {
            "order_state": "placed", "fulfillment_state": "backordered",
            "fulfillment_method": "ship_home", "placed_at": "2026-01-05T12:00:00Z",
            "updated_at": "2026-01-05T12:00:00Z", "parcels": [], "notes": [],
            "steps": [{"type": "order.captured", "occurred_at": "2026-01-05T12:00:00Z"}],
        }  # fmt: skip
        assert answer.headers["cache-control"] == "no-store"

    def test_wrong_and_unknown_are_the_same(self, house: House) -> None:
        """In what is answered and in what is asked of the ledger, statement by statement."""
        ordered(house)
        seen = []
        for number, email in (
            ("R100000001", "eve@example.org"), ("R100000009", "ada@example.org"),
            ("R100000009", "eve@example.org"),
        ):  # fmt: skip
            with statements(house) as asked:
                answer = track(house, number=number, email=email)
            body = answer.json()
            del body["correlation_id"]
            seen.append((answer.status_code, body, asked))
        assert seen[0] == seen[1] == seen[2]
        assert seen[0][0] == 404
        assert "R1000" not in str(seen[0][1])

    def test_of_an_order_without_an_address_there_is_none(self, house: House) -> None:
        ordered(house, customer_email=None)
        for email in ("None", "null", "+31612345678"):
            assert track(house, number="R100000001", email=email).status_code == 404

    @pytest.mark.parametrize(
        "query",
        [
            {}, {"number": "R100000001"}, {"email": "a@example.org"}, {"link": "x", "number": "1"},
            {"number": "1", "email": "a", "link": "x"}, {"number": "1", "email": "a\x00"},
            {"number": "1", "email": "a", "phone": "1"}, {"link": "a/b"},
        ],
    )  # fmt: skip
    def test_needs_both(self, house: House, query: dict[str, str]) -> None:
        assert track(house, **query).status_code == 422


class TestByLink:
    def link(self, house: House, number: str, key: str = "agent") -> str:
        answer = house.post(f"/v1/orders/{number}/tracking-links", key=key, once=number)
        assert answer.status_code == 201, answer.text
        assert answer.json()["path"].endswith(answer.json()["link"])
        return str(answer.json()["link"])

    def test_tells_the_same(self, house: House) -> None:
        number = ordered(house)
        by_number = track(house, number=number, email="ada@example.org").json()
        assert track(house, link=self.link(house, number)).json() == by_number

    def test_holds_for_its_order_and_time(self, house: House, clock: Clock) -> None:
        link = self.link(house, ordered(house))
        clock.forward(days=89)
        assert track(house, link=link).status_code == 200
        clock.forward(days=1)
        assert track(house, link=link).status_code == 404

    def test_altered_is_none_of_ours(self, house: House) -> None:
        number = ordered(house)
        assert track(house, link="AAAA").status_code == 404
        link = self.link(house, number)
        for place in range(len(link) - 1):
            other = "A" if link[place] != "A" else "B"
            assert track(house, link=link[:place] + other + link[place + 1 :]).status_code == 404
        assert track(house, link=link[:-4]).status_code == 404

    def test_of_another_channel_is_not_to_be_had(self, house: House) -> None:
        path = f"/v1/orders/{ordered(house)}/tracking-links"
        assert house.post(path, key="market", once="k").status_code == 404
        assert house.post("/v1/orders/R9/tracking-links", key="agent", once="k").status_code == 404


class TestGuesses:
    def test_are_counted_by_order_known_or_not(self, house: House) -> None:
        ordered(house)
        for number in ("R100000001", "R100000009"):
            statuses = [track(house, number=number, email="e@x").status_code for _ in range(62)]
            assert statuses == [404] * 60 + [429] * 2
        answer = track(house, number="r100000001", email="ada@example.org")
        assert (answer.status_code, answer.json()["code"]) == (429, "TOO_MANY_GUESSES")
        assert answer.headers["retry-after"] == "60"

    def test_are_counted_by_where_they_come_from(self, house: House) -> None:
        for n in range(240):
            assert track(house, number=f"R{n}", email="e@x").status_code == 404
        assert track(house, number="R999", email="e@x").status_code == 429

    def test_do_not_believe_who_a_request_says_it_is_for(self, house: House) -> None:
        for n in range(241):
            answer = house.client.get(
                "/v1/tracking", params={"number": f"R{n}", "email": "e@x"},
                headers={"X-Forwarded-For": f"10.0.0.{n % 250}", "Forwarded": f"for=10.1.0.{n}"},
            )  # fmt: skip
        assert answer.status_code == 429

    def test_are_shared_by_processes(self) -> None:
        guesses = Guesses(processes_count=4)
        admitted = 0
        for _ in range(20):
            try:
                guesses.admit(NOW, order=("R1", 8))
                admitted += 1
            except Exception:  # noqa: BLE001 - counted below
                continue
        assert admitted == 2


class TestBuckets:
    def test_forget_who_has_everything_again_and_nobody_else(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("api.throttle.SUBJECTS_MAX", 10)
        buckets = Buckets()
        assert buckets.take("spent", count=1, period=HOUR, at=NOW) == 0
        for n in range(9):
            buckets.take(f"{n}", count=60, period=HOUR, at=NOW)
        later = NOW + timedelta(minutes=2)
        for n in range(100):
            buckets.take(f"more {n % 9}", count=60, period=HOUR, at=later)
        assert len(buckets._left) <= 10
        assert buckets.take("spent", count=1, period=HOUR, at=later) > 0

    def test_never_remember_more_than_they_may(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("api.throttle.SUBJECTS_MAX", 10)
        buckets = Buckets()
        for n in range(1000):
            buckets.take(f"{n}", count=1, period=HOUR, at=NOW + timedelta(seconds=n / 1000))
        assert len(buckets._left) <= 10
        assert buckets.take("999", count=1, period=HOUR, at=NOW + timedelta(seconds=2)) > 0
