"""Attachments of notes over HTTP: put beside, read by who reads the note, gone with it."""

import hashlib
from typing import Any, Final

import httpx
import pytest

from oms.kernel.limits import ATTACHMENT_BYTES_MAX, NOTE_ATTACHMENTS_MAX
from oms.notes.operations import erase
from tests.api.conftest import House
from tests.api.wire import an_order

PNG: Final = b"\x89PNG\r\n\x1a\n" + bytes(range(32))
PDF: Final = b"%PDF-1.7\n%%EOF"


def noted(house: House, key: str = "admin", **said: Any) -> Any:
    """Add a note to the order, and return it."""
    body = {"body": "See the picture.", "visibility": "internal", **said}
    answer = house.post(
        "/v1/orders/R100000001/notes", body, key, once=f"note-{len(said)}-{body['visibility']}"
    )
    assert answer.status_code == 201, answer.text
    return answer.json()


def attach(
    house: House, note: Any, content: bytes = PNG, name: str = "box.png", key: str = "admin"
) -> httpx.Response:
    """Put a file beside a note."""
    path = f"/v1/notes/{note['note_id']}/attachments"
    return house.post(path, key=key, content=content, params={"name": name})


def fetch(house: House, note: Any, file: Any, key: str = "admin") -> httpx.Response:
    """Take a file away."""
    return house.get(f"/v1/notes/{note['note_id']}/attachments/{file['attachment_id']}", key)


@pytest.fixture
def bought(routed: House) -> House:
    """An order that its location is asked for."""
    routed.routed_order(an_order())
    return routed


