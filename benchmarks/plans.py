"""Plans of statements held to the indexes: how many rows of the large tables each reads."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from oms.ledger.database import Tx

LARGE = {"orders", "order_search", "order_lines", "order_balances"}
# Whoever reads more of a million rows goes through them, by whichever index.
ROWS_MAX = 250_000
# The words' index is asked within a function, whose plan none of its callers shows.
BY_WORDS = """
    explain (analyze, format json)
    select order_id from order_search s
    where s.words @@ cast(%(lookup)s as tsquery)
      and coalesce(s.placed_at >= cast(%(hits_from)s as timestamptz), true)
      and coalesce(s.placed_at < cast(%(hits_to)s as timestamptz), true)
      and coalesce(ts_match_vq(s.words, cast(%(checked)s as tsquery)), true)
    limit cast(%(hits_max)s as bigint)
"""


@contextmanager
def checked(tx: Tx) -> Iterator[Callable[[], int]]:
    """Hold every statement's plan to the indexes; give what tells how many rows one read at most.

    No large table is read from end to end, neither in a sequence nor in an index's order.
    """
    asked: list[tuple[str, Any]] = []
    most = [0]

    def note(_conn: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if not statement.startswith(("explain", "set ")):  # what is planned only reads nothing
            asked.append((statement, parameters))

    event.listen(tx, "before_cursor_execute", note)
    try:
        yield lambda: most[0]
    finally:
        event.remove(tx, "before_cursor_execute", note)
    for statement, parameters in asked:
        plans = [_plan(tx, f"explain (analyze, format json) {statement}", parameters)]
        if "order_search_hits" in statement:
            for way in ("seqscan", "indexscan"):
                tx.exec_driver_sql(f"set local enable_{way} = off")
            plans.append(_plan(tx, BY_WORDS, parameters))
            for way in ("seqscan", "indexscan"):
                tx.exec_driver_sql(f"set local enable_{way} = on")
        for plan in plans:
            most[0] = max(most[0], *map(_read, _nodes(plan)))


def _plan(tx: Tx, statement: str, parameters: Any) -> dict[str, Any]:
    found = tx.exec_driver_sql(statement, parameters).scalar_one()
    return dict((json.loads(found) if isinstance(found, str) else found)[0]["Plan"])


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for each in plan.get("Plans", ()):
        yield from _nodes(each)


def _read(node: dict[str, Any]) -> int:
    """Return how many rows of a large table a node of a plan read."""
    if node.get("Relation Name") not in LARGE:
        return 0
    told = json.dumps({name: value for name, value in node.items() if name != "Plans"}, indent=1)
    assert "Seq Scan" not in node["Node Type"], f"read from end to end\n{told}"
    removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    rows = int((node["Actual Rows"] + removed) * node["Actual Loops"])
    assert rows <= ROWS_MAX, f"too much is read\n{told}"
    return rows
