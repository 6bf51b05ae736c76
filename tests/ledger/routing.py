"""What tests of fulfillment do: let the follower route, look at the work, do it."""

from typing import Any

from oms.fulfillment import queries
from oms.fulfillment.model import Action, FulfillmentOrder
from oms.ledger.followers import follow
from oms.workflows import fulfillment
from oms.workflows.fulfillment import Doing
from tests.builders import NOW, minutes
from tests.ledger.shop import Shop


def route(shop: Shop) -> None:
    """Let the follower give what is reserved to its locations: the first look only begins."""
    for _ in range(3):
        follow(shop.ledger, "routing", lambda tx, a, u: fulfillment.route(tx, a, u, at=NOW))


def work(shop: Shop, ref: str = "W-1") -> list[FulfillmentOrder]:
    """Return the fulfillment orders of an order."""
    number = shop.order(ref).summary.order_number
    with shop.ledger.snapshot() as tx:
        return queries.of_order(tx, number)


def do(shop: Shop, of: FulfillmentOrder, *actions: Action, **said: Any) -> FulfillmentOrder:
    """Do one thing after another, with what is said of the last."""
    for action in actions:
        facts = said if action is actions[-1] else {}
        doing = Doing(by="ann", at=minutes(1), **facts)
        number, version = of.fulfillment_number, of.version
        of = shop.ledger.run(
            lambda tx, a=action, d=doing, n=number, v=version: fulfillment.act(
                tx, n, a, d, version=v
            )
        )
    return of
