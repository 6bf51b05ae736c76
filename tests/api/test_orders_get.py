"""GET /v1/orders: found by what is known of them, page by page, and each in full."""

from typing import Any

import pytest

from tests.api.conftest import House
from tests.api.wire import a_line, a_receipt, an_order
from tests.builders import a_change, a_partial
from tests.ledger.finding import indexed


@pytest.fixture
def known(stocked: House) -> House:
    """Give the retailer three orders of three channels."""
    stocked.order(an_order("W-1", lines=[a_line(quantity=2)], total="99.00"))
    stocked.order(
        an_order(
            "M-1",
            channel_code="market",
            placed_at="2026-01-04T12:00:00Z",
            external_number="77",
            customer_name="Jan van der Berg",
            customer_email="jan@example.org",
            lines=[a_line("LAMP")],
            allow_backorder=True,
        )
    )
    stocked.order(a_receipt("T-1", placed_at="2026-01-03T12:00:00Z", lines=[a_line("INK")]))
    indexed(stocked.shop.ledger)
    return stocked


def refs(house: House, key: str = "admin", **filters: Any) -> list[str]:
    """List orders and return the channel's ids of them."""
    answer = house.get("/v1/orders", key, params=filters)
    assert answer.status_code == 200, answer.text
    return [item["external_ref"] for item in answer.json()["items"]]


class TestList:
    @pytest.mark.parametrize(
        ("filters", "found"),
        [
            ({}, ["W-1", "M-1", "T-1"]),
            ({"number": "r100000001"}, ["W-1"]),
            ({"external": "M-1"}, ["M-1"]),
            ({"external": "77"}, ["M-1"]),
            ({"customer": "berg jan"}, ["M-1"]),
            ({"customer": "Van Der B"}, ["M-1"]),
            ({"customer": "o'neil & | ! <-> \\ :*"}, []),
            ({"email": "JAN@example.org"}, ["M-1"]),
            ({"placed_from": "2026-01-04T12:00:00Z"}, ["W-1", "M-1"]),
            ({"placed_from": "2026-01-04T13:00:00+01:00"}, ["W-1", "M-1"]),
            ({"placed_to": "2026-01-04"}, ["T-1"]),
            ({"placed_to": "2026-01-05T12:00:00Z"}, ["M-1", "T-1"]),
            ({"channel": "market"}, ["M-1"]),
            ({"channel": "nonesuch"}, []),
            ({"order_state": "completed"}, ["T-1"]),
            ({"fulfillment_state": "backordered"}, ["M-1"]),
            ({"sku": "LAMP"}, ["M-1"]),
            ({"product_type": "Office"}, ["W-1", "M-1", "T-1"]),
            ({"has_exception": "true"}, ["W-1", "M-1", "T-1"]),
            ({"sku": "PEN", "channel": "market"}, []),
            ({"sku": ["PEN", "LAMP"]}, ["W-1", "M-1"]),
            ({"channel": ["market", "till"]}, ["M-1", "T-1"]),
            ({"location": "AMS", "method": "carry_out"}, ["T-1"]),
            ({"q": "berg mar"}, []),
            ({"q": "van der berg lamp"}, ["M-1"]),
            ({"currency": "EUR", "total_from": "10.01"}, ["W-1"]),
            ({"sort": "placed_at"}, ["T-1", "M-1", "W-1"]),
            ({"sort": "-total", "limit": "1"}, ["W-1"]),
            ({"exception": "TOTALS_MISMATCH"}, ["W-1"]),
        ],
    )
    def test_finds(self, known: House, filters: dict[str, str], found: list[str]) -> None:
        assert refs(known, **filters) == found

    def test_reads_a_plus_that_was_sent_bare(self, known: House) -> None:
        answer = known.get("/v1/orders?placed_from=2026-01-05T13:00:00+01:00")
        assert [item["external_ref"] for item in answer.json()["items"]] == ["W-1"]

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("limit", "201"), ("limit", "0"), ("after", "!"), ("after", "bm9uc2Vuc2U"),
            ("placed_from", "yesterday"), ("placed_from", "0001-01-01T00:00:00+14:00"),
            ("order_state", "lost"), ("sort", "color"), ("method", ""), ("total_to", "1e3"),
            ("currency", "XXX"), ("total_from", "1.00"), ("customer", ""),
            ("customer", "a\x00"), ("colour", "red"),
            ("has_exception", "perhaps"),
        ],
    )  # fmt: skip
    def test_refuses(self, house: House, name: str, value: str) -> None:
        answer = house.get("/v1/orders", params={name: value})
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"

    def test_pages_through_without_gap_or_repetition(self, known: House) -> None:
        found, after = [], None
        for _ in range(3):
            page = known.get(
                "/v1/orders", params={"limit": 1} | ({"after": after} if after else {})
            )
            found += [item["external_ref"] for item in page.json()["items"]]
            after = page.json()["next_after"]
        assert found == ["W-1", "M-1", "T-1"]
        assert after is None


class TestScope:
    @pytest.mark.parametrize(
        ("key", "found"),
        [
            ("web", ["W-1"]),
            ("both", ["W-1", "M-1"]),
            ("nowhere", []),
            ("channel", ["W-1", "M-1", "T-1"]),
        ],
    )
    def test_lists_what_the_key_may_see(self, known: House, key: str, found: list[str]) -> None:
        assert refs(known, key) == found

    @pytest.mark.parametrize(
        "filters",
        [{"channel": "market"}, {"external": "M-1"}, {"customer": "jan"}, {"sku": "LAMP"}],
    )
    def test_finds_nothing_foreign(self, known: House, filters: dict[str, str]) -> None:
        assert refs(known, "web", **filters) == []

    def test_a_foreign_order_reads_like_none(self, known: House) -> None:
        number = known.get("/v1/orders", params={"external": "M-1"}).json()["items"][0][
            "order_number"
        ]
        foreign = known.get(f"/v1/orders/{number}", "web")
        missing = known.get("/v1/orders/R1", "web")
        assert foreign.status_code == missing.status_code == 404
        alike = {"type", "title", "status", "detail", "code"}
        assert {name: foreign.json()[name] for name in alike} == {
            name: missing.json()[name] for name in alike
        }


class TestOne:
    def test_shows_everything(self, known: House) -> None:
        known.shop.take(a_partial("W-1", a_change("ship"), a_change("return", restock=True)))
        number = known.get("/v1/orders", params={"external": "W-1"}).json()["items"][0][
            "order_number"
        ]
        known.post(f"/v1/orders/{number}/notes", {"body": "Call."}, once="k")
        order = known.get(f"/v1/orders/{number.lower()}").json()
        assert order["stated_total"] == {"amount": "99.00", "currency": "EUR"}
        assert order["placed_at"] == "2026-01-05T12:00:00Z"
        (line,) = order["lines"]
        assert (line["shipped"], line["returned"], line["net"]["amount"]) == (1, 1, "16.53")
        assert [change["kind"] for change in order["changes"]] == ["return", "sale", "ship"]
        assert [event["seq"] for event in order["events"]] == [1, 2, 3, 4]
        assert [note["body"] for note in order["notes"]] == ["Call."]
        assert [each["code"] for each in order["exceptions"]] == ["TOTALS_MISMATCH"]
        assert order["customer_email"] == "ada@example.org"

    @pytest.mark.parametrize("number", ["R1", "nonsense", "%F0%9F%92%A9", "R1'--"])
    def test_is_not_found(self, house: House, number: str) -> None:
        answer = house.get(f"/v1/orders/{number}")
        assert (answer.status_code, answer.json()["code"]) == (404, "ORDER_NOT_FOUND")
