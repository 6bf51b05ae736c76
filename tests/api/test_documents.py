"""Documents over HTTP: asked for, listed, downloaded, and nobody else's."""

import io
import zipfile
from datetime import datetime, timedelta
from typing import Any

import pypdfium2
import pytest

from oms import worker
from oms.billing import operations
from oms.billing.model import BUNDLE_DOCUMENTS_MAX
from oms.kernel import clock
from tests.api.conftest import House
from tests.api.wire import a_line, a_receipt, an_order
from tests.builders import a_change, a_partial, minutes
from tests.builders import an_order as a_draft
from tests.ledger.issuing import register


@pytest.fixture
def billed(stocked: House) -> House:
    """Give the house whose tills and web shop are a legal entity's."""
    register(stocked.shop)
    return stocked


def sold(house: House, ref: str = "T-1", **columns: Any) -> str:
    """Sell something at a till; return the order's number."""
    answer = house.order(a_receipt(ref, **columns))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["order_number"])


def issue(
    house: House, number: str, kind: str = "invoice", key: str = "finance", **options: Any
) -> Any:
    once = options.pop("once", f"{kind}-{number}")
    return house.post(f"/v1/orders/{number}/documents", {"type": kind}, key, once=once)


def shipped(house: House, ref: str, at: datetime | None = None) -> None:
    """Have an order of the web shop shipped and billed."""
    house.shop.take(a_draft(ref, changes=[a_change("ship")]))
    order_id = house.shop.value("select order_id from orders where external_ref = :r", r=ref)
    house.shop.ledger.run(lambda tx: operations.bill(tx, [order_id], by="t", at=at or clock.now()))


class TestIssuing:
    def test_gives_the_document_with_all_that_stands_on_it(self, billed: House) -> None:
        answer = issue(billed, sold(billed))
        assert answer.status_code == 201, answer.text
        (issued,) = answer.json()["documents"]
        document = billed.get(f"/v1/documents/{issued['number']}", "agent").json()
        assert document["number"].startswith("NL-I20")
        assert document["number"].endswith("-000001")
        assert (document["type"], document["state"]) == ("invoice", "issued")
        assert document["total"] == {"amount": "10.00", "currency": "EUR"}
        assert document["seller"]["vat_id"] == "NL123456789B01"
        assert [line["sku"] for line in document["lines"]] == ["PEN"]
        assert document["groups"][0]["rate_percent"] == "21"
        assert document["buyer_name"] == document["buyer"]["name"] == "Ada Pen"

    def test_keeps_nobody_s_name_for_who_repeats_it(self, billed: House) -> None:
        issue(billed, sold(billed))
        kept = billed.shop.rows("select response::text from idempotency_keys")
        (answer,) = (row[0] for row in kept if "NL-I20" in row[0])
        assert "Ada" not in answer

    def test_again_under_its_key_is_the_same_and_under_another_refused(self, billed: House) -> None:
        number = sold(billed)
        first, again = issue(billed, number), issue(billed, number)
        assert again.json() == first.json()
        refused = issue(billed, number, once="other")
        assert (refused.status_code, refused.json()["code"]) == (409, "NOTHING_TO_INVOICE")
        assert billed.count("documents") == 1

    @pytest.mark.parametrize(
        ("kind", "status", "code"),
        [("credit_note", 409, "NO_INVOICE_TO_CREDIT"), ("packing_slip", 422, "VALIDATION"),
         ("receipt", 201, None)],
    )  # fmt: skip
    def test_says_what_there_is_none_of(
        self, billed: House, kind: str, status: int, code: str | None
    ) -> None:
        answer = issue(billed, sold(billed), kind)
        assert (answer.status_code, answer.json().get("code")) == (status, code)

    def test_needs_a_key_an_order_and_somebody_who_issues(self, billed: House) -> None:
        number = sold(billed)
        path = f"/v1/orders/{number}/documents"
        missing = billed.post(path, {"type": "invoice"})
        assert missing.json()["code"] == "IDEMPOTENCY_KEY_MISSING"
        assert issue(billed, "R1").json()["code"] == "ORDER_NOT_FOUND"
        foreign = billed.order(an_order("M-1", channel_code="market"))
        refused = issue(billed, foreign.json()["order_number"])
        assert (refused.status_code, refused.json()["code"]) == (409, "NOT_BILLED")

    def test_credits_what_came_back(self, billed: House) -> None:
        number = sold(billed, lines=[a_line(quantity=2)])
        issue(billed, number)
        billed.shop.take(a_partial("T-1", a_change("return", 1)), channel="till")
        (note,) = issue(billed, number, "credit_note").json()["documents"]
        assert note["preceding_number"].endswith("-000001")
        assert note["total"]["amount"] == "10.00"
        listed = billed.get(f"/v1/orders/{number}/documents", "agent").json()
        assert [each["type"] for each in listed] == ["invoice", "credit_note"]


