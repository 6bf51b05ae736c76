"""Locations: where stock is, and how each of them supplies."""

from typing import Final

from fastapi import APIRouter

from api.dependencies import Now, Snapshot
from api.routes import LedgerRoute
from api.schemas.locations import LocationOut
from api.security import StockRead
from oms.locations import queries

router: Final = APIRouter(prefix="/v1", tags=["stock"], route_class=LedgerRoute)


@router.get("/locations")
def list_locations(caller: StockRead, tx: Snapshot, now: Now) -> list[LocationOut]:
    """List locations by code; a key that is bound to channels sees what supplies those."""
    found = queries.places(tx, channel_codes=caller.visible(None))
    return [LocationOut.of(place, at=now) for place in found]
