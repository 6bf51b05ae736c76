"""Payments: of an order, begun, taken, captured, given up, and told of by payment services."""

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
from oms.payments import queries
from oms.payments.model import OPEN, Payment, PaymentNotFound, TransactionState
from oms.payments.port import NotOurs
from oms.workflows import payments

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
    """Begin a payment at a payment service, or write down what a till has taken.

    The service is asked at once, but not awaited: the payment says how far it is. The same
    `external_ref` is the same payment, whatever the key.
    """
    visible(tx, number, caller)
    draft = body.draft()
    if draft.psp is not None:
        payments.psp_of(system.psps, draft.psp)
        made = payments.authorize(tx, number, draft, by=caller.name, at=now)
    else:
        if draft.location_code is None:
            raise TillsOnly
        if not caller.may_work_at(draft.location_code):
            raise OtherLocation
        made = payments.take_at_till(tx, number, draft, by=caller.name, at=now)
    response.headers["Location"] = f"/v1/payments/{made.payment_number}"
    response.headers["ETag"] = f'"{made.version}"'
    return PaymentOut.of(made)


@router.get("/transactions")
def list_transactions(
    query: Annotated[TransactionQuery, Query()], caller: PaymentsRead, tx: Snapshot
) -> Page[UnfinishedOut]:
    """List operations that are not known to be over, oldest first, with whose they are."""
    states = [TransactionState(each) for each in query.state] or sorted(OPEN)
    asked = None if query.channel is None else (query.channel,)
    found, cursor = queries.unfinished(
        tx, states, psp=query.psp, channel_codes=caller.visible(asked),
        after=number_of(query.after) or 0, limit=query.limit,
    )  # fmt: skip
    items = [UnfinishedOut.of_open(each) for each in found]
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
        notices = service.read(request.headers, body, at=at)
    except NotOurs as error:
        raise NotAuthenticated from error
    opening = Opening(
        ledger=system.ledger, is_read_only=False, correlation_id=correlation_id_of(request.scope)
    )
    outcomes = [
        opening.run(partial(payments.take_notice, psp=psp, notice=each, at=at)) for each in notices
    ]
    if service.acknowledgment is not None:
        return PlainTextResponse(service.acknowledgment)
    return NoticesOut.model_validate({"outcomes": outcomes})


def _visible(tx: Connection, number: str, caller: Caller) -> Payment:
    found = queries.payment(tx, number)
    if not caller.may_see(found.channel_code):
        raise PaymentNotFound
    return found
