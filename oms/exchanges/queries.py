"""Reads of exchanges: of a return, of an order from either side, and what is to be done."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from oms.exchanges.model import Exchange
from oms.exchanges.store import SQL
from oms.ledger.database import Tx
from oms.ledger.rows import by_name

_EXCHANGES: Final = """
    select x.return_id, r.return_number, r.order_id as original_id,
        a.order_number as original_number, x.order_id, b.order_number, b.order_type,
        b.order_state, b.currency, coalesce((
            select sum(d.goods_net_minor + d.goods_tax_minor)
            from return_decisions d
            join return_lines l using (return_id, line_no)
            where d.return_id = x.return_id and d.verdict = 'accepted'
              and l.resolution in ('exchange', 'replace')), 0)::bigint as value_minor,
        coalesce((
            select sum(u.amount_minor) from refunds u
            where u.order_id = r.order_id and u.cause like 'exchange:' || r.return_number || ':%'
              and u.state not in ('rejected', 'canceled')), 0)::bigint as credited_minor
    from exchanges x
    join returns r using (return_id)
    join orders a on a.order_id = r.order_id
    join orders b on b.order_id = x.order_id
"""


def of_return(tx: Tx, return_id: int) -> Exchange | None:
    """Return the exchange of a return, if it has one."""
    return next(iter(_read(tx, "x.return_id = :return_id", return_id=return_id)), None)


def of_original(tx: Tx, order_id: int) -> list[Exchange]:
    """Return what of an order was exchanged, in the order it was asked for."""
    return _read(tx, "r.order_id = :order_id", order_id=order_id)


def of_order(tx: Tx, order_id: int) -> Exchange | None:
    """Return the exchange an order was made for, if it was."""
    return next(iter(_read(tx, "x.order_id = :order_id", order_id=order_id)), None)


def is_exchange(tx: Tx, order_id: int) -> bool:
    """Tell whether an order was made of a return."""
    return bool(SQL.run(tx, "is_exchange", order_id=order_id).scalar())


def linked(tx: Tx, order_ids: Sequence[int]) -> list[int]:
    """Return the orders these were exchanged for or are exchanges of."""
    return list(SQL.run(tx, "linked", order_ids=list(order_ids)).scalars()) if order_ids else []


def paid(tx: Tx, *, follower: str, at: datetime, order_id: int | None = None) -> int | None:
    """Return an order of an exchange that waits to be paid, and is by now; None: there is none.

    Of all but those a follower has set aside, or only whether a given one is.
    """
    names = {"follower": follower, "order_id": order_id}
    found: int | None = SQL.run(tx, "paid", at=at, **names).scalar()
    return found


def given_from(
    tx: Tx, order_id: int, account_id: int, account_number: str
) -> list[tuple[str, int]]:
    """Return which payments of an order gave how much to an account, the last one first."""
    rows = SQL.run(
        tx, "given_from", order_id=order_id, account_id=account_id, account_number=account_number
    )
    return [(row.payment_number, row.amount_minor) for row in rows]


def _read(tx: Tx, condition: str, **values: Any) -> list[Exchange]:
    query = text(f"{_EXCHANGES} where {condition} order by x.return_id")
    return [Exchange(**by_name(row)) for row in tx.execute(query, values)]
