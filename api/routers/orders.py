"""Orders: found, looked at, posted, changed."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response

from api.dependencies import IfMatch, Now, Snapshot, System, Tx
from api.idempotency import OncePerKey
from api.paging import Page
from api.problems import FieldProblem, Problem, Refused, field_problem
from api.routers.points import drafts_of
from api.routes import LedgerRoute, Refusal, noting_refusals
from api.schemas.fulfillments import CancelPost
from api.schemas.order_search import OrderQuery
from api.schemas.orders import OrderOut, OrderPost, ReceiptOut, SummaryOut
from api.schemas.payments import PaymentsOut
from api.security import OrdersRead, OrdersWrite
from oms.access.model import Caller
from oms.billing import queries as documents
from oms.cases import queries as cases
from oms.channels import queries as channels
from oms.channels.model import Channel, UnknownChannel
from oms.exchanges import queries as exchanges
from oms.kernel.errors import Conflict, OmsError
from oms.ledger.database import Tx as Connection
from oms.notes import queries as notes
from oms.orders import queries, search
from oms.orders.model import FulfillmentMethod, Order, OrderNotFound, Outcome
from oms.payments import queries as payments
from oms.refunds import queries as refunds
from oms.reservations import operations as reservations
from oms.returns import queries as returns
from oms.shipments import queries as parcels
from oms.transfers import queries as transfers
from oms.workflows import actions, changes
from oms.workflows.capture import Result, capture
from oms.workflows.documents import Problem as DraftProblem

router: Final = APIRouter(prefix="/v1", tags=["orders"], route_class=LedgerRoute)

POSTED: Final[dict[int | str, dict[str, Any]]] = {
    200: {"model": ReceiptOut, "description": "It was here before, or is a newer version of one."},
    409: {
        "model": Problem,
        "description": (
            "INSUFFICIENT_STOCK with `items` (sku, requested, available), STALE_VERSION,"
            " CHANNEL_DISABLED, STOCK_HOLD_EXPIRED, STOCK_HOLD_ENDED, LIMIT_EXCEEDED,"
            " PICKUP_POINT_UNAVAILABLE with `alternatives`"
        ),
    },
}


class StaleVersion(Conflict):
    """A newer version of this order is here already."""

    code = "STALE_VERSION"


class PaymentReferenceInUse(Conflict):
    """The payment service's id is another payment's."""

    code = "PAYMENT_REFERENCE_IN_USE"


class ChannelDisabled(Conflict):
    """The channel is switched off."""

    code = "CHANNEL_DISABLED"


def noting(command: str) -> Refusal:
    """Return what tells in an order's story that a command on it was refused."""

    def note(tx: Connection, error: OmsError, values: dict[str, Any]) -> None:
        if actions.is_refusal(error):
            order_id = queries.order(tx, values["number"]).summary.order_id
            by, at = values["caller"].name, values["now"]
            actions.record_refusal(tx, order_id, command, error, by=by, at=at)

    return note


@router.get("/orders")
def list_orders(
    query: Annotated[OrderQuery, Query()], caller: OrdersRead, tx: Snapshot
) -> Page[SummaryOut]:
    """List orders by what is known of them, newest first unless `sort` says otherwise."""
    found, cursor = search.page(
        tx, query.filters(caller), after=query.after, limit=query.limit, sort=query.sort
    )
    return Page(items=[SummaryOut.of(summary) for summary in found], next_after=cursor)


@router.get("/orders/{number}")
def get_order(number: str, caller: OrdersRead, tx: Snapshot, response: Response) -> OrderOut:
    """Return an order with everything about it, and what may be done with it."""
    order = visible(tx, number, caller)
    response.headers["ETag"] = f'"{order.summary.version}"'
    now = actions.situation_of(tx, order)
    order_id = order.summary.order_id
    return OrderOut.of_all(
        now, caller.scopes, parcels.of_order(tx, number),
        transfers.of_order(tx, order_id), payments=paid(tx, order),
        notes=notes.of_order(tx, order_id), returns=returns.of_order(tx, order_id),
        cases=cases.of_order(tx, order_id), exchange_of=exchanges.of_order(tx, order_id),
        exchanges=exchanges.of_original(tx, order_id),
        refunds=refunds.of_order(tx, order_id), documents=documents.of_order(tx, number),
    )  # fmt: skip


