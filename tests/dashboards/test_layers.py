"""Views hold neither SQL nor Plotly, charts no Streamlit, and a new page is a file in views/."""

import ast
from pathlib import Path

import pytest

from tests.dashboards.conftest import VIEWS

DASHBOARDS = Path(__file__).parents[2] / "dashboards"
VIEW_LINES_MAX = 80


def imported(path: Path) -> set[str]:
    """Name the packages a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("view", VIEWS)
class TestViews:
    def test_are_short_and_free_of_sql_and_plotly(self, view: str) -> None:
        path = DASHBOARDS / "views" / f"{view}.py"
        assert len(path.read_text().splitlines()) < VIEW_LINES_MAX
        assert imported(path) <= {"streamlit", "dashboards", "oms"}
        assert "select " not in path.read_text().lower().replace("choice.select", "")

    def test_stand_in_the_frame_of_all_pages(self, view: str) -> None:
        source = (DASHBOARDS / "views" / f"{view}.py").read_text()
        assert "@page.page(" in source


class TestLayers:
    @pytest.mark.parametrize("path", sorted((DASHBOARDS / "charts").glob("*.py")))
    def test_charts_know_neither_streamlit_nor_duckdb(self, path: Path) -> None:
        assert not imported(path) & {"streamlit", "duckdb"}

    def test_all_sql_is_with_the_reports(self) -> None:
        for path in DASHBOARDS.rglob("*.py"):
            assert "duckdb" not in imported(path)
            assert " from fct_" not in path.read_text()
