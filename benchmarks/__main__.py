"""`make bench`: run every measurement, or the ones named: `python -m benchmarks bulk fresh`.

`--keep FOLDER` keeps the million orders of `search` there, to ask them again without making them.
"""

import argparse
from functools import partial
from pathlib import Path

from benchmarks import bulk, fresh, push, search, settlements, sourcing


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--keep", type=Path, metavar="FOLDER")
    given = parser.parse_args()
    measurements = {
        "bulk": bulk.measure, "fresh": fresh.measure, "push": push.measure,
        "search": partial(search.measure, kept=given.keep), "settlements": settlements.measure,
        "sourcing": sourcing.measure,
    }  # fmt: skip
    unknown = set(given.names) - set(measurements)
    if unknown:
        parser.error(f"{', '.join(sorted(unknown))}: there is {', '.join(measurements)}")
    for name in given.names or measurements:
        measurements[name]()


main()
