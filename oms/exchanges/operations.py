"""Writes on exchanges. Whoever links two orders has made the second, and holds the first."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from oms.exchanges.store import SQL
from oms.ledger.database import Tx


def link(
    tx: Tx, return_id: int, order_id: int, lines: Mapping[int, tuple[int, str | None]], *,
    at: datetime,
) -> None:  # fmt: skip
    """Link a return to the order of what is wanted: by its lines, the new line and a reason."""
    told = [
        {"line_no": no, "wanted_line_no": wanted_no, "price_reason": reason}
        for no, (wanted_no, reason) in lines.items()
    ]
    SQL.run(tx, "link", return_id=return_id, order_id=order_id, lines=json.dumps(told), at=at)


def erase(tx: Tx, order_ids: Sequence[int]) -> None:
    """Remove what was remarked on exchanges of orders."""
    SQL.run(tx, "erase", order_ids=list(order_ids))
