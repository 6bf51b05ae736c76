"""Events: what happened to orders, to be followed from any place on and as often as wanted."""

from typing import Annotated, Final

from fastapi import APIRouter, Header, Query, Request

from api.dependencies import Opening, Snapshot, system_of
from api.routes import LedgerRoute
from api.schemas.events import EventOut, EventsOut, EventsQuery, StreamQuery
from api.security import MAY_READ_EVENTS, EventsRead
from api.streams import EventStream, frame
from oms.access.model import Caller
from oms.channels import queries as channels
from oms.events import queries
from oms.events.model import OrderEvent, Position, View, Vocabulary, document
from oms.ledger.database import Tx
from oms.webhooks.messages import encoded

NOW: Final = "now"
READ_EVENTS_MAX: Final = 100

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
    view, words = _view(caller), _words(tx, caller)
    items = [EventOut.model_validate(document(event, view, words)) for event in found]
    return EventsOut(items=items, next_after=upto.write(), has_more=has_more)


@router.get("/events/stream", status_code=200, response_class=EventStream)
def stream_events(
    query: Annotated[StreamQuery, Query()], request: Request, caller: EventsRead, tx: Snapshot,
    last_event_id: Annotated[
        str | None, Header(description="the `id` that came last: the stream goes on after it")
    ] = None,
) -> EventStream:  # fmt: skip
    """Tell of events as they happen, as server-sent events; nothing is skipped over a break."""
    cursor = last_event_id or query.after
    if cursor == NOW:
        after = queries.newest(tx)
    else:
        after = Position() if cursor is None else Position.read(cursor)
    opening = Opening(ledger=system_of(request).ledger, is_read_only=True)

    def read(place: str) -> tuple[list[bytes], str, bool]:
        still = MAY_READ_EVENTS.still(request)
        return opening.run(lambda tx: _heard(tx, Position.read(place), query.channel, still))

    return EventStream(request.app.state.streams, caller.key_id, after.write(), read)


def _heard(
    tx: Tx, after: Position, channel: str | None, caller: Caller
) -> tuple[list[bytes], str, bool]:
    """Return what comes after a place as it is streamed, where to go on, and whether more waits."""
    found, upto, has_more = queries.page(
        tx, after, limit=READ_EVENTS_MAX, channel_codes=_channels(channel, caller)
    )
    return _frames(found, _view(caller), _words(tx, caller)), upto.write(), has_more


def _frames(found: list[OrderEvent], view: View, words: Vocabulary) -> list[bytes]:
    """Write events, each that is the last of its place with the place."""
    places = [event.place for event in found]
    return [
        frame(
            event.type, encoded(document(event, view, words)),
            place=event.place.write() if event.place != following else None,
        )
        for event, following in zip(found, [*places[1:], None], strict=False)
    ]  # fmt: skip


def _channels(asked: str | None, caller: Caller) -> list[str] | None:
    """Return the channels to look at: a foreign one reads as one that is not there."""
    if asked is None:
        return None if caller.channels is None else sorted(caller.channels)
    return [asked] if caller.may_see(asked) else []


def _view(caller: Caller) -> View:
    """Who may not read orders sees of them what a foreign channel does."""
    return View.OWN if "orders:read" in caller.scopes else View.FOREIGN


def _words(tx: Tx, caller: Caller) -> Vocabulary:
    """Return the words of the channel that asks; the retailer's own people hear ours."""
    if caller.role != "channel" or caller.channels is None or len(caller.channels) != 1:
        return {}
    return channels.vocabulary(tx, *caller.channels)
