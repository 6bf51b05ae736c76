"""Cases of customer service: linked to an order, and taken off."""

from typing import Annotated, Final

from fastapi import APIRouter, Path

from api.dependencies import Now, Snapshot, Tx
from api.idempotency import OncePerKeyIfGiven
from api.routers.orders import visible
from api.routes import LedgerRoute
from api.schemas.cases import CaseOut, CasePost
from api.security import NotesInternal
from oms.cases import operations, queries
from oms.cases.model import CASE_ID, TOOL

router: Final = APIRouter(prefix="/v1", tags=["orders"], route_class=LedgerRoute)

Tool = Annotated[str, Path(pattern=f"^{TOOL.pattern}$")]
CaseId = Annotated[str, Path(pattern=f"^{CASE_ID.pattern}$")]


@router.get("/orders/{number}/cases")
def list_cases(number: str, caller: NotesInternal, tx: Snapshot) -> list[CaseOut]:
    """List the cases that are about an order, in the order they were linked."""
    order = visible(tx, number, caller).summary
    return [CaseOut.of(each) for each in queries.of_order(tx, order.order_id)]


@router.post("/orders/{number}/cases")
def link_case(
    number: str, body: CasePost, caller: NotesInternal, tx: Tx, now: Now, *,
    _once: OncePerKeyIfGiven,
) -> CaseOut:  # fmt: skip
    """Link a case to an order, or tell anew where it is and how it stands; again it is the same."""
    order = visible(tx, number, caller).summary
    case = operations.link(tx, order.order_id, body.draft(), by=caller.name, at=now)
    return CaseOut.of(case)


@router.delete("/orders/{number}/cases/{tool}/{case_id}", status_code=204)
def unlink_case(
    number: str, tool: Tool, case_id: CaseId, caller: NotesInternal, *, tx: Tx, now: Now
) -> None:
    """Take a case off an order; one that is not there is no trouble."""
    order = visible(tx, number, caller).summary
    operations.unlink(tx, order.order_id, tool, case_id, by=caller.name, at=now)
