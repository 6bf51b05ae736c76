"""The matrix of journeys on the command line: a result is shown of this very code only."""

from pathlib import Path
from typing import Any

import pytest

from oms.cli import journeys
from oms.cli.journeys import Cell, Results, code_digest, document, matrix
from tests.cli.conftest import Home

WELL = Cell("web", "home", "now", "delivered")
ASKED = Cell("store", "carry_out", "now", "canceled")
AT = "2026-03-01T09:30:00+00:00"


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the file in which the last run is looked for."""
    path = tmp_path / "build" / "journeys.json"
    monkeypatch.setattr(journeys, "RESULTS", path)
    return path


def keep(path: Path, *, digest: str | None = None, **results: str) -> None:
    """Keep a run of these results, by cell."""
    cells: dict[str, Any] = {
        cell: {"result": result, "seconds": 0.1, "at": AT} for cell, result in results.items()
    }
    Results(digest=digest or code_digest(), cells=cells).write(path)


def rows(output: str, method: str) -> list[list[str]]:
    """Return the rows of a method, each with its words."""
    table = output.split(f"{method}: ")[1].split("\n\n", maxsplit=1)[0].splitlines()[2:]
    return [line.replace(" (", "(").replace("not ", "not_").split() for line in table]


def test_what_was_never_run_is_not_said_to_hold(home: Home, kept: Path) -> None:
    shown = home.oms("docs", "journeys")
    assert shown.exit_code == 0
    assert rows(shown.output, "home")[0] == ["web", "now", *["not_run"] * 4, "refused(9)?"]
    assert "No run is known here" in shown.output.splitlines()[-1]
    assert "passed" not in shown.output


def test_a_run_is_shown_cell_by_cell(home: Home, kept: Path) -> None:
    keep(kept, **{str(WELL): "passed", str(ASKED): "passed"})
    shown = home.oms("docs", "journeys")
    assert shown.exit_code == 0
    assert rows(shown.output, "home")[0][:4] == ["web", "now", "passed", "not_run"]
    assert rows(shown.output, "carry_out")[2][3] == "refused(3)"
    assert "2026-03-01 09:30 UTC: 2 passed, 0 failed." in shown.output.splitlines()[-1]


def test_what_failed_is_shown_and_ends_with_1(home: Home, kept: Path) -> None:
    keep(kept, **{str(WELL): "failed", str(ASKED): "failed"})
    shown = home.oms("docs", "journeys")
    assert shown.exit_code == 1
    assert rows(shown.output, "home")[0][2] == "FAILED"
    assert rows(shown.output, "carry_out")[2][3] == "FAILED"


def test_a_run_of_other_code_says_nothing_of_this_one(home: Home, kept: Path) -> None:
    keep(kept, digest="other", **{str(WELL): "failed"})
    shown = home.oms("docs", "journeys")
    assert shown.exit_code == 0
    assert rows(shown.output, "home")[0][2] == "not_run"
    assert "was of other code" in shown.output.splitlines()[-1]


def test_the_code_is_another_when_any_of_it_is(tmp_path: Path) -> None:
    for top in ("oms", "api", "tests/journeys"):
        (tmp_path / top).mkdir(parents=True)
    before = code_digest(tmp_path)
    (tmp_path / "oms" / "some.sql").write_text("select 1")
    assert code_digest(tmp_path) not in {before, code_digest()}


def test_the_document_has_every_cell() -> None:
    table = [line for line in document().splitlines() if line.startswith("| web | now |")]
    assert len(table) == len(matrix().words["methods"])
    counted = (
        document().count("played |") + document().count("refused (") + document().count("not yet (")
    )
    assert counted == len(list(matrix().cells()))
