"""Orders: found, looked at, posted, remarked on."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response

from api.dependencies import IfMatch, Now, Snapshot, Tx
from api.idempotency import OncePerKey
from api.paging import Page
from api.problems import FieldProblem, Problem, Refused, field_problem
from api.routes import LedgerRoute
from api.schemas.common import values_of
from api.schemas.fulfillments import CancelPost
from api.schemas.order_search import OrderQuery
from api.schemas.orders import NoteOut, NotePost, OrderOut, OrderPost, ReceiptOut, SummaryOut
from api.security import OrdersRead, OrdersWrite
from oms.access.model import Caller
from oms.channels import queries as channels
from oms.channels.model import Channel, UnknownChannel
from oms.fulfillment import queries as fulfillments
from oms.kernel.errors import Conflict
from oms.ledger.database import Tx as Connection
from oms.orders import operations, queries, search
from oms.orders.model import Order, OrderNotFound, Outcome
from oms.transfers import queries as transfers
from oms.workflows import changes
from oms.workflows.capture import capture
from oms.workflows.documents import Problem as DraftProblem

router: Final = APIRouter(prefix="/v1", tags=["orders"], route_class=LedgerRoute)

POSTED: Final[dict[int | str, dict[str, Any]]] = {
    200: {"model": ReceiptOut, "description": "It was here before, or is a newer version of one."},
    409: {
        "model": Problem,
        "description": (
            "INSUFFICIENT_STOCK with `items` (sku, requested, available), STALE_VERSION,"
            " CHANNEL_DISABLED"
        ),
    },
}


class StaleVersion(Conflict):
    """A newer version of this order is here already."""

    code = "STALE_VERSION"


class ChannelDisabled(Conflict):
    """The channel is switched off."""

    code = "CHANNEL_DISABLED"


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
    """Return an order with everything about it, and how much of each line may be canceled."""
    order = _order(tx, number, caller)
    response.headers["ETag"] = f'"{order.summary.version}"'
    return _whole(tx, order)


@router.post("/orders", status_code=201, responses=POSTED)
def post_order(
    body: OrderPost, caller: OrdersWrite, tx: Tx, now: Now, response: Response, _once: OncePerKey
) -> ReceiptOut:
    """Capture an order, whole or not at all.

    When the channel may not sell that much the order is refused, unless `allow_backorder`:
    then what is missing waits. What was carried out of a shop is a fact and always taken.
    """
    channel = _channel(tx, body, caller)
    actor_type = "channel" if caller.role == "channel" else "user"
    result = capture(
        tx, body.drafts(is_gross=channel.prices_include_tax), channel=channel, at=now,
        actor_type=actor_type, actor=caller.name, refuse_shortage=not body.allow_backorder,
    )  # fmt: skip
    (captured,) = result.orders
    if captured.outcome is Outcome.REJECTED:
        raise Refused(_located(body, problem) for problem in result.problems[1])
    if captured.outcome is Outcome.STALE:
        raise StaleVersion(order_number=captured.order_number)
    assert captured.order_number is not None, "what is not rejected has an order"
    response.headers["Location"] = f"/v1/orders/{captured.order_number}"
    response.status_code = 201 if captured.outcome is Outcome.CAPTURED else 200
    return ReceiptOut.of(queries.order(tx, captured.order_number), captured.outcome)


@router.post("/orders/{number}/cancel")
def cancel_order(
    number: str, body: CancelPost, caller: OrdersWrite, tx: Tx, now: Now, *,
    seen: IfMatch, response: Response, _once: OncePerKey,
) -> ReceiptOut:  # fmt: skip
    """Cancel an order, or some of it: what has not left and is in nobody's hands."""
    _order(tx, number, caller)
    order = changes.cancel(
        tx, number, body.quantities(), reason=body.reason, version=seen, by=caller.name, at=now
    )
    response.headers["ETag"] = f'"{order.summary.version}"'
    return ReceiptOut.of(order, Outcome.UPDATED)


@router.post("/orders/{number}/notes", status_code=201)
def add_note(
    number: str, body: NotePost, caller: OrdersWrite, tx: Tx, now: Now, _once: OncePerKey
) -> NoteOut:
    """Add a remark to an order, and to its story."""
    order_number = _order(tx, number, caller).summary.order_number
    note = operations.add_note(
        tx, order_number, body.body, visibility=body.visibility, by=caller.name, at=now
    )
    return NoteOut(**values_of(note))


def _whole(tx: Connection, order: Order) -> OrderOut:
    cancelable = {} if order.summary.is_historical else changes.cancelable(tx, order)
    return OrderOut.of_all(
        order, fulfillments.of_order(tx, order.summary.order_number),
        transfers.of_order(tx, order.summary.order_id), cancelable,
    )  # fmt: skip


def _order(tx: Tx, number: str, caller: Caller) -> Order:
    order = queries.order(tx, number)
    if not caller.may_see(order.summary.channel_code):
        raise OrderNotFound
    return order


def _channel(tx: Tx, body: OrderPost, caller: Caller) -> Channel:
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


def _located(body: OrderPost, problem: DraftProblem) -> FieldProblem:
    """Point at the line a problem of the lines is about."""
    pointer = problem.field
    if pointer == "/lines/sku":
        for number, line in enumerate(body.lines):
            if problem.detail.startswith(f"SKU {line.sku[:60]} is "):
                pointer = f"/lines/{number}/sku"
    return field_problem(problem.code, pointer)
