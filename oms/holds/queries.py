"""Reads of holds: those of orders, and who is held from something."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from oms.holds import store
from oms.holds.model import Command, HeldOrder, Hold, HoldType
from oms.ledger.database import Tx
from oms.ledger.rows import by_name


def of_orders(tx: Tx, order_ids: Sequence[int]) -> Mapping[int, tuple[Hold, ...]]:
    """Return the holds of orders, released ones too; of an order without any, none."""
    found: dict[int, tuple[Hold, ...]] = defaultdict(tuple)
    for row in store.SQL.run(tx, "of_orders", order_ids=list(order_ids)) if order_ids else ():
        facts = by_name(row)
        found[facts.pop("order_id")] += (Hold(**facts | {"type": HoldType(row.type)}),)
    return found


def of_order(tx: Tx, order_id: int) -> tuple[Hold, ...]:
    """Return the holds of an order, released ones too."""
    return of_orders(tx, [order_id])[order_id]


def page(
    tx: Tx, *, is_active: bool, types: Sequence[str] | None, channel_codes: Sequence[str] | None,
    after: tuple[int, int], limit: int,
) -> tuple[list[HeldOrder], tuple[int, int] | None]:  # fmt: skip
    """Return holds with their orders, those of the oldest orders first, and where to go on."""
    rows = store.SQL.run(
        tx, "page", is_active=is_active, types=None if types is None else list(types),
        channels=None if channel_codes is None else list(channel_codes),
        after_order_id=after[0], after_hold_no=after[1], limit=limit + 1,
    )  # fmt: skip
    found = []
    for row in rows:
        facts = by_name(row)
        order = {name: facts.pop(name) for name in HeldOrder.__slots__ if name != "hold"}
        found.append(HeldOrder(**order, hold=Hold(**facts | {"type": HoldType(row.type)})))
    last = found[limit - 1] if len(found) > limit else None
    return found[:limit], None if last is None else (last.order_id, last.hold.hold_no)


def held_from(tx: Tx, order_ids: Sequence[int], command: Command) -> set[int]:
    """Return which of these orders are on a hold that blocks a command."""
    return {
        order_id
        for order_id, holds in of_orders(tx, order_ids).items()
        if any(hold.blocks(command) for hold in holds)
    }