class TestWorker:
    def test_issues_what_is_due_of_what_left(self, billed: House) -> None:
        (chore,) = (each for each in worker.chores(billed.system) if each.name == "billing")
        chore.step()  # at first a follower only begins
        billed.shop.take(a_draft("W-1", changes=[a_change("ship")]))
        assert chore.step()
        (found,) = billed.get("/v1/documents").json()["items"]
        assert (found["type"], found["channel_code"]) == ("invoice", "web")
        assert not chore.step()

    def test_leaves_what_was_sold_before_the_channel_was_anybodys(self, stocked: House) -> None:
        (chore,) = (each for each in worker.chores(stocked.system) if each.name == "billing")
        chore.step()
        stocked.shop.take(
            a_draft("W-1", placed_at=minutes(-1), changes=[a_change("ship")]),
            a_draft("W-2", placed_at=minutes(1), changes=[a_change("ship")]),
        )
        register(stocked.shop)
        assert chore.step()
        listed = stocked.get("/v1/documents").json()["items"]
        assert [stocked.shop.order("W-2").summary.order_number] == [
            each["order_number"] for each in listed
        ]
        number = stocked.shop.order("W-1").summary.order_number
        assert issue(stocked, number).status_code == 201


class TestFiles:
    def test_are_the_same_bytes_whenever_they_are_asked_for(self, billed: House) -> None:
        (document,) = issue(billed, sold(billed)).json()["documents"]
        path = f"/v1/documents/{document['number']}"
        first = billed.get(f"{path}/pdf", "agent")
        assert first.headers["content-type"] == "application/pdf"
        assert first.content[:5] == b"%PDF-"
        register(billed.shop, name="Other B.V.", language="de")
        again = billed.get(f"{path}/pdf", "finance")
        assert (again.content, again.headers["etag"]) == (first.content, first.headers["etag"])
        assert billed.count("document_files") == 1
        said = pypdfium2.PdfDocument(first.content)[0].get_textpage().get_text_range()
        assert document["number"] in said
        xml = billed.get(f"{path}/xml", "agent")
        assert xml.headers["content-type"] == "application/xml"
        assert document["number"].encode() in xml.content

    def test_are_kept_as_they_were_made(self, billed: House) -> None:
        """What is kept is what is sent, not what a later template would make."""
        (document,) = issue(billed, sold(billed)).json()["documents"]
        with billed.shop.ledger.transaction() as tx:
            tx.exec_driver_sql(
                "insert into document_files select document_id, 'pdf', '', 'kept', now()"
                " from documents"
            )
        assert billed.get(f"/v1/documents/{document['number']}/pdf").content == b"kept"

    def test_of_a_receipt_have_no_xml(self, billed: House) -> None:
        (receipt,) = issue(billed, sold(billed), "receipt").json()["documents"]
        path = f"/v1/documents/{receipt['number']}"
        assert billed.get(f"{path}/pdf").status_code == 200
        answer = billed.get(f"{path}/xml")
        assert (answer.status_code, answer.json()["code"]) == (404, "NO_STRUCTURED_INVOICE")

    def test_of_no_document_are_none(self, billed: House) -> None:
        for path in ("", "/pdf", "/xml"):
            answer = billed.get(f"/v1/documents/NL-I2026-999999{path}")
            assert (answer.status_code, answer.json()["code"]) == (404, "DOCUMENT_NOT_FOUND")


