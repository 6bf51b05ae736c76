"""Fulfillment orders: the work of locations, listed and done."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from api.dependencies import IfMatch, Now, Snapshot, Tx
from api.idempotency import OncePerKey
from api.paging import Page, number_of
from api.routes import LedgerRoute, noting_refusals
from api.schemas.fulfillments import (
    ActionPost,
    CodePost,
    FulfillmentOut,
    FulfillmentQuery,
    WorkOut,
)
from api.security import FulfillmentRead, FulfillmentWrite
from api.throttle import Guesses
from oms.access.model import Caller, OtherLocation
from oms.fulfillment import queries
from oms.fulfillment.model import OPEN, FulfillmentOrder, FulfillmentOrderNotFound
from oms.kernel.errors import OmsError
from oms.ledger.database import Tx as Connection
from oms.notes import queries as notes
from oms.notes.model import RULES, Visibility, seen_by
from oms.workflows import actions, fulfillment

router: Final = APIRouter(prefix="/v1", tags=["fulfillment"], route_class=LedgerRoute)
# More customers than come to a counter in an hour, and far fewer codes than there are.
CODES_PER_HOUR_MAX: Final = 600
WORK: Final = RULES[Visibility.STORE].read_scope


@router.get("/fulfillments")
def list_fulfillments(
    query: Annotated[FulfillmentQuery, Query()], caller: FulfillmentRead, tx: Snapshot
) -> Page[WorkOut]:
    """List the work of locations, oldest first; without states what is open."""
    found, cursor = queries.page(
        tx, location_codes=caller.work_at(query.location), states=sorted(query.state or OPEN),
        channel_codes=None if caller.channels is None else sorted(caller.channels),
        after=number_of(query.after) or 0, limit=query.limit,
    )  # fmt: skip
    items = _with_notes(tx, found, caller)
    return Page(items=items, next_after=None if cursor is None else str(cursor))


@router.post("/fulfillments:byCode")
def find_by_code(
    body: CodePost, caller: FulfillmentRead, tx: Snapshot, now: Now, request: Request
) -> list[WorkOut]:
    """Find what lies ready at a location under the code its customer shows.

    How often is limited by key and location: a code is not to be found by trying.
    """
    guesses: Guesses = request.app.state.guesses
    guesses.admit(now, code_at=(f"{caller.key_id} {body.location_code}", CODES_PER_HOUR_MAX))
    if not caller.may_work_at(body.location_code):
        return []
    found = queries.by_code(tx, body.location_code, body.collect_code)
    return _with_notes(tx, [each for each in found if caller.may_see(each.channel_code)], caller)


@router.get("/fulfillments/{number}")
def get_fulfillment(
    number: str, caller: FulfillmentRead, tx: Snapshot, response: Response
) -> WorkOut:
    """Return a fulfillment order, with what may be done next and what is to be known of it."""
    found = visible(tx, number, caller)
    response.headers["ETag"] = f'"{found.version}"'
    (work,) = _with_notes(tx, [found], caller)
    return work


def _note_refusal(tx: Connection, error: OmsError, values: dict[str, Any]) -> None:
    if actions.is_refusal(error):
        found = queries.fulfillment_order(tx, values["number"])
        command = f"{values['body'].action} {found.fulfillment_number}"
        by, at = values["caller"].name, values["now"]
        actions.record_refusal(tx, found.order_id, command, error, by=by, at=at)


@router.post("/fulfillments/{number}/actions")
@noting_refusals(_note_refusal)
def act_on_fulfillment(
    number: str, body: ActionPost, caller: FulfillmentWrite, tx: Tx, now: Now, *,
    seen: IfMatch, response: Response, _once: OncePerKey,
) -> FulfillmentOut:  # fmt: skip
    """Do something with a fulfillment order, as its state allows.

    What does not fit its state is refused with `allowed_actions`. Units that are rejected or
    not found are sought at other locations in the same moment. Work is given to a location only
    by who may work there: a location's own key cannot.
    """
    visible(tx, number, caller)
    if body.to_location_code is not None and not caller.may_work_at(body.to_location_code):
        raise OtherLocation
    done = fulfillment.act(tx, number, body.action, body.doing(caller.name, now), version=seen)
    response.headers["ETag"] = f'"{done.version}"'
    return FulfillmentOut.of(done)


def _with_notes(tx: Connection, found: Sequence[FulfillmentOrder], caller: Caller) -> list[WorkOut]:
    """Write work with its notes, for who may read them: an answer that is kept has none."""
    numbers = [each.fulfillment_number for each in found]
    told = notes.of_work(tx, numbers) if WORK in caller.scopes else {}
    seen = {number: seen_by(each, caller.scopes) for number, each in told.items()}
    return WorkOut.of_all(found, seen)


def visible(tx: Connection, number: str, caller: Caller) -> FulfillmentOrder:
    """Return a fulfillment order its caller may know of. Raises FulfillmentOrderNotFound."""
    found = queries.fulfillment_order(tx, number)
    if not (caller.may_see(found.channel_code) and caller.may_work_at(found.location_code)):
        raise FulfillmentOrderNotFound
    return found
