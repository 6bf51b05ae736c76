"""Writes on stock: settling it with orders, counts, movements, the filling of backorders."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from oms.ledger.copying import copy_in
from oms.ledger.database import Tx
from oms.ledger.rows import by_name
from oms.stock import holds, store
from oms.stock.availability import available_to_sell
from oms.stock.model import (
    COUNT_DRAFT,
    MOVEMENT_DRAFT,
    Correction,
    InsufficientStock,
    Queued,
    Recorded,
    Settled,
    TakenBack,
    Units,
)

ANALYZE_ROWS_MIN: Final = 200

_RESTOCKED: Final = text("select distinct product_id from work_goods where taken < 0")
_ASKED: Final = text("select order_id, line_no from work_demand")
_Held = dict[str, list[int]]


def settle(
    tx: Tx, *, demand: str, goods: str, channel_id: int, refuse_shortage_of: str | None,
    at: datetime, hold_ref: str | None = None,
) -> Settled:  # fmt: skip
    """Bring stock in step with orders of one channel.

    `demand` is a query for lines and what is to be supplied of them in all, `goods` one for
    goods that moved (the work tables say the columns). Reservations no longer needed end,
    goods move once per cause, what is missing is allocated over the channel's network, best
    location first, and queued beyond that; where stock became free, who waits for it in any
    channel is served along, all by age. With `refuse_shortage_of`, a channel's code, what the
    demand adds must fit what that channel may sell: else InsufficientStock is raised, with
    what is left of each SKU. The units of a hold, where one is named, become the lines' own.
    """
    store.clear_work_tables(tx)
    lines = tx.execute(text(f"insert into work_demand {demand}")).rowcount
    moved = tx.execute(text(f"insert into work_goods {goods}")).rowcount
    if lines > ANALYZE_ROWS_MIN:
        tx.execute(text("analyze work_demand"))
    if has_goods := bool(moved):
        store.SQL.run(tx, "place_goods", channel_id=channel_id)
        store.SQL.run(tx, "open_levels", at=at)
    places = store.SQL.run(tx, "places_of_work", channel_id=channel_id).one()
    kept = holds.claim(tx, hold_ref, channel_id=channel_id, at=at)
    held = _hold(tx, *kept.beside(places.product_ids, places.location_ids))
    risen = _products(store.SQL.run(tx, "reduce", at=at)) | holds.convert(tx, kept, at=at)
    if has_goods:
        store.SQL.run(tx, "move_goods", at=at)
        risen |= _products(tx.execute(_RESTOCKED))
    asked: Queued = {}
    if refuse_shortage_of is not None:
        _refuse_shortage(tx, refuse_shortage_of, at=at)
        waited = _queued(tx)
        asked = {
            line: waited.get(line, 0)
            for line in ((row.order_id, row.line_no) for row in tx.execute(_ASKED))
        }
    _serve(tx, held, risen=sorted(risen), has_places=places.has_places, at=at)
    queued = _queued(tx)
    if any(queued.get(line, 0) > before for line, before in asked.items()):
        # Enough for each of them, but not for all: some of it is one and the same stock.
        raise InsufficientStock(items=[])
    return Settled(queued=queued, oversold=_oversold(tx) if has_goods else ())


def record(tx: Tx, drafts: Mapping[str, bytes], *, at: datetime) -> Recorded:
    """Apply counts and movements given as CSV drafts, each cause once.

    Drafts of unknown SKUs or locations come back as problems and change nothing.
    """
    store.clear_work_tables(tx)
    copy_in(tx, "draft_counts", COUNT_DRAFT, drafts.get("counts", b""))
    copy_in(tx, "draft_movements", MOVEMENT_DRAFT, drafts.get("movements", b""))
    problems = tuple(
        (row.position, row.field, row.code, row.detail)
        for row in store.SQL.run(tx, "mark_bad_counts")
    )
    store.SQL.run(tx, "open_drafted_levels", at=at)
    store.SQL.run(tx, "lock_drafted_levels")
    moved = [
        *store.SQL.run(tx, "apply_movements", at=at),
        *store.SQL.run(tx, "apply_counts", at=at),
    ]
    return Recorded(
        problems=problems,
        changed_count=len(moved),
        risen=frozenset((row.product_id, row.location_id) for row in moved if row.delta > 0),
    )


def fill_backorders(tx: Tx, places: frozenset[tuple[int, int]], *, at: datetime) -> Queued:
    """Give stock that came in to the lines that wait for it, oldest first.

    Returns what is still queued of every line it looked at.
    """
    if not places:
        return {}
    products = sorted({product for product, _ in places})
    location_ids = store.SQL.run(
        tx, "places_of_waiting", product_ids=products,
        location_ids=sorted({location for _, location in places}),
    ).scalar()  # fmt: skip
    if location_ids is None:
        return {}
    store.clear_work_tables(tx)
    held = _hold(tx, products, location_ids)
    _serve(tx, held, risen=products, has_places=False, at=at)
    return _queued(tx)


def unassigned(tx: Tx, order_ids: Sequence[int]) -> list[Units]:
    """Hold and return the units of orders that nobody has been asked to pick."""
    rows = store.UNITS.run(tx, "unassigned_of", order_ids=list(order_ids))
    return [Units(**by_name(row)) for row in rows]


def assign(tx: Tx, fulfillment_of: Mapping[int, int]) -> None:
    """Say by which fulfillment order units are kept, by their reservation."""
    pairs = [
        {"reservation_id": reservation_id, "fulfillment_id": fulfillment_id}
        for reservation_id, fulfillment_id in fulfillment_of.items()
    ]
    store.UNITS.run(tx, "assign", pairs=json.dumps(pairs))


def unassign(tx: Tx, fulfillment_id: int) -> None:
    """Have units that a fulfillment order kept be picked by nobody, until they are assigned."""
    store.UNITS.run(tx, "unassign", fulfillment_id=fulfillment_id)


def hold(tx: Tx, product_ids: Sequence[int], location_ids: Sequence[int]) -> None:
    """Hold the levels of these products at these locations until the transaction ends."""
    _hold(tx, sorted(set(product_ids)), sorted(set(location_ids)))


def move(
    tx: Tx, pieces: Mapping[int, Sequence[tuple[int, int]]], *, at: datetime
) -> dict[int, list[int]]:
    """Move units with their reservations; their levels are held by the caller.

    Each reservation goes to the pieces (location, quantity) said of it, which come to its
    quantity. Returns by reservation which one has which of its pieces now.
    """
    made = sum(len(each) - 1 for each in pieces.values())
    fresh = store.UNITS.run(tx, "new_reservation_ids", count=made).scalars() if made else iter(())
    found = {of_id: [of_id, *(next(fresh) for _ in each[1:])] for of_id, each in pieces.items()}
    told = [
        {"reservation_id": reservation_id, "of_id": of_id, "location_id": location_id,
         "quantity": quantity}
        for of_id, each in pieces.items()
        for reservation_id, (location_id, quantity) in zip(found[of_id], each, strict=True)
    ]  # fmt: skip
    store.UNITS.run(tx, "move_units", pieces=json.dumps(told), at=at)
    return found


def gather(tx: Tx, hubs: Mapping[int, int | None]) -> None:
    """Say by reservation where units are to be sent, to leave with others; None: nowhere."""
    if hubs:
        told = [{"reservation_id": each, "hub_id": hub_id} for each, hub_id in hubs.items()]
        store.UNITS.run(tx, "gather", told=json.dumps(told))


def withdraw(
    tx: Tx, quantities: Mapping[int, int], *, fulfillment_id: int, cause: str, act: int,
    demand: str, order_id: int, channel_id: int, location_code: str | None,
    correction: Correction, at: datetime, transfer_id: int | None = None,
) -> Queued:  # fmt: skip
    """Let a location off units of an order's lines: others of the network supply them, at once.

    `demand` is a query for the order's lines and what is to be supplied of them in all, with
    the parameter order_id. The units are released and the location's stock corrected; what is
    missing is allocated anew without that location, and queued beyond that; what became free
    there is given to whoever else waits. All with the levels held: no unit belongs to nobody.
    `cause` and `act` say which work it was, and which time it was acted upon: its version.
    With `transfer_id` they are the units that come with it; without a location they were on
    their way, and are sought everywhere. Returns what is queued of the order's lines.
    """
    store.clear_work_tables(tx)
    tx.execute(text(f"insert into work_demand {demand}"), {"order_id": order_id})
    places = store.SQL.run(tx, "places_of_work", channel_id=channel_id).one()
    held = _hold(tx, places.product_ids, places.location_ids)
    asked = json.dumps([{"line_no": no, "quantity": n} for no, n in quantities.items()])
    freed = store.UNITS.run(
        tx, "release_units", order_id=order_id, fulfillment_id=fulfillment_id,
        transfer_id=transfer_id, units=asked, at=at,
    ).all()  # fmt: skip
    if correction is not Correction.NONE:
        store.UNITS.run(
            tx, "correct", units=_of_products(tx, quantities), kind=correction.value,
            cause_type="fulfillment" if transfer_id is None else "transfer", cause_id=cause,
            act=act, location_code=location_code, at=at,
        )  # fmt: skip
    elsewhere = store.UNITS.run(
        tx, "but_location", location_ids=places.location_ids, location_code=location_code
    ).scalar_one()
    return _seek(tx, held, elsewhere, risen=_products(freed), order_id=order_id, at=at)


def resupply(
    tx: Tx, *, demand: str, order_id: int, group_no: int, channel_id: int,
    refuse_shortage_of: str | None, at: datetime,
) -> Queued:  # fmt: skip
    """Supply a delivery group of an order anew, because it goes another way or elsewhere.

    `demand` is as in `withdraw`, with the parameter group_no beside. What was kept for it is
    let go and its lines are allocated from the start, before whoever else waits; what nobody
    can supply is queued, or raises InsufficientStock with `refuse_shortage_of`.
    """
    store.clear_work_tables(tx)
    names = {"order_id": order_id, "group_no": group_no}
    tx.execute(text(f"insert into work_demand {demand}"), names)
    places = store.SQL.run(tx, "places_of_work", channel_id=channel_id).one()
    held = _hold(tx, places.product_ids, places.location_ids)
    freed = _products(store.UNITS.run(tx, "release_demand", at=at))
    if refuse_shortage_of is not None:
        _refuse_shortage(tx, refuse_shortage_of, at=at)
    queued = _seek(tx, held, places.location_ids, risen=freed, order_id=order_id, at=at)
    if refuse_shortage_of is not None and any(
        quantity for (of, _), quantity in queued.items() if of == order_id
    ):
        raise InsufficientStock(items=[])
    return queued


def put_aside(
    tx: Tx, units: Sequence[Mapping[str, int]], *, location_id: int, location_code: str,
    cause: str, act: int, at: datetime,
) -> None:  # fmt: skip
    """Put aside units (line_no, product_id, quantity) that came back and are not for sale."""
    _hold(tx, sorted({unit["product_id"] for unit in units}), [location_id])
    store.UNITS.run(
        tx, "correct", units=json.dumps(list(units)), kind=Correction.HELD.value,
        cause_type="fulfillment", cause_id=cause, act=act, location_code=location_code, at=at,
    )  # fmt: skip


def take_back(
    tx: Tx, cause: str, units: Sequence[TakenBack], *, at: datetime
) -> frozenset[tuple[int, int]]:
    """Put what came back where it came to, each unit once; return where there is more to sell."""
    hold_for_goods(
        tx, {(unit.product_id, unit.location_id) for unit in units}, products=(), locations=(),
        at=at,
    )  # fmt: skip
    told = json.dumps([{**asdict(u), "occurred_at": u.occurred_at.isoformat()} for u in units])
    rows = store.RETURNS.run(tx, "take_back", cause=cause, units=told, at=at)
    return frozenset((row.product_id, row.location_id) for row in rows if row.risen > 0)


def hold_for_goods(
    tx: Tx, came: Collection[tuple[int, int]], *, products: Collection[int],
    locations: Collection[int], at: datetime,
) -> None:  # fmt: skip
    """Hold the levels that goods which came (product, location) may change, all at once.

    Their own, those of whoever waits for them, and those of products and locations that are named.
    Whoever takes in several receipts names all of theirs: one after the other they would be held in
    another order than everybody's.
    """
    places = [{"product_id": product, "location_id": place} for product, place in sorted(came)]
    store.RETURNS.run(tx, "open_levels", places=json.dumps(places), at=at)
    product_ids = sorted({product for product, _ in came} | set(products))
    location_ids = {place for _, place in came} | set(locations)
    waiting = store.SQL.run(
        tx, "places_of_waiting", product_ids=product_ids, location_ids=sorted(location_ids)
    ).scalar()
    _hold(tx, product_ids, sorted(location_ids | set(waiting or ())))


def _of_products(tx: Tx, quantities: Mapping[int, int]) -> str:
    rows = tx.execute(text("select line_no, product_id from work_demand"))
    product_of = {row.line_no: row.product_id for row in rows}
    return json.dumps(
        [
            {"line_no": line_no, "product_id": product_of[line_no], "quantity": quantity}
            for line_no, quantity in quantities.items()
            if quantity
        ]
    )


def _hold(tx: Tx, product_ids: list[int], location_ids: list[int]) -> _Held:
    """Lock the levels of these products at these locations, and keep others from opening more."""
    held: _Held = {"product_ids": product_ids, "location_ids": location_ids}
    store.lock_levels(tx, **held)
    return held


def _seek(
    tx: Tx, held: _Held, location_ids: list[int], *, risen: set[int], order_id: int, at: datetime
) -> Queued:
    """Allocate the demand of an order at these places, then serve others from what became free."""
    turns = store.SQL.run(tx, "take_turns").scalar_one() or 1
    for turn in range(1, turns + 1):
        store.SQL.run(tx, "allocate", turn=turn, at=at, location_ids=location_ids)
    queued = _queued(tx)
    tx.execute(text("delete from work_demand"))
    _serve(tx, held, risen=sorted(risen), has_places=False, at=at, but_order_id=order_id)
    return queued | _queued(tx)


def _serve(
    tx: Tx, held: _Held, *, risen: list[int], has_places: bool, at: datetime,
    but_order_id: int | None = None,
) -> None:  # fmt: skip
    """Allocate the demand at hand, with everybody's who waits for the products that rose.

    The queue is read with the levels held: who cancels or ships what waits holds them too.
    """
    turns = 1
    if risen:
        waiting = store.SQL.run(
            tx, "want_queued", product_ids=risen, location_ids=held["location_ids"],
            but_order_id=but_order_id,
        ).rowcount  # fmt: skip
        store.SQL.run(tx, "release_queued", product_ids=risen)
        has_places = has_places or bool(waiting)
    if has_places:
        turns = store.SQL.run(tx, "take_turns").scalar_one()
    for turn in range(1, turns + 1):
        store.SQL.run(tx, "allocate", turn=turn, at=at, location_ids=held["location_ids"])


def _oversold(tx: Tx) -> tuple[tuple[int, str, str, int], ...]:
    rows = store.SQL.run(tx, "oversold_orders")
    return tuple((row.order_id, row.sku, row.location_code, row.on_hand) for row in rows)


def _queued(tx: Tx) -> Queued:
    rows = store.SQL.run(tx, "queued_of_demand")
    return {(row.order_id, row.line_no): int(row.quantity) for row in rows}


def _products(rows: Any) -> set[int]:
    return {row.product_id for row in rows}


def _refuse_shortage(tx: Tx, channel_code: str, *, at: datetime) -> None:
    short: list[dict[str, Any]] = [
        {"sku": row.sku, "location_code": row.location_code, "requested": int(row.requested),
         "available": int(row.available)}
        for row in store.SQL.run(tx, "short_at_places", at=at)
    ]  # fmt: skip
    wanted = {row.sku: int(row.quantity) for row in store.SQL.run(tx, "missing_of_demand")}
    # A channel that is shut has no availability at all: it sells nothing.
    left = {
        item.sku: item.available_to_sell
        for item in available_to_sell(tx, sorted(wanted), channel_codes=[channel_code], at=at)
    }
    short += [
        {"sku": sku, "requested": quantity, "available": left.get(sku, 0)}
        for sku, quantity in sorted(wanted.items())
        if quantity > left.get(sku, 0)
    ]
    if short:
        first = short[0]
        raise InsufficientStock(
            f"{first['requested']} of {first['sku']} were asked for, {first['available']} are left",
            items=short,
        )
