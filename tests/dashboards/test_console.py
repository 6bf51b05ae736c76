"""The console over the real API: signed in, found, done; with data, without any, with many."""

from datetime import date
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.console import Counter
from tests.dashboards.conftest import Page

FOLDER = Path(__file__).parents[2] / "dashboards" / "console"
PAGES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")


def failures(app: AppTest) -> list[str]:
    return [*(each.message for each in app.exception), *(each.value for each in app.error)]


def text_of(app: AppTest) -> str:
    elements = [*app.markdown, *app.caption, *app.info, *app.warning, *app.success, *app.subheader]
    return "\n".join(str(element.value).replace("\\", "") for element in elements)


def tap(app: AppTest, label: str) -> AppTest:
    return next(each for each in app.button if each.label == label).click().run()


class TestEveryPage:
    @pytest.mark.parametrize("name", PAGES)
    def test_asks_who_is_there(self, screen: Page, counter: Counter, name: str) -> None:
        app = screen(name, counter, None)
        assert failures(app) == []
        assert [each.label for each in app.text_input] == ["API key"]
        assert len(app.dataframe) == 0

    @pytest.mark.parametrize("name", PAGES)
    def test_says_what_to_do_when_there_is_nothing(
        self, screen: Page, quiet_counter: Counter, name: str
    ) -> None:
        app = screen(name, quiet_counter)
        assert failures(app) == []
        # A shop has locations before it sells anything.
        assert len(app.info) >= (name != "locations")

    @pytest.mark.parametrize("name", PAGES)
    def test_is_drawn_with_many(self, screen: Page, counter: Counter, name: str) -> None:
        number = counter.shop.value("select order_number from orders limit 1")
        app = screen(name, counter, number=str(number), stock_sku="PEN")
        assert failures(app) == []
        has_table = name in {"orders", "order", "stock_by_sku"}
        assert len(app.dataframe) >= has_table

    @pytest.mark.parametrize("name", PAGES)
    def test_says_so_when_the_key_is_no_longer_one(
        self, screen: Page, counter: Counter, name: str
    ) -> None:
        app = screen(name, counter, None)
        app.session_state["api_key"] = f"oms_{'0' * 12}_{'0' * 64}"
        app.query_params["number"] = "O1"
        app.query_params["stock_sku"] = "PEN"
        if name == "look_up":
            app.session_state["receipt"] = "T-1"
        app.run()
        assert "Sign in with one that is" in app.error[0].value
        assert "api_key" not in app.session_state


class TestSigningIn:
    def test_takes_a_key_and_forgets_it(self, screen: Page, counter: Counter) -> None:
        app = screen("orders", counter, None)
        app.text_input(key="typed_key").input("oms_no")
        assert "not valid" in tap(app, "Sign in").error[0].value
        app.text_input(key="typed_key").input(counter.keys["agent"])
        tap(app, "Sign in")
        assert failures(app) == []
        assert len(app.dataframe) == 1
        assert counter.keys["agent"].split("_")[2] not in str(app.query_params)
        tap(app, "Sign out")
        assert [each.label for each in app.text_input] == ["API key"]

    def test_says_what_a_key_does_not_allow(self, screen: Page, counter: Counter) -> None:
        (said,) = failures(screen("orders", counter, "store"))
        assert "orders:read" in said

    def test_offers_the_admin_key_only_where_a_setting_says_so(
        self, screen: Page, counter: Counter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / "admin.key").write_text(counter.keys["admin"])
        label = "Go on as this machine's admin"
        app = screen("orders", counter, None)
        assert label not in [each.label for each in app.button]
        monkeypatch.setenv("OMS_OFFER_ADMIN_KEY", "true")
        app = screen("orders", counter, None)
        assert len(tap(app, label).dataframe) == 1


