"""Money at the console: how an order is paid, and refunds made once and approved by another."""

from collections.abc import Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from oms.workflows import payments
from tests import console
from tests.conftest import Clone
from tests.console import Counter
from tests.dashboards.conftest import Page
from tests.dashboards.test_actions import same_turn, turned_to
from tests.dashboards.test_console import failures, tap, text_of
from tests.payers import Payer, paying


@pytest.fixture(scope="module")
def shop(clone: Clone, blank: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counter]:
    """Serve a shop of a few orders, for what changes it."""
    home = tmp_path_factory.mktemp("till")
    with clone(blank) as ledger, console.serving(ledger, home, orders_count=3) as served:
        yield served


@pytest.fixture(scope="module")
def payer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Payer]:
    """Run the payment service."""
    with paying(tmp_path_factory.mktemp("psp")) as service:
        yield service


def work(shop: Counter, payer: Payer) -> None:
    """Let the worker ask the payment service for what is due."""
    while payments.execute_due(shop.shop.ledger, {"sandbox": payer.psp}):
        pass


def bought(shop: Counter, payer: Payer, ref: str, **fields: Any) -> str:
    """Post an order of 20.00 that is paid by card; return its number."""
    number: str = shop.ordered(ref, **fields)["order_number"]
    card = {
        "external_ref": f"pay-{ref}", "tender": "card", "psp": "sandbox", "token": "tok_visa",
        "brand": "visa", "last4": "4242", "amount": {"amount": "20.00", "currency": "EUR"},
    }  # fmt: skip
    made = shop.ask("POST", f"/v1/orders/{number}/payments", card)
    work(shop, payer)
    capture(shop, made["payment_number"])
    work(shop, payer)
    assert shop.order(number)["payments"]["payment_state"] == "paid"
    return number


def capture(shop: Counter, payment: str) -> None:
    version = shop.ask("GET", f"/v1/payments/{payment}")["version"]
    path = f"/v1/payments/{payment}/actions"
    shop.ask("POST", path, {"action": "capture"}, version=version)


def refunded(shop: Counter, number: str, amount: str, key: str = "agent") -> Any:
    """Make a refund as another program would."""
    body = {"kind": "goodwill", "amount": {"amount": amount, "currency": "EUR"}, "reason": "late"}
    return shop.ask("POST", f"/v1/orders/{number}/refunds", body, key)


def refunds(shop: Counter, number: str) -> list[Any]:
    found: list[Any] = shop.ask("GET", f"/v1/refunds?order={number}&limit=200")["items"]
    return found


def filled(app: AppTest, amount: str, why: str = "It came late") -> AppTest:
    """Fill in the form of a refund."""
    field(app, "How much, in EUR").input(amount).run()
    field(app, "Why").input(why).run()
    return app


def field(app: AppTest, label: str) -> Any:
    """Return a field of the form of a refund: its key says in which turn it stands."""
    return next(
        each for each in app.text_input
        if each.label == label and str(each.key).startswith("refund_")
    )  # fmt: skip


def labels(app: AppTest) -> list[str]:
    return [each.label for each in app.button]


