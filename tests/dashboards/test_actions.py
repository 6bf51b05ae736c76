"""What is done at the console over the real API: once, however often it is tapped."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from dashboards.panels.rule_parts import EXAMPLE
from tests import console
from tests.builders import a_count
from tests.conftest import Clone
from tests.console import Counter
from tests.dashboards.conftest import Page
from tests.dashboards.test_console import failures, tap, text_of


@pytest.fixture(scope="module")
def shop(clone: Clone, blank: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counter]:
    """Serve a shop of a few orders, for what changes it."""
    home = tmp_path_factory.mktemp("shop")
    with clone(blank) as ledger, console.serving(ledger, home, orders_count=5) as served:
        yield served


def form(app: AppTest, name: str) -> Any:
    """Return the button that sends a form."""
    return next(each for each in app.button if each.form_id == name)


def same_turn(first: AppTest, second: AppTest) -> None:
    """Let a second window stand where the first one is: its tap is the second of a double tap."""
    second.session_state["form_turns"] = dict(first.session_state["form_turns"])


def turned_to(app: AppTest, name: str) -> AppTest:
    """Choose a page in the menu."""
    app._page_hash = calc_hash(name)
    app.query_params.clear()
    return app.run()


def transfers(shop: Counter) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = shop.ask("GET", "/v1/transfers?limit=200")["items"]
    return found


class TestAttention:
    def test_leads_to_the_documents_and_the_orders(self, screen: Page, shop: Counter) -> None:
        shop.quarantined("ATT-1")
        line = {"line_ref": "LAMP", "sku": "LAMP", "quantity": 3, "total": "9.00", "tax": "1"}
        order = shop.ordered("ATT-2", lines=[line], allow_backorder=True)
        app = screen("orders", shop, words="nothing like it")
        assert "No order fits" in text_of(app)
        turned_to(app, "attention")
        assert failures(app) == []
        told = text_of(app)
        assert "**Documents set aside: 1**" in told
        assert "Mend what is missing, then replay them." in told
        assert "Backordered: **1**, oldest" in told
        app.button(key="see_ORDER_EXCEPTION_BACKORDERED_The orders").click().run()
        assert failures(app) == []
        # What was typed there before is not asked for as well.
        assert app.dataframe[0].value["Order"].tolist() == [order["order_number"]]
        turned_to(app, "attention")
        app.button(key="see_QUARANTINED_web_The documents").click().run()
        assert failures(app) == []
        assert app.title[0].value == "Quarantine"
        assert app.dataframe[0].value["Reference"].tolist() == ["ATT-1"]

    def test_leads_to_the_work_of_a_location(self, screen: Page, shop: Counter) -> None:
        number = shop.ordered("ATT-3")["fulfillments"][0]["fulfillment_number"]
        app = screen("attention", shop)
        assert "DC: **" in text_of(app)
        app.button(key="see_WORK_UNTOUCHED_DC_The work").click().run()
        assert failures(app) == []
        assert app.selectbox(key="work_location").value == "DC"
        assert f"**{number}**" in text_of(app)

    def test_leads_to_the_endpoint(self, screen: Page, shop: Counter) -> None:
        shop.ordered("ATT-4")
        for name in ("first", "second"):
            hook = {"url": f"https://{name}.example.org/hooks", "topics": ["order.*"],
                    "description": name}  # fmt: skip
            made = shop.ask("POST", "/v1/webhooks", hook)
        shop.ask("POST", f"/v1/webhooks/{made['subscription_id']}:disable")
        app = screen("attention", shop)
        told = text_of(app)
        assert told.index("Subscribers that are told nothing: 1") < told.index("Work nobody")
        app.button(key="see_SUBSCRIPTION_DISABLED_second_The endpoint").click().run()
        assert failures(app) == []
        assert app.selectbox(key="subscription").value == str(made["subscription_id"])

    def test_says_when_all_is_well(self, screen: Page, quiet_counter: Counter) -> None:
        app = screen("attention", quiet_counter)
        assert "All is well" in app.info[0].value
        assert [each.label for each in app.button] == ["Look again", "Sign out"]


class TestTransfers:
    def test_is_asked_for_sent_and_received_with_what_differs(
        self, screen: Page, shop: Counter
    ) -> None:
        shop.shop.take(a_count(20, sku="INK"))
        before = transfers(shop)
        app = screen("transfers", shop)
        app.selectbox(key="transfer_from").set_value("DC")
        app.selectbox(key="transfer_to").set_value("AMS")
        app.text_area(key="transfer_lines").input("INK many")
        form(app, "request_transfer").click().run()
        assert "in each line a SKU and how many" in app.error[0].value
        assert transfers(shop) == before
        app.text_area(key="transfer_lines").input("INK 4")
        form(app, "request_transfer").click().run()
        assert failures(app) == []
        (made,) = [each for each in transfers(shop) if each not in before]
        number = made["transfer_number"]
        app = screen("transfers", shop, transfer=number)
        for key in (f"allocate_{number}", f"pick_{number}"):
            app.button(key=key).click().run()
            assert failures(app) == [], key
        app.text_input(key=f"carrier_{number}").input("van")
        form(app, f"send_{number}").click().run()
        assert "is on its way" in text_of(app)
        app.number_input(key=f"came_{number}_1").set_value(2)
        app.number_input(key=f"broken_{number}_1").set_value(1)
        form(app, f"receive_form_{number}").click().run()
        assert failures(app) == []
        found = shop.ask("GET", f"/v1/transfers/{number}")
        (line,) = found["lines"]
        assert (found["state"], found["carrier"]) == ("received", "van")
        assert (line["received"], line["damaged"], line["missing"]) == (2, 1, 1)
        # It has left the open ones; among the received ones it says what differs.
        app = screen("transfers", shop, transfer_state="received", transfer=number)
        assert "What came is not what left." in text_of(app)
        assert sorted(app.dataframe[2].value["What"]) == ["Damaged", "Short"]

    def test_two_taps_ask_once_and_another_form_again(self, screen: Page, shop: Counter) -> None:
        before = len(transfers(shop))
        windows = [screen("transfers", shop) for _ in range(2)]
        same_turn(*windows)
        for app in windows:
            app.selectbox(key="transfer_to").set_value("UTR")
            app.text_area(key="transfer_lines").input("PEN 1")
            form(app, "request_transfer").click().run()
            assert failures(app) == []
        assert len(transfers(shop)) == before + 1
        form(windows[0], "request_transfer").click().run()
        assert len(transfers(shop)) == before + 2


class TestHolds:
    def test_is_placed_once_and_released_with_a_reason(self, screen: Page, shop: Counter) -> None:
        number = shop.ordered("HOLD-1")["order_number"]
        windows = [screen("holds", shop) for _ in range(2)]
        for app in windows:
            app.text_input(key="hold_number").input(number).run()
        same_turn(*windows)
        for app in windows:
            app.selectbox(key=f"hold_for_{number}").set_value("address")
            app.text_input(key=f"hold_why_{number}").input("No house number")
            form(app, f"hold_{number}").click().run()
            assert failures(app) == []
        (hold,) = shop.order(number)["holds"]
        assert (hold["type"], hold["comment"]) == ("address", "No house number")
        app = windows[1]
        assert app.dataframe[0].value["Order"].tolist() == [number]
        # A word of what is kept, as it is said: nobody may send it.
        assert app.dataframe[0].value["What may not be done"].tolist() == ["send"]
        form(app, f"release_{number}_1").click().run()
        assert "Say why it is released" in app.error[0].value
        app.text_input(key=f"released_{number}_1").input("It is 12")
        form(app, f"release_{number}_1").click().run()
        assert failures(app) == []
        assert shop.order(number)["holds"][0]["release_comment"] == "It is 12"
        assert "No order is on such a hold" in text_of(app)

    def test_without_an_order_or_a_reason_is_none(self, screen: Page, shop: Counter) -> None:
        app = screen("holds", shop)
        form(app, "hold_").click().run()
        assert "An order and a reason are needed." in app.error[0].value

    def test_of_an_order_nobody_knows_is_a_sentence(self, screen: Page, shop: Counter) -> None:
        app = screen("holds", shop)
        app.text_input(key="hold_number").input("R9").run()
        app.text_input(key="hold_why_R9").input("x")
        form(app, "hold_R9").click().run()
        assert failures(app) == ["There is no such order."]


class TestOrder:
    def test_is_changed_after_a_look_at_what_it_comes_to(self, screen: Page, shop: Counter) -> None:
        number = shop.ordered("CHANGE-1")["order_number"]
        app = screen("order", shop, "agent", number=number)
        app.number_input(key="change_1").set_value(1).run()
        told = text_of(app)
        assert "The order came to €20.00" in told
        assert "The customer gets back" in told
        assert shop.order(number)["lines"][0]["canceled"] == 0
        app.text_input(key="change_reason").input("One is enough").run()
        app.button(key="change_do").click().run()
        assert failures(app) == []
        after = shop.order(number)["lines"][0]
        assert after["quantity"] - after["canceled"] == 1

    def test_says_how_the_customer_may_follow_it(self, screen: Page, shop: Counter) -> None:
        number = shop.ordered("LINK-1")["order_number"]
        app = screen("order", shop, number=number)
        app.button(key=f"link_{number}").click().run()
        assert failures(app) == []
        assert app.code[0].value.startswith("/v1/tracking")


class TestViews:
    def test_is_kept_once_applied_and_removed(self, screen: Page, shop: Counter) -> None:
        windows = [screen("orders", shop, order_channel=["till", "market"]) for _ in range(2)]
        same_turn(*windows)
        for app in windows:
            app.text_input(key="view_name").input("Counter and market")
            form(app, "keep_view").click().run()
            assert failures(app) == []
        (view,) = shop.ask("GET", "/v1/views")
        assert view["query"]["channel"] == ["till", "market"]
        app = screen("orders", shop, words="nothing like it")
        tap(app, "Counter and market")
        assert failures(app) == []
        assert app.multiselect(key="order_channel").value == ["till", "market"]
        assert app.text_input(key="words").value == ""
        assert set(app.dataframe[0].value["Channel"]) == {"till", "market"}
        app.button(key=f"remove_{view['view_id']}").click().run()
        assert shop.ask("GET", "/v1/views") == []


class TestCounter:
    def test_hands_over_by_the_right_code_only(self, screen: Page, shop: Counter) -> None:
        order = shop.collected_in_store("CODE-1")
        number = order["fulfillments"][0]["fulfillment_number"]
        app = screen("store_work", shop, "store", location="DC")
        for key in ("accept", "start_pick", "pick", "pack", "ready"):
            app.button(key=f"{key}_{number}").click().run()
        code = str(shop.shop.value(
            "select collect_code from fulfillment_orders where fulfillment_number = :n", n=number
        ))  # fmt: skip
        wrong = code[::-1] if code != code[::-1] else "000001"
        app.text_input(key="counter_code").input(wrong)
        form(app, "counter_form").click().run()
        assert "Nothing lies ready at DC under this code" in app.warning[0].value
        assert f"hand_{number}" not in [each.key for each in app.button]
        app.text_input(key="counter_code").input(code)
        form(app, "counter_form").click().run()
        app.button(key=f"hand_{number}").click().run()
        assert failures(app) == []
        assert f"{number} is collected." in text_of(app)
        assert shop.order(order["order_number"])["fulfillments"][0]["state"] == "collected"


class TestParcels:
    def test_is_followed_and_its_label_voided(self, screen: Page, shop: Counter) -> None:
        order = shop.ordered("PARCEL-1")
        number = order["fulfillments"][0]["fulfillment_number"]
        app = screen("store_work", shop, "store", location="DC")
        for key in ("accept", "start_pick", "pick", "pack"):
            app.button(key=f"{key}_{number}").click().run()
        app.text_input(key=f"carrier_{number}").input("dpd")
        app.text_input(key=f"tracking_{number}").input("05222456789012")
        form(app, f"ship_{number}").click().run()
        assert failures(app) == []
        app = screen("parcels", shop, parcels_number="05222456789012")
        assert app.dataframe[0].value["Order"].tolist() == [order["order_number"]]
        at = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
        event = {"tracking_number": "05222456789012", "status": "IN_TRANSIT", "occurred_at": at}
        shop.ask("POST", "/v1/carriers/dpd/events", {"events": [event]}, key="carrier")
        app.run()
        assert failures(app) == []
        assert len(app.dataframe) == 2


class TestRules:
    def test_are_tried_kept_and_activated(self, screen: Page, shop: Counter) -> None:
        app = screen("sourcing", shop, sourcing_shown="draft")
        app.text_area(key="draft_text").input("groups: [")
        app.button(key="draft_try").click().run()
        assert "This is no YAML" in app.error[0].value.replace("\\", "")
        app.text_area(key="draft_text").input(EXAMPLE)
        app.button(key="draft_try").click().run()
        assert failures(app) == []
        assert "The rules can be used." in text_of(app)
        assert shop.ask("GET", "/v1/sourcing/rules")["items"] == []
        other = screen("sourcing", shop, sourcing_shown="draft")
        same_turn(app, other)
        for window in (app, other):
            window.button(key="draft_keep").click().run()
            assert failures(window) == []
        (kept,) = shop.ask("GET", "/v1/sourcing/rules")["items"]
        assert (kept["state"], kept["rules"]["promise_hours"]) == ("draft", 48)
        app = screen("sourcing", shop, sourcing_shown="rules")
        app.button(key=f"activate_{kept['version']}").click().run()
        assert failures(app) == []
        (kept,) = shop.ask("GET", "/v1/sourcing/rules")["items"]
        assert kept["state"] == "active"


class TestLocations:
    def test_says_of_each_what_it_is_and_when_it_is_open(self, screen: Page, shop: Counter) -> None:
        app = screen("locations", shop)
        table = app.dataframe[0].value
        assert table["Location"].tolist() == ["AMS", "DC", "UTR"]
        assert table["Kind"].tolist() == ["Store", "Distribution center", "Store"]
        assert table["Supplies"].tolist() == ["till, web", "market, trade, web", "market, web"]
