"""Store credit and exchanges at the console: looked up, asked for once, with who owes whom."""

from collections.abc import Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from oms.kernel import clock
from tests import console
from tests.conftest import Clone
from tests.console import Counter
from tests.dashboards.conftest import Page
from tests.dashboards.test_actions import same_turn, turned_to
from tests.dashboards.test_console import failures, tap, text_of
from tests.dashboards.test_money import bought
from tests.payers import Payer, paying

ADDRESS = {
    "name": "Ada", "street": "Laan 1", "postcode": "1011 AB", "city": "Utrecht",
    "country_code": "NL",
}  # fmt: skip


@pytest.fixture(scope="module")
def shop(clone: Clone, blank: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counter]:
    """Serve a shop of a few orders, for what changes it."""
    home = tmp_path_factory.mktemp("credits")
    with clone(blank) as ledger, console.serving(ledger, home, orders_count=3) as served:
        yield served


@pytest.fixture(scope="module")
def payer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Payer]:
    """Run the payment service."""
    with paying(tmp_path_factory.mktemp("psp")) as service:
        yield service


def credited(shop: Counter, number: str, amount: str = "3.00") -> Any:
    """Have some of an order given back in store credit, agreed on by another."""
    body = {
        "kind": "goodwill", "amount": {"amount": amount, "currency": "EUR"}, "reason": "late",
        "paid_as": "store_credit",
    }  # fmt: skip
    made = shop.ask("POST", f"/v1/orders/{number}/refunds", body, "agent")
    path = f"/v1/refunds/{made['refund_number']}/actions"
    done = shop.ask("POST", path, {"action": "approve"}, "finance", version=made["version"])
    return shop.ask("GET", f"/v1/credits/{done['credit_number']}")


def sent(shop: Counter, payer: Payer, ref: str) -> str:
    """Sell two pens for 20.00, paid by card and sent to their customer."""
    number = bought(shop, payer, ref, ship_to=ADDRESS)
    change = {
        "kind": "ship", "change_ref": f"s-{ref}", "line_ref": "PEN", "quantity": 2,
        "occurred_at": clock.now().isoformat(),
    }  # fmt: skip
    line = {"line_ref": "PEN", "sku": "PEN", "quantity": 2, "total": "20.00", "tax": "3.47"}
    body = {
        "channel_code": "web", "external_ref": ref, "external_number": f"#{ref}", "version": 2,
        "placed_at": "2026-01-05T12:00:00Z", "currency": "EUR", "lines": [line],
        "customer_name": "Ada van der Berg", "customer_email": "ada@example.org",
        "ship_to": ADDRESS, "changes": [change],
    }  # fmt: skip
    shop.ask("POST", "/v1/orders", body)
    return number


def of_form(widgets: Any, label: str) -> Any:
    """Return a field of the form by the beginning of its label."""
    return next(each for each in widgets if str(each.label).startswith(label))


def taken(app: AppTest, units: int, what_for: str) -> AppTest:
    """Say how much of the first line comes back, and what for."""
    of_form(app.number_input, "Pen").set_value(units).run()
    of_form(app.selectbox, "For what").set_value(what_for).run()
    return app


