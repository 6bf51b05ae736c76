"""Idempotency-Key: same key and request, same answer; nothing happens twice."""

from typing import Any

import pytest
from sqlalchemy import text

from oms.kernel.errors import Unavailable
from tests.api.conftest import House
from tests.api.wire import a_line, a_movement, an_order


class TestRepeating:
    def test_gives_the_same_answer_once_worked_out(self, stocked: House) -> None:
        body = an_order()
        first, again = stocked.order(body, once="k"), stocked.order(body, once="k")
        assert (first.status_code, again.status_code) == (201, 201)
        assert again.content == first.content
        assert again.headers["location"] == first.headers["location"]
        assert "idempotency-replayed" not in first.headers
        assert again.headers["idempotency-replayed"] == "true"
        assert stocked.shop.shelf().allocated == 1

    def test_gives_a_refusal_again(self, stocked: House) -> None:
        """Stock that came meanwhile changes nothing: a new attempt has a new key."""
        body = an_order(lines=[a_line(quantity=11)])
        first = stocked.order(body, once="k")
        stocked.post("/v1/stock/movements", {"movements": [a_movement()]})
        again = stocked.order(body, once="k")
        assert (first.status_code, again.status_code) == (409, 409)
        assert again.content == first.content
        assert again.headers["content-type"] == "application/problem+json"
        assert stocked.order(body, once="new").status_code == 201

    def test_leaves_nothing_of_a_refused_request(self, stocked: House) -> None:
        stocked.order(an_order(lines=[a_line(quantity=11)]), once="k")
        assert stocked.count("orders") == 0
        assert stocked.count("idempotency_keys") == 1

    def test_refuses_another_body(self, stocked: House) -> None:
        stocked.order(an_order(), once="k")
        answer = stocked.order(an_order("W-2"), once="k")
        assert (answer.status_code, answer.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
        assert stocked.count("orders") == 1

    def test_refuses_another_path(self, stocked: House) -> None:
        numbers = [stocked.order(an_order(ref)).json()["order_number"] for ref in ("W-1", "W-2")]
        answers = [
            stocked.post(f"/v1/orders/{number}/notes", {"body": "Call."}, once="k")
            for number in numbers
        ]
        assert [answer.status_code for answer in answers] == [201, 422]

    def test_is_each_owners_own(self, stocked: House) -> None:
        first = stocked.order(an_order("W-1"), "web", once="k")
        second = stocked.order(an_order("M-1", channel_code="market"), "market", once="k")
        assert (first.status_code, second.status_code) == (201, 201)

    def test_is_each_routes_own(self, stocked: House) -> None:
        number = stocked.order(an_order(), once="k").json()["order_number"]
        note = stocked.post(f"/v1/orders/{number}/notes", {"body": "Call."}, once="k")
        assert note.status_code == 201


class TestInFlight:
    def test_is_told_so(self, stocked: House) -> None:
        """The first request holds its key's lock until it has committed."""
        owner = stocked.keys.of["admin"].split("_")[1]
        with stocked.system.ledger.transaction() as tx:
            tx.execute(
                text("select pg_advisory_xact_lock(hashtextextended(:subject, 0))"),
                {"subject": f"{owner}\npost_order\nk"},
            )
            answer = stocked.order(an_order(), once="k")
        assert (answer.status_code, answer.json()["code"]) == (409, "IDEMPOTENCY_KEY_IN_FLIGHT")
        assert answer.headers["retry-after"] == "1"
        assert stocked.order(an_order(), once="k").status_code == 201


class TestKeyAndEffect:
    def test_commit_together(self, stocked: House, monkeypatch: pytest.MonkeyPatch) -> None:
        """When the key cannot be kept the order is not there either."""
        with stocked.system.ledger.transaction() as tx:
            tx.exec_driver_sql("alter table idempotency_keys rename to gone")
        try:
            assert stocked.order(an_order(), once="k").status_code == 500
        finally:
            with stocked.system.ledger.transaction() as tx:
                tx.exec_driver_sql("alter table gone rename to idempotency_keys")
        assert stocked.count("orders") == 0
        assert stocked.order(an_order(), once="k").status_code == 201

    def test_a_failure_is_no_answer(self, stocked: House, monkeypatch: pytest.MonkeyPatch) -> None:
        def away(*_: Any, **__: Any) -> None:
            raise Unavailable

        with monkeypatch.context() as patched:
            patched.setattr("api.routers.orders.capture", away)
            assert stocked.order(an_order(), once="k").status_code == 503
        assert stocked.order(an_order(), once="k").status_code == 201


class TestKey:
    @pytest.mark.parametrize("path", ["/v1/orders", "/v1/orders/R100000001/notes"])
    def test_is_needed_for_orders(self, house: House, path: str) -> None:
        answer = house.post(path, an_order())
        assert (answer.status_code, answer.json()["code"]) == (400, "IDEMPOTENCY_KEY_MISSING")

    @pytest.mark.parametrize("key", [" ", "a b", "x" * 201, "é".encode().decode("latin-1")])
    def test_is_printable_and_short(self, house: House, key: str) -> None:
        headers = house.keys.header() | {"Idempotency-Key": key}
        answer = house.client.post(
            "/v1/orders",
            json=an_order(),
            headers=[(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
        )
        assert answer.status_code == 400
        assert answer.json()["code"].startswith("IDEMPOTENCY_KEY_")

    @pytest.mark.parametrize(
        ("path", "body", "status"),
        [
            ("/v1/stock/movements", {"movements": [a_movement()]}, 200),
            ("/v1/products", {"products": [{"sku": "NIB", "title": "Nib"}]}, 200),
        ],
    )
    def test_may_be_given_elsewhere(self, house: House, path: str, body: Any, status: int) -> None:
        answers = [house.post(path, body, once="k") for _ in range(2)]
        assert [answer.status_code for answer in answers] == [status, status]
        assert answers[0].content == answers[1].content
        assert answers[0].json()["changed_count"] == 1
