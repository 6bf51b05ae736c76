"""CSV records are what Python's csv module says they are, whatever lies around them."""

import csv
import io
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.adapters.channels.tabular import records
from oms.adapters.channels.tabular.records import Layout, Place, Wrong, batches

THREE = Layout(delimiter=",", quote='"', fields_count=3, used=(0, 1, 2))
TEXTS = st.text(alphabet="ab ,\"'\né\u2028;", max_size=8)
CHUNKS = st.sampled_from([16, 40, 2**20])


def read(payload: bytes, layout: Layout = THREE, *, chunk: int = 2**20) -> list[dict[str, Any]]:
    with patch.object(records, "CHUNK_BYTES", chunk):
        tables = list(batches(io.BytesIO(payload), layout, Place()))
    return sorted((row for table in tables for row in table.to_pylist()), key=lambda r: r["ord"])


def cells(rows: list[dict[str, Any]]) -> list[list[str]]:
    return [[row["c0"], row["c1"], row["c2"]] for row in rows]


class TestWellFormed:
    @given(
        st.lists(st.tuples(TEXTS, TEXTS, TEXTS), max_size=8),
        st.sampled_from(["\n", "\r\n"]),
        st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
        CHUNKS,
    )
    def test_what_a_writer_wrote_is_read_back(self, rows, end, quoting, chunk):
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator=end, quoting=quoting).writerows(rows)
        payload = text.getvalue().encode()
        read_back = read(payload, chunk=chunk)
        assert cells(read_back) == [list(row) for row in rows]
        for row in read_back:
            piece = payload[row["start"] : row["start"] + row["size"]] + b"\n"
            assert next(_reader(piece)) == [row["c0"], row["c1"], row["c2"]]
            assert payload[: row["start"]].count(b"\n") == row["line"] - 1

    def test_a_quote_inside_a_bare_cell_is_just_a_quote(self):
        assert cells(read(b'5" disk,6" case,x\n3" disk,,\n')) == [
            ['5" disk', '6" case', "x"],
            ['3" disk', "", ""],
        ]

    def test_blank_lines_are_no_records_but_count_as_lines(self):
        rows = read(b"\n1,2,3\n\r\n\n4,5,6")
        assert [(row["ord"], row["line"]) for row in rows] == [(1, 2), (2, 5)]

    def test_without_a_quote_character_nothing_is_quoted(self):
        layout = Layout(delimiter="\t", quote="", fields_count=2, used=(0, 1))
        (row,) = read(b'"a\tb"\n', layout)
        assert (row["c0"], row["c1"]) == ('"a', 'b"')


class TestNoise:
    @given(
        st.lists(st.sampled_from(["a", "b", ",", ",", '"', "\n", "\r\n", "é"]), max_size=40).map(
            "".join
        ),
        CHUNKS,
    )
    def test_what_is_taken_is_what_the_csv_module_takes(self, text, chunk):
        payload = text.encode()
        rows = read(payload, chunk=chunk)
        if any(row["wrong"] for row in rows):
            return
        assert cells(rows) == [row for row in _reader(payload) if row]

    @given(st.binary(max_size=60), CHUNKS)
    def test_no_bytes_at_all_make_it_fail(self, payload, chunk):
        rows = read(payload, chunk=chunk)
        assert [row["ord"] for row in rows] == list(range(1, len(rows) + 1))
        assert rows == read(payload)


class TestWrong:
    @pytest.mark.parametrize(
        ("line", "wrong"),
        [
            (b"1,2", Wrong.FIELDS),
            (b"1,2,3,4", Wrong.FIELDS),
            (b'1,"2,3', Wrong.QUOTES),
            (b'1,"2"x,3', Wrong.QUOTES),
            (b"1,\x002,3", Wrong.CONTROLS),
            (b"1,\xff2,3", Wrong.ENCODING),
            (b"1,2,3\rx", Wrong.QUOTES),
        ],
    )
    def test_a_bad_line_spoils_itself_only(self, line, wrong):
        rows = read(b"a,b,c\n" + line + b'\nd,"e\ne",f\n')
        assert [row["wrong"] for row in rows] == [0, wrong, 0]
        assert cells(rows[::2]) == [["a", "b", "c"], ["d", "e\ne", "f"]]
        assert rows[2]["line"] == 3

    @pytest.mark.parametrize("chunk", [2**16, 2**24])
    def test_a_line_of_five_megabytes_is_refused_and_passed_over(self, chunk):
        long = b"x" * (5 * 1024 * 1024)
        rows = read(b"a,b,c\n1,2," + long + b"\nd,e,f\n", chunk=chunk)
        assert [row["wrong"] for row in rows] == [0, Wrong.SIZE, 0]
        assert rows[1]["size"] in {len(long) + 4, len(long) + 5}
        assert rows[2]["start"] == 6 + len(long) + 5

    def test_a_quote_never_closed_costs_one_line_of_many(self):
        lines = [b"%d,b,c" % number for number in range(5000)]
        lines[17] = b'17,"b,c'
        wrong = [row["ord"] for row in read(b"\n".join(lines), chunk=4096) if row["wrong"]]
        assert wrong == [18]


def _reader(payload: bytes) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(payload.decode(), newline=""), strict=True)
