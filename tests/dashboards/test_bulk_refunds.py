"""Refunds in bulk at the console: from a CSV to what finance takes away, by two people."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboards.format import NOTHING
from oms.worker import chores
from tests.console import Counter
from tests.dashboards.conftest import Page
from tests.dashboards.test_actions import same_turn
from tests.dashboards.test_console import failures, tap, text_of
from tests.dashboards.test_money import bought, payer, refunds, shop, work
from tests.payers import Payer

__all__ = ["payer", "shop"]  # fixtures of theirs


def look(shop: Counter) -> None:
    """Let the worker do all there is to do for batches."""
    (chore,) = (each for each in chores(shop.system) if each.name == "refund batches")
    while chore.step():
        pass


def batches(shop: Counter) -> list[Any]:
    found: list[Any] = shop.ask("GET", "/v1/refund-batches?limit=200")["items"]
    return found


def typed(app: AppTest, name: str, *rows: str) -> AppTest:
    """Fill in the form of a batch with the lines of a CSV."""
    (label,) = (each for each in app.text_input if each.label == "Name")
    label.input(name).run()
    (lines,) = (each for each in app.text_area if each.label == "… or its lines")
    lines.input("\n".join(("order_number,kind,amount,currency,reason", *rows))).run()
    return app


def row(number: str, amount: str = "2.00") -> str:
    return f"{number},goodwill,{amount},EUR,late"


def numbered(shop: Counter, name: str) -> str:
    return next(str(each["batch_number"]) for each in batches(shop) if each["name"] == name)


def tables(app: AppTest, column: str) -> list[dict[str, Any]]:
    (found,) = (each.value for each in app.dataframe if column in each.value)
    rows: list[dict[str, Any]] = found.to_dict("records")
    return rows


class TestBatches:
    def test_is_made_looked_at_agreed_on_and_paid(
        self, screen: Page, shop: Counter, payer: Payer
    ) -> None:
        good, bad = bought(shop, payer, "BULK-1"), shop.ordered("BULK-2")["order_number"]
        app = screen("refund_batches", shop, "agent")
        typed(app, "Storm", row(good), row(bad))
        assert "Storm" not in {each["name"] for each in batches(shop)}
        tap(app, "Make a draft")
        assert failures(app) == []
        number = numbered(shop, "Storm")
        app = screen("refund_batches", shop, "agent", batch=number)
        tap(app, "Dry run")
        look(shop)
        app = screen("refund_batches", shop, "agent", batch=number)
        assert failures(app) == []
        found = tables(app, "Why not")
        assert [(each["Order"], each["State"], each["Comes to"]) for each in found] == [
            (good, "Can be paid", "€2.00"), (bad, "Cannot be paid", NOTHING),
        ]  # fmt: skip
        assert [(each["Why not"], each["Why"]) for each in found] == [
            (NOTHING, "late"), ("More than may go back", "late"),
        ]  # fmt: skip
        assert "Dry run done" in text_of(app)
        assert "Dry run again" in [each.label for each in app.button]
        assert refunds(shop, good) == []
        tap(app, "Submit for approval")
        assert "You changed or submitted it: somebody else approves it." in text_of(app)
        assert "Approve" not in [each.label for each in app.button]
        app = screen("refund_batches", shop, "finance", batch=number)
        tap(app, "Approve")
        assert failures(app) == []
        look(shop)
        work(shop, payer)
        look(shop)
        assert [each["state"] for each in refunds(shop, good)] == ["succeeded"]
        app = screen("refund_batches", shop, "finance", batch=number)
        assert failures(app) == []
        told = {each["Row"]: each for each in tables(app, "Comes to")}
        assert told[1]["Its refund"] == "Succeeded"

    def test_two_taps_make_one_draft(self, screen: Page, shop: Counter, payer: Payer) -> None:
        number = bought(shop, payer, "BULK-3")
        windows = [screen("refund_batches", shop, "agent") for _ in range(2)]
        same_turn(*windows)
        for app in windows:
            typed(app.run(), "Twice", row(number))
        for app in windows:
            tap(app, "Make a draft")
            assert failures(app) == []
        assert [each["name"] for each in batches(shop)].count("Twice") == 1

    def test_a_row_is_changed_and_another_taken_out(
        self, screen: Page, shop: Counter, payer: Payer
    ) -> None:
        first, second = bought(shop, payer, "BULK-4"), bought(shop, payer, "BULK-5")
        app = typed(screen("refund_batches", shop, "agent"), "Edited", row(first), row(second))
        tap(app, "Make a draft")
        number = numbered(shop, "Edited")
        app = screen("refund_batches", shop, "agent", batch=number)
        app.text_input(key=f"row_amount_{number}").input("5.50").run()
        tap(app, "Change it")
        assert failures(app) == []
        app.number_input(key=f"row_no_{number}").set_value(2).run()
        tap(app, "Take it out")
        assert failures(app) == []
        (left,) = shop.ask("GET", f"/v1/refund-batches/{number}/rows")["items"]
        assert (left["order_number"], left["amount"]["amount"], left["reason"]) == (
            first, "5.50", "late",
        )  # fmt: skip

    def test_takes_what_is_owed_of_a_search(
        self, screen: Page, shop: Counter, payer: Payer
    ) -> None:
        app = screen("refund_batches", shop, "agent")
        (name,) = (each for each in app.text_input if each.label == "Name")
        name.input("Recalled").run()
        (source,) = (each for each in app.radio if each.label == "Of")
        source.set_value("orders").run()
        assert "Choose at least one thing" in text_of(app)
        bought(shop, payer, "BULK-6")
        (channels,) = (each for each in app.multiselect if each.label == "Channel")
        channels.set_value(["web"]).run()
        tap(app, "Make a draft")
        assert failures(app) == []
        number = numbered(shop, "Recalled")
        rows = shop.ask("GET", f"/v1/refund-batches/{number}/rows?limit=200")["items"]
        assert rows
        assert {each["kind"] for each in rows} == {"owed"}

    @pytest.mark.parametrize("line", ["R1,goodwill,abc,EUR,late", "R1,nothing,1.00,EUR,late"])
    def test_says_what_is_wrong_with_a_line(self, screen: Page, shop: Counter, line: str) -> None:
        before = len(batches(shop))
        app = tap(typed(screen("refund_batches", shop, "agent"), "Wrong", line), "Make a draft")
        (said,) = (each.value for each in app.error)
        assert "csv/2" in said
        assert len(batches(shop)) == before

    def test_none_says_how_one_is_made(self, screen: Page, quiet_counter: Counter) -> None:
        app = screen("refund_batches", quiet_counter, "finance")
        assert failures(app) == []
        assert "No batch is there yet. *New batch* takes a CSV" in text_of(app)
