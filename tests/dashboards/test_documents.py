"""Documents at the console: listed, looked at, issued once, taken away."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests import console
from tests.conftest import Clone
from tests.console import Counter
from tests.dashboards.conftest import Page
from tests.dashboards.test_actions import same_turn
from tests.dashboards.test_console import failures, tap, text_of
from tests.ledger.issuing import register


@pytest.fixture(scope="module")
def shop(clone: Clone, blank: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counter]:
    """Serve a shop that belongs to a legal entity, with two receipts at a till."""
    home = tmp_path_factory.mktemp("billed")
    with clone(blank) as ledger, console.serving(ledger, home, orders_count=1) as served:
        register(served.shop)
        yield served


def documents(shop: Counter, number: str) -> list[Any]:
    found: list[Any] = shop.ask("GET", f"/v1/orders/{number}/documents")
    return found


class TestDocuments:
    def test_issued_on_the_order_it_stands_in_the_list(self, screen: Page, shop: Counter) -> None:
        number = shop.sold("BILL-1")
        app = screen("order", shop, "finance", number=number)
        assert "Nothing is billed of it yet" in text_of(app)
        app.button(key=f"issue_invoice_{number}").click().run()
        assert failures(app) == []
        (made,) = documents(shop, number)
        assert made["number"] in text_of(app)
        app = screen("documents", shop, "finance", document=made["number"])
        assert failures(app) == []
        told = text_of(app)
        for part in (made["number"], "**Total** €10.00", "**To pay** €10.00", "not noted as sent"):
            assert part in told, part
        (lines,) = (each.value for each in app.dataframe if "Units" in each.value)
        assert lines.to_dict("records")[0]["What"] == "Pen"
        (taxes,) = (each.value for each in app.dataframe if "Why this rate" in each.value)
        assert taxes["Why this rate"].tolist() == ["The rate of the country"]
        offered = {each.label for each in app.get("download_button")}
        assert {"PDF", "XML", "All as PDF (ZIP)"} <= offered

    def test_two_taps_issue_one_and_the_next_is_refused(self, screen: Page, shop: Counter) -> None:
        number = shop.sold("BILL-2")
        windows = [screen("order", shop, "finance", number=number) for _ in range(2)]
        same_turn(*windows)
        for app in windows:
            app.button(key=f"issue_receipt_{number}").click().run()
            assert failures(app) == []
        assert [each["type"] for each in documents(shop, number)] == ["receipt"]
        for kind, said in (("invoice", ""), ("invoice", "Nothing")):
            app = screen("order", shop, "finance", number=number)
            app.button(key=f"issue_{kind}_{number}").click().run()
            assert bool(failures(app)) == bool(said), failures(app)

    def test_is_noted_as_sent(self, screen: Page, shop: Counter) -> None:
        number = shop.sold("BILL-3")
        shop.ask("POST", f"/v1/orders/{number}/documents", {"type": "invoice"})
        (made,) = documents(shop, number)
        app = screen("documents", shop, "finance", document=made["number"])
        tap(app, "It was sent")
        assert failures(app) == []
        assert documents(shop, number)[0]["sent_at"] is not None
        assert "It was sent" not in [each.label for each in app.button]

    def test_who_may_not_read_them_is_shown_none(self, screen: Page, shop: Counter) -> None:
        number = shop.sold("BILL-4")
        order = shop.ask("GET", f"/v1/orders/{number}", key="channel")
        assert (order["documents"], order["refunds"]) == (None, None)
        app = screen("order", shop, "engineer", number=number)
        assert "Documents" not in [each.value for each in app.subheader]

    def test_none_says_where_they_come_from(self, screen: Page, quiet_counter: Counter) -> None:
        app = screen("documents", quiet_counter, "finance")
        assert failures(app) == []
        assert "No such document was issued in these days." in text_of(app)
