"""What is sent instead of a return goes on as soon as it is paid."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from oms.exchanges import queries
from oms.ledger import followers
from oms.ledger.database import Tx
from oms.orders import operations as orders
from oms.orders import queries as order_queries
from oms.workflows import exchanges, fulfillment

FOLLOWER: Final = "exchanges"
PAID: Final = "it is paid"


def send_paid(tx: Tx, *, at: datetime) -> bool:
    """Have what is sent instead of a return picked, once it is paid; tell whether there was any.

    Where that fails its order is set aside, and tried again every hour: the others go on.
    """
    order_id = queries.paid(tx, follower=FOLLOWER, tried_before=at - followers.AGAIN_AFTER, at=at)
    if order_id is None:
        return False
    orders.hold(tx, order_id)

    def send(order_ids: Sequence[int]) -> None:
        for each in order_ids:
            if exchanges.release(tx, order_queries.number_of(tx, each), PAID, at=at):
                fulfillment.open_work(tx, [each], at=at)

    followers.take_in(tx, FOLLOWER, [order_id], send, at=at)
    return True
