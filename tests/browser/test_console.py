"""Three things people do at the console, in a real browser."""

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.acting import PHONE, is_scrolled_sideways, settled, signed_in
from tests.console import Counter

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.filterwarnings("ignore")  # of the browser's driver, which is not ours


def test_an_agent_finds_an_order_by_half_a_name(
    page: "Page", consoles: str, counter: Counter
) -> None:
    number = counter.ordered("FIND-1", customer_name="Zoë Achterberg")["order_number"]
    signed_in(page, f"{consoles}/orders", "Orders")
    box = page.get_by_role("textbox", name="Search")
    box.fill("achter")
    box.press("Enter")  # at the box itself: a page that is drawn anew takes the focus away
    page.get_by_role("button", name=f"Open {number}").click()
    settled(page, "Order")
    expect(page.get_by_text("Zoë Achterberg").first).to_be_visible()
    assert f"number={number}" in page.url


def test_a_store_hands_over_by_the_code_of_the_customer_on_a_phone(
    page: "Page", consoles: str, counter: Counter
) -> None:
    page.set_viewport_size(PHONE)
    order = counter.collected_in_store("COLLECT-1")
    number = order["fulfillments"][0]["fulfillment_number"]
    signed_in(page, f"{consoles}/store_work?location=DC", "Store work")
    card = page.locator(f".st-key-card_{number}")
    for tap in ("Accept", "Start picking", "All picked", "Packed", "Ready to collect"):
        card.get_by_role("button", name=tap, exact=True).click()
        settled(page, "Store work")
    # It is asked for as soon as there is one.
    expect(card.get_by_label("Collection code")).to_be_visible()
    code = counter.shop.value(
        "select collect_code from fulfillment_orders where fulfillment_number = :n", n=number
    )
    card.get_by_label("Collection code").fill(str(code))
    card.get_by_label("Collection code").press("Tab")
    settled(page, "Store work")
    card.get_by_role("button", name="Hand over").click()
    expect(page.get_by_text(f"{number} is collected.")).to_be_visible()
    assert counter.order(order["order_number"])["fulfillments"][0]["state"] == "collected"
    assert not is_scrolled_sideways(page, PHONE["width"])


def test_a_planner_sees_why_a_stock_number_is_what_it_is(
    page: "Page", consoles: str, counter: Counter
) -> None:
    counter.ordered("WHY-1")
    stock = counter.ask("GET", "/v1/stock/PEN")
    web = next(each for each in stock["channels"] if each["channel_code"] == "web")
    signed_in(page, f"{consoles}/stock_by_sku?stock_sku=PEN", "Stock by SKU")
    expect(page.get_by_text(
        f"web: {web['available_to_sell']} = {web['available_to_fulfill']} available"
    )).to_be_visible()  # fmt: skip


def test_a_manager_goes_from_what_waits_to_its_orders_on_a_phone(
    page: "Page", consoles: str, counter: Counter
) -> None:
    page.set_viewport_size(PHONE)
    line = {"line_ref": "LAMP", "sku": "LAMP", "quantity": 3, "total": "9.00", "tax": "1.00"}
    order = counter.ordered("WAITS-1", lines=[line], allow_backorder=True)
    signed_in(page, f"{consoles}/attention", "Attention")
    card = page.locator(".st-key-matter_ORDER_EXCEPTION")
    expect(card.get_by_text("Backordered: 1")).to_be_visible()
    assert not is_scrolled_sideways(page, PHONE["width"])
    card.locator("[class*=see_ORDER_EXCEPTION_BACKORDERED]").get_by_role("button").click()
    settled(page, "Orders")
    expect(page.get_by_role("button", name=f"Open {order['order_number']}")).to_be_visible()
    assert "order_exception=BACKORDERED" in page.url
    assert not is_scrolled_sideways(page, PHONE["width"])