class TestLookUp:
    def test_without_any_says_where_it_comes_from(self, screen: Page, shop: Counter) -> None:
        app = screen("store_credit", shop, credit_order="R1")
        assert failures(app) == []
        assert "There is no store credit here." in text_of(app)

    def test_by_its_code_shows_what_changed_it(
        self, screen: Page, shop: Counter, payer: Payer
    ) -> None:
        known = credited(shop, bought(shop, payer, "CREDIT-1"))
        app = screen("store_credit", shop, "agent")
        app.text_input(key="credit_code").input(known["code"].lower()).run()
        assert failures(app) == []
        assert f"{known['credit_number']}: €3.00" in text_of(app)
        assert app.dataframe[0].value["What"].tolist() == ["Issued"]
        assert app.dataframe[0].value["For"].tolist()[0].startswith("refund U")
        # A code is nobody's to be found in a browser's history, and an agent lowers nothing.
        assert known["code"] not in str(app.query_params)
        assert "Lower it" not in [each.label for each in app.button]
        app.text_input(key="credit_code").input("NOPE").run()
        assert [each.value for each in app.error] == ["There is no such store credit."]

    def test_with_many_shows_the_last_ones_and_one_of_them(
        self, screen: Page, shop: Counter, payer: Payer
    ) -> None:
        numbers = [bought(shop, payer, f"MANY-{at}") for at in range(4)]
        made = [credited(shop, number)["credit_number"] for number in numbers]
        for _ in range(55):
            credited(shop, numbers[0], "0.10")
        app = screen("store_credit", shop, "finance")
        assert failures(app) == []
        assert app.dataframe[0].value["Store credit"].tolist()[:4] == made[::-1]
        listed = screen("refunds", shop, "finance", refund_state="any").dataframe[0].value
        assert listed["As"].str.startswith("store credit K").any()
        # A code is somebody's money: it is shown letter by letter.
        code = shop.ask("GET", f"/v1/credits/{made[-1]}")["code"]
        assert app.dataframe[0].value["Code"].tolist()[0] == code
        app.selectbox(key="credit").set_value(made[0]).run()
        assert f"{made[0]}: €8.50" in text_of(app)
        assert len(app.dataframe[1].value) == 50

    def test_is_lowered_once_for_a_reason(self, screen: Page, shop: Counter, payer: Payer) -> None:
        number = bought(shop, payer, "LOWER-1")
        known = credited(shop, number)["credit_number"]
        app = screen("store_credit", shop, "finance", credit_order=number)
        app.text_input(key=f"lower_to_{known}").input("1.00")
        app.text_input(key=f"lower_why_{known}").input("Given twice")
        of_form(app.button, "Lower it").click().run()
        assert failures(app) == []
        assert shop.ask("GET", f"/v1/credits/{known}")["balance"]["amount"] == "1.00"


class TestExchange:
    @pytest.mark.parametrize(
        ("price", "told"),
        [
            ("10.00", "An even exchange"), ("12.50", "The customer pays €2.50"),
            ("7.00", "€3.00 goes back to the customer."),
        ],
    )  # fmt: skip
    def test_says_who_owes_whom_before_it_is_asked_for(
        self, screen: Page, shop: Counter, payer: Payer, price: str, told: str
    ) -> None:
        number = sent(shop, payer, f"BALANCE-{price}")
        app = taken(screen("order", shop, "agent", number=number), 1, "exchange")
        of_form(app.text_input, "Unit price").input(price).run()
        of_form(app.text_input, "Why it costs that").input("Asked").run()
        assert failures(app) == []
        assert told in text_of(app)
        assert shop.order(number)["returns"] == []

    def test_is_asked_for_once_and_leads_to_its_order(
        self, screen: Page, shop: Counter, payer: Payer
    ) -> None:
        number = sent(shop, payer, "EXCHANGE-1")
        app = taken(screen("order", shop, "agent", number=number), 1, "exchange")
        second = taken(screen("order", shop, "agent", number=number), 1, "exchange")
        same_turn(app, second)
        tap(app, "Ask for it")
        assert failures(app) == []
        (made,) = shop.order(number)["returns"]
        new = made["exchange_order_number"]
        assert f"Exchange for {made['return_number']}: placed." in text_of(app)
        app.button(key=f"exchange_{new}").click().run()
        assert failures(app) == []
        assert f"Sent instead of what comes back under {made['return_number']}." in text_of(app)
        turned_to(second, "order")
        assert len(shop.order(number)["returns"]) == 1

    def test_of_what_has_not_left_is_not_offered(
        self, screen: Page, shop: Counter, payer: Payer
    ) -> None:
        app = screen("order", shop, "agent", number=bought(shop, payer, "HERE-1"))
        assert failures(app) == []
        assert [each for each in app.number_input if str(each.label).startswith("Pen")] == []