class TestRules:
    def test_are_shown_and_said_anew_by_finance(self, screen: Page, shop: Counter) -> None:
        app = screen("refunds", shop, "agent")
        assert failures(app) == []
        assert "Say it" not in [each.label for each in app.button]
        app = screen("refunds", shop, "finance")
        fields = {each.label: each for each in (*app.selectbox, *app.text_input)}
        fields["What"].set_value("cancellation")
        fields["How it goes back"].set_value("manual")
        fields["Up to"].input("12.50")
        fields["Why it changes"].input("agreed with Ada")
        tap(app, "Say it")
        assert failures(app) == []
        said = shop.ask("GET", "/v1/refund-rules")["said"]
        assert (said["version"], said["reason"]) == (1, "agreed with Ada")
        assert said["policies"] == [{
            "subject": "cancellation", "mode": "manual", "otherwise_minor": 0,
            "limits": [{"amount": "12.50", "currency": "EUR"}],
        }]  # fmt: skip
        assert "Version 1 by" in text_of(app)
        fields = {each.label: each for each in (*app.selectbox, *app.text_input)}
        fields["Which payments first"].set_value("proportional")
        fields["In cash of what was not paid in cash, up to"].input("50.00")
        fields["Why they change"].input("the banks asked")
        tap(app, "Say it for payments")
        fields = {each.label: each for each in (*app.selectbox, *app.text_input)}
        fields["Role"].set_value("store")
        fields["Within 24 hours"].input("90.00")
        fields["Why the role changes"].input("it was too much")
        tap(app, "Say it for the role")
        assert failures(app) == []
        after = shop.ask("GET", "/v1/refund-rules")["said"]
        assert (after["version"], after["policies"]) == (3, said["policies"])
        assert after["tender_order"] == "proportional"
        assert after["cash_limits"] == [{"amount": "50.00", "currency": "EUR"}]
        (role,) = after["roles"]
        assert (role["role"], role["day"]["amount"], role["refund"]) == ("store", "90.00", None)
        told = text_of(app)
        assert "Money goes back to payments in this order: each its share." in told
        assert "In cash of what was not paid in cash: up to €50.00." in told
        (table,) = (each.value for each in app.dataframe if "Role" in each.value)
        assert table["Within 24 hours"].tolist() == ["€90.00"]


class TestOrder:
    def test_without_a_payment_says_whose_business_it_is(self, screen: Page, shop: Counter) -> None:
        number = shop.ordered("BARE-1")["order_number"]
        app = screen("order", shop, number=number)
        assert failures(app) == []
        told = text_of(app)
        assert "No payment is known: how it is paid is its channel's business." in told
        assert "Balance" not in told
        assert [each.label for each in app.text_input if "How much" in each.label] == []

    def test_shows_every_payment_and_what_was_done_with_it(
        self, screen: Page, shop: Counter, payer: Payer
    ) -> None:
        number = bought(shop, payer, "SHOWN-1")
        app = screen("order", shop, number=number)
        assert failures(app) == []
        told = text_of(app)
        for part in ("**Due** €20.00", "**Captured** €20.00", "Balance: nothing is open.",
                     "**Card visa ending 4242**", "€20.00 may still go back", "sandbox pay_",
                     "handled by us"):  # fmt: skip
            assert part in told, part
        (table,) = (each.value for each in app.dataframe if "Operation" in each.value)
        assert table["Operation"].tolist() == ["Authorize", "Capture"]
        assert table["Begun by"].tolist() == ["us", "us"]
        assert "**Payment captured** by its payment service" in told
        assert "cause" not in told
        told = text_of(screen("order", shop, number=refunded(shop, number, "1.00")["order_number"]))
        assert "paid as money" not in told
        assert ", late, U" in told
        assert table["State"].tolist() == ["Succeeded", "Succeeded"]

    def test_says_of_what_nobody_knows_that_nobody_may_pay_again(
        self, screen: Page, shop: Counter, payer: Payer
    ) -> None:
        number = bought(shop, payer, "LOST-1")
        payer.behaves(away_ratio=1.0)
        shop.ask("POST", f"/v1/refunds/{refunded(shop, number, '3.00')['refund_number']}/actions",
                 {"action": "approve"}, "finance", version=1)  # fmt: skip
        work(shop, payer)
        payer.behaves(away_ratio=0.0)
        with shop.shop.ledger.transaction() as tx:
            tx.exec_driver_sql("update payment_transactions set requested_at = requested_at"
                               " - interval '1 hour' where state = 'unknown'")  # fmt: skip
        app = screen("attention", shop)
        app.button(key="see_PAYMENT_UNKNOWN_sandbox_The operations").click().run()
        assert failures(app) == []
        (row,) = app.dataframe[0].value.to_dict("records")
        assert (row["Order"], row["Operation"], row["State"], row["Amount"], row["Age"]) == (
            number, "Refund", "Unknown", "€3.00", "1 h 0 min",
        )  # fmt: skip
        app = screen("order", shop, number=number)
        assert failures(app) == []
        told = text_of(app)
        assert "**It is not known whether €3.00 was paid back.** sandbox did not say" in told
        assert "nobody may do it again or pay it another way" in told
        assert "€3.00 to Y8" in told
        assert ": unknown; it may have gone back" in told
        assert "€3.00 on its way back" in told
        assert "**Refund requested** by finance · €3.00" in told

    def test_of_a_payment_its_channel_handles_offers_nothing(
        self, screen: Page, shop: Counter
    ) -> None:
        paid = {"ref": "p", "tender": "wallet", "amount": "20.00", "authorized": "20.00",
                "captured": "20.00", "psp": "other", "psp_reference": "o-1",
                "managed_by": "channel"}  # fmt: skip
        number = shop.ordered("THEIRS-1", payments=[paid])["order_number"]
        app = screen("order", shop, number=number)
        assert failures(app) == []
        assert "Its channel pays this back by itself, and tells." in text_of(app)
        assert "handled by its channel" in text_of(app)
        assert [each.label for each in app.text_input if "How much" in each.label] == []

    def test_with_many_refunds_shows_the_last_ones(
        self, screen: Page, shop: Counter, payer: Payer
    ) -> None:
        number = bought(shop, payer, "MANY-1")
        made = [refunded(shop, number, "0.10")["refund_number"] for _ in range(55)]
        app = screen("order", shop, "finance", number=number)
        assert failures(app) == []
        offered = [str(each.key) for each in app.button if each.label == "Approve"]
        assert offered == [f"approve_{each}" for each in reversed(made[5:])]
        told = text_of(app)
        assert "Older ones are listed under *Refunds*." in told
        app = screen("refunds", shop, "finance")
        first = app.dataframe[0].value["Refund"].tolist()
        assert len(first) == 50
        assert set(first).isdisjoint(tap(app, "More").dataframe[0].value["Refund"].tolist())
        for each in refunds(shop, number):
            shop.ask("POST", f"/v1/refunds/{each['refund_number']}/actions",
                     {"action": "cancel"}, version=each["version"])  # fmt: skip