class TestOrders:
    def test_are_found_by_half_a_name_and_opened(self, screen: Page, counter: Counter) -> None:
        order = counter.ordered("FIND-1", customer_name="Zoë Achterberg")
        app = screen("orders", counter)
        app.text_input(key="words").input("achter").run()
        assert failures(app) == []
        assert app.dataframe[0].value["Order"].tolist() == [order["order_number"]]
        assert app.query_params["words"] == "achter"
        tap(app, f"Open {order['order_number']}")
        assert failures(app) == []
        assert app.title[0].value == "Order"
        assert "Zoë Achterberg" in text_of(app)

    def test_say_how_many_they_are_and_of_what(self, screen: Page, counter: Counter) -> None:
        app = screen("orders", counter, order_channel="till")
        assert failures(app) == []
        assert "2 orders fit." in text_of(app)
        assert "**Channel** till 2" in text_of(app)

    def test_pages_hold_fifty_each(self, screen: Page, counter: Counter) -> None:
        app = screen("orders", counter)
        first = app.dataframe[0].value["Order"].tolist()
        second = tap(app, "More").dataframe[0].value["Order"].tolist()
        assert (len(first), len(second), set(first) & set(second)) == (50, 50, set())
        assert tap(app, "Back").dataframe[0].value["Order"].tolist() == first

    def test_of_several_channels_and_types_are_asked_for_at_once(
        self, screen: Page, counter: Counter
    ) -> None:
        web = counter.ordered("SEVERAL-1", customer_name="Filippa Filter")
        app = screen("orders", counter, order_channel=["till", "nowhere"])
        assert app.multiselect(key="order_channel").value == ["till"]
        app.multiselect(key="order_channel").select("web").run()
        app.multiselect(key="order_sku").set_value([" PEN ", "", "NIB"]).run()
        app.text_input(key="words").input("filippa").run()
        assert failures(app) == []
        assert app.dataframe[0].value["Order"].tolist() == [web["order_number"]]
        assert app.query_params["order_channel"] == ["till", "web"]
        assert app.query_params["order_sku"] == ["PEN", "NIB"]
        assert "Channel: till or web" in text_of(app)
        app.multiselect(key="order_channel").set_value(["till", "market"]).run()
        assert "No order fits" in text_of(app)
        tap(app, "Reset")
        assert dict(app.query_params) == {}
        assert len(app.dataframe[0].value) == 50

    def test_are_asked_for_by_how_they_are_paid_and_promised(
        self, screen: Page, counter: Counter
    ) -> None:
        app = screen("orders", counter, order_paid=["paid", "gold"], order_sort="promised_at")
        assert failures(app) == []
        assert app.multiselect(key="order_paid").value == ["paid"]
        assert app.selectbox(key="order_sort").value == "promised_at"
        app.multiselect(key="order_tender").select("gift_card").run()
        app.text_input(key="promised_to").input("2026-01-31").run()
        assert failures(app) == []
        assert "Payment method: gift card · " in text_of(app)
        assert "No order fits" in text_of(app)
        app.text_input(key="promised_to").input("soon").run()
        assert "promised_to" in app.error[0].value

    def test_nonsense_in_the_address_is_a_sentence(self, screen: Page, counter: Counter) -> None:
        app = screen("orders", counter, order_state="nowhere", placed_from="yesterday")
        assert len(app.exception) == 0
        assert "placed_from" in app.error[0].value


