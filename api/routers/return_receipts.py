"""What comes back to locations: told by a WMS, brought to a store, and what is nobody's yet."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Response

from api.dependencies import Now, Snapshot, Tx
from api.idempotency import OncePerKey
from api.paging import Page, number_of
from api.routers.counters import asked
from api.routers.orders import visible
from api.routers.returns import refuse_override, seen_return
from api.routes import LedgerRoute, keeping
from api.schemas.counters import VisitOut
from api.schemas.return_receipts import (
    AssignPost,
    ReceiptsOut,
    ReceiptsPost,
    ReturnsOut,
    StoreReturnsPost,
    TakenOut,
    UnidentifiedOut,
    UnidentifiedQuery,
)
from api.schemas.returns import ReturnOut, without_note
from api.security import ReturnsRead, ReturnsWrite
from oms.access.model import Caller, OtherLocation
from oms.ledger.database import Tx as Connection
from oms.returns import operations, queries
from oms.returns.model import Return
from oms.workflows import counters, return_receipts
from oms.workflows.counters import Wanted

router: Final = APIRouter(prefix="/v1", tags=["returns"], route_class=LedgerRoute)

UnidentifiedId = Annotated[int, Path(ge=1, le=10**18)]


@router.post("/return-receipts")
def take_receipts(
    body: ReceiptsPost, caller: ReturnsWrite, tx: Tx, now: Now, _once: OncePerKey
) -> ReceiptsOut:
    """Take in what came back, each receipt of a location once, and say what became of each.

    Found by the return's number, by its parcel's, by order and SKU; what is nobody's waits under
    `GET /v1/returns/unidentified`. Where conditions are told, the channel's rules accept or
    reject, or leave it to a person.
    """
    notices = [each.notice() for each in body.receipts]
    taken = return_receipts.take_in(tx, notices, caller, at=now)
    return ReceiptsOut(receipts=[TakenOut.of(each) for each in taken])


@router.get("/returns/unidentified")
def list_unidentified(
    query: Annotated[UnidentifiedQuery, Query()], caller: ReturnsRead, tx: Snapshot
) -> Page[UnidentifiedOut]:
    """List what came and is nobody's yet, oldest first, with returns it may be of."""
    found, cursor = queries.unidentified(
        tx, location_codes=caller.work_at(query.location), channel_codes=caller.visible(None),
        after=number_of(query.after) or 0, limit=query.limit,
    )  # fmt: skip
    items = [UnidentifiedOut.of(each) for each in found]
    return Page(items=items, next_after=None if cursor is None else str(cursor))


@router.post("/returns/unidentified/{unidentified_id}/assign")
@keeping(without_note)
def assign_unidentified(
    unidentified_id: UnidentifiedId, body: AssignPost, caller: ReturnsWrite, tx: Tx, now: Now,
    _once: OncePerKey,
) -> ReturnOut:  # fmt: skip
    """Say whose units are that came; they are received for that return, or one for that order."""
    _refuse_elsewhere(tx, unidentified_id, caller)
    if body.return_number is not None:
        seen_return(tx, body.return_number, caller)
    if body.order_number is not None:
        visible(tx, body.order_number, caller)
    done = return_receipts.assign(
        tx, unidentified_id, return_number=body.return_number, order_number=body.order_number,
        by=caller.name, at=now,
    )  # fmt: skip
    return ReturnOut.of(done)


@router.post("/stores/{location}/returns", status_code=201)
@keeping(without_note)
def take_at_store(
    location: str, body: StoreReturnsPost, caller: ReturnsWrite, tx: Tx, now: Now, *,
    response: Response, _once: OncePerKey,
) -> ReturnsOut:  # fmt: skip
    """Take back over the counter what a customer brings of one or several orders, all or nothing.

    Each order's goods are received, looked at and accepted at once, and put away at this store.
    With `back_in` the till gives back what is owed for them as well, in the same step.
    """
    if not caller.may_work_at(location):
        raise OtherLocation
    for basket in body.returns:
        visible(tx, basket.order_number, caller)
        refuse_override(caller, basket.override_reason)
    baskets = [each.basket() for each in body.returns]
    made = return_receipts.take_at_store(tx, location, baskets, by=caller.name, at=now)
    response.headers["Location"] = f"/v1/returns/{made[0].return_number}"
    return _given_back(tx, location, body, made, caller, at=now)


def _given_back(
    tx: Connection, location: str, body: StoreReturnsPost, made: Sequence[Return], caller: Caller,
    *, at: datetime,
) -> ReturnsOut:  # fmt: skip
    visit = None
    if body.back_in is not None:
        asking = asked(body, location, body.back_in, caller)
        numbers = dict.fromkeys(each.order_number for each in made)
        wanted = [Wanted(order_number=number) for number in numbers]
        given = counters.give_back(tx, asking, wanted, at=at, is_lenient=True)
        visit = VisitOut.of(given) if given.refunds else None
    now = [queries.return_of(tx, each.return_number) for each in made]
    return ReturnsOut(returns=[ReturnOut.of(each) for each in now], visit=visit)


def _refuse_elsewhere(tx: Connection, unidentified_id: int, caller: Caller) -> None:
    found = operations.take_unidentified(tx, unidentified_id)
    if not caller.may_work_at(found.location_code):
        raise OtherLocation
