"""Money over the counter of a store: given back, looked at again, and its receipt."""

from typing import Any, Final

from fastapi import APIRouter, Response

from api.dependencies import Now, Snapshot, System, Tx
from api.idempotency import OncePerKey
from api.routers.orders import visible
from api.routes import LedgerRoute
from api.schemas.counters import GivesBack, StoreRefundsPost, VisitOut
from api.security import RefundsTill
from oms.access.model import Caller, OtherLocation, ScopeMissing
from oms.ledger.database import Tx as Connection
from oms.refunds import queries
from oms.refunds.model import BackIn, Visit, VisitNotFound
from oms.workflows import counters
from oms.workflows.counters import Asking
from oms.workflows.visit_receipts import visit_receipt

router: Final = APIRouter(prefix="/v1", tags=["refunds"], route_class=LedgerRoute)

PDF: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The receipt.", "content": {"application/pdf": {}}}
}


@router.post("/stores/{location}/refunds", status_code=201)
def give_back_at_store(
    location: str, body: StoreRefundsPost, caller: RefundsTill, tx: Tx, now: Now, *,
    response: Response, _once: OncePerKey,
) -> VisitOut:  # fmt: skip
    """Give money back at a till for one or several orders, all or nothing, under one receipt.

    What comes out of the drawer is done with the answer; what a payment service gives back is on
    its way (`state`). Refused with CASH_LIMIT and APPROVAL_NEEDED unless a manager says why.
    """
    asking = asked(body, location, body.back_in, caller)
    orders = [visible(tx, each.order_number, caller).summary for each in body.refunds]
    wanted = [each.wanted(order.currency) for each, order in zip(body.refunds, orders, strict=True)]
    given = counters.give_back(tx, asking, wanted, at=now)
    response.headers["Location"] = f"/v1/stores/{location}/visits/{given.visit_number}"
    return VisitOut.of(given)


@router.get("/stores/{location}/visits/{number}")
def get_visit(location: str, number: str, caller: RefundsTill, tx: Snapshot) -> VisitOut:
    """Return what somebody got back at a till, and how far it is."""
    return VisitOut.of(_visible(tx, location, number, caller))


@router.get("/stores/{location}/visits/{number}/receipt", response_class=Response, responses=PDF)
def get_visit_receipt(
    location: str, number: str, caller: RefundsTill, tx: Snapshot, system: System
) -> Response:
    """Return the one receipt of all that somebody got back, as PDF."""
    paper = visit_receipt(tx, _visible(tx, location, number, caller))
    return Response(system.printer.print(paper), media_type=system.printer.media_type)


def asked(body: GivesBack, location: str, back_in: BackIn, caller: Caller) -> Asking:
    """Return who gives back what where. Raises ScopeMissing, OtherLocation."""
    if "refunds:till" not in caller.scopes:
        raise ScopeMissing(scope="refunds:till")
    if body.override_reason is not None and "refunds:override" not in caller.scopes:
        raise ScopeMissing(scope="refunds:override")
    if not caller.may_work_at(location):
        raise OtherLocation
    return Asking(
        location_code=location, back_in=back_in, by=caller.name, role=caller.role,
        override_reason=body.override_reason,
    )  # fmt: skip


def _visible(tx: Connection, location: str, number: str, caller: Caller) -> Visit:
    found = queries.visit(tx, number)
    is_seen = all(caller.may_see(each.channel_code) for each in found.refunds)
    if found.location_code != location or not caller.may_work_at(location) or not is_seen:
        raise VisitNotFound
    return found
