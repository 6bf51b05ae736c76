"""The matrix of journeys: every origin by every method, payment and ending, over HTTP.

Each cell is played, or it is documented why not (oms/cli/journeys.yaml). How a run went is kept
beside the code it was of, for `oms docs journeys`.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final

import httpx
import pytest

from oms.cli.journeys import RESULTS, Cell, Results, code_digest, matrix
from oms.kernel import clock
from oms.ledger.database import Ledger
from tests.api.test_process import SECONDS_MAX, running
from tests.journeys import roads
from tests.journeys.journey import METHODS, Journey
from tests.journeys.retail import Retail, furnish

Clone = Callable[[str], AbstractContextManager[Ledger]]

MATRIX: Final = matrix()
CELLS: Final = tuple(MATRIX.cells())
PLAYED: Final = tuple(cell for cell in CELLS if MATRIX.rule_of(cell) is None)
ASKED: Final = tuple(cell for cell in CELLS if (r := MATRIX.rule_of(cell)) is not None and r.asked)
SKUS: Final = {cell: f"J{number:03}" for number, cell in enumerate(CELLS, start=1)}


class Run:
    """How cells went, each as soon as it is over."""

    def __init__(self) -> None:
        """Begin with none, and remember what the code was at the time."""
        self.digest = code_digest()
        self.cells: dict[str, Any] = {}

    @contextmanager
    def of(self, cell: Cell) -> Iterator[None]:
        """Write down how a cell goes."""
        began, result = time.monotonic(), "failed"
        try:
            yield
            result = "passed"
        finally:
            self.cells[str(cell)] = {
                "result": result, "at": clock.now().isoformat(),
                "seconds": round(time.monotonic() - began, 3),
            }  # fmt: skip

    def keep(self) -> None:
        """Add what was run to what is known of this code."""
        known = Results.read(RESULTS)
        before = known.cells if known is not None and known.digest == self.digest else {}
        Results(digest=self.digest, cells={**before, **self.cells}).write(RESULTS)


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    """Give what writes down how cells went."""
    made = Run()
    yield made
    if made.cells:
        made.keep()


@pytest.fixture(scope="module")
def retail(clone: Clone, blank: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Retail]:
    """Run the API for one retailer with an article a cell; in the end all invariants hold."""
    settings = {"OMS_REQUESTS_PER_MINUTE": '{"agent": 100000, "store": 100000, "carrier": 100000}'}
    with clone(blank) as ledger:
        cells = (*PLAYED, *ASKED)
        gathered = [SKUS[cell] for cell in cells if roads.is_gathered(cell)]
        keys = furnish(ledger, {SKUS[cell]: roads.kept_of(cell) for cell in cells}, gathered)
        with (
            running(ledger, tmp_path_factory.mktemp("api"), **settings) as (port, _),
            httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=SECONDS_MAX) as client,
        ):
            made = Retail(client, ledger, keys)
            made.route()  # the first look only begins
            yield made
        assert made.violations() == {}


class TestTable:
    def test_no_cell_is_missing(self) -> None:
        assert len(CELLS) == 5 * 8 * 2 * 5
        assert Counter(map(MATRIX.verdict, CELLS)) == {
            "played": 218, "refused": 182,
        }  # fmt: skip

    def test_every_played_cell_has_a_road_and_an_end(self) -> None:
        used = {(METHODS[cell.method].way, cell.ending) for cell in PLAYED}
        assert used == set(roads.ROADS) == set(roads.ENDS)

    def test_every_rule_is_about_some_cell_and_says_why(self) -> None:
        used = [MATRIX.rule_of(cell) for cell in CELLS]
        assert [rule for rule in MATRIX.rules if rule not in used] == []
        for rule in MATRIX.rules:
            assert rule.verdict in {"refused", "not yet"}
            assert rule.because.endswith(".")
            assert (rule.asked is None) == (rule.answers is None)
        assert {rule.asked for rule in MATRIX.rules} - {None} == set(roads.ASKED)

    def test_what_is_not_there_yet_is_asked_for(self) -> None:
        assert all(rule.asked for rule in MATRIX.rules if rule.verdict == "not yet")


class TestCells:
    @pytest.mark.parametrize("cell", PLAYED, ids=str)
    def test_ends_as_it_must(self, retail: Retail, run: Run, cell: Cell) -> None:
        with run.of(cell):
            roads.walk(Journey(retail, cell, SKUS[cell]))

    @pytest.mark.parametrize("cell", ASKED, ids=str)
    def test_is_answered_as_documented(self, retail: Retail, run: Run, cell: Cell) -> None:
        rule = MATRIX.rule_of(cell)
        assert rule is not None
        assert rule.asked is not None
        with run.of(cell):
            answer = roads.ASKED[rule.asked](Journey(retail, cell, SKUS[cell]))
            assert answer == rule.answers, (
                "it answers otherwise now: play the cell, or say so in oms/cli/journeys.yaml"
            )
