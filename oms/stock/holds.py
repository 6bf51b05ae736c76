"""Holds of stock: units kept for a short time without an order, all that is asked or nothing.

A hold whose time is over keeps nothing from that moment on, whether or not it has been written
down as expired. What converts, extends or ends one has it locked, and the levels after it.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from oms.ledger.database import Tx
from oms.ledger.rows import by_name
from oms.stock import store
from oms.stock.availability import available_to_sell
from oms.stock.model import (
    HeldUnits,
    InsufficientStock,
    StockHold,
    StockHoldEnded,
    StockHoldExpired,
    StockHoldNotFound,
    StockHoldState,
    UnknownLocation,
    UnknownSku,
)

Places = frozenset[tuple[int, int]]
"""Where stock became free: product and location."""

_ASKING: Final = text("select distinct order_id from work_demand order by order_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A hold that is locked to become an order's, and where its units lie; or none."""

    hold_ref: str | None = None
    order_id: int | None = None
    product_ids: tuple[int, ...] = ()
    location_ids: tuple[int, ...] = ()

    def beside(
        self, product_ids: Sequence[int], location_ids: Sequence[int]
    ) -> tuple[list[int], list[int]]:
        """Return products and locations with those of the hold among them."""
        return (
            sorted({*product_ids, *self.product_ids}), sorted({*location_ids, *self.location_ids})
        )  # fmt: skip


def place(
    tx: Tx, quantities: Mapping[str, int], *, channel_code: str, channel_id: int,
    location_code: str | None, expires_at: datetime, at: datetime,
) -> str:  # fmt: skip
    """Hold so much of each SKU for a channel, anywhere or at one location; return its name.

    Raises UnknownSku, UnknownLocation, and InsufficientStock with what is left of each SKU when
    not all of it is there: then nothing is held.
    """
    product_of = {
        row.sku: row.product_id for row in store.HOLDS.run(tx, "products", skus=list(quantities))
    }
    if unknown := sorted(quantities.keys() - product_of.keys()):
        raise UnknownSku(skus=unknown)
    where = store.HOLDS.run(
        tx, "locations_of", location_code=location_code, channel_id=channel_id
    )  # fmt: skip
    location_ids = list(where.scalars())
    if location_code is not None and not location_ids:
        raise UnknownLocation
    store.lock_levels(tx, sorted(product_of.values()), location_ids)
    if location_code is None:
        left = {
            item.sku: item.available_to_sell
            for item in available_to_sell(tx, list(quantities), channel_codes=[channel_code], at=at)
        }
    else:
        at_place = store.HOLDS.run(
            tx, "at_place", skus=list(quantities), location_ids=location_ids, at=at
        )
        left = {row.sku: int(row.available) for row in at_place}
    _refuse_shortage(quantities, left)
    hold_ref = _new_ref()
    units = [{"product_id": product_of[sku], "quantity": n} for sku, n in quantities.items()]
    facts = {"hold_ref": hold_ref, "channel_id": channel_id, "at": at, "expires_at": expires_at}
    store.HOLDS.run(tx, "open", **facts)
    store.HOLDS.run(tx, "keep_units", **facts, units=json.dumps(units), location_ids=location_ids)
    return hold_ref


def take_over(
    tx: Tx, quantities: Mapping[int, int], *, order_id: int, fulfillment_id: int, channel_id: int,
    skus: Sequence[str], expires_at: datetime, at: datetime,
) -> str:  # fmt: skip
    """Make units a fulfillment order keeps of lines a hold of a channel; return its name.

    In between they are nobody else's: so they go from an order to the sale that takes its place,
    which is of these SKUs. All levels the two may touch are held from here on.
    """
    work = {"order_id": order_id, "fulfillment_id": fulfillment_id}
    places = store.HOLDS.run(
        tx, "places_of_work", **work, channel_id=channel_id, skus=list(skus)
    ).one()
    store.lock_levels(tx, places.product_ids, places.location_ids)
    hold_ref = _new_ref()
    facts = {"hold_ref": hold_ref, "channel_id": channel_id, "at": at, "expires_at": expires_at}
    store.HOLDS.run(tx, "open", **facts)
    units = [{"line_no": no, "quantity": quantity} for no, quantity in quantities.items()]
    taken = store.HOLDS.run(tx, "take_over", **work, **facts, units=json.dumps(units)).scalars()
    assert sum(taken) == sum(quantities.values()), "a fulfillment order keeps what is open of it"
    return hold_ref


def _new_ref() -> str:
    return f"H{secrets.token_hex(8).upper()}"


def _refuse_shortage(quantities: Mapping[str, int], left: Mapping[str, int]) -> None:
    short = [
        {"sku": sku, "requested": quantity, "available": left.get(sku, 0)}
        for sku, quantity in sorted(quantities.items())
        if quantity > left.get(sku, 0)
    ]
    if short:
        raise InsufficientStock(
            f"{short[0]['requested']} of {short[0]['sku']} were asked for,"
            f" {short[0]['available']} are left",
            items=short,
        )


