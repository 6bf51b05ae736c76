"""What is sent instead of a return goes on as soon as it is paid.

Apart from exchanges, which whoever opens work imports, because it opens work.
"""

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
    order_ids = followers.again(tx, FOLLOWER, at=at)
    found = queries.paid(tx, follower=FOLLOWER, at=at)
    if found is not None:
        order_ids = [*order_ids, found]

    def send(some: Sequence[int]) -> None:
        for each in some:
            if queries.paid(tx, follower=FOLLOWER, order_id=each, at=at) is None:
                continue  # it was released or let go meanwhile
            if exchanges.release(tx, order_queries.number_of(tx, each), PAID, at=at):
                fulfillment.open_work(tx, [each], at=at)

    for each in sorted(order_ids):
        orders.hold(tx, each)
    followers.take_in(tx, FOLLOWER, order_ids, send, at=at)
    return bool(order_ids)
