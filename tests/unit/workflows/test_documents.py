"""Documents: what is written for COPY comes back as it was, whatever is in it."""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.workflows.documents import ChannelFacts, Source, csv_rows

FIELDS = st.text(st.characters(exclude_characters="\x00\r", exclude_categories=["Cs"]))
FACTS = ChannelFacts(code="web", currency="EUR", prices_include_tax=True, time_zone="UTC")


class TestCsvRows:
    @given(st.lists(st.lists(FIELDS, min_size=2, max_size=2)))
    def test_any_text_comes_back(self, rows: list[list[str]]) -> None:
        written = csv_rows(rows).decode()
        assert list(csv.reader(io.StringIO(written, newline=""))) == rows

    def test_nothing_and_the_empty_text_are_two_things(self) -> None:
        assert csv_rows([[None, ""]]) == b',""\n'

    def test_values_are_written_as_postgresql_reads_them(self) -> None:
        at = datetime(2026, 1, 5, 12, tzinfo=UTC)
        assert csv_rows([[True, False, 7, at, at.date()]]) == (
            b't,f,"7","2026-01-05T12:00:00+00:00","2026-01-05"\n'
        )


class TestSource:
    @pytest.mark.parametrize("given_", [{}, {"path": Path("x"), "body": b"x"}])
    def test_a_payload_is_a_file_or_a_body(self, given_: dict[str, object]) -> None:
        with pytest.raises(AssertionError):
            Source(topic="orders", content_type="", received_at=datetime.now(UTC), channel=FACTS,
                   **given_)  # type: ignore[arg-type]  # the cases that are refused  # fmt: skip

    def test_it_reads_either(self, tmp_path: Path) -> None:
        (tmp_path / "orders.csv").write_bytes(b"rows")
        common = {"topic": "orders", "content_type": "", "received_at": datetime.now(UTC)}
        assert Source(**common, channel=FACTS, body=b"rows").read() == b"rows"  # type: ignore[arg-type]  # common columns
        path = tmp_path / "orders.csv"
        assert Source(**common, channel=FACTS, path=path).read() == b"rows"  # type: ignore[arg-type]  # common columns
