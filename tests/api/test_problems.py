"""Problems: every error is one, and none tells the caller's input or our insides."""

import json
from typing import Any

import pytest

from tests.api.conftest import House
from tests.api.wire import a_line, an_order

MARK = "Zanzibar"


def raw(house: House, body: bytes, **headers: str) -> Any:
    """Post a body as it is to /v1/orders."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return house.post(
        "/v1/orders", None, once="k", content=body,
        headers={"content-type": "application/json"} | named,
    )  # fmt: skip


class TestShape:
    def test_is_rfc_9457(self, house: House) -> None:
        answer = house.get("/v1/orders/R1", headers={"X-Request-Id": "abc-1"})
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json() == {
            "type": "/docs/problems.md#ORDER_NOT_FOUND", "title": "There is no such order.",
            "status": 404, "detail": "There is no such order.", "code": "ORDER_NOT_FOUND",
            "correlation_id": "abc-1",
        }  # fmt: skip

    def test_is_listed_where_its_type_leads(self, house: House) -> None:
        page = house.client.get("/docs/problems.md")
        assert page.status_code == 200
        for code in ("ORDER_NOT_FOUND", "IDEMPOTENCY_KEY_REUSED", "INTERNAL", "STALE_VERSION"):
            assert f"## {code}\n" in page.text

    @pytest.mark.parametrize(
        ("method", "path", "status", "code"),
        [
            ("GET", "/nowhere", 404, "NOT_FOUND"),
            ("PATCH", "/v1/orders", 405, "METHOD_NOT_ALLOWED"),
            ("GET", "/v1/orders/", 404, "NOT_FOUND"),
        ],
    )
    def test_is_what_the_framework_says_too(
        self, house: House, method: str, path: str, status: int, code: str
    ) -> None:
        answer = house.client.request(method, path, headers=house.keys.header())
        assert (answer.status_code, answer.json()["code"]) == (status, code)

    def test_is_all_that_is_seen_of_a_fault(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fault(*_: Any, **__: Any) -> None:
            raise RuntimeError(MARK)

        monkeypatch.setattr("api.routers.orders.search.page", fault)
        answer = house.get("/v1/orders")
        assert (answer.status_code, answer.json()["code"]) == (500, "INTERNAL")
        assert MARK not in answer.text
        assert answer.headers["x-content-type-options"] == "nosniff"


class TestPath:
    @pytest.mark.parametrize(
        "path", ["/v1/orders/R%00", "/v1/stock/%00", "/v1/products/%00", "/v1/channels/%00/inbox"]
    )
    def test_with_a_nul_names_nothing(self, house: House, path: str) -> None:
        method = "POST" if path.endswith("inbox") else "GET"
        answer = house.client.request(method, path, headers=house.keys.header())
        assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


class TestHeaders:
    @pytest.mark.parametrize("path", ["/v1/orders", "/v1/orders/R1", "/nowhere", "/health/live"])
    def test_are_on_every_answer(self, house: House, path: str) -> None:
        headers = house.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert len(headers["x-request-id"]) == 16

    @pytest.mark.parametrize("given", ["a b", "x" * 65, "<script>"])
    def test_repeat_no_odd_request_id(self, house: House, given: str) -> None:
        assert (
            house.get("/health/live", headers={"X-Request-Id": given}).headers["x-request-id"]
            != given
        )


class TestBody:
    @pytest.mark.parametrize(
        "body",
        [
            b"{", b"\xff\xfe", b'{"a": "\xff"}', b"[" * 100_000, b'{"a":' * 50_000,
            b'{"version": ' + b"9" * 5000 + b"}", b"nonsense", b"\x00",
        ],
    )  # fmt: skip
    def test_that_is_not_json_is_refused(self, house: House, body: bytes) -> None:
        answer = raw(house, body)
        assert (answer.status_code, answer.json()["code"]) == (400, "MALFORMED")

    @pytest.mark.parametrize(
        "value",
        [
            "NaN",
            "Infinity",
            "-Infinity",
            "1e400",
            '"\\ud800"',
            "[[[[[[]]]]]]",
            "1E-400",
            '"\\u0000"',
        ],
    )
    @pytest.mark.parametrize(
        "field",
        ["version", "customer_name", "lines", "prices_include_tax", "placed_at", "surprise"],
    )
    def test_with_odd_values_is_refused(self, house: House, field: str, value: str) -> None:
        body = json.dumps(an_order() | {field: "@"}).replace('"@"', value)
        answer = raw(house, body.encode())
        assert answer.status_code == 422
        assert any(each["pointer"].startswith(f"/{field}") for each in answer.json()["errors"])

    @pytest.mark.parametrize("name", ["<b>", "\\ud800", "a b", "\\u0000", "~/"])
    def test_with_odd_names_is_refused_without_them(self, house: House, name: str) -> None:
        body = json.dumps(an_order())[:-1] + f', "{name}": 1}}'
        answer = raw(house, body.encode())
        assert answer.status_code == 422
        assert [each["pointer"] for each in answer.json()["errors"]] == [""]

    @pytest.mark.parametrize(
        "order",
        [
            an_order(placed_at=MARK), an_order(currency=MARK), an_order(order_type=MARK),
            an_order(surprise=MARK), an_order(lines=[a_line(MARK)]), an_order(location_code=MARK),
            an_order(lines=[a_line() | {"quantity": MARK}]),
            an_order(channel_code=MARK), an_order(customer_email=MARK),
        ],
    )  # fmt: skip
    def test_is_not_repeated(self, house: House, order: Any) -> None:
        answer = house.order(order)
        assert answer.status_code in {404, 422}
        assert MARK not in answer.text

    def test_that_is_too_large_is_refused(self, house: House) -> None:
        answer = raw(house, b" " * (2 * 1024 * 1024 + 1))
        assert (answer.status_code, answer.json()["code"]) == (413, "PAYLOAD_TOO_LARGE")

    @pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
    def test_must_say_it_is_json(self, house: House, kind: str) -> None:
        answer = raw(house, b"{}", content_type=kind)
        assert (answer.status_code, answer.json()["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
