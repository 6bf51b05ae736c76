"""Parcels: packed, listed, voided, and moved on by what carriers tell."""

from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response

from api.dependencies import IfMatch, Now, Snapshot, System, Tx
from api.idempotency import OncePerKey, OncePerKeyIfGiven
from api.paging import Page, number_of
from api.routers.fulfillments import visible
from api.routes import LedgerRoute, noting_refusals
from api.schemas.fulfillments import FulfillmentOut
from api.schemas.parcels import (
    PackedOut,
    ParcelOut,
    ParcelQuery,
    ParcelsPost,
    ScanOut,
    ScansOut,
    ScansPost,
)
from api.security import FulfillmentRead, FulfillmentWrite, TrackingWrite
from oms.access.model import Caller
from oms.fulfillment import queries as fulfillments
from oms.kernel.errors import OmsError
from oms.ledger.database import Tx as Connection
from oms.points.model import PickupPointUnavailable
from oms.shipments import queries
from oms.shipments.model import Parcel, ParcelNotFound
from oms.workflows import parcels, points

router: Final = APIRouter(prefix="/v1", tags=["parcels"], route_class=LedgerRoute)


def _note_point(tx: Connection, error: OmsError, values: dict[str, Any]) -> None:
    """Show to a person that a pick-up point took no label."""
    if isinstance(error, PickupPointUnavailable):
        work = fulfillments.fulfillment_order(tx, values["number"])
        points.note_unavailable(tx, work.order_id, work.group_no, error, at=values["now"])


@router.post("/fulfillments/{number}/parcels", status_code=201)
@noting_refusals(_note_point)
def pack_parcels(
    number: str, body: ParcelsPost, caller: FulfillmentWrite, tx: Tx, now: Now, *,
    system: System, seen: IfMatch, response: Response, _once: OncePerKey,
) -> PackedOut:  # fmt: skip
    """Put what was picked into parcels, each with a label; when all is in some, it is packed."""
    visible(tx, number, caller)
    held, made = parcels.pack(
        tx, number, body.drafts(), system.carriers, version=seen, by=caller.name, at=now
    )
    response.headers["ETag"] = f'"{held.version}"'
    return PackedOut(
        fulfillment=FulfillmentOut.of(held), parcels=[ParcelOut.of(each) for each in made]
    )


@router.get("/parcels")
def list_parcels(
    query: Annotated[ParcelQuery, Query()], caller: FulfillmentRead, tx: Snapshot, now: Now
) -> Page[ParcelOut]:
    """List parcels, oldest first: all, or those nothing was told of for some days."""
    days = query.is_silent_days
    found, cursor = queries.page(
        tx, silent_since_at=None if days is None else now - timedelta(days=days),
        carrier=query.carrier, location_codes=caller.work_at(query.location),
        channel_codes=None if caller.channels is None else sorted(caller.channels),
        after=number_of(query.after), limit=query.limit, states=query.state,
        tracking_number=query.tracking_number, is_newest_first=query.newest_first,
    )  # fmt: skip
    items = [ParcelOut.of(each) for each in found]
    return Page(items=items, next_after=None if cursor is None else str(cursor))


@router.get("/parcels/{number}")
def get_parcel(number: str, caller: FulfillmentRead, tx: Snapshot) -> ParcelOut:
    """Return a parcel with all that was told of it."""
    return ParcelOut.of(_visible(tx, number, caller))


@router.post("/parcels/{number}/void")
def void_parcel(
    number: str, caller: FulfillmentWrite, tx: Tx, now: Now, *, _once: OncePerKey
) -> ParcelOut:
    """Void a parcel that is not with its carrier yet; unpacked, what was in it is packed again."""
    _visible(tx, number, caller)
    return ParcelOut.of(parcels.void(tx, number, by=caller.name, at=now))


@router.post("/carriers/{carrier}/events")
def tell_of_parcels(
    carrier: str, body: ScansPost, caller: TrackingWrite, tx: Tx, now: Now, *,
    system: System, _once: OncePerKeyIfGiven,
) -> ScansOut:  # fmt: skip
    """Take in what a carrier tells of its parcels: in any order, and the same again is nothing.

    A code that is not known is kept as it is. What arrives, or does not, moves its order on.
    """
    told = parcels.record(
        tx, parcels.carrier_of(system.carriers, carrier), body.scans(), at=now,
        may_see=caller.may_see,
    )  # fmt: skip
    return ScansOut(outcomes=[ScanOut.of(each) for each in told])


def _visible(tx: Connection, number: str, caller: Caller) -> Parcel:
    found = queries.parcel(tx, number)
    if not (caller.may_see(found.channel_code) and caller.may_work_at(found.location_code)):
        raise ParcelNotFound
    return found
