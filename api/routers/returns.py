"""Returns: what may be given back, asked for, listed and moved on."""

from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Query, Response

from api.dependencies import IfMatch, Now, Snapshot, System, Tx
from api.idempotency import OncePerKey
from api.paging import Page, number_of
from api.routers.orders import noting, visible
from api.routes import LedgerRoute, keeping, noting_refusals
from api.schemas.exchanges import ReturnPreviewOut
from api.schemas.returns import (
    OrderReturnableOut,
    ReturnActionPost,
    ReturnOut,
    ReturnPost,
    ReturnQuery,
    without_note,
)
from api.security import ReturnsRead, ReturnsRequest
from oms.access.model import Caller, OtherLocation, ScopeMissing
from oms.ledger.database import Tx as Connection
from oms.returns import queries
from oms.returns.model import Return, ReturnAction, ReturnNotFound
from oms.workflows import returns

router: Final = APIRouter(prefix="/v1", tags=["returns"], route_class=LedgerRoute)

# What who asked for a return may do with it, too; the rest is for who handles returns.
OWN_ACTIONS: Final = frozenset({ReturnAction.SHIP, ReturnAction.CANCEL})
OVERRIDE: Final = "returns:override"


@router.get("/orders/{number}/returnable")
def get_returnable(number: str, caller: ReturnsRead, tx: Snapshot, now: Now) -> OrderReturnableOut:
    """Tell how much of each line of an order may be given back, until when, and why not else."""
    order = visible(tx, number, caller)
    found = returns.returnable(tx, order, at=now)
    return OrderReturnableOut.of(order.summary.order_number, order.summary.currency, found)


@router.post("/orders/{number}/returns:preview")
def preview_return(
    number: str, body: ReturnPost, caller: ReturnsRequest, tx: Tx, now: Now
) -> ReturnPreviewOut:
    """Tell what a return would come to, and who would owe whom what for an exchange.

    Nothing is written; it is refused as the return would be.
    """
    visible(tx, number, caller)
    refuse_override(caller, body.override_reason)
    return ReturnPreviewOut.of(returns.preview(tx, number, body.request(), by=caller.name, at=now))


@router.post("/orders/{number}/returns", status_code=201)
@keeping(without_note)
@noting_refusals(noting("return"))
def request_return(
    number: str, body: ReturnPost, caller: ReturnsRequest, tx: Tx, now: Now, *,
    system: System, response: Response, _once: OncePerKey,
) -> ReturnOut:  # fmt: skip
    """Ask for goods to be taken back, by the channel's rules; `override_reason` sets them aside.

    Refused with NOT_SHIPPED, ALREADY_RETURNED, WINDOW_EXPIRED, FINAL_SALE, or
    QTY_EXCEEDS_RETURNABLE with `max`.
    """
    visible(tx, number, caller)
    refuse_override(caller, body.override_reason)
    made = returns.request(
        tx, number, body.request(), by=caller.name, at=now, carriers=system.carriers
    )
    response.headers["Location"] = f"/v1/returns/{made.return_number}"
    response.headers["ETag"] = f'"{made.version}"'
    return ReturnOut.of(made)


@router.get("/returns")
def list_returns(
    query: Annotated[ReturnQuery, Query()], caller: ReturnsRead, tx: Snapshot, now: Now
) -> Page[ReturnOut]:
    """List returns, oldest first.

    A key that is bound to channels sees those of their orders, one that is bound to locations
    those that come there.
    """
    age = query.older_than
    sought = queries.Sought(
        states=tuple(sorted(query.state)), location_codes=caller.work_at(query.location),
        channel_codes=caller.visible(None if query.channel is None else [query.channel]),
        created_before=None if age is None else now - timedelta(days=age),
    )  # fmt: skip
    found, cursor = queries.page(tx, sought, after=number_of(query.after) or 0, limit=query.limit)
    items = [ReturnOut.of(each) for each in found]
    return Page(items=items, next_after=None if cursor is None else str(cursor))


@router.get("/returns/{number}")
def get_return(number: str, caller: ReturnsRead, tx: Snapshot, response: Response) -> ReturnOut:
    """Return a return, with what may be done next.

    One that comes to another location is unknown to a key that is bound to some.
    """
    found = seen_here(tx, number, caller)
    response.headers["ETag"] = f'"{found.version}"'
    return ReturnOut.of(found)


@router.post("/returns/{number}/actions")
@keeping(without_note)
def act_on_return(
    number: str, body: ReturnActionPost, caller: ReturnsRequest, tx: Tx, now: Now, *,
    system: System, seen: IfMatch, response: Response, _once: OncePerKey,
) -> ReturnOut:  # fmt: skip
    """Do something with a return, as its state allows.

    What does not fit its state is refused with `allowed_actions`. A receipt that was taken in
    already changes nothing, whatever version was seen. All but `ship` and `cancel` takes the scope
    `returns:write`.
    """
    found = seen_return(tx, number, caller)
    action = ReturnAction(body.action)
    _refuse_others(caller, action, body.location_code or found.location_code)
    doing = replace(body.doing(caller.name, now), carriers=system.carriers)
    done = returns.act(tx, number, action, doing, version=seen)
    response.headers["ETag"] = f'"{done.version}"'
    return ReturnOut.of(done)


def seen_return(tx: Connection, number: str, caller: Caller) -> Return:
    """Return a return its caller may know of. Raises ReturnNotFound."""
    found = queries.return_of(tx, number)
    if not caller.may_see(found.channel_code):
        raise ReturnNotFound
    return found


def seen_here(tx: Connection, number: str, caller: Caller) -> Return:
    """Return a return that comes to where its caller works. Raises ReturnNotFound."""
    found = seen_return(tx, number, caller)
    if not caller.may_work_at(found.location_code or ""):
        raise ReturnNotFound
    return found


def refuse_override(caller: Caller, reason: str | None) -> None:
    """Let only some set a channel's rules aside. Raises ScopeMissing."""
    if reason is not None and OVERRIDE not in caller.scopes:
        raise ScopeMissing(scope=OVERRIDE)


def _refuse_others(caller: Caller, action: ReturnAction, location_code: str | None) -> None:
    if action not in OWN_ACTIONS and "returns:write" not in caller.scopes:
        raise ScopeMissing(scope="returns:write")
    if not caller.may_work_at(location_code or ""):
        raise OtherLocation
