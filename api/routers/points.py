"""Pick-up points: looked for near a customer, and asked of their carriers when one is chosen."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query

from api.dependencies import System
from api.paging import number_of
from api.problems import FieldProblem, Refused, field_problem
from api.routes import LedgerRoute
from api.schemas.orders import OrderPost
from api.schemas.points import POINTS_MAX, PickupPointOut, PickupPointsOut, PointsQuery
from api.security import StockRead
from oms.channels.model import Channel
from oms.ledger.database import Tx as Connection
from oms.orders import queries as orders
from oms.orders.model import FulfillmentMethod
from oms.points.model import CarrierAway, UnknownPickupPoint
from oms.workflows import points
from oms.workflows.points import Carriers

METHOD: Final = FulfillmentMethod.PICKUP_POINT

router: Final = APIRouter(prefix="/v1", tags=["stock"], route_class=LedgerRoute)


@router.get("/pickup-points")
def list_pickup_points(
    query: Annotated[PointsQuery, Query()], _caller: StockRead, system: System
) -> PickupPointsOut:
    """List pick-up points of carriers near a point or a postcode, nearest first."""
    begin = min(number_of(query.after) or 0, POINTS_MAX)
    until = begin + query.limit
    sought = query.sought(until=min(until + 1, POINTS_MAX))
    found = points.near(system.carriers, sought, carrier=query.carrier)
    return PickupPointsOut(
        items=[PickupPointOut.of(each) for each in found.points[begin:until]],
        next_after=str(until) if len(found.points) > until else None, away=list(found.away),
    )  # fmt: skip


def drafts_of(
    tx: Connection, channel: Channel, body: OrderPost, carriers: Carriers, *, at: datetime
) -> dict[str, bytes]:
    """Return a posted order as drafts, with its pick-up points as their carriers have them."""
    points = _points_of(tx, channel, body, carriers, at=at)
    return body.drafts(is_gross=channel.prices_include_tax, points=points)


def _points_of(
    tx: Connection, channel: Channel, body: OrderPost, carriers: Carriers, *, at: datetime
) -> dict[int, Mapping[str, Any]]:
    """Return what carriers say of the pick-up points of a new order, by the place of its groups.

    Where a carrier is away, or nobody here knows its points, an order is taken as it is told.
    Raises Refused for a point that is none, PickupPointUnavailable.
    """
    if orders.is_known(tx, channel.channel_id, body.external_ref):
        return {}
    if faults := list(_faults(body)):
        raise Refused(faults)
    found: dict[int, Mapping[str, Any]] = {}
    for index, group in enumerate(body.groups):
        chosen = group.pickup_point
        if FulfillmentMethod(group.method) is not METHOD or chosen is None:
            continue
        try:
            point = points.choose(carriers, chosen.provider, chosen.point_id)
        except CarrierAway:
            continue
        except UnknownPickupPoint as error:
            pointer = f"/groups/{index}/pickup_point/point_id"
            raise Refused([field_problem(error.code, pointer)]) from error
        if point is not None:
            found[index] = point.snapshot(at=at)
    return found


def _faults(body: OrderPost) -> Iterator[FieldProblem]:
    """Say what is missing for a carrier to tell somebody that a parcel lies ready, and where."""
    if not body.groups and FulfillmentMethod(body.fulfillment_method) is METHOD:
        yield field_problem("VALIDATION", "/groups")
    methods = {group.method for group in body.groups} or {body.fulfillment_method}
    if METHOD in methods and not (body.customer_email or body.customer_phone):
        yield field_problem("VALIDATION", "/customer_phone")
