"""Refunds: looked at before, made, listed, and let go by somebody else."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Response

from api.dependencies import IfMatch, Now, Snapshot, Tx
from api.idempotency import OncePerKey
from api.paging import Page, number_of
from api.routers.orders import visible
from api.routes import LedgerRoute
from api.schemas.refunds import (
    PreviewOut,
    RefundActionPost,
    RefundOut,
    RefundPost,
    RefundQuery,
)
from api.security import RefundsRead, RefundsWrite
from oms.access.model import Caller, ScopeMissing
from oms.ledger.database import Tx as Connection
from oms.refunds import queries
from oms.refunds.model import Hand, Refund, RefundAction, RefundNotFound
from oms.workflows import refund_previews, refunds

DECIDING: Final = frozenset({RefundAction.APPROVE, RefundAction.REJECT})

router: Final = APIRouter(prefix="/v1", tags=["refunds"], route_class=LedgerRoute)


@router.post("/orders/{number}/refunds:preview")
def preview_refund(
    number: str, body: RefundPost, caller: RefundsRead, tx: Snapshot, now: Now
) -> PreviewOut:
    """Tell what a refund would come to, by the numbers it has when it is made."""
    order = visible(tx, number, caller).summary
    hand = Hand(name=caller.name, role=caller.role, at=now)
    return PreviewOut.of(refund_previews.preview(tx, number, body.draft(order.currency), hand=hand))


@router.post("/orders/{number}/refunds", status_code=201)
def make_refund(
    number: str, body: RefundPost, caller: RefundsWrite, tx: Tx, now: Now, *,
    response: Response, _once: OncePerKey,
) -> RefundOut:  # fmt: skip
    """Make a refund: at once where the channel's policy lets it, else once somebody approves.

    No refund, with all that is asked for and not known to have failed, exceeds what was captured.
    """
    order = visible(tx, number, caller).summary
    made = refunds.compose_by_hand(
        tx, number, body.draft(order.currency), reason=body.reason, by=caller.name, at=now,
        already_refunded_minor=body.seen_minor(order.currency), role=caller.role,
    )  # fmt: skip
    response.headers["Location"] = f"/v1/refunds/{made.refund_number}"
    response.headers["ETag"] = f'"{made.version}"'
    return RefundOut.of(made)


@router.get("/refunds")
def list_refunds(
    query: Annotated[RefundQuery, Query()], caller: RefundsRead, tx: Snapshot
) -> Page[RefundOut]:
    """List refunds, oldest first."""
    asked = None if query.channel is None else (query.channel,)
    sought = queries.Sought(
        states=tuple(query.state) or None, channel_codes=caller.visible(asked), kind=query.kind,
        order_number=query.order,
    )  # fmt: skip
    found, cursor = queries.page(tx, sought, after=number_of(query.after) or 0, limit=query.limit)
    items = [RefundOut.of(each) for each in found]
    return Page(items=items, next_after=None if cursor is None else str(cursor))


@router.get("/refunds/{number}")
def get_refund(number: str, caller: RefundsRead, tx: Snapshot, response: Response) -> RefundOut:
    """Return a refund, with what may be done next."""
    found = _visible(tx, number, caller)
    response.headers["ETag"] = f'"{found.version}"'
    return RefundOut.of(found)


@router.post("/refunds/{number}/actions")
def act_on_refund(
    number: str, body: RefundActionPost, caller: RefundsWrite, tx: Tx, now: Now, *,
    seen: IfMatch, response: Response, _once: OncePerKey,
) -> RefundOut:  # fmt: skip
    """Approve, reject, cancel or retry a refund; who asked for it decides on it last of all.

    What failed of it, or came back, may be retried, paid by another tender of the order, or given
    up: what went back stays.
    """
    _visible(tx, number, caller)
    if body.action in DECIDING and "refunds:approve" not in caller.scopes:
        raise ScopeMissing(scope="refunds:approve")
    done = refunds.act(
        tx, number, body.action, version=seen, by=caller.name, at=now, role=caller.role,
        reason=body.reason, payment_number=body.payment_number,
    )  # fmt: skip
    response.headers["ETag"] = f'"{done.version}"'
    return RefundOut.of(done)


def _visible(tx: Connection, number: str, caller: Caller) -> Refund:
    found = queries.refund(tx, number)
    if not caller.may_see(found.channel_code):
        raise RefundNotFound
    return found
