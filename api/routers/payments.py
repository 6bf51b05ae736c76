"""Payments: of an order, begun, taken, captured, given up, and told of by payment services."""

from datetime import datetime
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse

from api.dependencies import IfMatch, Now, Opening, Snapshot, System, Tx, system_of
from api.idempotency import OncePerKey
from api.paging import Page, number_of
from api.problems import correlation_id_of
from api.routers.orders import paid, visible
from api.routes import LedgerRoute
from api.schemas.payments import (
    NoticeOut,
    NoticeQuery,
    NoticesOut,
    PaymentActionPost,
    PaymentOut,
    PaymentPost,
    PaymentsOut,
    TransactionQuery,
    UnfinishedOut,
)
from api.security import PaymentsRead, PaymentsWrite
from oms import bootstrap
from oms.access.model import Caller, NotAuthenticated, OtherLocation
from oms.channels.model import PayloadTooLarge
from oms.kernel import clock
from oms.kernel.errors import Forbidden, NotFound
from oms.ledger.database import Tx as Connection
from oms.payments import notices as kept
from oms.payments import queries
from oms.payments.model import OPEN, Payment, PaymentNotFound, TransactionState
from oms.payments.port import NotOurs
from oms.workflows import notices, payments

NOTICE_BYTES_MAX: Final = 256 * 1024

# Open to everybody: who signs as the payment service does is believed, and nobody else.
public: Final = APIRouter(prefix="/v1", tags=["payments"])
router: Final = APIRouter(prefix="/v1", tags=["payments"], route_class=LedgerRoute)


class TillsOnly(Forbidden):
    """Money is taken at a location: say which."""

    code = "LOCATION_NEEDED"


@router.get("/orders/{number}/payments")
def list_payments(number: str, caller: PaymentsRead, tx: Snapshot) -> PaymentsOut:
    """Return how an order is paid, with every payment and every operation on it."""
    return paid(tx, visible(tx, number, caller))


@router.post("/orders/{number}/payments", status_code=201)
def begin_payment(
    number: str, body: PaymentPost, caller: PaymentsWrite, tx: Tx, now: Now, *,
    system: System, response: Response, _once: OncePerKey,
) -> PaymentOut:  # fmt: skip
    """Begin a payment at a payment service, pay with store credit, or note what a till has taken.

    The service is asked at once, but not awaited: the payment says how far it is. The same
    `external_ref` is the same payment, whatever the key.
    """
    visible(tx, number, caller)
    made = _begun(tx, number, body, caller, system, at=now)
    response.headers["Location"] = f"/v1/payments/{made.payment_number}"
    response.headers["ETag"] = f'"{made.version}"'
    return PaymentOut.of(made)


def _begun(
    tx: Connection, number: str, body: PaymentPost, caller: Caller, system: bootstrap.System, *,
    at: datetime,
) -> Payment:  # fmt: skip
    draft = body.draft()
    if draft.psp is not None:
        payments.psp_of(system.psps, draft.psp)
        return payments.authorize(tx, number, draft, by=caller.name, at=at)
    is_at_till = body.credit_code is None or caller.locations is not None
    if is_at_till and draft.location_code is None:
        raise TillsOnly
    if draft.location_code is not None and not caller.may_work_at(draft.location_code):
        raise OtherLocation
    if body.credit_code is not None:
        return payments.redeem(tx, number, draft, body.credit_code, by=caller.name, at=at)
    return payments.take_at_till(tx, number, draft, by=caller.name, at=at)


@router.get("/transactions")
def list_transactions(
    query: Annotated[TransactionQuery, Query()], caller: PaymentsRead, tx: Snapshot
) -> Page[UnfinishedOut]:
    """List operations that are not known to be over, or failed, oldest first, with whose they are.

    What failed may be asked for again by hand, as an action of its payment.
    """
    states = [TransactionState(each) for each in query.state] or sorted(OPEN)
    asked = None if query.channel is None else (query.channel,)
    found, cursor = queries.unfinished(
        tx, states, psp=query.psp, channel_codes=caller.visible(asked),
        after=number_of(query.after) or 0, limit=query.limit,
    )  # fmt: skip
    items = [UnfinishedOut.of_open(each) for each in found]
    return Page(items=items, next_after=None if cursor is None else str(cursor))


@router.get("/notices")
def list_notices(
    query: Annotated[NoticeQuery, Query()], caller: PaymentsRead, tx: Snapshot
) -> Page[NoticeOut]:
    """List what payment services told of payments nobody knows here, oldest first.

    They are nobody's: a key that is bound to channels sees none of them.
    """
    if caller.channels is not None:
        return Page(items=[])
    found, cursor = kept.parked(
        tx, psp=query.psp, after=number_of(query.after) or 0, limit=query.limit
    )
    items = [NoticeOut.of(each) for each in found]
    return Page(items=items, next_after=None if cursor is None else str(cursor))


@router.get("/payments/{number}")
def get_payment(number: str, caller: PaymentsRead, tx: Snapshot, response: Response) -> PaymentOut:
    """Return a payment with every operation on it."""
    found = _visible(tx, number, caller)
    response.headers["ETag"] = f'"{found.version}"'
    return PaymentOut.of(found)


@router.post("/payments/{number}/actions")
def act_on_payment(
    number: str, body: PaymentActionPost, caller: PaymentsWrite, tx: Tx, now: Now, *,
    seen: IfMatch, response: Response, _once: OncePerKey,
) -> PaymentOut:  # fmt: skip
    """Have a payment captured or given up, before its goods do so by themselves.

    Who is bound to locations may with what was taken there.
    """
    found = _visible(tx, number, caller)
    if not caller.may_work_at(found.location_code or ""):
        raise OtherLocation
    done = payments.act(
        tx, number, body.action, None if body.amount is None else body.amount.minor(),
        currency=None if body.amount is None else body.amount.currency, version=seen,
        by=caller.name, at=now,
    )  # fmt: skip
    response.headers["ETag"] = f'"{done.version}"'
    return PaymentOut.of(done)


@public.post("/psps/{psp}/notices", response_model=NoticesOut)
async def take_notices(psp: str, request: Request) -> Any:
    """Take in what a payment service tells, signed in its own way; the same again is nothing."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > NOTICE_BYTES_MAX:
            raise PayloadTooLarge
    return await run_in_threadpool(_take, system_of(request), psp, request, body)


def _take(
    system: bootstrap.System, psp: str, request: Request, body: bytes
) -> NoticesOut | Response:
    at = clock.now()
    service = system.psps.get(psp)
    if service is None:
        raise NotFound
    try:
        told = service.read(request.headers, body, at=at)
    except NotOurs as error:
        raise NotAuthenticated from error
    opening = Opening(
        ledger=system.ledger, is_read_only=False, correlation_id=correlation_id_of(request.scope)
    )
    outcomes = [
        opening.run(partial(notices.take_notice, psp=psp, notice=each, at=at)) for each in told
    ]
    if service.acknowledgment is not None:
        return PlainTextResponse(service.acknowledgment)
    return NoticesOut.model_validate({"outcomes": outcomes})


def _visible(tx: Connection, number: str, caller: Caller) -> Payment:
    found = queries.payment(tx, number)
    if not caller.may_see(found.channel_code):
        raise PaymentNotFound
    return found
