"""What people do in a browser whatever page they are on, waiting for what they would wait for."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

PHONE: Final = {"width": 390, "height": 844}


def signed_in(page: "Page", address: str, title: str, *, key: str | None = None) -> None:
    """Open a page with a key of one's own, or as somebody who sits at the machine itself."""
    page.goto(address)
    _sign_in(page, title, key)


def reloaded(page: "Page", title: str, *, key: str) -> None:
    """Load a page anew, which forgets the key, and give it again."""
    page.reload()
    _sign_in(page, title, key)


def _sign_in(page: "Page", title: str, key: str | None) -> None:
    if key is None:
        page.get_by_role("button", name="Go on as this machine's admin").click()
    else:
        page.get_by_label("API key").fill(key)
        page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    settled(page, title)


def settled(page: "Page", title: str) -> None:
    """Wait until the page of a title has been drawn: Streamlit says when its script has ended."""
    expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
    app = page.get_by_test_id("stApp")
    expect(app).to_have_attribute("data-test-connection-state", "CONNECTED")
    expect(app).to_have_attribute("data-test-script-state", "notRunning")
    expect(page.locator("[data-stale=true]")).to_have_count(0)


def typed(page: "Page", title: str, label: str, text: str) -> None:
    """Fill a field in, leave it, and wait for what the page makes of it."""
    field = page.get_by_label(label, exact=True)
    field.fill(text)
    field.press("Tab")
    settled(page, title)


def downloaded(page: "Page", button: "Locator", target: Path) -> bytes:
    """Press a button that hands over a file; return what is in it."""
    with page.expect_download() as download:
        button.click()
    download.value.save_as(target)
    return target.read_bytes()


def is_scrolled_sideways(page: "Page", width: int) -> bool:
    """Tell whether something sticks out of a page."""
    return int(page.evaluate("document.documentElement.scrollWidth")) > width
