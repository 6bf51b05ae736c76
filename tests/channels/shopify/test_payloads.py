"""Payloads of a shop in all their wrappings, and as strangers forge them."""

import base64
import hashlib
import hmac
import json
import sys
from pathlib import Path
from typing import Any, Final

import pytest
from pydantic import ValidationError

from oms.adapters.channels.shopify import build, verify
from oms.workflows.documents import Unreadable
from tests.channels.mapped import Mapped, mapped, source

ORDER: Final[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "cases" / "order-full" / "payload.json").read_text()
)


def read(payload: bytes, content_type: str = "application/json", *, after: int = 0) -> Mapped:
    return mapped(build({}), source(payload, content_type=content_type), after=after)


def an_order(number: int) -> bytes:
    return json.dumps({**ORDER, "id": number}).encode()


def refs(result: Mapped) -> list[str]:
    return [order["external_ref"] for order in result.rows("orders")]


class TestPickupPoints:
    OPTIONS: Final = {"methods": {"point": "pickup_point"}, "point_attribute": "Pickup-Point"}

    def read(self, value: str) -> Mapped:
        order = {
            **ORDER, "shipping_lines": [{"code": "point", "title": "Point", "price": "0.00"}],
            "note_attributes": [{"name": "Other", "value": "x"},
                                {"name": "Pickup-Point", "value": value}],
        }  # fmt: skip
        body = source(json.dumps(order).encode(), content_type="application/json")
        return mapped(build(self.OPTIONS), body)

    def test_an_attribute_names_the_point_of_all_lines(self):
        result = self.read("sandbox:SB-NL-1012-1")
        (group,) = result.rows("groups")
        assert json.loads(group["pickup_point"]) == {
            "provider": "sandbox", "point_id": "SB-NL-1012-1",
        }  # fmt: skip
        assert (group["method"], group["location_code"] or None) == ("pickup_point", None)
        assert len(json.loads(group["line_refs"])) == len(result.rows("lines"))

    @pytest.mark.parametrize("value", ["", "sandbox", "sandbox:", ":7"])
    def test_what_names_no_point_is_refused(self, value: str):
        assert self.read(value).rejected


class TestWrappings:
    @pytest.mark.parametrize(
        ("payload", "content_type"),
        [
            (an_order(1), "application/json"),
            (b'{"order": ' + an_order(1) + b"}", "application/json"),
            (b'{"orders": [' + an_order(1) + b"]}", "application/json"),
            (b"\xef\xbb\xbf[" + an_order(1) + b"]", "application/json"),
            (an_order(1) + b"\r\n\r\n", "application/x-ndjson"),
            (b'{"order": ' + an_order(1) + b"}\n", "application/x-ndjson"),
        ],
    )
    def test_an_order_is_found_in_each_of_them(self, payload, content_type):
        result = read(payload, content_type)
        assert (refs(result), result.rejected) == (["1"], [])

    def test_a_webhook_and_a_page_tell_of_the_same_document(self):
        order = {**ORDER, "total_tip_received": 1.50}
        webhook = json.dumps(order, separators=(",", ":"), sort_keys=True).encode()
        page = json.dumps({"orders": [order]}, indent=2).encode()
        newer = json.dumps({**order, "note": "ring twice"}).encode()
        said, again, other = (
            read(body).rows("orders")[0]["sha256"] for body in (webhook, page, newer)
        )
        assert said == again != other

    def test_an_empty_page_holds_nothing(self):
        assert read(b'{"orders": []}').count == 0

    def test_lines_of_a_file_are_numbered(self, tmp_path: Path):
        path = tmp_path / "orders.jsonl"
        path.write_bytes(b"\n".join([an_order(1), b"", b"{broken", an_order(2)]))
        result = mapped(build({}), source(path))
        assert refs(result) == ["1", "2"]
        assert result.fragments[2].line == 3

    def test_reading_on_gives_the_rest(self):
        payload = b'{"orders": [' + b",".join(map(an_order, range(1, 5))) + b"]}"
        assert refs(read(payload, after=2)) == ["3", "4"]

    @pytest.mark.parametrize(
        "payload",
        [b"{", b"[" * 100_000, b'"text"', b"7", b"null", b'{"id": NaN}', b'{"id": 1}', b"[[1]]",
         b'{"order": null}', b'{"id": ' + b"9" * 5000 + b"}", b'\xff\xfe{"id": 1}'],
        ids=range(11),
    )  # fmt: skip
    def test_what_is_no_order_is_one_refused_document(self, payload):
        result = read(payload)
        assert result.count == 1
        (refused,) = result.rejected
        assert refused["problems"]
        assert payload.decode(errors="replace")[:60] not in str(refused["problems"])

    @pytest.mark.parametrize("wrapping", [b"%s", b"[%s]"])
    def test_no_depth_is_a_failure(self, wrapping):
        for depth in range(sys.getrecursionlimit() - 100, sys.getrecursionlimit() + 5):
            order = b'{"id": 1, "note_attributes": ' + b"[" * depth + b"]" * depth + b"}"
            assert len(read(wrapping % order).rejected) == 1

    @pytest.mark.parametrize("name", sorted(ORDER))
    @pytest.mark.parametrize("value", [[], {}, [[]], "x", -1, True, 1.5, "\ud800", "a\0b", 10**30])
    def test_anything_anywhere_is_taken_or_refused_never_a_failure(self, name, value):
        result = read(json.dumps({**ORDER, name: value}).encode())
        assert result.count == 1
        assert len(refs(result)) + len(result.rejected) == 1

    def test_nothing_is_unreadable(self):
        with pytest.raises(Unreadable, match="empty"):
            read(b" ")

    def test_an_unknown_topic_is_unreadable(self):
        with pytest.raises(Unreadable, match="carts/create"):
            mapped(build({}), source(b"{}", topic="carts/create"))

    def test_options_nobody_knows_are_refused(self):
        with pytest.raises(ValidationError, match="secrets"):
            build({"secrets": "x"})

    def test_money_is_never_a_float(self):
        line = {**ORDER["line_items"][0], "price": 1.005, "quantity": 1, "discount_allocations": []}
        payload = json.dumps({**ORDER, "line_items": [line]}).encode()
        assert read(payload).rows("lines")[0]["total_minor"] == 101


class TestVerify:
    BODY, SECRET = b'{"id": 1}', "shpss_x"

    def signed(self, body: bytes = BODY, secret: str = SECRET) -> str:
        digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
        return base64.b64encode(digest).decode()

    def test_takes_what_the_shop_signed(self):
        assert verify(self.BODY, self.signed(), self.SECRET)

    @pytest.mark.parametrize(
        "header",
        [None, "", "é", "not base64!", "AAAA", "=" * 44, base64.b64encode(b"x" * 32).decode()],
    )
    def test_refuses_every_other_signature(self, header):
        assert not verify(self.BODY, header, self.SECRET)

    def test_refuses_an_altered_body_another_secret_and_no_secret(self):
        assert not verify(self.BODY + b" ", self.signed(), self.SECRET)
        assert not verify(self.BODY, self.signed(secret="y"), self.SECRET)
        assert not verify(self.BODY, self.signed(secret=""), "")
