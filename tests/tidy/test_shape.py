"""Shape: features are folders of the same files, imports go down, statements say what they do."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tidy import house
from tests.tidy.house import ROOT, files, name, text

FEATURES = (
    "access", "attention", "billing", "cases", "catalog", "change_orders", "channels", "credits",
    "customers", "events", "exchanges", "feeds", "fulfillment", "holds", "locations", "mails",
    "notes", "orders", "payments", "points", "promise", "refunds", "reservations", "returns",
    "settlements", "shipments", "sourcing", "stock", "tags", "transfers", "views", "webhooks",
)  # fmt: skip
ROLES = {
    "__init__", "model", "tables", "store", "messages", "operations", "queries", "port", "search",
    "rules", "hubs", "availability", "holds", "hours", "filters", "estimates", "words", "cursors",
    "finding", "sending", "facets", "analysis", "indexing", "history", "batches", "crediting",
    "leases",
    "notices",
}  # fmt: skip
STATEMENT = re.compile(r"^-- name: (\S+)\n(.*)$", re.MULTILINE)


class TestFeatures:
    @pytest.mark.parametrize("feature", FEATURES)
    def test_a_feature_has_the_same_files_as_all(self, feature: str) -> None:
        inside = [path for path in files() if name(path).startswith(f"oms/{feature}/")]
        assert {path.stem for path in inside if path.suffix != ".sql"} <= ROLES
        assert {path.suffix for path in inside} <= {".py", ".sql"}
        assert any(path.stem == "model" for path in inside)

    def test_every_package_is_known(self) -> None:
        other = {
            "adapters",
            "cli",
            "kernel",
            "ledger",
            "reports",
            "sandbox",
            "simulator",
            "workflows",
        }
        found = {name(path).split("/")[1] for path in files(".py") if name(path).count("/") > 1
                 and name(path).startswith("oms/")}  # fmt: skip
        assert found <= other | set(FEATURES)


class TestHouse:
    @pytest.mark.parametrize(
        ("folder", "is_ours"),
        [
            ("build", False), ("logs", False), ("dbt_project/target", False), (".venv", False),
            ("oms/build", True), ("oms/logs", True), ("dashboards/dist", True),
            ("api/target", True), ("api/__pycache__", False), ("orp_oms.egg-info", False),
        ],
    )  # fmt: skip
    def test_folders_made_by_running_are_known_by_their_place(
        self, folder: str, *, is_ours: bool
    ) -> None:
        assert house.is_ours(ROOT / folder) == is_ours


class TestImports:
    def test_every_contract_is_kept(self) -> None:
        if "importlinter" not in text(ROOT / "pyproject.toml"):
            pytest.fail("pyproject.toml has no import contracts")
        checked = subprocess.run(
            [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
            cwd=ROOT, check=False, capture_output=True, text=True, timeout=120,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert checked.returncode == 0, checked.stdout[-3000:] + checked.stderr[-1000:]


def statements() -> list[tuple[str, str, str]]:
    """Return every named statement: its file, its name, the line under it."""
    return [
        (name(path), found, below)
        for path in files(".sql")
        if name(path).startswith("oms/")
        for found, below in STATEMENT.findall(text(path))
    ]


class TestStatements:
    def test_each_says_what_it_does(self) -> None:
        assert [each[:2] for each in statements() if not re.match(r"-- [A-Z].*", each[2])] == []

    def test_each_has_a_name_of_its_own_and_is_run(self) -> None:
        for path in {file for file, *_ in statements()}:
            names = [found for file, found, _ in statements() if file == path]
            assert len(names) == len(set(names)), path
            callers = "".join(text(each) for each in (ROOT / path).parent.glob("*.py"))
            assert [found for found in names if f'"{found}"' not in callers] == [], path

    def test_each_file_opens_with_what_it_is(self) -> None:
        paths = [path for path in files(".sql") if name(path).startswith("oms/")]
        assert [
            name(path) for path in paths if not re.match(r"(--|\{#-?|/\*) *\S", text(path))
        ] == []
