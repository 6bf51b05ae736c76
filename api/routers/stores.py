"""Stores: which of them near a point have what is wanted, and when it can be collected."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query

from api.dependencies import Known, Now, Snapshot
from api.routes import LedgerRoute
from api.schemas.stores import StoresOut, StoresQuery
from api.security import StockRead
from oms.channels import queries as channels
from oms.channels.model import UnknownChannel
from oms.promise import queries

router: Final = APIRouter(prefix="/v1", tags=["stock"], route_class=LedgerRoute)

# A cache that many share may keep an answer for so long: a product page is looked at more often
# than a store sells.
CACHED: Final = "public, max-age=0, s-maxage=15, must-revalidate"


@router.get("/stores/availability", responses={304: {"description": "It is as the ETag says."}})
def list_store_availability(
    query: Annotated[StoresQuery, Query()], caller: StockRead, tx: Snapshot, now: Now,
    known: Annotated[Known, Depends()],
) -> StoresOut:  # fmt: skip
    """List what stores near a point have of a basket, nearest first, and when it is ready."""
    if not caller.may_see(query.channel):
        raise UnknownChannel
    answers, unknown = queries.near(
        tx, query.wanted, channel=channels.channel(tx, query.channel), point=query.point,
        radius_km=query.radius_km, limit=query.limit, at=now,
    )  # fmt: skip
    found = StoresOut.of(answers, unknown, at=now)
    known.spare(found.etag, cached=CACHED)
    return found