class TestOrder:
    def test_tells_everything_and_takes_a_note(self, screen: Page, counter: Counter) -> None:
        order = counter.ordered("WHOLE-1")
        app = screen("order", counter, number=order["order_number"])
        assert failures(app) == []
        told = text_of(app)
        for part in ("ada@example.org", "Order captured", "2 of line 1", "Fulfillment", "€20.00"):
            assert part in told, part
        app.text_area(key="note_body").input("Ring twice")
        tap(app, "Add note")
        assert failures(app) == []
        assert "Ring twice" in text_of(app)
        (note,) = counter.order(order["order_number"])["notes"]
        assert (note["body"], note["author"]) == ("Ring twice", "admin")

    def test_shows_the_pick_up_point_and_until_when_it_is_kept(
        self, screen: Page, counter: Counter
    ) -> None:
        point = {"provider": "sandbox", "point_id": "SB-NL-1012-2"}
        group = {"method": "pickup_point", "line_refs": ["PEN"], "pickup_point": point}
        order = counter.ordered("POINT-1", groups=[group])
        work = order["fulfillments"][0]
        path = f"/v1/fulfillments/{work['fulfillment_number']}"
        for action in ("accept", "start_pick", "pick"):
            work = counter.act(work, action)
        body = {"carrier": "sandbox", "parcels": [{"lines": [{"line_no": 1, "quantity": 2}]}]}
        packed = counter.ask("POST", f"{path}/parcels", body, version=work["version"])
        counter.act(packed["fulfillment"], "ship")
        event = {"tracking_number": packed["parcels"][0]["tracking_number"], "place": "shop",
                 "status": "ready_for_pickup", "occurred_at": "2026-02-03T09:00:00Z",
                 "collect_by": "2026-02-10T20:00:00Z"}  # fmt: skip
        counter.ask("POST", "/v1/carriers/sandbox/events", {"events": [event]})
        app = screen("order", counter, number=order["order_number"])
        assert failures(app) == []
        shown = text_of(app)
        assert "Bookshop The Reader, Market 12, 1012 JS, Amsterdam, NL" in shown
        assert "Open Mon-Fri 08:00-20:00, Sat 08:00-18:00." in shown
        assert "kept until 10 Feb 2026, 20:00" in shown

    def test_has_notes_by_kind_that_are_edited_and_pinned(
        self, screen: Page, counter: Counter
    ) -> None:
        number = counter.ordered("NOTES-1")["order_number"]
        said = {"body": "Called, no answer", "kind": "call", "line_no": 1}
        note = counter.ask("POST", f"/v1/orders/{number}/notes", said)
        counter.ask("POST", f"/v1/orders/{number}/notes", {"body": "A free one"})
        app = screen("order", counter, "agent", number=number)
        assert "call, on line 1, for internal" in text_of(app)
        app.session_state["note_kind"] = "call"
        app.run()
        assert ("Called, no answer" in text_of(app), "A free one" in text_of(app)) == (True, False)
        tap(app, "Pin")
        body = app.text_area(key=f"note_{note['note_id']}_body_1")
        body.input("Called, will call again")
        tap(app, "Change it")
        assert failures(app) == []
        assert "Before: “Called, no answer” by admin" in text_of(app)
        found = counter.order(number)["notes"][0]
        assert (found["body"], found["is_pinned"]) == ("Called, will call again", True)

    def test_is_tagged(self, screen: Page, counter: Counter) -> None:
        number = counter.ordered("TAGS-1")["order_number"]
        counter.ask("POST", f"/v1/orders/{number}/tags", {"add": ["old", "vip"]})
        app = screen("order", counter, "agent", number=number)
        (box,) = (each for each in app.multiselect if each.label == "Tags")
        assert box.value == ["old", "vip"]
        box.set_value(["vip"])
        tap(app, "Tag it so")
        assert failures(app) == []
        assert counter.order(number)["tags"] == ["vip"]

    def test_is_canceled_in_part_after_a_look(self, screen: Page, counter: Counter) -> None:
        order = counter.ordered("CANCEL-1")
        app = screen("order", counter, "agent", number=order["order_number"])
        app.number_input(key="cancel_1").set_value(1).run()
        assert "1 of PEN; 1 stay" in text_of(app)
        assert counter.order(order["order_number"])["lines"][0]["canceled"] == 0
        tap(app, "Cancel these units")
        assert failures(app) == []
        assert counter.order(order["order_number"])["lines"][0]["canceled"] == 1

    def test_is_changed_as_its_preview_said(self, screen: Page, counter: Counter) -> None:
        number = counter.ordered("CHANGE-1")["order_number"]
        app = screen("order", counter, "agent", number=number)
        app.number_input(key="change_1").set_value(3).run()
        app.checkbox(key="change_article").check().run()
        app.text_input(key="article_sku").input("INK").run()
        app.text_input(key="article_price").input("5.00").run()
        assert "not enough" in text_of(app) or "INK" in text_of(app)
        app.checkbox(key="change_backorder").check().run()
        told = text_of(app)
        for part in ("PEN: 2 → 3, €20.00 → €30.00", "INK: 0 → 1, €0.00 → €5.00; 1 wait",
                     "The customer pays €15.00"):  # fmt: skip
            assert part in told, told
        assert [line["quantity"] for line in counter.order(number)["lines"]] == [2]
        app.text_input(key="change_reason").input("asked by telephone").run()
        tap(app, "Change the order")
        assert failures(app) == []
        after = counter.order(number)
        assert [(line["sku"], line["quantity"]) for line in after["lines"]] == [
            ("PEN", 3), ("INK", 1),
        ]  # fmt: skip
        assert "asked by telephone" in str(after["events"][-1]["data"])

    def test_that_changed_meanwhile_is_shown_anew(self, screen: Page, counter: Counter) -> None:
        number = counter.ordered("RACE-1")["order_number"]
        first = screen("order", counter, "agent", number=number)
        second = screen("order", counter, "admin", number=number)
        first.number_input(key="cancel_1").set_value(1).run()
        tap(first, "Cancel these units")
        tap(second, "Cancel these units")
        assert "Somebody changed this" in second.error[0].value
        assert second.number_input(key="cancel_1").max == 1.0
        assert counter.order(number)["lines"][0]["canceled"] == 1

    def test_that_nobody_knows_is_a_sentence(self, screen: Page, counter: Counter) -> None:
        (said,) = failures(screen("order", counter, number="O9"))
        assert said == "There is no such order."


