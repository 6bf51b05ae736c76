"""Reads of events: what happened after a place in the journal, with the orders as they are."""

from collections.abc import Sequence
from typing import Any, Final

from oms.events.model import OrderEvent, OrderNow, Position
from oms.events.store import SQL
from oms.ledger import journal
from oms.ledger.database import Tx
from oms.ledger.rows import by_name

# How much of the journal one reading looks at where few events are of its channels.
WINDOW_EVENTS_MAX: Final = 5_000


def page(
    tx: Tx, after: Position, *, limit: int, channel_codes: Sequence[str] | None,
    has_history: bool = True,
) -> tuple[list[OrderEvent], Position, bool]:  # fmt: skip
    """Return the events after a place, the place to go on from, and whether more wait.

    A page may be empty though more wait, and a few events longer than the limit: what happened
    to one order at the same time stays together.
    """
    upto = journal.horizon(tx)
    begin = {"xid": str(after.xid), "order_id": after.order_id, "seq": after.seq}
    window = SQL.run(
        tx, "window", **begin, upto=str(upto), window_max=WINDOW_EVENTS_MAX
    ).one_or_none()
    if window is None:
        return [], max(after, Position(upto)), False
    rows = SQL.run(
        tx, "page", **begin, last_xid=str(window.xid), last_order_id=window.order_id,
        last_seq=window.seq, limit=limit, has_history=has_history,
        channels=None if channel_codes is None else list(channel_codes),
    ).all()  # fmt: skip
    leaders = {(row.leader_xid, row.order_id, row.leader_seq) for row in rows}
    events = _events(tx, rows)
    if len(leaders) == limit:
        return events, Position(*max(leaders)), True
    if window.events_count == WINDOW_EVENTS_MAX:
        return events, Position(window.xid, window.order_id, window.seq), True
    return events, Position(upto), False


def newest(tx: Tx) -> Position:
    """Return the place from which on only what happens from now on is read."""
    return Position(journal.horizon(tx))


def _events(tx: Tx, rows: Sequence[Any]) -> list[OrderEvent]:
    orders = _orders(tx, sorted({row.order_id for row in rows}))
    return [
        OrderEvent(
            order_id=row.order_id, order_number=row.order_number, channel_code=row.channel_code,
            seq=row.seq, type=row.type, occurred_at=row.occurred_at, recorded_at=row.recorded_at,
            data=row.data, order=orders[row.order_id],
            place=Position(row.leader_xid, row.order_id, row.leader_seq),
        )
        for row in rows
    ]  # fmt: skip


def _orders(tx: Tx, order_ids: Sequence[int]) -> dict[int, OrderNow]:
    lines: dict[int, list[dict[str, Any]]] = {order_id: [] for order_id in order_ids}
    for row in SQL.run(tx, "lines", orders=order_ids):
        values = by_name(row)
        lines[values.pop("order_id")].append(values)
    found = {}
    for row in SQL.run(tx, "orders", orders=order_ids):
        header = by_name(row)
        order_id = header.pop("order_id")
        found[order_id] = OrderNow(header=header, lines=tuple(lines[order_id]))
    return found
