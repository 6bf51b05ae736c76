"""The matrix of journeys: what is played, what is refused and why, and how the last run went."""

import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

import typer
import yaml

ROOT: Final = Path(__file__).resolve().parents[2]
TABLE: Final = Path(__file__).with_suffix(".yaml")
RESULTS: Final = ROOT / "build" / "journeys.json"
# What the result of a run depends on.
_CODE: Final = ("oms", "api", "tests/journeys")
_SUFFIXES: Final = frozenset({".py", ".sql", ".yaml"})

DIMENSIONS: Final = ("origins", "methods", "payments", "endings")
PLAYED: Final = "played"
PASSED: Final = "passed"

docs_app = typer.Typer(help="What is documented, and what holds of it.", no_args_is_help=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Why cells are not played, and what the API answers who asks for one nevertheless."""

    verdict: str  # refused, not yet
    because: str
    asked: str | None = None
    answers: str | None = None
    of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by dimension; else all

    def fits(self, cell: "Cell") -> bool:
        """Tell whether it is about a cell."""
        return all(
            value in self.of[dimension]
            for dimension, value in zip(DIMENSIONS, cell.key, strict=True)
            if dimension in self.of
        )


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """One journey of the matrix."""

    origin: str
    method: str
    payment: str
    ending: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What it is, by dimension."""
        return self.origin, self.method, self.payment, self.ending

    def __str__(self) -> str:
        """Name it in one word."""
        return "-".join(self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """All journeys, and the rules that take some of them out."""

    words: Mapping[str, Mapping[str, str]]  # of each dimension its values, and what they mean
    rules: tuple[Rule, ...]

    def cells(self) -> Iterator[Cell]:
        """Go through every cell there is."""
        for key in itertools.product(*(self.words[each] for each in DIMENSIONS)):
            yield Cell(*key)

    def rule_of(self, cell: Cell) -> Rule | None:
        """Return why a cell is not played; None where it is."""
        return next((rule for rule in self.rules if rule.fits(cell)), None)

    def verdict(self, cell: Cell) -> str:
        """Return whether a cell is played, refused, or not there yet."""
        rule = self.rule_of(cell)
        return PLAYED if rule is None else rule.verdict


@cache
def matrix() -> Matrix:
    """Read the matrix."""
    raw = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    rules = tuple(
        Rule(
            verdict=each["is"], because=each["because"], asked=each.get("asked"),
            answers=each.get("answers"),
            of={name: tuple(each[name]) for name in DIMENSIONS if name in each},
        )
        for each in raw["rules"]
    )  # fmt: skip
    return Matrix(words={name: raw[name] for name in DIMENSIONS}, rules=rules)


def code_digest(root: Path = ROOT) -> str:
    """Return what stands for the code that a run is of."""
    digest = hashlib.sha256()
    for top in _CODE:
        for path in sorted((root / top).rglob("*")):
            if path.suffix in _SUFFIXES:
                digest.update(path.relative_to(root).as_posix().encode() + b"\0")
                digest.update(path.read_bytes())
    return digest.hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """How the cells of a run went, and of which code it was."""

    digest: str
    cells: Mapping[str, Mapping[str, Any]]  # by cell: result, seconds, at

    @classmethod
    def read(cls, path: Path) -> "Results | None":
        """Read the last run; None where there was none."""
        if not path.exists():
            return None
        return cls(**json.loads(path.read_text(encoding="utf-8")))

    def write(self, path: Path) -> None:
        """Keep a run; who reads meanwhile has the one before."""
        path.parent.mkdir(exist_ok=True)
        part = path.with_suffix(".part")
        part.write_text(json.dumps({"digest": self.digest, "cells": self.cells}, indent=1))
        part.replace(path)

    def of(self, cell: Cell) -> str | None:
        """Return how a cell went; None where it was not run."""
        found = self.cells.get(str(cell))
        return None if found is None else str(found["result"])

    @property
    def ended_at(self) -> datetime:
        """When the last of its cells was over."""
        return max(datetime.fromisoformat(each["at"]) for each in self.cells.values())


def document() -> str:
    """Return docs/journeys.md: the matrix, and why what is not played is not."""
    made = matrix()
    lines = [
        "# Journeys", "",
        "Every origin by every method, payment and ending. Each cell is played from end to end over"
        " HTTP by `tests/journeys/test_matrix.py`, or there is a reason why not; where the API can"
        " be asked for it nevertheless, its answer is tested. `make journeys` plays them, and"
        " `oms docs journeys` prints this matrix with the result of the last run.", "",
    ]  # fmt: skip
    for dimension in DIMENSIONS:
        lines += [f"| {dimension[:-1]} | |", "|---|---|"]
        lines += [f"| `{name}` | {meaning} |" for name, meaning in made.words[dimension].items()]
        lines.append("")
    for method in made.words["methods"]:
        endings = list(made.words["endings"])
        lines += [f"## {method}", "", f"| origin | payment | {' | '.join(endings)} |",
                  f"|---|---|{'---|' * len(endings)}"]  # fmt: skip
        for origin, payment in _rows(made):
            shown = [_stated(made, Cell(origin, method, payment, each)) for each in endings]
            lines.append(f"| {origin} | {payment} | {' | '.join(shown)} |")
        lines.append("")
    lines += ["## Why not", ""]
    lines += [f"{number}. {reason}" for number, reason in enumerate(_reasons(made), start=1)]
    return "\n".join(lines) + "\n"


def _rows(made: Matrix) -> Iterator[tuple[str, str]]:
    yield from itertools.product(made.words["origins"], made.words["payments"])


def _stated(made: Matrix, cell: Cell) -> str:
    rule = made.rule_of(cell)
    return PLAYED if rule is None else f"{rule.verdict} ({made.rules.index(rule) + 1})"


def _reasons(made: Matrix) -> Iterator[str]:
    for rule in made.rules:
        asked = "" if rule.answers is None else f" Asked nevertheless: `{rule.answers}`."
        yield f"{rule.because}{asked}"


def printed(made: Matrix, results: Results | None, *, digest: str) -> Iterator[str]:
    """Print the matrix with how each cell went in a run of this very code; lines."""
    is_current = results is not None and results.digest == digest
    run = results if is_current else None
    width = max(map(len, made.words["endings"])) + 2
    for method, meaning in made.words["methods"].items():
        yield f"{method}: {meaning}"
        yield "".join(each.ljust(width) for each in ("", "", *made.words["endings"])).rstrip()
        for origin, payment in _rows(made):
            cells = [Cell(origin, method, payment, each) for each in made.words["endings"]]
            shown = [_shown(made, cell, run).ljust(width) for cell in cells]
            yield (origin.ljust(width) + payment.ljust(width) + "".join(shown)).rstrip()
        yield ""
    yield from (f"{number:>3}  {why}" for number, why in enumerate(_reasons(made), start=1))
    yield "  ?  could be asked for, and was not in this run"
    yield ""
    yield _summary(made, results, is_current=is_current)


def _shown(made: Matrix, cell: Cell, run: Results | None) -> str:
    """Say in a word or two how a cell went; what was asked in vain and what only stands written."""
    rule, result = made.rule_of(cell), None if run is None else run.of(cell)
    word = PASSED if rule is None else f"{rule.verdict} ({made.rules.index(rule) + 1})"
    if rule is not None and rule.asked is None:
        return word
    if result is None:
        return "not run" if rule is None else f"{word}?"
    return word if result == PASSED else "FAILED"


def _summary(made: Matrix, results: Results | None, *, is_current: bool) -> str:
    cells = list(made.cells())
    counts = {
        verdict: sum(made.verdict(cell) == verdict for cell in cells)
        for verdict in (PLAYED, "refused", "not yet")
    }
    told = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    begin = f"{len(cells)} journeys: {told}."
    if results is None:
        return f"{begin} No run is known here: `make journeys` plays them."
    at = f"{results.ended_at:%Y-%m-%d %H:%M} UTC"
    if not is_current:
        return f"{begin} The last run, {at}, was of other code: `make journeys` plays this one."
    done = [each["result"] for each in results.cells.values()]
    failed = len(done) - done.count(PASSED)
    return f"{begin} The last run of this code, {at}: {done.count(PASSED)} passed, {failed} failed."


@docs_app.command("journeys")
def journeys() -> None:
    """Print the matrix of journeys with the result of the last run of this code.

    Ends with 1 where a journey failed.
    """
    results, digest = Results.read(RESULTS), code_digest()
    for line in printed(matrix(), results, digest=digest):
        typer.echo(line)
    if results is not None and results.digest == digest:
        has_failed = any(each["result"] != PASSED for each in results.cells.values())
        raise typer.Exit(code=int(has_failed))


def add_to(app: typer.Typer) -> None:
    """Add the group of commands to the command line."""
    app.add_typer(docs_app, name="docs")