@router.post("/orders", status_code=201, responses=POSTED)
def post_order(
    body: OrderPost, caller: OrdersWrite, tx: Tx, now: Now, *, system: System, response: Response,
    _once: OncePerKey,
) -> ReceiptOut:  # fmt: skip
    """Capture an order, whole or not at all.

    When the channel may not sell that much the order is refused, unless `allow_backorder`:
    then what is missing waits. What was carried out of a shop is a fact and always taken.
    A pick-up point is asked of its carrier; when that is away the point is taken as it is told.
    """
    channel = _with_room(tx, channel_of(tx, body, caller), body)
    result = capture(
        tx, drafts_of(tx, channel, body, system.carriers, at=now), channel=channel, at=now,
        actor_type="channel" if caller.role == "channel" else "user", actor=caller.name,
        refuse_shortage=not body.allow_backorder, hold_ref=body.hold_ref,
    )  # fmt: skip
    (captured,) = result.orders
    number = _number_of(body, result)
    response.headers["Location"] = f"/v1/orders/{number}"
    response.status_code = 201 if captured.outcome is Outcome.CAPTURED else 200
    return ReceiptOut.of(queries.order(tx, number), captured.outcome)


@router.post("/orders/{number}/cancel")
@noting_refusals(noting("cancel"))
def cancel_order(
    number: str, body: CancelPost, caller: OrdersWrite, tx: Tx, now: Now, *,
    seen: IfMatch, response: Response, _once: OncePerKey,
) -> ReceiptOut:  # fmt: skip
    """Cancel an order, or some of it: what has not left and is in nobody's hands."""
    visible(tx, number, caller)
    order = changes.cancel(
        tx, number, body.quantities(), reason=body.reason, version=seen, by=caller.name, at=now
    )
    response.headers["ETag"] = f'"{order.summary.version}"'
    return ReceiptOut.of(order, Outcome.UPDATED)


def paid(tx: Connection, order: Order) -> PaymentsOut:
    """Return how an order is paid."""
    order_id = order.summary.order_id
    state, due = payments.state_of(tx, order_id)
    known = payments.of_order(tx, order_id)
    return PaymentsOut.of_order(state, due, known, order.summary.currency)


def visible(tx: Connection, number: str, caller: Caller) -> Order:
    """Return an order its caller may know of. Raises OrderNotFound."""
    order = queries.order(tx, number)
    if not caller.may_see(order.summary.channel_code):
        raise OrderNotFound
    return order


def channel_of(tx: Connection, body: OrderPost, caller: Caller) -> Channel:
    """Return the channel an order is of. Raises Refused, UnknownChannel, ChannelDisabled."""
    code = body.channel_code
    if code is None and caller.channels is not None and len(caller.channels) == 1:
        (code,) = caller.channels
    if code is None:
        raise Refused([field_problem("VALIDATION", "/channel_code")])
    if not caller.may_see(code):
        raise UnknownChannel
    channel = channels.channel(tx, code)
    if not channel.is_enabled:
        raise ChannelDisabled
    return channel


def _number_of(body: OrderPost, result: Result) -> str:
    """Return the number of an order that was taken, whole.

    Raises Refused, PaymentReferenceInUse or StaleVersion for what was not.
    """
    (captured,) = result.orders
    if captured.outcome is Outcome.REJECTED:
        if any(each.code == PaymentReferenceInUse.code for each in result.problems[1]):
            raise PaymentReferenceInUse
        raise Refused(located(body, problem) for problem in result.problems[1])
    if captured.outcome is Outcome.STALE:
        raise StaleVersion(order_number=captured.order_number)
    assert captured.order_number is not None, "what is not rejected has an order"
    return captured.order_number


def _with_room(tx: Connection, channel: Channel, body: OrderPost) -> Channel:
    """Return the channel; what a customer reserves beyond its limit is refused."""
    methods = {group.method for group in body.groups} or {body.fulfillment_method}
    if channel.reserve_max is not None and FulfillmentMethod.RESERVE in methods:
        reservations.refuse_many(
            tx, channel_id=channel.channel_id, limit=channel.reserve_max,
            email=body.customer_email, external_ref=body.external_ref,
        )  # fmt: skip
    return channel


def located(body: OrderPost, problem: DraftProblem) -> FieldProblem:
    """Point at the line a problem of the lines is about."""
    pointer = problem.field
    if pointer == "/lines/sku":
        for number, line in enumerate(body.lines):
            if problem.detail.startswith(f"SKU {line.sku[:60]} is "):
                pointer = f"/lines/{number}/sku"
    return field_problem(problem.code, pointer)
