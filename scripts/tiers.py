"""Run the tests tier by tier, each in a process of its own, and say how long each took.

A process per tier keeps dbt, Dagster, Streamlit and the browser's driver out of each other's
way: each of them changes the process it lives in.
"""

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# The fast ones first.
TIERS = ("tidy", "unit", "ledger", "channels", "api", "cli", "warehouse", "pipelines", "dashboards",
         "journeys", "browser")  # fmt: skip


def main() -> None:
    """Run every tier, or the ones named; end with 1 when one of them failed."""
    names = sys.argv[1:] or TIERS
    missing = {folder.name for folder in (ROOT / "tests").iterdir() if folder.is_dir()} - {
        *TIERS, "__pycache__",
    }  # fmt: skip
    if missing:
        sys.exit(f"tests/{missing.pop()} is in no tier: add it to scripts/tiers.py")
    results: list[tuple[str, float, int]] = []
    for name in names:
        print(f"\n=== {name} ===", flush=True)
        begun = time.monotonic()
        command = [sys.executable, "-m", "pytest", "-q", str(ROOT / "tests" / name)]
        code = subprocess.run(command, check=False, cwd=ROOT).returncode
        results.append((name, time.monotonic() - begun, code))
    print("\ntier          seconds  result")
    for name, seconds, code in results:
        print(f"{name:<12}{seconds:>9.1f}  {'passed' if code == 0 else f'failed ({code})'}")
    total = sum(seconds for _, seconds, _ in results)
    failed = sum(code != 0 for *_, code in results)
    print(f"{'all':<12}{total:>9.1f}  {'passed' if not failed else 'failed'}")
    print(f"tiers: {len(results) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
