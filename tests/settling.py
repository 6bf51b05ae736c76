"""Settlement reports of the sandbox, as it writes them and with what is wrong put in."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from oms.kernel.money import minor_from_text, text_from_minor
from oms.sandbox.settlement import COLUMNS

Row = dict[str, str]


def rows_of(text: str) -> list[Row]:
    return list(csv.DictReader(io.StringIO(text)))


def written(rows: Iterable[Row]) -> bytes:
    file = io.StringIO()
    writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().encode()


def minor(row: Row, name: str) -> int:
    return minor_from_text(row[name], row["currency"])


def altered(row: Row, **changes: Any) -> Row:
    """Change a row; what is left of it after its fee follows."""
    row = row | changes
    if "net" not in changes:
        net = minor(row, "gross") - minor(row, "fee")
        row["net"] = text_from_minor(net, row["currency"])
    return row


def a_row(**cells: str) -> Row:
    row = dict.fromkeys(COLUMNS, "") | {
        "entry_id": "e", "payout_id": "po", "type": "capture", "currency": "EUR", "gross": "1.00",
        "fee": "0.00", "occurred_at": "2026-01-05T12:00:00Z",
    }  # fmt: skip
    return altered(row | cells, **({"net": cells["net"]} if "net" in cells else {}))


def balanced(rows: Iterable[Row]) -> list[Row]:
    """Put to the rows of payouts a payout each that is their sum."""
    rows = [row for row in rows if row["type"] != "payout"]
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for row in rows:
        sums[row["payout_id"], row["currency"]] += minor(row, "net")
    return rows + [
        a_row(entry_id=f"ent_{payout}_{currency}", payout_id=payout, type="payout",
              currency=currency, gross=text_from_minor(-net, currency), fee="0")
        for (payout, currency), net in sums.items()
    ]  # fmt: skip
