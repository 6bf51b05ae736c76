"""Three ways through the dashboards, as people go them."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
import pytest
from playwright.sync_api import expect

from tests.browser import acting

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.filterwarnings("ignore")  # of the browser's driver, which is not ours


def settled(page: "Page", title: str) -> None:
    """Wait until the page of a title has been drawn, with its numbers."""
    acting.settled(page, title)
    expect(net_sales(page)).to_have_text(re.compile(r"\d"))


def net_sales(page: "Page") -> "Locator":
    """Return where the net sales stand, at the top of a page."""
    card = page.get_by_test_id("stMetric").filter(has_text="Net sales").first
    return card.get_by_test_id("stMetricValue")


def test_an_analyst_goes_from_the_overview_to_the_channels(page: "Page", dashboards: str) -> None:
    page.goto(dashboards)
    settled(page, "Sales overview")
    overview = net_sales(page).inner_text()
    page.get_by_role("link", name="By channel").click()
    settled(page, "Sales by channel")
    expect(net_sales(page)).to_have_text(overview)
    expect(page.locator(".js-plotly-plot").first).to_be_visible()


def test_the_address_of_a_page_shows_another_person_the_same(page: "Page", dashboards: str) -> None:
    page.goto(f"{dashboards}/sales_by_channel?period=all")
    settled(page, "Sales by channel")
    everything = net_sales(page).inner_text()
    page.goto(f"{dashboards}/sales_by_channel?period=7d")
    settled(page, "Sales by channel")
    assert net_sales(page).inner_text() != everything
    page.go_back()
    settled(page, "Sales by channel")
    page.reload()
    settled(page, "Sales by channel")
    expect(net_sales(page)).to_have_text(everything)


def test_a_manager_downloads_what_the_screen_shows(
    page: "Page", dashboards: str, tmp_path: Path
) -> None:
    page.goto(f"{dashboards}/sales_by_channel?period=all")
    settled(page, "Sales by channel")
    shown = float(re.sub(r"[^\d.]", "", net_sales(page).inner_text()))
    with page.expect_download() as download:
        page.get_by_role("button", name=re.compile("XLSX|Excel", re.IGNORECASE)).first.click()
    target = tmp_path / "sales.xlsx"
    download.value.save_as(target)
    cells = [
        value
        for sheet in openpyxl.load_workbook(target, read_only=True)
        for row in sheet.iter_rows(values_only=True)
        for value in row
        if isinstance(value, int | float)
    ]
    assert any(abs(float(value) - shown) < 0.005 for value in cells)
