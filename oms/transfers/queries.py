"""Reads of transfers: one, those of an order, what leaves or comes to a location."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text

from oms.ledger.database import Tx
from oms.ledger.rows import by_name
from oms.transfers.model import (
    Discrepancy,
    Found,
    Transfer,
    TransferLine,
    TransferNotFound,
    TransferState,
)

_HEADER: Final = """
    select
        t.transfer_id, t.transfer_number, t.from_location_id, a.location_code as from_location_code,
        t.to_location_id, b.location_code as to_location_code,
        d.location_code as first_to_location_code, t.order_id, o.order_number, c.channel_code,
        t.fulfillment_id, f.fulfillment_number, t.state, t.created_at, t.changed_at, t.shipped_at,
        t.carrier, t.tracking_number, t.reason, t.version
    from transfers t
    join locations a on a.location_id = t.from_location_id
    join locations b on b.location_id = t.to_location_id
    left join locations d on d.location_id = t.first_to_location_id
    left join orders o using (order_id)
    left join channels c using (channel_id)
    left join fulfillment_orders f on f.fulfillment_id = t.fulfillment_id
"""
_LINES: Final = text("""
    select l.transfer_id, l.line_no, l.product_id, p.sku, p.title, l.quantity, l.removed,
        l.picked, l.shipped, l.received, l.damaged, l.missing
    from transfer_lines l
    join products p using (product_id)
    where l.transfer_id = any (cast(:ids as bigint[]))
    order by l.transfer_id, l.line_no
""")
_FOUND: Final = text("""
    select transfer_id, receipt_id, line_no, kind, sku, quantity, found_at
    from transfer_discrepancies
    where transfer_id = any (cast(:ids as bigint[]))
    order by discrepancy_id
""")


_COMING: Final = text("""
    select p.sku, x.location_code, x.kind as location_kind,
        sum(c.in_transit)::bigint as in_transit, sum(c.incoming)::bigint as incoming
    from products p
    join transfer_lines l using (product_id)
    join transfers t using (transfer_id)
    join locations x on x.location_id = t.to_location_id
    cross join lateral (
        select
            case when t.state = any (:on_their_way)
                then greatest(0, l.shipped - l.received - l.damaged - l.missing)
                else 0 end as in_transit,
            case when t.state = any (:on_their_way)
                then greatest(0, l.shipped - l.received - l.damaged - l.missing)
                else l.quantity - l.removed end as incoming
    ) c
    where p.sku = any (:skus) and t.state = any (:states)
    group by p.sku, x.location_code, x.kind
    having sum(c.incoming) > 0
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """What of a SKU is on its way to a location, and what will be, all told."""

    sku: str
    location_code: str
    location_kind: str
    in_transit: int
    incoming: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Which transfers to list; without states or a location all of them."""

    location_code: str | None = None
    direction: str | None = None  # in, out
    states: tuple[str, ...] = ()
    channel_codes: tuple[str, ...] | None = None  # those of orders of these channels only
    at_codes: tuple[str, ...] | None = None  # those that leave or come to one of these only


def transfer(tx: Tx, number: str) -> Transfer:
    """Return a transfer by its number. Raises TransferNotFound."""
    found = _read(tx, ["t.transfer_number = :number"], {"number": number.upper()})
    if not found:
        raise TransferNotFound
    return found[0]


def of_order(tx: Tx, order_id: int) -> list[Transfer]:
    """Return the transfers of an order, oldest first."""
    return _read(tx, ["t.order_id = :order_id"], {"order_id": order_id})


def coming(tx: Tx, skus: Sequence[str]) -> list[Coming]:
    """Return what of these SKUs comes to which location by transfers that are kept or sent."""
    on_their_way = [TransferState.SHIPPED, TransferState.PARTIALLY_RECEIVED]
    states = [TransferState.ALLOCATED, TransferState.PICKED, *on_their_way]
    rows = tx.execute(_COMING, {"skus": list(skus), "states": states, "on_their_way": on_their_way})
    return [Coming(**by_name(row)) for row in rows]


def page(tx: Tx, sought: Sought, *, after: int, limit: int) -> tuple[list[Transfer], int | None]:
    """Return transfers, oldest first, and where the next page begins."""
    conditions = ["t.transfer_id > :after", "t.state = any (:states)"]
    values: dict[str, Any] = {"after": after, "limit": limit + 1, "states": list(sought.states)}
    if sought.location_code is not None:
        ways = {"out": "a.location_code = :location", "in": "b.location_code = :location"}
        both = f"({ways['out']} or {ways['in']})"
        conditions.append(ways[sought.direction] if sought.direction else both)
        values["location"] = sought.location_code
    if sought.channel_codes is not None:
        conditions.append("c.channel_code = any (:channels)")
        values["channels"] = list(sought.channel_codes)
    if sought.at_codes is not None:
        conditions.append("(a.location_code = any (:codes) or b.location_code = any (:codes))")
        values["codes"] = list(sought.at_codes)
    found = _read(tx, conditions, values, rest="limit :limit")
    return found[:limit], found[limit - 1].transfer_id if len(found) > limit else None


def _read(
    tx: Tx, conditions: Sequence[str], values: dict[str, Any], *, rest: str = ""
) -> list[Transfer]:
    where = " and ".join(conditions)
    query = text(f"{_HEADER} where {where} order by t.transfer_id {rest}")
    headers = tx.execute(query, values).all()
    ids = {"ids": [header.transfer_id for header in headers]}
    lines: dict[int, list[TransferLine]] = defaultdict(list)
    found: dict[int, list[Found]] = defaultdict(list)
    for row in tx.execute(_LINES, ids):
        facts = by_name(row)
        lines[facts.pop("transfer_id")].append(TransferLine(**facts))
    for row in tx.execute(_FOUND, ids):
        facts = {**by_name(row), "kind": Discrepancy(row.kind)}
        found[facts.pop("transfer_id")].append(Found(**facts))
    return [
        Transfer(
            **{**by_name(header), "state": TransferState(header.state)},
            lines=tuple(lines[header.transfer_id]),
            discrepancies=tuple(found[header.transfer_id]),
        )
        for header in headers
    ]
