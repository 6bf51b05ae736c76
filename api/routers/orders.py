"""Orders: found, looked at, posted, remarked on."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response

from api.dependencies import IfMatch, Now, Snapshot, Tx
from api.idempotency import OncePerKey
from api.paging import Page
from api.problems import FieldProblem, Problem, Refused, field_problem
from api.routes import LedgerRoute, Refusal, noting_refusals
from api.schemas.changes import ChangedOut, ChangesPost
from api.schemas.common import values_of
from api.schemas.fulfillments import CancelPost
from api.schemas.order_search import OrderQuery
from api.schemas.orders import NoteOut, NotePost, OrderOut, OrderPost, ReceiptOut, SummaryOut
from api.security import OrdersRead, OrdersWrite
from oms.access.model import Caller
from oms.channels import queries as channels
from oms.channels.model import Channel, UnknownChannel
from oms.kernel.errors import Conflict, OmsError
from oms.ledger.database import Tx as Connection
from oms.orders import operations, queries, search
from oms.orders.model import FulfillmentMethod, Order, OrderNotFound, Outcome
from oms.reservations import operations as reservations
from oms.shipments import queries as parcels
from oms.transfers import queries as transfers
from oms.workflows import actions, changes, editing
from oms.workflows.capture import capture
from oms.workflows.documents import Problem as DraftProblem

router: Final = APIRouter(prefix="/v1", tags=["orders"], route_class=LedgerRoute)

POSTED: Final[dict[int | str, dict[str, Any]]] = {
    200: {"model": ReceiptOut, "description": "It was here before, or is a newer version of one."},
    409: {
        "model": Problem,
        "description": (
            "INSUFFICIENT_STOCK with `items` (sku, requested, available), STALE_VERSION,"
            " CHANNEL_DISABLED, STOCK_HOLD_EXPIRED, STOCK_HOLD_ENDED, LIMIT_EXCEEDED"
        ),
    },
}


class StaleVersion(Conflict):
    """A newer version of this order is here already."""

    code = "STALE_VERSION"


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
    return OrderOut.of_all(
        now, caller.scopes, parcels.of_order(tx, number),
        transfers.of_order(tx, order.summary.order_id),
    )  # fmt: skip


@router.post("/orders", status_code=201, responses=POSTED)
def post_order(
    body: OrderPost, caller: OrdersWrite, tx: Tx, now: Now, response: Response, _once: OncePerKey
) -> ReceiptOut:
    """Capture an order, whole or not at all.

    When the channel may not sell that much the order is refused, unless `allow_backorder`:
    then what is missing waits. What was carried out of a shop is a fact and always taken.
    """
    channel = _with_room(tx, channel_of(tx, body, caller), body)
    result = capture(
        tx, body.drafts(is_gross=channel.prices_include_tax), channel=channel, at=now,
        actor_type="channel" if caller.role == "channel" else "user", actor=caller.name,
        refuse_shortage=not body.allow_backorder, hold_ref=body.hold_ref,
    )  # fmt: skip
    (captured,) = result.orders
    if captured.outcome is Outcome.REJECTED:
        raise Refused(located(body, problem) for problem in result.problems[1])
    if captured.outcome is Outcome.STALE:
        raise StaleVersion(order_number=captured.order_number)
    assert captured.order_number is not None, "what is not rejected has an order"
    response.headers["Location"] = f"/v1/orders/{captured.order_number}"
    response.status_code = 201 if captured.outcome is Outcome.CAPTURED else 200
    return ReceiptOut.of(queries.order(tx, captured.order_number), captured.outcome)


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


@router.post("/orders/{number}/changes:preview")
def preview_changes(
    number: str, body: ChangesPost, caller: OrdersWrite, tx: Tx, now: Now
) -> ChangedOut:
    """Tell what a change of an order would come to; nothing is changed."""
    visible(tx, number, caller)
    return ChangedOut.of(editing.preview(tx, number, body.edit(), by=caller.name, at=now))


@router.post("/orders/{number}/changes")
@noting_refusals(noting("edit"))
def change_order(
    number: str, body: ChangesPost, caller: OrdersWrite, tx: Tx, now: Now, *,
    seen: IfMatch, response: Response, _once: OncePerKey,
) -> ChangedOut:  # fmt: skip
    """Lower quantities of an order or send it elsewhere, as far as it is in nobody's hands."""
    visible(tx, number, caller)
    edited = editing.change(tx, number, body.edit(), version=seen, by=caller.name, at=now)
    response.headers["ETag"] = f'"{edited.order.summary.version}"'
    return ChangedOut.of(edited)


@router.post("/orders/{number}/notes", status_code=201)
def add_note(
    number: str, body: NotePost, caller: OrdersWrite, tx: Tx, now: Now, _once: OncePerKey
) -> NoteOut:
    """Add a remark to an order, and to its story."""
    order_number = visible(tx, number, caller).summary.order_number
    note = operations.add_note(
        tx, order_number, body.body, visibility=body.visibility, by=caller.name, at=now
    )
    return NoteOut(**values_of(note))


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
