"""Reads of reservations: one, those of a store."""

from collections import defaultdict
from collections.abc import Sequence

from oms.fulfillment import queries as fulfillments
from oms.fulfillment.model import FulfillmentOrder
from oms.ledger.database import Tx
from oms.ledger.rows import by_name
from oms.orders.model import FulfillmentMethod
from oms.reservations import store
from oms.reservations.model import Reservation, ReservationNotFound, Sale


def of_number(tx: Tx, number: str, *, location_code: str | None = None) -> Reservation:
    """Return a reservation by the number of its order or of its work, at a store if one is named.

    Of several of one order it is the first that is open. Raises ReservationNotFound.
    """
    found = [
        work
        for work in fulfillments.of_number(tx, number)
        if work.method == FulfillmentMethod.RESERVE and location_code in {None, work.location_code}
    ]
    if not found:
        raise ReservationNotFound
    first = min(found, key=lambda work: (not work.is_open, -work.fulfillment_id))
    (reservation,) = with_sales(tx, [first])
    return reservation


def sold_by(tx: Tx, receipt: str, *, channel_id: int) -> tuple[str, int] | None:
    """Return of what work, and what order, a receipt of a channel took units; None of none."""
    row = store.SQL.run(tx, "sold_by", receipt=receipt, channel_id=channel_id).one_or_none()
    return None if row is None else (row.fulfillment_number, row.order_id)


def with_sales(tx: Tx, works: Sequence[FulfillmentOrder]) -> list[Reservation]:
    """Return work for reservations with the sales it became."""
    sales: dict[int, list[Sale]] = defaultdict(list)
    ids = [work.fulfillment_id for work in works]
    for row in store.SQL.run(tx, "sales", fulfillment_ids=ids):
        facts = by_name(row)
        sales[facts.pop("fulfillment_id")].append(Sale(**facts))
    return [Reservation(work=work, sales=tuple(sales[work.fulfillment_id])) for work in works]
