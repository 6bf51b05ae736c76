"""Hold every invoice and credit note of a running home to EN 16931's own rules.

In CII by its schema and Schematron, in UBL by its Schematron; exits with 1 where one breaks any.
"""

import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from oms.billing import queries  # noqa: E402 - found through the line above
from oms.billing.model import DocumentType  # noqa: E402 - likewise
from oms.cli.common import running_system  # noqa: E402 - likewise
from tests.en16931 import checking  # noqa: E402 - likewise

PAGE = 500
TYPES = (DocumentType.INVOICE, DocumentType.CREDIT_NOTE)


def main() -> int:
    """Check all, and say how many of which there are."""
    found, faults, after = Counter[str](), 0, None
    with running_system() as system, checking() as faults_of:
        while True:
            with system.ledger.snapshot() as tx:
                documents, after = queries.page(
                    tx, types=TYPES, since_on=None, until_on=None, channel_codes=None, after=after,
                    limit=PAGE,
                )  # fmt: skip
            for paper in (each.paper for each in documents):
                if not paper.is_structured:
                    found["without XML"] += 1
                    continue
                found[paper.type] += 1
                found.update({f"with {line.category}" for line in paper.lines})
                broken = faults_of(paper)
                faults += bool(broken)
                for each in broken:
                    print(f"{paper.number}: {' '.join(each.split())}")
            print(
                f"{sum(found[each] for each in TYPES):,} documents, {faults} not valid", flush=True
            )
            if after is None:
                break
    print(", ".join(f"{count:,} {name}" for name, count in sorted(found.items())))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
