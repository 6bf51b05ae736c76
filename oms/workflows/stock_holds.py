"""Holds of stock that end: what becomes free is given to who waits for it, in the same moment."""

from datetime import datetime
from typing import Final

from oms.ledger.database import Tx
from oms.orders import operations as orders
from oms.stock import holds
from oms.stock import operations as stock
from oms.stock.model import StockHoldState

HOLDS_AT_ONCE_MAX: Final = 500


def release(tx: Tx, hold_ref: str, *, at: datetime) -> None:
    """Let go of a hold.

    Raises StockHoldNotFound, and StockHoldEnded for one that is an order by now.
    """
    _serve(tx, holds.release(tx, hold_ref), at=at)


def expire(tx: Tx, *, at: datetime) -> bool:
    """End some of the holds whose time is over; tell whether there were any."""
    freed = holds.expire(tx, limit=HOLDS_AT_ONCE_MAX, at=at)
    _serve(tx, freed or frozenset(), at=at)
    return freed is not None


def close(tx: Tx, hold_ref: str, order_id: int, *, at: datetime) -> None:
    """Note what a hold became, unless that is done: what it still keeps is free."""
    if holds.hold(tx, hold_ref, at=at).state is StockHoldState.ACTIVE:
        ended = holds.end(tx, [hold_ref], StockHoldState.CONVERTED, order_id=order_id)
        _serve(tx, ended, at=at)


def _serve(tx: Tx, freed: holds.Places, *, at: datetime) -> None:
    orders.record_backorders(tx, stock.fill_backorders(tx, freed, at=at), at=at)
