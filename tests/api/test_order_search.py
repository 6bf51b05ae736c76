"""GET /v1/orders/facets, /analysis and /export: a search as a whole."""

import csv
import io
from typing import Any

import pytest

from tests.api.conftest import House
from tests.api.test_orders_changes import UTRECHT, change
from tests.api.test_parcels import pack, picked
from tests.api.wire import a_line, an_order
from tests.ledger.finding import indexed
from tests.ledger.routing import activate

ROUTES = ("/v1/orders/facets", "/v1/orders/analysis?by=channel", "/v1/orders/export", "/v1/orders")


@pytest.fixture
def sold(stocked: House) -> House:
    """Give the retailer two orders of two channels."""
    stocked.order(an_order("W-1", customer_name="=cmd()", lines=[a_line(quantity=2)]))
    stocked.order(
        an_order("M-1", channel_code="market", customer_name="Jan Vis", lines=[a_line("LAMP")],
                 allow_backorder=True, placed_at="2026-01-04T12:00:00Z")
    )  # fmt: skip
    indexed(stocked.shop.ledger)
    return stocked


def rows(answer: Any) -> list[dict[str, str]]:
    """Read a file's rows, its facts left out."""
    lines = [line for line in answer.content.decode("utf-8-sig").splitlines() if line[:1] != "#"]
    return list(csv.DictReader(io.StringIO("\n".join(lines))))


def found(house: House, **asked: Any) -> list[str]:
    """Ask for orders once the follower has caught up; return the numbers of the shop."""
    indexed(house.shop.ledger)
    answer = house.get("/v1/orders", params=asked)
    assert answer.status_code == 200, answer.text
    return [each["external_ref"] for each in answer.json()["items"]]


class TestList:
    def test_an_order_is_found_by_its_parcels_as_they_come(self, routed: House) -> None:
        work = picked(routed, 3)
        assert found(routed, q="f500000001") == ["W-1"]
        assert found(routed, q="3SABCD123456789") == []
        made = pack(routed, work, 1, carrier="postnl", tracking_number="3SABCD123456789").json()
        for q in ("3SABCD123456789", "3sabcd1234", "3S ABCD 1234 5678 9", "P700000001", "ada 3sab"):
            assert found(routed, q=q) == ["W-1"], q
        assert found(routed, q="3S ABCD 1234 5678 8") == []
        routed.post("/v1/parcels/P700000001/void", key="store", once="v")
        pack(routed, made["fulfillment"], 1, carrier="dpd", tracking_number="05222456789012")
        for q in ("0522 2456 7890 12", "5222456789012", "3SABCD123456789"):
            assert found(routed, q=q) == ["W-1"], q

    def test_an_order_is_found_by_the_address_it_goes_to_now(self, routed: House) -> None:
        order = routed.routed_order(an_order("W-1", ship_to=UTRECHT | {"city": "Gent"}))
        assert found(routed, q="utrecht") == []
        assert change(routed, order, ship_to=UTRECHT).status_code == 200
        assert found(routed, q="utrecht 3511aa") == ["W-1"]

    def test_an_order_is_found_by_where_it_is_fulfilled_and_by_its_holds(
        self, routed: House
    ) -> None:
        order = routed.routed_order(an_order("W-1"))
        routed.order(an_order("W-2", lines=[a_line("LAMP")], allow_backorder=True))
        (work,) = order["fulfillments"]
        assert found(routed, fulfillment_location=[work["location_code"], "nowhere"]) == ["W-1"]
        assert found(routed, fulfillment_location="nowhere") == []
        path = f"/v1/orders/{order['order_number']}/holds"
        body = {"type": "address", "comment": "Which floor?"}
        routed.post(path, body, once="h", headers={"If-Match": str(order["version"])})
        assert found(routed, hold=["address", "fraud"]) == ["W-1"]
        assert found(routed, hold="fraud") == []
        assert routed.get("/v1/orders?hold=mood").json()["code"] == "INVALID_FILTER"

    def test_an_order_is_found_by_how_it_is_paid(self, stocked: House) -> None:
        payment = {
            "ref": "1", "tender": "card", "amount": "10.00", "authorized": "10.00",
            "psp": "sandbox", "psp_reference": "pay_77", "managed_by": "channel",
        }  # fmt: skip
        stocked.order(an_order("W-1", payments=[payment]))
        stocked.order(an_order("W-2"))
        for asked in (
            {"q": "pay_77"}, {"payment_method": ["card", "cash"]}, {"payment_state": "authorized"},
        ):  # fmt: skip
            assert found(stocked, **asked) == ["W-1"]
        assert found(stocked, payment_state=["none", "authorized"]) == ["W-2", "W-1"]
        assert found(stocked, payment_method="bank") == []
        query = {"payment_method": ["card"], "sort": "promised_at"}
        assert (
            stocked.post("/v1/views", {"name": "Cards", "query": query}, once="v").json()["query"]
            == query
        )

    def test_an_order_is_listed_by_what_is_promised(self, routed: House) -> None:
        activate(routed.shop)
        routed.order(an_order("W-2", channel_code="market", allow_backorder=True))
        order = routed.routed_order(an_order("W-1"))
        indexed(routed.shop.ledger)
        listed = routed.get("/v1/orders?sort=promised_at").json()["items"]
        assert [(each["external_ref"], each["promised_at"]) for each in listed] == [
            ("W-1", "2026-01-07T12:00:00Z"), ("W-2", None),
        ]  # fmt: skip
        number = order["order_number"]
        assert routed.get(f"/v1/orders/{number}").json()["promised_at"] == "2026-01-07T12:00:00Z"
        assert found(routed, promised_from="2026-01-07T12:00:00Z") == ["W-1"]
        assert found(routed, promised_to="2026-01-07T12:00:00Z") == []
        (row, _) = rows(routed.get("/v1/orders/export?sort=promised_at"))
        assert row["Promised for"].startswith("2026-01-07")


