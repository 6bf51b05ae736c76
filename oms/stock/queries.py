"""Reads of stock: levels, what changed, and what every channel may sell."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text

from oms.ledger import journal
from oms.ledger.database import Tx
from oms.ledger.rows import by_name
from oms.stock import store
from oms.stock.availability import available_to_sell
from oms.stock.model import ChannelStock, Level, Units

__all__ = [
    "StockOfSku", "at_locations", "available_to_sell", "changes", "coming_for_order", "known",
    "of_skus", "unassigned_units",
]  # fmt: skip

_LEVELS: Final = text("""
    select
        p.sku, x.location_code, x.kind as location_kind, l.on_hand, l.unavailable, l.allocated,
        coalesce(h.quantity, 0)::bigint as reserved_soft, l.safety_stock,
        available_to_fulfill(l.on_hand, l.unavailable, l.allocated,
            coalesce(h.quantity, 0)::bigint, l.safety_stock) as available_to_fulfill,
        l.is_oversold, l.updated_at
    from stock_levels l
    join products p using (product_id)
    join locations x using (location_id)
    left join lateral (
        select sum(r.quantity) as quantity from reservations r
        where r.product_id = l.product_id and r.location_id = l.location_id
          and r.kind = 'hold' and r.state = 'active' and r.expires_at > :at
    ) h on true
    where p.sku = any (cast(:skus as text[]))
    order by p.sku, x.location_code
""")
_AT_LOCATIONS: Final = text("""
    select x.location_code, p.sku, available_to_fulfill(l.on_hand, l.unavailable, l.allocated,
        coalesce((
            select sum(r.quantity) from reservations r
            where r.product_id = l.product_id and r.location_id = l.location_id
              and r.kind = 'hold' and r.state = 'active' and r.expires_at > :at), 0)::bigint,
        l.safety_stock) as quantity
    from products p
    join stock_levels l using (product_id)
    join locations x on x.location_id = l.location_id and x.is_enabled
    where p.sku = any (cast(:skus as text[])) and p.is_sellable
      and x.location_code = any (cast(:location_codes as text[]))
""")
_UNASSIGNED: Final = text(
    "select coalesce(sum(quantity), 0)::bigint from reservations where order_id = :order_id"
    " and kind = 'order' and state = 'active' and fulfillment_id is null"
)
_KNOWN: Final = text(
    "select sku, title, is_sellable from products where sku = any (cast(:skus as text[]))"
)
_CHANGED: Final = text("""
    select p.sku, max(changed.xid)::text::bigint as position
    from (
        select l.product_id, l.changed_xid as xid from stock_levels l
        where l.changed_xid >= cast(:after as text)::xid8
          and l.changed_xid < cast(:upto as text)::xid8
        union all
        select r.product_id, r.changed_xid from reservations r
        where r.changed_xid >= cast(:after as text)::xid8
          and r.changed_xid < cast(:upto as text)::xid8
        union all
        select p.product_id, p.changed_xid from products p
        where p.changed_xid >= cast(:after as text)::xid8
          and p.changed_xid < cast(:upto as text)::xid8
    ) changed
    join products p using (product_id)
    group by p.sku
    order by max(changed.xid), p.sku
    limit :limit
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class StockOfSku:
    """The stock of one SKU: per location, and per channel."""

    sku: str
    title: str
    is_sellable: bool
    levels: tuple[Level, ...]
    channels: tuple[ChannelStock, ...]


def of_skus(
    tx: Tx, skus: Sequence[str], *, channel_codes: Sequence[str] | None, at: datetime
) -> list[StockOfSku]:
    """Return the stock of the SKUs the catalog knows, by SKU."""
    known = {row.sku: row for row in tx.execute(_KNOWN, {"skus": list(skus)})}
    levels: dict[str, list[Level]] = {sku: [] for sku in known}
    for row in tx.execute(_LEVELS, {"skus": list(skus), "at": at}):
        values = by_name(row)
        levels[values.pop("sku")].append(Level(**values))
    channels: dict[str, list[ChannelStock]] = {sku: [] for sku in known}
    for item in available_to_sell(tx, skus, channel_codes=channel_codes, at=at):
        channels[item.sku].append(item)
    return [
        StockOfSku(
            sku=sku, title=known[sku].title, is_sellable=known[sku].is_sellable,
            levels=tuple(levels[sku]), channels=tuple(channels[sku]),
        )
        for sku in sorted(known)
    ]  # fmt: skip


def known(tx: Tx, skus: Sequence[str]) -> set[str]:
    """Return which of these SKUs the catalog knows."""
    return {row.sku for row in tx.execute(_KNOWN, {"skus": list(skus)})}


def at_locations(
    tx: Tx, skus: Sequence[str], location_codes: Sequence[str], *, at: datetime
) -> list[tuple[str, str, int]]:
    """Return what each location can give of each SKU that may be sold, where it has a level."""
    names = {"skus": list(skus), "location_codes": list(location_codes), "at": at}
    rows = tx.execute(_AT_LOCATIONS, names)
    return [(row.location_code, row.sku, int(row.quantity)) for row in rows]


def changes(tx: Tx, *, after: int, limit: int) -> tuple[list[str], int, bool]:
    """Return SKUs whose stock changed since a position, the next position, whether more wait.

    A position is a watermark of the journal. SKUs changed by one transaction stay together, so
    a page may be longer than the limit.
    """
    upto = journal.horizon(tx)
    bounds = {"after": str(after), "upto": str(upto)}
    rows = tx.execute(_CHANGED, {**bounds, "limit": limit + 1}).all()
    if len(rows) <= limit:
        return [row.sku for row in rows], max(upto, after), False
    last = rows[limit - 1].position
    if rows[limit].position == last:
        rows = tx.execute(
            _CHANGED, {"after": str(after), "upto": str(last + 1), "limit": 1_000_000}
        ).all()
    else:
        rows = rows[:limit]
    return [row.sku for row in rows], last + 1, True


def unassigned_units(tx: Tx, order_id: int) -> int:
    """Return how many units are kept for an order that nobody has been asked to pick."""
    found: int = tx.execute(_UNASSIGNED, {"order_id": order_id}).scalar_one()
    return found


def coming_for_order(tx: Tx, transfer_id: int) -> dict[int, int]:
    """Return how much of each line an order still expects of a transfer on its way."""
    rows = store.TRANSFERS.run(tx, "coming_for_order", transfer_id=transfer_id)
    return {row.line_no: int(row.quantity) for row in rows}


def units_of_work(tx: Tx, order_id: int, fulfillment_id: int) -> list[Units]:
    """Return the units a fulfillment order of an order keeps, the oldest first."""
    rows = store.UNITS.run(tx, "units_of_work", order_id=order_id, fulfillment_id=fulfillment_id)
    return [Units(**by_name(row)) for row in rows]