def hold(tx: Tx, hold_ref: str, *, at: datetime) -> StockHold:
    """Return a hold as it is at a moment. Raises StockHoldNotFound."""
    row = store.HOLDS.run(tx, "hold", hold_ref=hold_ref).one_or_none()
    if row is None:
        raise StockHoldNotFound
    is_over = row.state == StockHoldState.ACTIVE and row.expires_at <= at
    units = store.HOLDS.run(tx, "units", hold_ref=hold_ref)
    return StockHold(
        hold_ref=row.hold_ref, channel_code=row.channel_code,
        state=StockHoldState.EXPIRED if is_over else StockHoldState(row.state),
        created_at=row.created_at, expires_at=row.expires_at, order_number=row.order_number,
        units=tuple(HeldUnits(**by_name(each)) for each in units),
    )  # fmt: skip


def extend(tx: Tx, hold_ref: str, *, expires_at: datetime, at: datetime) -> None:
    """Let a hold last until a later moment; an earlier one changes nothing.

    Raises StockHoldNotFound, StockHoldEnded, and StockHoldExpired when its time is over or its
    units are gone.
    """
    found = _active(tx, hold_ref, at=at)
    places = store.HOLDS.run(tx, "places", hold_ref=hold_ref).one()
    store.lock_levels(tx, places.product_ids, places.location_ids)
    if store.HOLDS.run(tx, "uncovered", hold_ref=hold_ref, at=at).first() is not None:
        raise StockHoldExpired("units of the hold are not there any more")
    if expires_at > found.expires_at:
        store.HOLDS.run(tx, "extend", hold_ref=hold_ref, expires_at=expires_at)


def release(tx: Tx, hold_ref: str) -> Places:
    """Let go of a hold; return where units became free, nowhere when it had ended already.

    Raises StockHoldNotFound, and StockHoldEnded for one that is an order by now.
    """
    state = StockHoldState(_locked(tx, hold_ref).state)
    if state is StockHoldState.CONVERTED:
        raise StockHoldEnded(state=state)
    if state is not StockHoldState.ACTIVE:
        return frozenset()
    return end(tx, [hold_ref], StockHoldState.RELEASED)


def expire(tx: Tx, *, limit: int, at: datetime) -> Places | None:
    """Write down holds whose time is over, a number of them at most; None when there is none."""
    due = list(store.HOLDS.run(tx, "lock_due", limit=limit, at=at).scalars())
    return end(tx, due, StockHoldState.EXPIRED) if due else None


def end(
    tx: Tx, hold_refs: Sequence[str], state: StockHoldState, *, order_id: int | None = None
) -> Places:
    """End holds that are locked; return where what was left of them became free."""
    freed = store.HOLDS.run(
        tx, "end", hold_refs=list(hold_refs), state=state.value, order_id=order_id
    )
    return frozenset((row.product_id, row.location_id) for row in freed)


def claim(tx: Tx, hold_ref: str | None, *, channel_id: int, at: datetime) -> Claim:
    """Lock a hold for the order whose lines are staged; none for one that asks for nothing.

    Raises StockHoldNotFound, StockHoldExpired and StockHoldEnded; not for an order that has its
    units already.
    """
    asking = None if hold_ref is None else tx.execute(_ASKING).scalar()
    if hold_ref is None or asking is None:
        return Claim()
    found = _locked(tx, hold_ref)
    if found.channel_id != channel_id:
        raise StockHoldNotFound
    if found.order_id == asking:
        return Claim()
    _refuse_ended(found, at=at)
    places = store.HOLDS.run(tx, "places", hold_ref=hold_ref).one()
    return Claim(
        hold_ref=hold_ref, order_id=asking, product_ids=tuple(places.product_ids or ()),
        location_ids=tuple(places.location_ids or ()),
    )  # fmt: skip


def convert(tx: Tx, claimed: Claim, *, at: datetime) -> set[int]:
    """Give the units of a claimed hold to the staged lines; return what products became free.

    The levels are locked by the caller.
    """
    if claimed.hold_ref is None:
        return set()
    for is_placed in (True, False):
        store.HOLDS.run(
            tx, "convert", hold_ref=claimed.hold_ref, is_placed=is_placed, at=at
        )  # fmt: skip
    store.HOLDS.run(tx, "demand_has_reservations")
    freed = end(tx, [claimed.hold_ref], StockHoldState.CONVERTED, order_id=claimed.order_id)
    return {product_id for product_id, _ in freed}


def _locked(tx: Tx, hold_ref: str) -> Any:
    found = store.HOLDS.run(tx, "lock", hold_ref=hold_ref).one_or_none()
    if found is None:
        raise StockHoldNotFound
    return found


def _active(tx: Tx, hold_ref: str, *, at: datetime) -> Any:
    found = _locked(tx, hold_ref)
    _refuse_ended(found, at=at)
    return found


def _refuse_ended(found: Any, *, at: datetime) -> None:
    state = StockHoldState(found.state)
    if state is StockHoldState.EXPIRED or (
        state is StockHoldState.ACTIVE and found.expires_at <= at
    ):
        raise StockHoldExpired(expires_at=found.expires_at.isoformat())
    if state is not StockHoldState.ACTIVE:
        raise StockHoldEnded(state=state)
