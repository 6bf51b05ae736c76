"""Run the tests tier by tier, each in a process of its own, and say how long each took.

A process per tier keeps dbt, Dagster, Streamlit and the browser's driver out of each other's
way: each of them changes the process it lives in. Where there are two processors two tiers run
at a time: most of their time they wait for a database, a browser or a process they started.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
# What fails fast comes first, then the longest, so that no lane ends long before the other.
TIERS: Final = (
    "tidy", "unit", "browser", "ledger", "api", "pipelines", "dashboards", "journeys", "channels",
    "warehouse", "cli",
)  # fmt: skip
LANES_MAX: Final = 2
TOLD_EVERY_SECONDS: Final = 60


@dataclass(frozen=True)
class Result:
    """How a tier ended, and what it printed."""

    name: str
    seconds: float
    code: int
    output: str


def main() -> None:
    """Run every tier, or the ones named; end with 1 when one of them failed."""
    parser = argparse.ArgumentParser(description="Run the tests, tier by tier.")
    parser.add_argument("tiers", nargs="*", help="only these; all of them unless said")
    parser.add_argument("--lanes", type=int, help="how many tiers at a time", default=_lanes())
    given = parser.parse_args()
    unknown = set(given.tiers) - set(TIERS)
    folders = {folder.name for folder in (ROOT / "tests").iterdir() if folder.is_dir()}
    missing = folders - {*TIERS, "__pycache__"}
    if unknown:
        sys.exit(f"there is no tier {unknown.pop()}")
    if missing:
        sys.exit(f"tests/{missing.pop()} is in no tier: add it to scripts/tiers.py")
    begun = time.monotonic()
    with ThreadPoolExecutor(max(1, given.lanes)) as lanes:
        running = [lanes.submit(_run, name) for name in given.tiers or TIERS]
        results = [_told(each) for each in running]
    _report(results, time.monotonic() - begun)
    sys.exit(1 if any(each.code for each in results) else 0)


def _lanes() -> int:
    return min(LANES_MAX, os.cpu_count() or 1)


def _run(name: str) -> Result:
    """Run one tier; what it prints is kept, so that two of them do not print into each other."""
    print(f"{name}: begun", flush=True)
    begun = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-q", str(ROOT / "tests" / name)]
    with tempfile.TemporaryDirectory(prefix="oms-tiers-") as folder:
        path = Path(folder) / "output"
        with path.open("wb") as kept:
            process = subprocess.Popen(command, cwd=ROOT, stdout=kept, stderr=subprocess.STDOUT)
        while not _has_ended(process):
            print(f"{name}: {_progress(path)}", flush=True)
        output = path.read_text(encoding="utf-8", errors="replace")
    return Result(name, time.monotonic() - begun, process.returncode, output)


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Wait for a tier, but no longer than people like to wait for a sign of it."""
    try:
        process.wait(TOLD_EVERY_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True


def _progress(path: Path) -> str:
    """Return how far a tier is, as pytest says at the end of its lines."""
    found = re.findall(r"\[ *(\d+%)\]$", path.read_text(errors="replace"), re.MULTILINE)
    return found[-1] if found else "0%"


def _told(running: Future[Result]) -> Result:
    result = running.result()
    print(f"\n=== {result.name} ===\n{result.output}", flush=True)
    return result


def _report(results: list[Result], seconds: float) -> None:
    print("\ntier          seconds  result")
    for each in results:
        end = "passed" if each.code == 0 else f"failed ({each.code})"
        print(f"{each.name:<12}{each.seconds:>9.1f}  {end}")
    failed = sum(each.code != 0 for each in results)
    print(f"{'all':<12}{seconds:>9.1f}  {'passed' if not failed else 'failed'}")
    print(f"tiers: {len(results) - failed} passed, {failed} failed")


if __name__ == "__main__":
    main()
