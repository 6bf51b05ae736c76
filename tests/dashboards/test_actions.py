"""What is done at the console over the real API: once, however often it is tapped."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from dashboards.panels.rule_parts import EXAMPLE
from tests import console
from tests.builders import a_count, a_movement
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

    def test_goes_to_another_pick_up_point_of_its_carrier(
        self, screen: Page, shop: Counter
    ) -> None:
        point = {"provider": "sandbox", "point_id": "SB-NL-1012-2"}
        group = {"method": "pickup_point", "line_refs": ["PEN"], "pickup_point": point}
        number = shop.ordered("POINT-2", groups=[group])["order_number"]
        app = screen("order", shop, "agent", number=number)
        app.checkbox(key="change_point_1").check().run()
        assert failures(app) == []
        near = app.selectbox(key="point_1")
        assert near.value is None
        assert not any("SB-NL-1012-2)" in each for each in near.options)
        index = next(at for at, each in enumerate(near.options) if "SB-NL-1012-1)" in each)
        near.select_index(index).run()
        assert "It goes to the pick-up point above" in text_of(app)
        app.text_input(key="change_reason").input("nearer").run()
        app.button(key="change_do").click().run()
        assert failures(app) == []
        (group,) = shop.order(number)["groups"]
        assert group["pickup_point"]["point_id"] == "SB-NL-1012-1"
        assert group["pickup_point"]["checked_at"] is not None

    def test_is_opened_by_the_link_of_another_tool(self, screen: Page, shop: Counter) -> None:
        number = shop.ordered("LINK-1")["order_number"]
        card = shop.ask("GET", f"/v1/orders/{number}/summary")
        path, _, query = card["console_url"].rpartition("/")[2].partition("?")
        name, _, value = query.partition("=")
        app = screen(path, shop, None, **{name: value})
        app.text_input(key="typed_key").input(shop.keys["agent"])
        tap(app, "Sign in")
        assert failures(app) == []
        assert number in [each.value for each in app.subheader]

    def test_has_the_cases_of_other_tools(self, screen: Page, shop: Counter) -> None:
        number = shop.ordered("CASE-1")["order_number"]
        app = screen("order", shop, "agent", number=number)
        for name, said in (
            ("case_tool", "Salesforce"), ("case_id", "00012"), ("case_url", "https://crm.example/2"),
        ):  # fmt: skip
            app.text_input(key=name).input(said)
        tap(app, "Link it")
        assert failures(app) == []
        app.button(key="case_salesforce 00012_state").click().run()
        assert failures(app) == []
        (case,) = shop.order(number)["cases"]
        assert (case["tool"], case["url"], case["state"], case["changed_by"]) == (
            "salesforce", "https://crm.example/2", "closed", "agent",
        )  # fmt: skip
        app.button(key="case_salesforce 00012_unlink").click().run()
        assert failures(app) == []
        assert shop.order(number)["cases"] == []
        assert "Cases" not in [each.value for each in screen(
            "order", shop, "channel", number=number
        ).subheader]  # fmt: skip

    def test_takes_a_file_beside_a_note(self, screen: Page, shop: Counter) -> None:
        number = shop.ordered("FILE-1")["order_number"]
        note = shop.ask("POST", f"/v1/orders/{number}/notes", {"body": "Seen."})["note_id"]
        app = screen("order", shop, "agent", number=number)
        picture = b"\x89PNG\r\n\x1a\nx"
        app.file_uploader(key=f"attach_file_{note}_0").set_value(("box.png", picture, "image/png"))
        form(app, f"attach_{note}").click().run()
        assert failures(app) == []
        (file,) = shop.order(number)["notes"][0]["attachments"]
        assert (file["name"], file["added_by"]) == ("box.png", "agent")
        key = f"file_/v1/notes/{note}_{file['attachment_id']}"
        assert "box.png" in app.download_button(key=key).label.replace("\\", "")

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

    def test_that_was_not_handed_over_is_void_once(self, screen: Page, shop: Counter) -> None:
        order = shop.ordered("PARCEL-2")
        work = order["fulfillments"][0]
        for action in ("accept", "start_pick", "pick"):
            work = shop.act(work, action)
        body = {"carrier": "sandbox", "parcels": [{"lines": [{"line_no": 1, "quantity": 2}]}]}
        path = f"/v1/fulfillments/{work['fulfillment_number']}/parcels"
        (parcel,) = shop.ask("POST", path, body, version=work["version"])["parcels"]
        number = parcel["parcel_number"]
        windows = [
            screen("parcels", shop, "store", parcels_number=parcel["tracking_number"])
            for _ in range(2)
        ]
        same_turn(*windows)
        for app in windows:
            app.button(key=f"void_{number}").click().run()
            assert failures(app) == []
        assert f"{number} is void" in text_of(windows[0])
        after = shop.order(order["order_number"])
        assert [each["state"] for each in after["parcels"]] == ["voided"]
        assert [each["type"] for each in after["events"]].count("parcel.voided") == 1
        assert [each.label for each in windows[0].button].count("Void its label") == 0


class TestMoving:
    def test_is_given_to_another_location_by_an_agent(self, screen: Page, shop: Counter) -> None:
        shop.shop.take(a_movement(20, location="AMS"))
        order = shop.ordered("MOVE-1")
        work = order["fulfillments"][0]
        number, other = work["fulfillment_number"], "UTR"
        app = screen("order", shop, "agent", number=order["order_number"])
        app.selectbox(key=f"move_to_{number}").set_value(other)
        form(app, f"move_{number}").click().run()
        assert failures(app) != []  # it has none
        app.selectbox(key=f"move_to_{number}").set_value("AMS")
        form(app, f"move_{number}").click().run()
        assert failures(app) == []
        assert f"{number} is given to AMS" in text_of(app)
        states = {
            each["location_code"]: each["state"]
            for each in shop.order(order["order_number"])["fulfillments"]
        }
        assert states == {"DC": "canceled", "AMS": "assigned"}

    def test_is_split_where_it_is_and_made_one_again(self, screen: Page, shop: Counter) -> None:
        order = shop.ordered("SPLIT-1")
        number = order["fulfillments"][0]["fulfillment_number"]
        app = screen("store_work", shop, "agent", location="DC")
        app.number_input(key=f"split_{number}_1").set_value(1)
        form(app, f"split_{number}").click().run()
        assert failures(app) == []
        open_units = sorted(
            (each["location_code"], sum(line["open"] for line in each["lines"]))
            for each in shop.order(order["order_number"])["fulfillments"]
        )
        assert open_units == [("DC", 1), ("DC", 1)]
        first, second = (
            each["fulfillment_number"] for each in shop.order(order["order_number"])["fulfillments"]
        )
        app = screen("order", shop, "agent", number=order["order_number"])
        assert app.selectbox(key=f"merge_with_{first}").options == [second]
        form(app, f"merge_{first}").click().run()
        assert failures(app) == []
        assert f"{first} has taken in {second}" in text_of(app)
        assert f"merge_with_{first}" not in {each.key for each in app.selectbox}
        states = {
            each["fulfillment_number"]: (each["state"], sum(line["open"] for line in each["lines"]))
            for each in shop.order(order["order_number"])["fulfillments"]
        }
        assert states == {first: ("assigned", 2), second: ("canceled", 0)}

    def test_is_not_offered_to_who_picks(self, screen: Page, shop: Counter) -> None:
        number = shop.ordered("MOVE-2")["fulfillments"][0]["fulfillment_number"]
        offered = [
            {each.key for each in screen("store_work", shop, role, location="DC").selectbox}
            for role in ("agent", "store")
        ]
        assert [f"move_to_{number}" in keys for keys in offered] == [True, False]


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
