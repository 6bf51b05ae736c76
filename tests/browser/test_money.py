"""Three things people do with money, each from its beginning to its end, in a real browser."""

import csv
import hashlib
import io
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pypdf
import pytest
from playwright.sync_api import expect

from oms.kernel import clock
from oms.orders import operations as orders
from tests.browser.acting import (
    PHONE,
    downloaded,
    is_scrolled_sideways,
    reloaded,
    settled,
    signed_in,
    typed,
)
from tests.console import WAIT_SECONDS_MAX, Counter
from tests.dashboards.test_bulk_refunds import look
from tests.dashboards.test_money import bought, payer, refunds, work
from tests.ledger.issuing import register
from tests.payers import Payer

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["payer"]  # a fixture of theirs
pytestmark = pytest.mark.filterwarnings("ignore")  # of the browser's driver, which is not ours

HEAD = "order_number,kind,amount,currency,reason"


@pytest.fixture(scope="module")
def lenient(counter: Counter) -> Iterator[Counter]:
    """Have goodwill of a few euros go back at once, and the shop belong to a legal entity."""
    policy = {"subject": "goodwill", "mode": "auto", "otherwise_minor": 0,
              "limits": [{"amount": "5.00", "currency": "EUR"}]}  # fmt: skip
    body = {"policies": [policy], "reason": "agreed with finance"}
    counter.ask("POST", "/v1/refund-rules", body, version=0)
    register(counter.shop)
    yield counter


def test_an_agent_refunds_a_line_once_by_a_double_click(
    page: "Page", consoles: str, lenient: Counter, payer: Payer
) -> None:
    number = bought(lenient, payer, "MONEY-1")
    address = f"{consoles}/order?number={number}"
    signed_in(page, address, "Order", key=lenient.keys["agent"])
    page.get_by_role("button", name="Refund", exact=True).click()
    typed(page, "Order", "How much, in EUR", "3.00")
    form = page.get_by_test_id("stPopoverBody")
    for told in ("€3.00 goes back:", "€3.00 to Card visa ending 4242", "€3.00 off Pen, €0.52 of it"
                 " tax", "At most: €20.00. It goes at once."):  # fmt: skip
        expect(form).to_contain_text(told)
    assert refunds(lenient, number) == []
    typed(page, "Order", "Why", "It came late")
    button = form.get_by_role("button", name="Refund", exact=True)
    with held(lenient, number):  # the refund cannot be made before the last click has come
        button.dblclick()
        awaited(lenient)
        button.click()
    expect(page.get_by_text("€3.00 is on its way back.")).to_be_visible()
    settled(page, "Order")
    work(lenient, payer)
    reloaded(page, "Order", key=lenient.keys["agent"])
    second = page.context.new_page()
    signed_in(second, address, "Order", key=lenient.keys["agent"])
    for tab in (page, second):
        expect(tab.locator("[class*=st-key-refund_card_]")).to_have_count(1)
        expect(tab.locator("[class*=st-key-refund_card_]")).to_contain_text("Succeeded")
    (made,) = refunds(lenient, number)
    assert (made["amount"]["amount"], made["state"], made["requested_by"]) == (
        "3.00", "succeeded", "agent",
    )  # fmt: skip
    assert lenient.shop.rows(
        "select l.net_minor, l.tax_minor from refund_lines l join refunds using (refund_id)"
        " where refund_number = :n", n=made["refund_number"],
    ) == [(248, 52)]  # fmt: skip
    assert [each[:2] for each in payer.done() if each[0] == "refund"].count(("refund", 300)) == 1


@contextmanager
def held(shop: Counter, number: str) -> Iterator[None]:
    """Hold an order until the end of the block, as whoever writes it does."""
    order_id = shop.shop.value("select order_id from orders where order_number = :n", n=number)
    with shop.shop.ledger.transaction() as tx:
        orders.hold(tx, order_id)
        yield


