"""Goods that come back to who sent them: a receipt says what of them is for sale again.

Nobody has to ask for it: what never arrived is a return of the order, for all it was paid.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from oms.fulfillment import operations
from oms.fulfillment.model import CameBack, FulfillmentOrder, QuantityNotOpen
from oms.ledger.database import Tx
from oms.orders import operations as orders
from oms.orders import queries as order_queries
from oms.orders.model import ChangeKind
from oms.stock import operations as stock
from oms.workflows import changes

REASON = "undeliverable"


def receipt(tx: Tx, held: FulfillmentOrder, said: Mapping[int, CameBack]) -> dict[int, CameBack]:
    """Return what came back of each line: what is not said of came back well, all of it.

    What a channel has told of as returned came back before. Raises QuantityNotOpen.
    """
    lines = order_queries.order(tx, held.order_number).lines
    returnable = {line.line_no: max(0, line.shipped - line.returned) for line in lines}
    sent = {line.line_no: min(line.done, returnable[line.line_no]) for line in held.lines}
    for line_no, came in said.items():
        if came.quantity > sent.get(line_no, -1):
            raise QuantityNotOpen(line_no=line_no, max=sent.get(line_no, 0))
    return {no: said.get(no, CameBack(restocked=quantity)) for no, quantity in sent.items()}


def take_in(
    tx: Tx, held: FulfillmentOrder, came: Mapping[int, CameBack], *, by: str, at: datetime
) -> None:
    """Write what came back as returned, each unit where its receipt says it is."""
    restocked = {line_no: each.restocked for line_no, each in came.items() if each.restocked}
    aside = {line_no: each.held for line_no, each in came.items() if each.held}
    for quantities, is_restocked in ((restocked, True), (aside, False)):
        if quantities:
            changes.apply(
                tx, order_queries.order(tx, held.order_number), ChangeKind.RETURN, quantities,
                ref=f"*{held.fulfillment_number}-{'back' if is_restocked else 'aside'}",
                location_code=held.location_code, reason=REASON, by=by, at=at,
                is_restocked=is_restocked,
            )  # fmt: skip
    if aside:
        location_id, product_of = operations.goods(tx, held)
        units = [
            {"line_no": no, "product_id": product_of[no], "quantity": quantity}
            for no, quantity in aside.items()
        ]
        stock.put_aside(
            tx, units, location_id=location_id, location_code=held.location_code,
            cause=held.fulfillment_number, act=held.version, at=at,
        )  # fmt: skip


def tell_voided(
    tx: Tx, held: FulfillmentOrder, parcels: Sequence[str], *, by: str, actor_type: str,
    at: datetime,
) -> None:  # fmt: skip
    """Tell of parcels whose goods were taken out of them again."""
    work = held.fulfillment_number
    told = [
        (held.order_id, "parcel.voided", {"parcel": each, "fulfillment": work}) for each in parcels
    ]
    orders.tell(tx, told, actor_type=actor_type, actor=by, at=at)
