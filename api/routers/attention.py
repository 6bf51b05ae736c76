"""Attention: what somebody should look at, of what the caller may see."""

from typing import Final

from fastapi import APIRouter

from api.dependencies import Now, Snapshot
from api.routes import LedgerRoute
from api.schemas.attention import AttentionOut, MatterOut
from api.security import ChannelsRead
from oms.attention import queries

router: Final = APIRouter(prefix="/v1", tags=["health"], route_class=LedgerRoute)


@router.get("/attention")
def list_matters(caller: ChannelsRead, tx: Snapshot, now: Now) -> AttentionOut:
    """List what needs a person: stuck payloads, silent subscribers, late work, open exceptions.

    A matter is shown to whoever has the scope its subject asks for.
    """
    found = queries.matters(tx, scopes=caller.scopes, channel_codes=caller.channels, at=now)
    return AttentionOut(as_of=now, items=[MatterOut.of(each) for each in found])