class TestStoreWork:
    def test_goes_from_the_queue_to_the_customer(self, screen: Page, counter: Counter) -> None:
        order = counter.collected_in_store("COLLECT-1")
        number = order["fulfillments"][0]["fulfillment_number"]
        app = screen("store_work", counter, "store", location="DC")
        for key in ("accept", "start_pick", "pick", "pack", "ready"):
            app.button(key=f"{key}_{number}").click().run()
            assert failures(app) == [], key
        app.text_input(key=f"code_{number}").input("wrong")
        hand_over = next(each for each in app.button if f"collect_{number}" in str(each.form_id))
        hand_over.click().run()
        assert "collection code" in app.error[0].value
        code = counter.shop.value(
            "select collect_code from fulfillment_orders where fulfillment_number = :n", n=number
        )
        app.text_input(key=f"code_{number}").input(str(code))
        next(each for each in app.button if f"collect_{number}" in str(each.form_id)).click().run()
        assert failures(app) == []
        assert f"{number} is collected." in text_of(app)
        assert counter.order(order["order_number"])["fulfillments"][0]["state"] == "collected"

    def test_takes_less_than_asked_with_a_reason(self, screen: Page, counter: Counter) -> None:
        number = counter.ordered("SHORT-1")["fulfillments"][0]["fulfillment_number"]
        app = screen("store_work", counter, "store", location="DC")
        for key in ("accept", "start_pick"):
            app.button(key=f"{key}_{number}").click().run()
        app.number_input(key=f"picked_{number}_1").set_value(1)
        app.selectbox(key=f"why_{number}").set_value("damaged")
        next(each for each in app.button if f"short_{number}" in str(each.form_id)).click().run()
        assert failures(app) == []
        picked = counter.ask("GET", f"/v1/fulfillments/{number}")
        assert (picked["state"], picked["lines"][0]["picked"]) == ("picked", 1)

    def test_two_taps_act_once(self, screen: Page, counter: Counter) -> None:
        number = counter.ordered("TWICE-1")["fulfillments"][0]["fulfillment_number"]
        first = screen("store_work", counter, "store", location="DC")
        second = screen("store_work", counter, "store", location="DC")
        first.button(key=f"accept_{number}").click().run()
        second.button(key=f"accept_{number}").click().run()
        assert failures(first) == failures(second) == []
        assert counter.ask("GET", f"/v1/fulfillments/{number}")["state"] == "accepted"


class TestReturns:
    def test_go_from_the_parcel_to_what_is_owed(self, screen: Page, counter: Counter) -> None:
        number = counter.shop.value("select order_number from orders where external_ref = 'T-0'")
        body = {
            "lines": [{"line_no": 1, "quantity": 1, "reason": "gift"}], "location_code": "AMS",
            "override_reason": "A regular.",
        }  # fmt: skip
        made = counter.ask("POST", f"/v1/orders/{number}/returns", body)["return_number"]
        before = counter.shop.shelf("AMS").on_hand
        app = screen("returns", counter, "store")
        app.button(key=f"receive_{made}").click().run()
        assert failures(app) == []
        assert f"{made} is received." in text_of(app)
        form = f"inspect_form_{made}"
        next(each for each in app.button if form in str(each.form_id)).click().run()
        assert failures(app) == []
        app.button(key=f"accept_{made}").click().run()
        assert failures(app) == []
        assert f"{made} is accepted." in text_of(app)
        now = counter.ask("GET", f"/v1/returns/{made}")
        assert (now["state"], now["owed"]["amount"]) == ("resolved", "10.00")
        app = screen("returns", counter, "store", return_state="resolved")
        shown = [each.value for each in app.dataframe if "Reason" in each.value]
        assert "Money back" in shown[0]["For"].tolist()
        assert "Its order" not in [each.label for each in app.button]
        app = screen("returns", counter, return_state="resolved", **{"return": made})
        turned = app.button(key=f"order_of_{made}").click().run()
        assert failures(turned) == []
        assert turned.title[0].value == "Order"
        assert counter.shop.shelf("AMS").on_hand == before + 1
        order = screen("order", counter, number=str(number))
        assert failures(order) == []
        assert "Returns" in text_of(order)
        line = {"sku": "ODD", "quantity": 1}
        told = {"receipt_id": "stray", "location_code": "DC", "lines": [line]}
        counter.ask("POST", "/v1/return-receipts", {"receipts": [told]})
        assert "nobody knows whose it is" in text_of(screen("returns", counter, "store"))