class TestList:
    def test_goes_page_by_page_newest_first(self, billed: House) -> None:
        for n in range(5):
            shipped(billed, f"W-{n}")
        seen, after = [], ""
        while after is not None:
            page = billed.get(f"/v1/documents?limit=2{after and f'&after={after}'}").json()
            seen += [each["number"][-1] for each in page["items"]]
            after = page["next_after"]
        assert seen == ["5", "4", "3", "2", "1"]

    def test_is_of_type_days_and_channels(self, billed: House) -> None:
        today = clock.now()
        shipped(billed, "W-1", today)
        shipped(billed, "W-2", today + timedelta(days=3))
        issue(billed, sold(billed), "receipt")

        def count(query: str) -> int:
            answer = billed.get(f"/v1/documents?{query}")
            assert answer.status_code == 200, answer.text
            return len(answer.json()["items"])

        later = (today + timedelta(days=2)).date()
        assert count("type=invoice") == 2
        assert count("type=receipt&type=credit_note") == 1
        assert count("channel=web") == 2
        assert count(f"from={later}") == 1
        assert count(f"to={later}&channel=web") == 1
        assert count("channel=nowhere") == 0
        assert billed.get("/v1/documents?from=yesterday").status_code == 422
        assert billed.get("/v1/documents?after=x!").status_code == 422


class TestExport:
    def test_is_a_zip_of_the_same_pdfs(self, billed: House) -> None:
        for n in range(3):
            shipped(billed, f"W-{n}")
        number = billed.get("/v1/documents").json()["items"][0]["number"]
        pdf = billed.get(f"/v1/documents/{number}/pdf").content
        answer = billed.get("/v1/documents/export?type=invoice&channel=web", "finance")
        assert answer.headers["content-type"] == "application/zip"
        with zipfile.ZipFile(io.BytesIO(answer.content)) as bundle:
            names = bundle.namelist()
            assert [name[-5:] for name in names] == ["1.pdf", "2.pdf", "3.pdf"]
            assert bundle.read(f"{number}.pdf") == pdf
        nothing = billed.get("/v1/documents/export?type=credit_note").content
        assert zipfile.ZipFile(io.BytesIO(nothing)).namelist() == []

    def test_of_too_many_is_refused(self, billed: House, monkeypatch: pytest.MonkeyPatch) -> None:
        assert BUNDLE_DOCUMENTS_MAX == 1_000
        monkeypatch.setattr("api.routers.documents.BUNDLE_DOCUMENTS_MAX", 1)
        for n in range(2):
            shipped(billed, f"W-{n}")
        answer = billed.get("/v1/documents/export")
        assert (answer.status_code, answer.json()["code"]) == (422, "TOO_MANY_DOCUMENTS")


class TestSent:
    def test_is_what_a_document_is_then(self, billed: House) -> None:
        (document,) = issue(billed, sold(billed)).json()["documents"]
        path = f"/v1/documents/{document['number']}"
        answer = billed.post(f"{path}/sent", {"recipient": "ada@example.org"}, "finance")
        assert (answer.status_code, answer.json()["state"]) == (200, "sent")
        assert billed.get(path).json()["sent_at"] is not None
        assert billed.post(f"{path}/sent", {}, "agent").status_code == 403


class TestForeign:
    def test_documents_read_as_if_there_were_none(self, billed: House) -> None:
        shipped(billed, "W-1")
        number = billed.get("/v1/documents").json()["items"][0]["number"]
        order = billed.shop.value("select order_number from orders")
        key = billed.post("/v1/keys", {
            "name": "market's", "role": "finance", "channel_codes": ["market"]}, once="k",
        ).json()["key"]  # fmt: skip
        headers = {"Authorization": f"Bearer {key}"}

        def ask(path: str) -> Any:
            return billed.client.get(path, headers=headers)

        for path in ("", "/pdf", "/xml"):
            assert ask(f"/v1/documents/{number}{path}").json()["code"] == "DOCUMENT_NOT_FOUND"
        assert ask(f"/v1/orders/{order}/documents").json()["code"] == "ORDER_NOT_FOUND"
        assert ask("/v1/documents").json()["items"] == []
        assert ask("/v1/documents?channel=web").json()["items"] == []
        with zipfile.ZipFile(io.BytesIO(ask("/v1/documents/export").content)) as bundle:
            assert bundle.namelist() == []
