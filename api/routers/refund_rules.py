"""How money is given back: what counts for a channel, what was said when, and said anew."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Response

from api.dependencies import IfMatch, Now, Snapshot, Tx
from api.idempotency import OncePerKey
from api.routes import LedgerRoute
from api.schemas.common import Words
from api.schemas.refund_rules import VERSIONS_MAX, RulesOut, RulesPost, VersionOut
from api.security import RefundsRead, RefundsRules
from oms.access.model import Caller
from oms.channels import queries as channels
from oms.channels.model import UnknownChannel
from oms.kernel.errors import Forbidden
from oms.ledger.database import Tx as Connection
from oms.refunds import operations, queries

router: Final = APIRouter(prefix="/v1", tags=["refunds"], route_class=LedgerRoute)

ChannelQuery = Annotated[Words | None, Query(description="left out: of every channel")]


class SaidOfAll(Forbidden):
    """A key that is bound to channels does not say what counts for all of them."""

    code = "BOUND_TO_CHANNELS"


@router.get("/refund-rules")
def get_refund_rules(
    caller: RefundsRead, tx: Snapshot, response: Response, channel: ChannelQuery = None
) -> RulesOut:
    """Return how a channel gives money back by now, and the last version that was said of it."""
    return _out(tx, _channel_id(tx, channel, caller), response)


@router.get("/refund-rules/versions")
def list_refund_rules(
    caller: RefundsRead, tx: Snapshot, channel: ChannelQuery = None
) -> list[VersionOut]:
    """List what was said of a channel, the last first: what, by whom, when and why."""
    channel_id = _channel_id(tx, channel, caller)
    return [VersionOut.of(each) for each in queries.versions(tx, channel_id, limit=VERSIONS_MAX)]


@router.post("/refund-rules", status_code=201)
def set_refund_rules(
    body: RulesPost, caller: RefundsRules, tx: Tx, now: Now, *, seen: IfMatch,
    response: Response, _once: OncePerKey,
) -> RulesOut:  # fmt: skip
    """Say anew how a channel gives money back, all of it: a version after the one that was seen.

    `If-Match: 0` is the first. What is on its way already is not touched.
    """
    channel_id = _channel_id(tx, body.channel, caller)
    if channel_id is None and caller.channels is not None:
        raise SaidOfAll
    operations.set_rules(
        tx, channel_id, body.rules(), version_no=seen, reason=body.reason, by=caller.name, at=now
    )
    return _out(tx, channel_id, response)


def _out(tx: Connection, channel_id: int | None, response: Response) -> RulesOut:
    known = queries.versions(tx, channel_id, limit=1)
    said = known[0] if known else None
    response.headers["ETag"] = f'"{said.version_no if said else 0}"'
    return RulesOut.of_rules(queries.rules_of(tx, channel_id), said)


def _channel_id(tx: Connection, code: str | None, caller: Caller) -> int | None:
    if code is None:
        return None
    if not caller.may_see(code):
        raise UnknownChannel
    return channels.channel(tx, code).channel_id
