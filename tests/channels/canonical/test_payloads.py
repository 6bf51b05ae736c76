"""Payloads of our own format as strangers send them."""

import json
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.adapters.channels.canonical import build, mapping
from oms.kernel.limits import FRAGMENT_BYTES_MAX
from oms.workflows.documents import Unreadable
from tests.channels.mapped import Mapped, mapped, source

JSON, LINES = "application/json", "application/x-ndjson"


def product(sku: str = "PEN", **fields: Any) -> bytes:
    return json.dumps({"sku": sku, "title": "Pen", **fields}).encode()


def read(payload: bytes | Path, content_type: str = LINES, *, after: int = 0) -> Mapped:
    return mapped(
        build({}), source(payload, topic="products", content_type=content_type), after=after
    )


def skus(result: Mapped) -> list[str]:
    return [row["sku"] for row in result.rows("products")]


class TestForms:
    @pytest.mark.parametrize("content_type", [JSON, ""])
    @pytest.mark.parametrize(
        ("payload", "expected"),
        [
            (product(), ["PEN"]),
            (b" \n " + json.dumps(json.loads(product()), indent=2).encode() + b"\n", ["PEN"]),
            (b"[" + product("A") + b"," + product("B") + b"]", ["A", "B"]),
            (b"[\n" + product("A") + b"\n, " + product("B") + b"\n]\n\n", ["A", "B"]),
            (product("A") + b"\n" + product("B") + b"\n", ["A", "B"]),
            (b"[]", []),
            (b"[ ]", []),
        ],
    )
    def test_one_object_an_array_and_lines_are_told_apart(self, payload, expected, content_type):
        for begin in (b"", b"\xef\xbb\xbf"):
            result = read(begin + payload, content_type)
            assert (skus(result), result.rejected) == (expected, [])

    def test_a_name_says_what_is_in_a_file(self, tmp_path: Path):
        path = tmp_path / "catalog.ndjson"
        path.write_bytes(b"{broken\n" + product())
        assert skus(read(path, "")) == ["PEN"]

    @pytest.mark.parametrize("payload", [b"", b"\n \n", b"\xef\xbb\xbf"])
    def test_nothing_is_unreadable(self, payload):
        with pytest.raises(Unreadable, match="empty"):
            read(payload)

    def test_utf_16_is_named(self):
        with pytest.raises(Unreadable, match="UTF-16"):
            read(product().decode().encode("utf-16"))

    def test_an_unknown_topic_is_named(self):
        with pytest.raises(Unreadable, match="topic"):
            mapped(build({}), source(product(), topic="invoices", content_type=JSON))


class TestBroken:
    @pytest.mark.parametrize(
        "line",
        [
            b"{", b"nonsense", product()[:-1], product() + product("B"), b"[" * 100_000,
            b'{"sku":' * 5000 + b"1" + b"}" * 5000, b'{"sku": "\xff", "title": "x"}',
            b'{"sku": "\\ud800", "title": "x"}', b'{"sku": "A", "sku": "B", "title": "x"}',
            b'{"sku": NaN, "title": "x"}', b'{"sku": 1e400, "title": "x"}', b"null", b"1",
            b'{"sku": "' + b"x" * 10_000_000 + b'", "title": "x"}',
        ],
        ids=range(14),
    )  # fmt: skip
    def test_a_broken_line_costs_that_line_only(self, line):
        result = read(product("A") + b"\n\r\n" + line + b"\r\n" + product("Z"))
        assert skus(result) == ["A", "Z"]
        assert list(result.problems()) == [2]
        fragment = result.fragments[2]
        assert fragment.line == 3
        assert fragment.body[:FRAGMENT_BYTES_MAX] == line[:FRAGMENT_BYTES_MAX]
        # A byte more than is kept tells that it was cut.
        assert (len(fragment.body) > FRAGMENT_BYTES_MAX) == (len(line) > FRAGMENT_BYTES_MAX)

    @pytest.mark.parametrize(
        ("tail", "count"),
        [(b",{oops}]", 2), (b" {}]", 2), (b",]", 2), (b"", 2), (b"] trailing", 2)],
    )
    def test_what_breaks_an_array_costs_its_rest(self, tail, count):
        result = read(b"[" + product("A") + tail, JSON)
        assert (skus(result), result.count) == (["A"], count)
        assert list(result.problems()) == [2]

    def test_a_member_with_a_fault_costs_itself_only(self):
        result = read(b"[" + product("A") + b",\n{},\n" + product("Z") + b"]", JSON)
        assert skus(result) == ["A", "Z"]
        assert result.fragments[2].line == 2

    def test_a_number_in_an_array_is_no_amount_either(self):
        order = {
            "external_ref": "1", "placed_at": "2026-03-01T09:00:00Z", "currency": "EUR",
            "lines": [{"line_ref": "1", "sku": "A", "quantity": 1, "total": 1.5, "tax": "0"}],
        }  # fmt: skip
        payload = json.dumps([order]).encode()
        result = mapped(build({}), source(payload, content_type=JSON))
        assert result.problems() == {1: [("/lines/0/total", "VALIDATION")]}


class TestSlices:
    @given(st.lists(st.booleans(), max_size=12), st.integers(0, 12), st.integers(1, 5))
    def test_reading_on_from_anywhere_gives_the_same_rest(self, good, after, size):
        lines = [product(f"P{n}") if is_good else b"{" for n, is_good in enumerate(good)]
        payload = b"\n".join(lines) + b"\n"
        if not good:
            return
        whole = read(payload)
        with (
            patch.object(mapping, "SLICE_DOCUMENTS_MAX", size),
            patch.object(mapping, "BLOCK_DOCUMENTS_MAX", 2 * size),
        ):
            rest = read(payload, after=after)
        assert rest.rows("products") == [r for r in whole.rows("products") if r["position"] > after]
        assert rest.rejected == [r for r in whole.rejected if r["position"] > after]
        assert all(count <= size for count in rest.sizes)

    def test_an_array_and_lines_of_the_same_documents_are_the_same(self):
        documents = [product(f"P{n}", brand="é\u2028") for n in range(7)]
        lines = read(b"\n".join(documents))
        assert read(b"[" + b",".join(documents) + b"]", JSON).as_case() == lines.as_case()
