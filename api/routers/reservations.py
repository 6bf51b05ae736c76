"""Reservations that are paid in a store: found at the till, sold, kept longer."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Query

from api.dependencies import Now, Snapshot, Tx
from api.idempotency import OncePerKey, OncePerKeyIfGiven
from api.problems import Refused
from api.routers.orders import channel_of, located
from api.routes import LedgerRoute
from api.schemas.reservations import ConvertPost, ExtendPost, ReservationOut, ReservationsQuery
from api.security import ReservationsRead, ReservationsWrite
from oms.access.model import Caller
from oms.customers import queries as customers
from oms.customers import search
from oms.fulfillment import queries as fulfillments
from oms.fulfillment.model import OPEN, FulfillmentOrder
from oms.ledger.database import Tx as Connection
from oms.orders.model import FulfillmentMethod
from oms.reservations import queries
from oms.reservations.model import Reservation, ReservationNotFound
from oms.workflows import tills
from oms.workflows.tills import ReceiptRefused

router: Final = APIRouter(prefix="/v1", tags=["reservations"], route_class=LedgerRoute)

# Of who is asked for at a till so many orders are looked through for what is reserved.
ORDERS_LOOKED_THROUGH_MAX: Final = 200


@router.get("/reservations")
def list_reservations(
    query: Annotated[ReservationsQuery, Query()], caller: ReservationsRead, tx: Snapshot, now: Now
) -> list[ReservationOut]:
    """List what a store keeps for customers who pay there, oldest first.

    By code, number, name, e-mail or telephone. Who reserved is shown by initial and city.
    """
    return [_shown(tx, each, at=now) for each in queries.with_sales(tx, _works(tx, query, caller))]


@router.get("/reservations/{number}")
def get_reservation(
    number: str, caller: ReservationsRead, tx: Snapshot, now: Now
) -> ReservationOut:
    """Return a reservation, by the number of its order or of its work, and what became of it."""
    return _shown(tx, _visible(tx, number, caller), at=now)


@router.post("/reservations/{number}/convert")
def convert_reservation(
    number: str, body: ConvertPost, caller: ReservationsWrite, tx: Tx, now: Now, _once: OncePerKey
) -> ReservationOut:
    """Sell what is reserved: the receipt becomes an order, with the reservation's units.

    What it has of the reserved SKUs is sold; what of the reservation it has not is free again, or
    kept. The reservation's own order is canceled by as much. The same receipt again is the same
    answer, another one is refused with `ALREADY_CONVERTED`.
    """
    _visible(tx, number, caller)
    return _shown(tx, _converted(tx, number, body, caller, at=now), at=now)


@router.post("/reservations/{number}/extend")
def extend_reservation(
    number: str, body: ExtendPost, caller: ReservationsWrite, tx: Tx, now: Now,
    _once: OncePerKeyIfGiven,
) -> ReservationOut:  # fmt: skip
    """Keep a reservation for so many opening days of its store from now, never shorter.

    How long it can be kept in all is bounded.
    """
    _visible(tx, number, caller)
    return _shown(tx, tills.extend(tx, number, days=body.days, by=caller.name, at=now), at=now)


def _works(tx: Connection, query: ReservationsQuery, caller: Caller) -> list[FulfillmentOrder]:
    codes = None if caller.channels is None else tuple(sorted(caller.channels))
    order_ids, asked = None, query.asked()
    if asked:
        order_ids = search.orders(
            tx, asked, channel_codes=codes, limit=ORDERS_LOOKED_THROUGH_MAX
        )  # fmt: skip
    found, _ = fulfillments.page(
        tx, location_codes=caller.work_at(query.location), states=sorted(OPEN),
        channel_codes=codes, after=0, limit=query.limit,
        methods=[FulfillmentMethod.RESERVE], order_ids=order_ids,
        codes=None if query.code is None else [query.code],
    )  # fmt: skip
    return found


def _converted(
    tx: Connection, number: str, body: ConvertPost, caller: Caller, *, at: datetime
) -> Reservation:
    receipt = body.sale(channel_of(tx, body.receipt, caller))
    try:
        return tills.convert(
            tx, number, receipt, code=body.code, keeps_rest=body.rest == "keep", by=caller.name,
            at=at,
        )  # fmt: skip
    except ReceiptRefused as refused:
        found = [located(body.receipt, each) for each in refused.problems]
        raise Refused(replace(each, pointer=f"/receipt{each.pointer}") for each in found) from None


def _visible(tx: Connection, number: str, caller: Caller) -> Reservation:
    found = queries.of_number(tx, number)
    if not caller.may_see(found.work.channel_code):
        raise ReservationNotFound
    return found


def _shown(tx: Connection, found: Reservation, *, at: datetime) -> ReservationOut:
    purchase = next(iter(customers.purchases(tx, [found.work.order_id])), None)
    return ReservationOut.of(found, purchase, at=at)
