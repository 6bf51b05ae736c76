"""Papers that go with goods, as PDF."""

from typing import Any, Final

from fastapi import APIRouter, Response

from api.dependencies import Now, Snapshot, System
from api.routers.fulfillments import visible
from api.routers.returns import seen_here
from api.routes import LedgerRoute
from api.security import FulfillmentRead, ReturnsRead
from oms.locations import queries as locations
from oms.locations.model import LocationNotFound
from oms.workflows import packing_slips, papers, return_slips

router: Final = APIRouter(prefix="/v1", tags=["papers"], route_class=LedgerRoute)
PDF: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The paper.", "content": {"application/pdf": {}}}
}


@router.get("/fulfillments/{number}/packing-slip", response_class=Response, responses=PDF)
def get_packing_slip(
    number: str, caller: FulfillmentRead, tx: Snapshot, system: System
) -> Response:
    """Return what goes into the box: articles and units, no prices and nobody's address."""
    visible(tx, number, caller)
    return _printed(system, packing_slips.packing_slip(tx, number))


@router.get("/returns/{number}/slip", response_class=Response, responses=PDF)
def get_return_slip(number: str, caller: ReturnsRead, tx: Snapshot, system: System) -> Response:
    """Return what goes into the box of a return: articles, where it goes, its number as a code."""
    return _printed(system, return_slips.return_slip(tx, seen_here(tx, number, caller)))


@router.get("/locations/{code}/pick-list", response_class=Response, responses=PDF)
def get_pick_list(
    code: str, caller: FulfillmentRead, tx: Snapshot, now: Now, system: System
) -> Response:
    """Return what is to be taken from a location's shelves, by article."""
    if code not in locations.codes(tx) or not caller.may_work_at(code):
        raise LocationNotFound
    channel_codes = None if caller.channels is None else sorted(caller.channels)
    return _printed(system, papers.pick_list(tx, code, channel_codes=channel_codes, at=now))


def _printed(system: System, paper: papers.Paper) -> Response:
    printer = system.printer
    return Response(printer.print(paper), media_type=printer.media_type)
