"""Statement files: blocks by name, in SQL that PostgreSQL's parameters survive."""

from pathlib import Path

import pytest

from oms.ledger.statements import Statements


class TestStatements:
    def test_it_reads_blocks_by_name(self, tmp_path: Path) -> None:
        file = tmp_path / "some.sql"
        file.write_text(
            "-- A file.\n\n-- name: one\n-- Says one.\nselect 1;\n\n-- name: two\nselect :n\n"
        )
        read = Statements(file)._statements
        assert set(read) == {"one", "two"}
        assert str(read["two"]).strip() == "select :n"

    def test_it_does_not_guess_a_name(self, tmp_path: Path) -> None:
        file = tmp_path / "some.sql"
        file.write_text("-- name: one\nselect 1\n")
        with pytest.raises(KeyError):
            Statements(file)._statements["two"]
