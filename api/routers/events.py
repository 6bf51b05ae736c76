"""Events: what happened to orders, to be followed from any place on and as often as wanted."""

from typing import Annotated, Final

from fastapi import APIRouter, Query

from api.dependencies import Snapshot
from api.routes import LedgerRoute
from api.schemas.events import EventOut, EventsOut, EventsQuery
from api.security import EventsRead
from oms.access.model import Caller
from oms.events import queries
from oms.events.model import Position, View, document

router: Final = APIRouter(prefix="/v1", tags=["events"], route_class=LedgerRoute)


@router.get("/events", response_model_exclude_unset=True)
def list_events(
    query: Annotated[EventsQuery, Query()], caller: EventsRead, tx: Snapshot
) -> EventsOut:
    """List what happened to orders after a place in the journal; nothing is ever skipped."""
    after = Position() if query.after is None else Position.read(query.after)
    found, upto, has_more = queries.page(
        tx, after, limit=query.limit, channel_codes=_channels(query.channel, caller)
    )
    view = _view(caller)
    items = [EventOut.model_validate(document(event, view)) for event in found]
    return EventsOut(items=items, next_after=upto.write(), has_more=has_more)


def _channels(asked: str | None, caller: Caller) -> list[str] | None:
    """Return the channels to look at: a foreign one reads as one that is not there."""
    if asked is None:
        return None if caller.channels is None else sorted(caller.channels)
    return [asked] if caller.may_see(asked) else []


def _view(caller: Caller) -> View:
    """Who may not read orders sees of them what a foreign channel does."""
    return View.OWN if "orders:read" in caller.scopes else View.FOREIGN