class TestAttached:
    def test_comes_back_as_it_was_and_as_a_file(self, bought: House) -> None:
        note = noted(bought)
        made = attach(bought, note, name="Größe 1.PNG")
        assert made.status_code == 201
        answer = fetch(bought, note, made.json())
        assert (answer.content, answer.headers["content-type"]) == (PNG, "image/png")
        assert answer.headers["content-disposition"] == (
            "attachment; filename*=UTF-8''Gr%C3%B6%C3%9Fe%201.PNG"
        )
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        (listed,) = bought.get("/v1/orders/R100000001").json()["notes"][0]["attachments"]
        assert listed == made.json()
        assert (listed["size_bytes"], listed["sha256"], listed["added_by"]) == (
            len(PNG), hashlib.sha256(PNG).hexdigest(), "admin",
        )  # fmt: skip

    def test_twice_is_there_once(self, bought: House) -> None:
        note = noted(bought)
        first, again = (attach(bought, note, name=name) for name in ("a.png", "b.png"))
        assert first.json() == again.json()
        assert bought.count("note_attachments") == 1
        events = bought.get("/v1/orders/R100000001").json()["events"]
        assert [each["type"] for each in events].count("note.attached") == 1

    @pytest.mark.parametrize(
        ("content", "media_type", "name"),
        [
            (PNG, "image/png", "x.exe.png"), (PDF, "application/pdf", "x.exe.pdf"),
            (b"\xff\xd8\xff\xe0 JFIF", "image/jpeg", "x.exe.jpg"),
            (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp", "x.exe.webp"),
        ],
    )  # fmt: skip
    def test_is_what_its_content_says(
        self, bought: House, content: bytes, media_type: str, name: str
    ) -> None:
        made = attach(bought, noted(bought), content, "x.exe").json()
        assert (made["media_type"], made["name"]) == (media_type, name)

    @pytest.mark.parametrize(
        "content",
        [
            b"", b"<html><script>alert(1)</script>", b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            b"MZ\x90\x00", b"GIF89a", b"PK\x03\x04", b"RIFF\x00\x00\x00\x00WAVE", b" %PDF-1.7",
            b"\x89PNG", b"hello",
        ],
    )  # fmt: skip
    def test_is_nothing_else(self, bought: House, content: bytes) -> None:
        answer = attach(bought, noted(bought), content, "picture.png")
        assert (answer.status_code, answer.json()["code"]) == (422, "ATTACHMENT_UNFIT")
        assert bought.count("note_attachments") == 0

    @pytest.mark.parametrize(
        "name",
        [
            "", " ", "..", "../a.png", "a/b.png", "a\\b.png", 'a".png', "a\nb.png", "a\x00b.png",
            "x" * 97, "x" * 500, "a\u202egnp.exe", "4111 1111 1111 1111.png", "a;b.png",
        ],
    )  # fmt: skip
    def test_has_a_name_that_is_one(self, bought: House, name: str) -> None:
        assert attach(bought, noted(bought), name=name).status_code == 422
        assert bought.count("note_attachments") == 0

    def test_is_so_large_at_most(self, bought: House) -> None:
        note = noted(bought)
        full = PNG + bytes(ATTACHMENT_BYTES_MAX - len(PNG))
        assert attach(bought, note, full + b"x").status_code == 413
        assert attach(bought, note, full).status_code == 201

    def test_are_so_many_at_most(self, bought: House) -> None:
        note = noted(bought)
        for number in range(NOTE_ATTACHMENTS_MAX):
            assert attach(bought, note, PNG + bytes([number])).status_code == 201
        answer = attach(bought, note, PDF)
        assert (answer.status_code, answer.json()["code"]) == (409, "TOO_MANY_ATTACHMENTS")
        assert attach(bought, note, PNG + bytes([0])).status_code == 201


class TestRead:
    def test_by_who_reads_its_note(self, bought: House) -> None:
        note = noted(bought)
        file = attach(bought, note).json()
        for key, status in (("agent", 200), ("finance", 200), ("web", 404), ("market", 404)):
            assert fetch(bought, note, file, key).status_code == status, key
        assert attach(bought, note, key="web").status_code == 404
        other = noted(bought, visibility="customer")
        assert fetch(bought, other, file).json()["code"] == "ATTACHMENT_NOT_FOUND"

    def test_not_by_who_the_note_is_for_only_since(self, bought: House) -> None:
        """As with what it said before: it was put there for others."""
        note = noted(bought)
        before = attach(bought, note).json()
        bought.post(
            f"/v1/notes/{note['note_id']}/edit", {"visibility": "customer"}, once="e",
            headers={"If-Match": "1"},
        )  # fmt: skip
        after = attach(bought, note, PDF).json()
        shown = bought.get("/v1/orders/R100000001", "web").json()["notes"][0]["attachments"]
        assert shown == [after]
        assert [fetch(bought, note, each, "web").status_code for each in (before, after)] == [
            404, 200,
        ]  # fmt: skip
        assert fetch(bought, note, before, "agent").status_code == 200

    def test_by_who_does_the_work(self, bought: House) -> None:
        note, secret = noted(bought, visibility="warehouse"), noted(bought)
        file, other = attach(bought, note).json(), attach(bought, secret, PDF).json()
        (work,) = bought.get("/v1/fulfillments?location=DC", "DC").json()["items"]
        assert work["notes"][0]["attachments"] == [file]
        path = f"/v1/fulfillments/{work['fulfillment_number']}/notes"
        of_note = f"{path}/{note['note_id']}/attachments/{file['attachment_id']}"
        assert bought.get(of_note, "DC").content == PNG
        assert bought.get(of_note, "carrier").status_code == 403
        for note_id, file_id in (
            (secret["note_id"], other["attachment_id"]), (note["note_id"], other["attachment_id"]),
        ):  # fmt: skip
            assert bought.get(f"{path}/{note_id}/attachments/{file_id}", "DC").status_code == 404
        assert fetch(bought, note, file, "DC").status_code == 403


class TestGone:
    def test_with_its_note(self, bought: House) -> None:
        note, other = noted(bought), noted(bought, visibility="customer")
        file, kept = attach(bought, note).json(), attach(bought, other).json()
        bought.post(f"/v1/notes/{note['note_id']}/redact", {"reason": "asked"}, once="r")
        assert fetch(bought, note, file).status_code == 404
        assert bought.shop.value("select count(*) from note_attachments") == 1
        assert fetch(bought, other, kept).status_code == 200
        assert attach(bought, note).json()["code"] == "NOTE_REDACTED"
        told = bought.get("/v1/orders/R100000001").text
        assert file["sha256"] not in told.replace(kept["sha256"], "", 1)
        assert "box.png" not in str(bought.get("/v1/orders/R100000001").json()["events"])

    def test_when_its_customer_is_erased(self, bought: House) -> None:
        attach(bought, noted(bought))
        with bought.system.ledger.transaction() as tx:
            order_id = bought.shop.value("select order_id from orders")
            erase(tx, [order_id], [], by=None, at=bought.shop.value("select now()"))
        assert bought.count("note_attachments") == 0
