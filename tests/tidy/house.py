"""The repository as the tidy tests walk it: its own files, its functions, its comments."""

import ast
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
# What is made by running, and what belongs to the tools.
NOT_OURS: Final = frozenset({
    ".git", ".venv", ".oms", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache",
    ".hypothesis", ".import_linter_cache", "node_modules",
})  # fmt: skip
# Of these names only here: elsewhere a folder may well be called so and be ours.
NOT_OURS_HERE: Final = frozenset({
    "build", "dist", "logs", "dbt_project/logs", "dbt_project/target",
})  # fmt: skip
OUR_PACKAGES: Final = ("oms", "api", "pipelines", "dashboards")


@cache
def files(*suffixes: str) -> tuple[Path, ...]:
    """Return our files with one of these suffixes; without any, all of them."""
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(each for each in folders if is_ours(Path(folder) / each))
        found += [Path(folder) / name for name in sorted(names)]
    return tuple(path for path in found if not suffixes or path.suffix in suffixes)


def is_ours(folder: Path) -> bool:
    """Tell a folder of the repository from one that is made by running."""
    return (
        folder.name not in NOT_OURS
        and not folder.name.endswith(".egg-info")
        and name(folder) not in NOT_OURS_HERE
    )


def name(path: Path) -> str:
    """Return a file's path as the repository knows it."""
    return path.relative_to(ROOT).as_posix()


def sources(*tops: str) -> tuple[Path, ...]:
    """Return the Python files below top-level folders."""
    return tuple(path for path in files(".py") if name(path).split("/")[0] in tops)


@cache
def text(path: Path) -> str:
    """Return what is in a file."""
    return path.read_text(encoding="utf-8")


@cache
def tree(path: Path) -> ast.Module:
    """Return a Python file's syntax."""
    return ast.parse(text(path))


@dataclass(frozen=True)
class Function:
    """A function, and where it is."""

    path: Path
    node: ast.FunctionDef | ast.AsyncFunctionDef

    def __str__(self) -> str:
        """Say where it is."""
        return f"{name(self.path)}:{self.node.lineno} {self.node.name}"

    @property
    def lines(self) -> int:
        """How many lines it spans, its decorators left out."""
        return (self.node.end_lineno or self.node.lineno) - self.node.lineno + 1

    @property
    def body_lines(self) -> int:
        """How many lines it does something on: neither signature nor docstring."""
        first = self.node.body[1:] if ast.get_docstring(self.node) else self.node.body
        return (self.node.end_lineno or 0) - first[0].lineno + 1 if first else 0


def functions(paths: tuple[Path, ...]) -> Iterator[Function]:
    """Yield every function of some files."""
    for path in paths:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield Function(path, node)


@dataclass(frozen=True)
class Line:
    """A line of a file."""

    path: Path
    number: int
    text: str

    def __str__(self) -> str:
        """Say where it is and what it says."""
        return f"{name(self.path)}:{self.number} {self.text.strip()[:100]}"


def lines(paths: tuple[Path, ...]) -> Iterator[Line]:
    """Yield every line of some files."""
    for path in paths:
        for number, content in enumerate(text(path).splitlines(), start=1):
            yield Line(path, number, content)
