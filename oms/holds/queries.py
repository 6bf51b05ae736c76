"""Reads of holds: those of orders, and who is held from something."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from oms.holds import store
from oms.holds.model import Command, Hold, HoldType
from oms.ledger.database import Tx


def of_orders(tx: Tx, order_ids: Sequence[int]) -> Mapping[int, tuple[Hold, ...]]:
    """Return the holds of orders, released ones too; of an order without any, none."""
    found: dict[int, tuple[Hold, ...]] = defaultdict(tuple)
    for row in store.SQL.run(tx, "of_orders", order_ids=list(order_ids)) if order_ids else ():
        facts = dict(row._mapping)  # noqa: SLF001 - its public name
        found[facts.pop("order_id")] += (Hold(**facts | {"type": HoldType(row.type)}),)
    return found


def of_order(tx: Tx, order_id: int) -> tuple[Hold, ...]:
    """Return the holds of an order, released ones too."""
    return of_orders(tx, [order_id])[order_id]


def held_from(tx: Tx, order_ids: Sequence[int], command: Command) -> set[int]:
    """Return which of these orders are on a hold that blocks a command."""
    return {
        order_id
        for order_id, holds in of_orders(tx, order_ids).items()
        if any(hold.blocks(command) for hold in holds)
    }
