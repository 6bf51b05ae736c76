"""Reads of fulfillment orders: one, those of an order, the work of a location."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import text

from oms.fulfillment.model import (
    FulfillmentLine,
    FulfillmentOrder,
    FulfillmentOrderNotFound,
    FulfillmentOrderState,
)
from oms.holds import queries as holds
from oms.ledger.database import Tx
from oms.ledger.rows import by_name

_HEADER: Final = """
    select
        f.fulfillment_id, f.fulfillment_number, f.order_id, o.order_number, c.channel_code,
        f.group_no, f.method, x.location_code, f.state, f.created_at, f.changed_at,
        f.accept_by, f.collect_code, f.collect_by, f.carrier, f.tracking_number, f.reason,
        f.version, array(
            select s.fulfillment_number from fulfillment_orders s
            where f.state = 'assigned' and s.state = 'assigned' and s.order_id = f.order_id
              and s.group_no = f.group_no and s.location_id = f.location_id
              and s.fulfillment_id <> f.fulfillment_id
            order by s.fulfillment_id) as merges_with
    from fulfillment_orders f
    join orders o using (order_id)
    join channels c using (channel_id)
    join locations x on x.location_id = f.location_id
"""
NARROWED: Final = {"methods": "method", "order_ids": "order_id", "codes": "collect_code"}
_LINES: Final = text("""
    select l.fulfillment_id, l.line_no, k.sku, k.title, l.quantity, l.picked, l.done, l.removed
    from fulfillment_lines l
    join order_lines k using (order_id, line_no)
    where l.fulfillment_id = any (cast(:ids as bigint[]))
    order by l.fulfillment_id, l.line_no
""")


def fulfillment_order(tx: Tx, number: str) -> FulfillmentOrder:
    """Return a fulfillment order by its number. Raises FulfillmentOrderNotFound."""
    found = _read(tx, "f.fulfillment_number = :number", {"number": number.upper()})
    if not found:
        raise FulfillmentOrderNotFound
    return found[0]


def of_order(tx: Tx, order_number: str) -> list[FulfillmentOrder]:
    """Return the fulfillment orders of an order, oldest first."""
    return _read(tx, "o.order_number = :number", {"number": order_number})


def by_code(tx: Tx, location_code: str, collect_code: str) -> list[FulfillmentOrder]:
    """Return what lies ready at a location under a code; two customers may have the same."""
    return _read(
        tx,
        "f.state = 'ready_for_collection' and x.location_code = :location_code"
        " and f.collect_code = :collect_code",
        {"location_code": location_code, "collect_code": collect_code},
    )


def of_number(tx: Tx, number: str) -> list[FulfillmentOrder]:
    """Return the fulfillment orders of an order, or the one that has the number itself."""
    kept = number.upper()
    column = "f.fulfillment_number" if kept.startswith("F") else "o.order_number"
    return _read(tx, f"{column} = :number", {"number": kept})


def page(
    tx: Tx, *, location_codes: Sequence[str] | None, states: Sequence[str],
    channel_codes: Sequence[str] | None, after: int, limit: int, **columns: Any,
) -> tuple[list[FulfillmentOrder], int | None]:  # fmt: skip
    """Return fulfillment orders in these states, oldest first, and where the next page begins.

    Of further columns (`NARROWED`) what is not None is one of the values it may have.
    """
    conditions = ["f.state = any (:states)", "f.fulfillment_id > :after"]
    values: dict[str, Any] = {"states": list(states), "after": after, "limit": limit + 1}
    if location_codes is not None:
        conditions.append("x.location_code = any (:location_codes)")
        values["location_codes"] = list(location_codes)
    if channel_codes is not None:
        conditions.append("c.channel_code = any (:channel_codes)")
        values["channel_codes"] = list(channel_codes)
    for name in [name for name, among in columns.items() if among is not None]:
        conditions.append(f"f.{NARROWED[name]} = any (:{name})")
        values[name] = list(columns[name])
    found = _read(tx, " and ".join(conditions), values, rest="limit :limit")
    return found[:limit], found[limit - 1].fulfillment_id if len(found) > limit else None


def _read(
    tx: Tx, condition: str, values: dict[str, Any], *, rest: str = ""
) -> list[FulfillmentOrder]:
    query = text(f"{_HEADER} where {condition} order by f.fulfillment_id {rest}")
    headers = tx.execute(query, values).all()
    lines: dict[int, list[FulfillmentLine]] = defaultdict(list)
    for row in tx.execute(_LINES, {"ids": [header.fulfillment_id for header in headers]}):
        facts = by_name(row)
        lines[facts.pop("fulfillment_id")].append(FulfillmentLine(**facts))
    held = holds.of_orders(tx, [header.order_id for header in headers])
    return [
        FulfillmentOrder(
            **{
                **by_name(header),
                "state": FulfillmentOrderState(header.state),
                "merges_with": tuple(header.merges_with),
            },
            lines=tuple(lines[header.fulfillment_id]),
            holds=held[header.order_id],
        )
        for header in headers
    ]