class TestFacets:
    def test_they_count(self, sold: House) -> None:
        counted = sold.get("/v1/orders/facets").json()
        assert (counted["orders_count"], counted["is_complete"]) == (2, True)
        assert counted["facets"]["channel"] == [
            {"value": "market", "orders_count": 1}, {"value": "web", "orders_count": 1},
        ]  # fmt: skip
        assert set(counted["facets"]) == {
            "channel", "order_state", "fulfillment_state", "method", "country", "product_type",
            "tag", "location", "fulfillment_location",
        }  # fmt: skip

    def test_they_are_of_what_the_key_may_see(self, sold: House) -> None:
        counted = sold.get("/v1/orders/facets", "web").json()
        assert [each["value"] for each in counted["facets"]["channel"]] == ["web"]
        assert sold.get("/v1/orders/facets", "nowhere").json()["orders_count"] == 0


class TestAnalysis:
    def test_it_adds_up(self, sold: House) -> None:
        answer = sold.get("/v1/orders/analysis", params={"by": ["channel", "day"], "q": "pen"})
        assert answer.json() == {"items": [{
            "values": {"channel": "web", "day": "2026-01-05"}, "orders_count": 1, "units": 2,
            "net": {"amount": "16.53", "currency": "EUR"},
            "gross": {"amount": "20.00", "currency": "EUR"},
        }]}  # fmt: skip

    def test_it_is_of_what_the_key_may_see(self, sold: House) -> None:
        items = sold.get("/v1/orders/analysis?by=channel", "web").json()["items"]
        assert [each["values"]["channel"] for each in items] == ["web"]

    @pytest.mark.parametrize("query", ["", "?by=moon", "?by=day&by=week&by=month&by=channel"])
    def test_it_needs_one_to_three_dimensions(self, house: House, query: str) -> None:
        assert house.get(f"/v1/orders/analysis{query}").status_code == 422

    def test_too_much_is_refused(self, sold: House, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("oms.orders.analysis.ANALYSIS_ORDERS_MAX", 1)
        answer = sold.get("/v1/orders/analysis?by=channel")
        assert (answer.status_code, answer.json()["code"]) == (422, "RESULT_TOO_WIDE")


class TestExport:
    def test_it_has_the_rows_of_the_list_in_its_order(self, sold: House) -> None:
        answer = sold.get("/v1/orders/export", params={"sort": "placed_at", "channel": "market"})
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.headers["content-disposition"] == 'attachment; filename="orders.csv"'
        (row,) = rows(answer)
        assert (row["Order"], row["Customer"], row["Total"]) == ("R100000002", "Jan Vis", "10.000")
        facts = answer.content.decode("utf-8-sig").splitlines()[:3]
        assert facts == ["# Report,Orders", "# channel,market", "# sort,placed_at"]

    def test_all_pages_of_it(self, sold: House, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("oms.orders.search.EXPORT_PAGE_ROWS", 1)
        assert [row["Order"] for row in rows(sold.get("/v1/orders/export"))] == [
            "R100000001", "R100000002",
        ]  # fmt: skip

    def test_no_cell_is_a_formula(self, sold: House) -> None:
        (row,) = rows(sold.get("/v1/orders/export", "web"))
        assert row["Customer"] == "'=cmd()"

    def test_too_much_is_refused_whole(self, sold: House, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("oms.reports.order_list.EXPORT_ORDERS_MAX", 1)
        answer = sold.get("/v1/orders/export")
        assert (answer.status_code, answer.json()["code"]) == (422, "RESULT_TOO_WIDE")

    def test_nothing_is_a_file_with_a_head(self, sold: House) -> None:
        answer = sold.get("/v1/orders/export", params={"q": "nonesuch"})
        assert answer.status_code == 200
        assert rows(answer) == []
        assert '"Order","Channel"' in answer.text


class TestFilters:
    @pytest.mark.parametrize("route", ROUTES)
    @pytest.mark.parametrize(
        ("query", "field", "code"),
        [
            ({"order_state": "lost"}, "/order_state/0", "INVALID_FILTER"),
            ({"color": "red"}, "/color", "INVALID_FILTER"),
            ({"placed_from": "2026-01-02", "placed_to": "2026-01-01"}, "/placed_to",
             "INVALID_FILTER"),
            ({"promised_from": "2026-01-02", "promised_to": "2026-01-01"}, "/promised_to",
             "INVALID_FILTER"),
            ({"payment_method": "gold"}, "/payment_method/0", "INVALID_FILTER"),
            ({"payment_state": ["paid", ""]}, "/payment_state/1", "INVALID_FILTER"),
            ({"payment_method": ["card"] * 51}, "/payment_method", "INVALID_FILTER"),
            ({"total_from": "10.00"}, "/currency", "INVALID_FILTER"),
            ({"currency": "XXX"}, "/currency", "INVALID_FILTER"),
            ({"total_to": "ten", "currency": "EUR"}, "/total_to", "INVALID_FILTER"),
        ],
    )  # fmt: skip
    def test_a_wrong_one_is_named(
        self, house: House, route: str, query: dict[str, Any], field: str, code: str
    ) -> None:
        path, _, by = route.partition("?by=")
        answer = house.get(path, params=query | ({"by": by} if by else {}))
        assert answer.status_code == 422
        assert answer.json()["code"] == code
        (problem,) = answer.json()["errors"]
        assert (problem["location"], problem["pointer"], problem["code"]) == ("query", field, code)

    @pytest.mark.parametrize("after", ["bm9uc2Vuc2U", "!", "W10"])
    def test_a_wrong_cursor_is_named(self, house: House, after: str) -> None:
        answer = house.get("/v1/orders", params={"after": after})
        assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_CURSOR")

    def test_a_cursor_of_another_order_is_refused(self, sold: House) -> None:
        after = sold.get("/v1/orders", params={"limit": 1, "sort": "total"}).json()["next_after"]
        good = sold.get("/v1/orders", params={"sort": "total", "after": after})
        assert [each["external_ref"] for each in good.json()["items"]] == ["W-1"]
        for other in ({}, {"sort": "-total"}, {"sort": "total", "q": "pen"}):
            answer = sold.get("/v1/orders", params={**other, "after": after})
            assert answer.json()["code"] == "INVALID_CURSOR"
        foreign = sold.get("/v1/orders", "web", params={"sort": "total", "after": after})
        assert foreign.json()["code"] == "INVALID_CURSOR"

    @pytest.mark.parametrize("route", ROUTES)
    def test_a_store_of_no_orders_is_refused(self, house: House, route: str) -> None:
        assert house.get(route, "analyst").json()["code"] == "SCOPE_MISSING"
