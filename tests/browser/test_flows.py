"""Three ways through the dashboards, as people go them."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.filterwarnings("ignore")  # of the browser's driver, which is not ours


def settled(page: "Page") -> None:
    """Wait until the page has been drawn and nothing runs any more."""
    page.get_by_test_id("stMetric").first.wait_for()
    page.get_by_test_id("stStatusWidget").wait_for(state="detached")
    page.locator("[data-stale=true]").first.wait_for(state="detached")


def number(page: "Page", label: str) -> str:
    """Read one of the numbers at the top of a page."""
    card = page.get_by_test_id("stMetric").filter(has_text=label).first
    return card.get_by_test_id("stMetricValue").inner_text()


def test_an_analyst_goes_from_the_overview_to_the_channels(page: "Page", dashboards: str) -> None:
    page.goto(dashboards)
    settled(page)
    overview = number(page, "Net sales")
    assert re.search(r"\d", overview)
    page.get_by_role("link", name="By channel").click()
    page.get_by_role("heading", name="Sales by channel").wait_for()
    settled(page)
    assert number(page, "Net sales") == overview
    page.locator(".js-plotly-plot").first.wait_for(state="attached")


def test_the_address_of_a_page_shows_another_person_the_same(page: "Page", dashboards: str) -> None:
    page.goto(f"{dashboards}/sales_by_channel?period=all")
    settled(page)
    everything = number(page, "Net sales")
    page.goto(f"{dashboards}/sales_by_channel?period=7d")
    settled(page)
    assert number(page, "Net sales") != everything
    page.go_back()
    settled(page)
    page.reload()
    settled(page)
    assert number(page, "Net sales") == everything


def test_a_manager_downloads_what_the_screen_shows(
    page: "Page", dashboards: str, tmp_path: Path
) -> None:
    page.goto(f"{dashboards}/sales_by_channel?period=all")
    settled(page)
    shown = float(re.sub(r"[^\d.]", "", number(page, "Net sales")))
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