def awaited(shop: Counter) -> None:
    """Wait until somebody waits for what is held."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while not shop.shop.value(
        "select count(*) from pg_stat_activity"
        " where wait_event_type = 'Lock' and datname = current_database()"
    ):
        assert time.monotonic() < deadline, "nobody waits"


def test_a_batch_of_refunds_is_paid_by_two_people(
    page: "Page", windows: Callable[[], "Page"], consoles: str, lenient: Counter, payer: Payer,
    tmp_path: Path,
) -> None:  # fmt: skip
    good = [bought(lenient, payer, f"BATCH-{at}") for at in range(2)]
    bare = lenient.ordered("BATCH-9")["order_number"]
    lines = [HEAD, *(f"{each},goodwill,2.{at}0,EUR,storm" for at, each in enumerate((*good, bare)))]
    title = "Bulk refunds"
    signed_in(page, f"{consoles}/refund_batches", title, key=lenient.keys["finance"])
    page.get_by_role("button", name="New batch").click()
    typed(page, title, "Name", "Storm")
    file = {"name": "storm.csv", "mimeType": "text/csv", "buffer": "\n".join(lines).encode()}
    page.locator("input[type=file]").set_input_files(file)
    settled(page, title)
    page.get_by_role("button", name="Make a draft").click()
    expect(page.get_by_text("The draft is made")).to_be_visible()
    settled(page, title)
    page.get_by_role("button", name="Dry run").click()
    expect(page.get_by_text("0 of 3 rows")).to_be_visible()
    look(lenient)
    rows = page.get_by_test_id("stDataFrame").last
    expect(rows).to_contain_text("Can be paid")  # the page looks again by itself
    expect(rows).to_contain_text("Cannot be paid")
    settled(page, title)
    page.get_by_role("button", name="Submit for approval").click()
    expect(
        page.get_by_text("You changed or submitted it: somebody else approves it.")
    ).to_be_visible()
    expect(page.get_by_role("button", name="Approve", exact=True)).to_have_count(0)
    batch = lenient.ask("GET", "/v1/refund-batches")["items"][0]
    assert _refused(lenient, batch) == "SAME_PERSON"
    assert [refunds(lenient, each) for each in good] == [[], []]
    other = windows()
    signed_in(other, f"{consoles}/refund_batches", title, key=lenient.keys["admin"])
    other.get_by_role("button", name="Approve", exact=True).click()
    expect(other.get_by_text("is approved and being paid")).to_be_visible()
    for step in (look, lambda shop: work(shop, payer), look):
        step(lenient)
    results = other.get_by_test_id("stDataFrame").last
    expect(results).to_contain_text("Succeeded")
    expect(results).to_contain_text("More than may go back")
    settled(other, title)
    content = downloaded(other, other.get_by_role("button", name="Finance file"), tmp_path / "f")
    _agrees(lenient, content, [*good, bare])


def _refused(shop: Counter, batch: Any) -> str:
    """Try to approve a batch as who made it; return the reason why not."""
    path = f"http://127.0.0.1:{shop.port}/v1/refund-batches/{batch['batch_number']}"
    headers = {"Authorization": f"Bearer {shop.keys['finance']}", "Idempotency-Key": "own"}
    found = httpx.get(path, headers=headers, trust_env=False).json()
    body = {"action": "approve", "digest": found["digest"]}
    headers |= {"If-Match": str(found["version"])}
    answer = httpx.post(f"{path}/actions", json=body, headers=headers, trust_env=False)
    return str(answer.json()["code"])


def _agrees(shop: Counter, content: bytes, numbers: list[str]) -> None:
    """Hold the rows of finance's file against the refunds there are."""
    lines = [line for line in content.decode("utf-8-sig").splitlines() if line[:1] != "#"]
    told = {each["Order"]: each for each in csv.DictReader(io.StringIO("\n".join(lines)))}
    assert list(told) == numbers
    for number in numbers[:-1]:
        (made,) = refunds(shop, number)
        row = told[number]
        assert (row["Refund"], row["State"], row["Currency"]) == (
            made["refund_number"], "succeeded", "EUR",
        )  # fmt: skip
        assert Decimal(row["Amount"]) == Decimal(made["amount"]["amount"])
    assert (told[numbers[-1]]["Refund"], refunds(shop, numbers[-1])) == ("", [])
    assert told[numbers[-1]]["Why not"]


def test_a_credit_note_is_taken_away_as_it_is_kept_on_a_phone(
    page: "Page", consoles: str, lenient: Counter, tmp_path: Path
) -> None:
    page.set_viewport_size(PHONE)
    order = _returned(lenient, "CREDIT-1")
    lenient.ask("POST", f"/v1/orders/{order}/documents", {"type": "credit_note"})
    number = lenient.ask("GET", f"/v1/orders/{order}/documents")[-1]["number"]
    signed_in(page, f"{consoles}/documents?document_type=credit_note", "Documents",
              key=lenient.keys["finance"])  # fmt: skip
    card = page.locator(f"[class*=st-key-document_{number}]")
    expect(card.get_by_text(number, exact=True)).to_be_visible()
    expect(card).to_contain_text("Total €10.00")
    assert not is_scrolled_sideways(page, PHONE["width"])
    button = card.get_by_role("button", name=re.compile("PDF"))
    content = downloaded(page, button, tmp_path / "note.pdf")
    kept = lenient.shop.value(
        "select f.sha256 from document_files f join documents using (document_id)"
        " where document_number = :n and kind = 'pdf'", n=number,
    )  # fmt: skip
    assert hashlib.sha256(content).digest() == bytes(kept)
    assert content.startswith(b"%PDF")
    read = pypdf.PdfReader(io.BytesIO(content))
    assert number in read.pages[0].extract_text()
    (inside,) = read.attachments["factur-x.xml"]
    assert f"<ram:ID>{number}</ram:ID>".encode() in inside
    settled(page, "Documents")


def _returned(shop: Counter, ref: str) -> str:
    """Sell a pen at a till, invoice it, and take it back; return the order's number."""
    number = shop.sold(ref)
    shop.ask("POST", f"/v1/orders/{number}/documents", {"type": "invoice"})
    change = {
        "kind": "return", "change_ref": f"r-{ref}", "line_ref": "PEN", "quantity": 1,
        "occurred_at": clock.now().isoformat(), "location_code": "AMS", "reason": "too blue",
    }  # fmt: skip
    return shop.sold(ref, version=2, changes=[change])
