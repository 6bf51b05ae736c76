"""`make bench`: run every measurement, or the ones named: `python -m benchmarks bulk fresh`."""

import sys

from benchmarks import bulk, fresh, push, search

MEASUREMENTS = {
    "bulk": bulk.measure, "fresh": fresh.measure, "push": push.measure, "search": search.measure,
}  # fmt: skip


def main() -> None:
    names = sys.argv[1:] or list(MEASUREMENTS)
    unknown = set(names) - set(MEASUREMENTS)
    if unknown:
        sys.exit(f"{', '.join(sorted(unknown))}: there is {', '.join(MEASUREMENTS)}")
    for name in names:
        MEASUREMENTS[name]()


main()