class TestComposer:
    def test_shows_what_comes_of_it_and_refunds_once(
        self, screen: Page, shop: Counter, payer: Payer
    ) -> None:
        number = bought(shop, payer, "MADE-1")
        app = screen("order", shop, "agent", number=number)
        assert "Say how much; what comes of it is shown" in text_of(app)
        field(app, "How much, in EUR").input("3.00").run()
        told = text_of(app)
        assert "**€3.00 goes back:**\n- €3.00 to Card visa ending 4242 Y8" in told
        assert "- €3.00 off Pen, €0.52 of it tax" in told
        assert "Owed: €0.00. At most: €20.00. Somebody else must approve it." in told
        assert "After it €17.00 of what was paid stays, and €0.00 is owed." in told
        assert "Say why" in told
        assert ("Refund" in labels(app), refunds(shop, number)) == (False, [])
        field(app, "Why").input("It came late").run()
        tap(app, "Refund")
        assert failures(app) == []
        assert "€3.00 waits for somebody's leave." in text_of(app)
        (made,) = refunds(shop, number)
        assert (made["state"], made["reason"], made["amount"]["amount"], made["requested_by"]) == (
            "awaiting_approval", "It came late", "3.00", "agent",
        )  # fmt: skip
        # The form is empty again: there is nothing a second click could press.
        assert field(app, "How much, in EUR").value == ""
        assert "Refund" not in labels(app)
        assert "You asked for it: somebody else approves it." in text_of(app)

    def test_goodwill_is_off_the_line_that_is_chosen(
        self, screen: Page, shop: Counter, payer: Payer
    ) -> None:
        number = bought(shop, payer, "OFF-1")
        app = screen("order", shop, "agent", number=number)
        next(each for each in app.selectbox if each.label == "Off what").select(1).run()
        filled(app, "3.00")
        tap(app, "Refund")
        assert failures(app) == []
        (made,) = refunds(shop, number)
        assert [each["line_no"] for each in made["cheaper"]] == [1]
        assert "€3.00 off line 1" in text_of(app)

    def test_two_taps_act_once_and_another_form_again(
        self, screen: Page, shop: Counter, payer: Payer
    ) -> None:
        number = bought(shop, payer, "TWICE-1")
        windows = [screen("order", shop, "agent", number=number) for _ in range(2)]
        same_turn(*windows)
        for app in windows:
            filled(app.run(), "2.00")
        for app in windows:
            tap(app, "Refund")
            assert failures(app) == []
        assert len(refunds(shop, number)) == 1
        tap(filled(windows[0], "2.00"), "Refund")
        assert len(refunds(shop, number)) == 2

    def test_sent_again_without_an_answer_is_the_same(
        self, screen: Page, shop: Counter, payer: Payer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        line = {"line_ref": "PEN", "sku": "PEN", "quantity": 2, "total": "6.00", "tax": "1.04"}
        number = bought(shop, payer, "UNHEARD-1", lines=[line], shipping_net="14.00")
        app = filled(screen("order", shop, "finance", number=number), "4.00")
        app.selectbox(key=str(field(app, "Why").key).replace("why", "kind")).set_value(
            "shipping"
        ).run()
        assert "It goes at once." in text_of(app)
        sent = dict(app.session_state["form_turns"])
        tap(app, "Refund")
        assert [each["state"] for each in refunds(shop, number)] == ["requested"]
        # As if the answer had been lost: the form is what it was, the screen knows of the refund.
        (turn,) = set(sent.values()) - set(app.session_state["form_turns"].values())
        app.session_state["form_turns"] = {f"refund {number}": turn}
        filled(app.run(), "4.00")
        app.selectbox(key=f"refund_kind_{turn}").set_value("shipping").run()
        tap(app, "Refund")
        assert failures(app) == []
        assert len(refunds(shop, number)) == 1
        # Something else under the same form is told to look.
        app.session_state["form_turns"] = {f"refund {number}": turn}
        filled(app.run(), "5.00")
        app.selectbox(key=f"refund_kind_{turn}").set_value("shipping").run()
        tap(app, "Refund")
        assert "What is owed has changed since it was looked at." in app.error[0].value
        assert len(refunds(shop, number)) == 1

    def test_of_what_went_back_meanwhile_is_refused(
        self, screen: Page, shop: Counter, payer: Payer
    ) -> None:
        number = bought(shop, payer, "STALE-1")
        app = filled(screen("order", shop, "agent", number=number), "1.00")
        made = refunded(shop, number, "2.00")
        path = f"/v1/refunds/{made['refund_number']}/actions"
        shop.ask("POST", path, {"action": "approve"}, "finance", version=made["version"])
        tap(app, "Refund")
        assert "What is owed has changed since it was looked at." in app.error[0].value
        assert len(refunds(shop, number)) == 1
        # It is shown as it is now: looked at, it is done.
        tap(app, "Refund")
        assert failures(app) == []
        assert len(refunds(shop, number)) == 2

    @pytest.mark.parametrize(
        ("amount", "said"),
        [
            ("20.01", "At most: 20.00 EUR."),
            ("3,5", "amount"),
            ("0", "amount"),
            ("x" * 99, "amount"),
        ],
    )
    def test_of_what_cannot_be_is_a_sentence(
        self, screen: Page, shop: Counter, payer: Payer, amount: str, said: str
    ) -> None:
        number = bought(shop, payer, f"NOT-{len(amount)}{amount[:2]}")
        app = filled(screen("order", shop, "agent", number=number), amount)
        assert failures(app) == []
        assert said in app.warning[0].value.replace("\\", "")
        assert "Refund" not in labels(app)


class TestQueue:
    def test_is_approved_by_another_person(self, screen: Page, shop: Counter, payer: Payer) -> None:
        number = bought(shop, payer, "ASKED-1")
        made = refunded(shop, number, "3.00", "finance")["refund_number"]
        own = screen("refunds", shop, "finance", refund=made)
        assert failures(own) == []
        assert "You asked for it: somebody else approves it." in text_of(own)
        assert ("Approve" in labels(own), "Cancel it" in labels(own)) == (False, True)
        helper = screen("refunds", shop, "agent", refund=made)
        assert "Approve" not in labels(helper)
        assert "Somebody who may approve refunds decides on it." in text_of(helper)
        windows = [screen("refunds", shop, refund=made) for _ in range(2)]
        table = windows[0].dataframe[0].value
        row = table[table["Refund"] == made].iloc[0]
        assert (row["Order"], row["Amount"], row["Asked by"], row["For"], row["Why"]) == (
            number, "€3.00", "finance", "Goodwill", "late",
        )  # fmt: skip
        assert row["Age"].endswith(" s")
        for app in windows:
            app.button(key=f"approve_{made}").click().run()
            assert failures(app) == []
        assert f"{made} is approved and on its way." in text_of(windows[0])
        work(shop, payer)
        (refund,) = refunds(shop, number)
        assert (refund["state"], refund["decided_by"]) == ("succeeded", "admin")
        assert [each for each in payer.done() if each[0] == "refund"][-1][1] == 300

    def test_what_failed_is_tried_again(self, screen: Page, shop: Counter, payer: Payer) -> None:
        number = bought(shop, payer, "FAILS-1")
        made = refunded(shop, number, "3.00")
        path = f"/v1/refunds/{made['refund_number']}/actions"
        shop.ask("POST", path, {"action": "approve"}, version=made["version"])
        payer.behaves(decline_ratio=1.0)
        work(shop, payer)
        payer.behaves(decline_ratio=0.0)
        app = screen("attention", shop)
        app.button(key="see_REFUND_FAILED_goodwill_The refunds").click().run()
        assert failures(app) == []
        assert app.title[0].value == "Refunds"
        assert made["refund_number"] in app.dataframe[0].value["Refund"].tolist()
        app = screen("refunds", shop, "agent", refund_state="failed",
                     refund=made["refund_number"])  # fmt: skip
        assert ": failed (" in text_of(app)
        app.button(key=f"retry_{made['refund_number']}").click().run()
        assert failures(app) == []
        work(shop, payer)
        assert refunds(shop, number)[0]["state"] == "succeeded"

    def test_what_waits_is_rejected_from_attention(
        self, screen: Page, shop: Counter, payer: Payer
    ) -> None:
        number = bought(shop, payer, "WAITS-1")
        made = refunded(shop, number, "3.00")["refund_number"]
        with shop.shop.ledger.transaction() as tx:
            tx.exec_driver_sql("update refunds set changed_at = changed_at - interval '5 hours'"
                               " where state = 'awaiting_approval'")  # fmt: skip
        app = screen("refunds", shop, "finance", refund_channel="till")
        assert "No refund waits for approval." in text_of(app)
        turned_to(app, "attention")
        app.button(key="see_REFUND_WAITS_goodwill_The refunds").click().run()
        assert failures(app) == []
        turned_to(app, "refunds")
        app.selectbox(key="refund").set_value(made).run()
        app.button(key=f"reject_{made}").click().run()
        assert failures(app) == []
        assert [each["state"] for each in refunds(shop, number)] == ["rejected"]

    def test_without_any_says_where_one_is_made(self, screen: Page, quiet_counter: Counter) -> None:
        app = screen("refunds", quiet_counter, refund_state="failed")
        assert failures(app) == []
        assert "No refund has failed. What is owed goes back by itself" in text_of(app)
