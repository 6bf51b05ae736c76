"""Transfers: goods between locations, listed, requested and moved on."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Response

from api.dependencies import IfMatch, Now, Snapshot, Tx
from api.idempotency import OncePerKey
from api.paging import Page, number_of
from api.routes import LedgerRoute
from api.schemas.transfers import TransferActionPost, TransferOut, TransferPost, TransferQuery
from api.security import FulfillmentRead, FulfillmentWrite
from oms.access.model import Caller, OtherLocation
from oms.kernel.errors import Forbidden
from oms.ledger.database import Tx as Connection
from oms.transfers import operations, queries
from oms.transfers.model import ARRIVING, OPEN, Transfer, TransferNotFound
from oms.workflows import transfers

router: Final = APIRouter(prefix="/v1", tags=["transfers"], route_class=LedgerRoute)


class ShelvesForbidden(Forbidden):
    """A key that is bound to channels fills no shelves."""

    code = "SHELVES_FORBIDDEN"


@router.get("/transfers")
def list_transfers(
    query: Annotated[TransferQuery, Query()], caller: FulfillmentRead, tx: Snapshot
) -> Page[TransferOut]:
    """List transfers, oldest first; without states what is open.

    A key that is bound to channels sees those of its channels' orders, one that is bound to
    locations those that leave or come there.
    """
    sought = queries.Sought(
        location_code=query.location, direction=query.direction,
        states=tuple(sorted(query.state or OPEN)),
        channel_codes=None if caller.channels is None else tuple(sorted(caller.channels)),
        at_codes=caller.work_at(None),
    )  # fmt: skip
    found, cursor = queries.page(tx, sought, after=number_of(query.after) or 0, limit=query.limit)
    items = [TransferOut.of(each) for each in found]
    return Page(items=items, next_after=None if cursor is None else str(cursor))


@router.post("/transfers", status_code=201)
def request_transfer(
    body: TransferPost, caller: FulfillmentWrite, tx: Tx, now: Now, *, response: Response,
    _once: OncePerKey,
) -> TransferOut:  # fmt: skip
    """Ask one location to fill the shelves of another; nothing is kept before it is allocated."""
    if caller.channels is not None:
        raise ShelvesForbidden
    if not caller.may_work_at(body.to_location_code):
        raise OtherLocation
    made = operations.request(
        tx, body.from_location_code, body.to_location_code, [each.value() for each in body.lines],
        at=now,
    )  # fmt: skip
    response.headers["Location"] = f"/v1/transfers/{made.transfer_number}"
    response.headers["ETag"] = f'"{made.version}"'
    return TransferOut.of(made)


@router.get("/transfers/{number}")
def get_transfer(
    number: str, caller: FulfillmentRead, tx: Snapshot, response: Response
) -> TransferOut:
    """Return a transfer, with what may be done next."""
    found = _visible(tx, number, caller)
    response.headers["ETag"] = f'"{found.version}"'
    return TransferOut.of(found)


@router.post("/transfers/{number}/actions")
def act_on_transfer(
    number: str, body: TransferActionPost, caller: FulfillmentWrite, tx: Tx, now: Now, *,
    seen: IfMatch, response: Response, _once: OncePerKey,
) -> TransferOut:  # fmt: skip
    """Do something with a transfer, as its state allows.

    What does not fit its state is refused with `allowed_actions`. What an order does not get is
    sought at other locations in the same moment. A receipt that was taken in already changes
    nothing, whatever version was seen.
    """
    found = _visible(tx, number, caller)
    does_it = found.to_location_code if body.action in ARRIVING else found.from_location_code
    if not caller.may_work_at(does_it):
        raise OtherLocation
    done = transfers.act(tx, number, body.action, body.moved(caller.name, now), version=seen)
    response.headers["ETag"] = f'"{done.version}"'
    return TransferOut.of(done)


def _visible(tx: Connection, number: str, caller: Caller) -> Transfer:
    """Return a transfer; one that is for no channel's order is nobody's who is bound to some."""
    found = queries.transfer(tx, number)
    is_seen = (
        caller.channels is None
        if found.channel_code is None
        else caller.may_see(found.channel_code)
    )
    ends = (found.from_location_code, found.to_location_code)
    if not (is_seen and any(map(caller.may_work_at, ends))):
        raise TransferNotFound
    return found
