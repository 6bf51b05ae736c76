"""Tracking: how an order is, for its customer, who has no key."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request

from api.dependencies import Now, Opening, Tx, system_of
from api.idempotency import OncePerKey
from api.problems import Refused, field_problem
from api.routes import LedgerRoute
from api.schemas.tracking import TrackingLinkOut, TrackingOut, TrackingQuery
from api.security import OrdersWrite
from api.throttle import Guesses, address_of
from oms.customers import queries
from oms.orders import queries as orders
from oms.orders.model import OrderNotFound

# A household that looks every minute, and no more of it than a guess could be hidden in.
ADDRESS_PER_HOUR_MAX: Final = 240
ORDER_PER_HOUR_MAX: Final = 60

# Open to everybody: it tells states and dates, and those to who has the number of the order and
# the address it was placed with, or a link we signed.
public: Final = APIRouter(prefix="/v1", tags=["tracking"])
router: Final = APIRouter(prefix="/v1", tags=["tracking"], route_class=LedgerRoute)


@public.get("/tracking")
def get_tracking(
    query: Annotated[TrackingQuery, Query()], request: Request, now: Now
) -> TrackingOut:
    """Tell how an order is, by its number and address or by a link; no key is needed."""
    given = (query.number, query.email, query.link)
    if [each is not None for each in given] not in ([True, True, False], [False, False, True]):
        raise Refused([field_problem("VALIDATION", "/number", location="query")])
    _admit(request, query, now)
    opening = Opening(ledger=system_of(request).ledger, is_read_only=True)
    if query.number is None or query.email is None:
        link = query.link or ""
        return TrackingOut.of(opening.run(lambda tx: queries.tracked_by(tx, link, at=now)))
    number, email = query.number.strip(), query.email.strip()
    return TrackingOut.of(opening.run(lambda tx: queries.tracked(tx, number=number, email=email)))


@router.post("/orders/{number}/tracking-links", status_code=201)
def make_tracking_link(
    number: str, caller: OrdersWrite, tx: Tx, now: Now, _once: OncePerKey
) -> TrackingLinkOut:
    """Make a link for an order's customer; whoever has it sees how the order is."""
    order = orders.order(tx, number).summary
    if not caller.may_see(order.channel_code):
        raise OrderNotFound
    link, until = queries.tracking_link(tx, order.order_number, at=now)
    return TrackingLinkOut(link=link, path=f"/v1/tracking?link={link}", holds_until=until)


def _admit(request: Request, query: TrackingQuery, now: Now) -> None:
    guesses: Guesses = request.app.state.guesses
    order = query.link or (query.number or "").strip().lstrip("#").upper()
    guesses.admit(
        now, address=(address_of(request), ADDRESS_PER_HOUR_MAX), order=(order, ORDER_PER_HOUR_MAX)
    )