class TestStockBySku:
    def test_says_why_a_number_is_what_it_is(self, screen: Page, counter: Counter) -> None:
        order = counter.ordered("WHY-1")
        stock = counter.ask("GET", "/v1/stock/PEN")
        app = screen("stock_by_sku", counter, stock_sku="PEN")
        assert failures(app) == []
        told = text_of(app)
        (level,) = (each for each in stock["levels"] if each["location_code"] == "DC")
        (said,) = (each for each in told.splitlines() if each.startswith("**DC: "))
        assert f"{level['available_to_fulfill']}** = {level['on_hand']} on hand less " in said
        assert f" less {level['allocated']} promised to orders" in said
        web = next(each for each in stock["channels"] if each["channel_code"] == "web")
        assert f"web: {web['available_to_sell']}** = {web['available_to_fulfill']} avail" in told
        assert order["order_number"] in app.dataframe[2].value["Order"].tolist()

    def test_that_nobody_knows_is_a_sentence(self, screen: Page, counter: Counter) -> None:
        assert len(failures(screen("stock_by_sku", counter, stock_sku="a/b?c"))) == 1


class TestDeliveries:
    def test_a_channel_is_switched_off_and_on(self, screen: Page, counter: Counter) -> None:
        app = screen("deliveries", counter, "admin", outward="stock")
        for label, is_enabled in (("Switch off", False), ("Switch on", True)):
            button = app.button(key="switch_web")
            assert button.label == label
            button.click().run()
            assert failures(app) == []
            feed = counter.ask("GET", "/v1/channels/web/feed")
            assert feed["is_enabled"] == is_enabled

    def test_an_endpoint_is_paused(self, screen: Page, counter: Counter) -> None:
        body = {"url": "https://shop.example.org/hooks", "topics": ["order.*"]}
        made = counter.ask("POST", "/v1/webhooks", body)
        app = screen("deliveries", counter, subscription=str(made["subscription_id"]))
        for label, state in (("Pause", "paused"), ("Enable", "enabled"), ("Pause", "paused")):
            tap(app, label)
            assert failures(app) == []
            found = counter.ask("GET", f"/v1/webhooks/{made['subscription_id']}")
            assert found["state"] == state


class TestQuarantine:
    def test_a_document_is_tried_again_and_dismissed(self, screen: Page, counter: Counter) -> None:
        number = counter.quarantined("Q-1")
        app = screen("quarantine", counter, document=str(number))
        assert failures(app) == []
        assert "UNKNOWN_SKU" in text_of(app)
        assert "still cannot be used: UNKNOWN_SKU" in tap(app, "Try again").error[0].value
        tap(app, "Dismiss it")
        assert failures(app) == []
        assert counter.ask("GET", f"/v1/quarantine/{number}")["state"] == "dismissed"


class TestLookUp:
    def test_shows_an_order_and_not_who_bought_it(self, screen: Page, counter: Counter) -> None:
        order = counter.ordered("LOOK-1", customer_name="Quentin Quill")
        app = screen("look_up", counter, "store")
        app.text_input(key="lookup_name").input("quill").run()
        assert failures(app) == []
        assert order["order_number"] in text_of(app)
        assert "Quentin" not in text_of(app)
        assert dict(app.query_params) == {}

    def test_asks_for_the_day_a_card_was_paid_with(self, screen: Page, counter: Counter) -> None:
        app = screen("look_up", counter, "store")
        app.text_input(key="lookup_card_last4").input("4242").run()
        assert failures(app) == []
        assert "choose the day" in text_of(app)
        app.date_input(key="lookup_placed_on").set_value(date(2026, 1, 5)).run()
        assert failures(app) == []
        assert "No order fits" in text_of(app)
        assert dict(app.query_params) == {}
