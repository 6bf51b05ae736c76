"""Sizes: a file and a function are as long as a reader's breath (docs/architecture.md)."""

import pytest

from tests.tidy.house import Function, files, functions, name, sources, text

FILE_LINES_MAX = 400
TEST_LINES_MAX = 600
FUNCTION_LINES_MAX = 50
SQL_MODEL_LINES_MAX = 120
VIEW_LINES_MAX = 80
ROUTE_LINES_MAX = 15
ASSET_LINES_MAX = 20

# Longer on purpose, each with its reason.
LONGER = {
    "oms/orders/capture.sql": "one script, read from its first statement to its last (ADR 0004)",
    "oms/stock/settle.sql": "likewise",
    "oms/ledger/migrations/versions/0001_first.sql": "a migration that was applied stays as it is",
}


def is_route(function: Function) -> bool:
    """Tell whether a function answers requests."""
    decorators = map(str, (getattr(each, "func", each) for each in function.node.decorator_list))
    return bool(list(decorators)) and name(function.path).startswith("api/routers/")


class TestFiles:
    @pytest.mark.parametrize(
        ("tops", "most"),
        [(("oms", "api", "pipelines", "dashboards", "scripts", "benchmarks"), FILE_LINES_MAX),
         (("tests",), TEST_LINES_MAX)],
    )  # fmt: skip
    def test_python_files_are_short(self, tops: tuple[str, ...], most: int) -> None:
        long = {name(path): len(text(path).splitlines()) for path in sources(*tops)}
        assert {path: count for path, count in long.items() if count > most} == {}

    def test_sql_files_are_short(self) -> None:
        long = {
            name(path): len(text(path).splitlines())
            for path in files(".sql")
            if not name(path).startswith("dbt_project/")
        }
        assert {path for path, count in long.items() if count > FILE_LINES_MAX} <= set(LONGER)
        assert set(LONGER) <= set(long), "what is gone needs no exception"

    def test_models_of_the_warehouse_are_short(self) -> None:
        long = {
            name(path): len(text(path).splitlines())
            for path in files(".sql")
            if name(path).startswith("dbt_project/models/")
        }
        assert {path: n for path, n in long.items() if n > SQL_MODEL_LINES_MAX} == {}

    def test_pages_are_short(self) -> None:
        long = {
            name(path): len(text(path).splitlines())
            for path in sources("dashboards")
            if "/views/" in name(path)
        }
        assert {path: n for path, n in long.items() if n > VIEW_LINES_MAX} == {}


class TestFunctions:
    def test_they_are_short(self) -> None:
        ours = sources("oms", "api", "pipelines", "dashboards", "scripts", "tests", "benchmarks")
        found = [f"{each}: {each.lines}" for each in functions(ours)
                 if each.lines > FUNCTION_LINES_MAX]  # fmt: skip
        assert found == []

    def test_routes_parse_call_and_wrap(self) -> None:
        found = [f"{each}: {each.body_lines}" for each in functions(sources("api"))
                 if is_route(each) and each.body_lines > ROUTE_LINES_MAX]  # fmt: skip
        assert found == []

    def test_assets_are_calls(self) -> None:
        found = [f"{each}: {each.body_lines}" for each in functions(sources("pipelines"))
                 if "/defs/" in name(each.path) and each.body_lines > ASSET_LINES_MAX]  # fmt: skip
        assert found == []
