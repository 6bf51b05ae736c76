"""What tests of fulfillment do: set rules, let the follower route, look at the work, do it."""

import json
from collections.abc import Iterable
from typing import Any, Final

from oms.fulfillment import queries
from oms.fulfillment.model import Action, FulfillmentOrder, FulfillmentOrderState
from oms.ledger.followers import follow
from oms.locations import operations as locations
from oms.locations.model import Location
from oms.sourcing import messages, operations
from oms.sourcing import queries as sourcing
from oms.sourcing.model import Decision
from oms.workflows import fulfillment
from oms.workflows.fulfillment import Doing
from tests.builders import NOW, a_line, a_movement, an_order, minutes
from tests.ledger.shop import Shop

NEAR_AMS: Final = json.dumps({"latitude": 52.37, "longitude": 4.89})
POINTS: Final = {"DC": (51.59, 4.78), "AMS": (52.37, 4.90), "UTR": (52.09, 5.12)}


def a_place(code: str, **facts: Any) -> Location:
    latitude, longitude = POINTS[code]
    return Location(
        code=code, name=code, kind="dc" if code == "DC" else "store", country_code="NL",
        time_zone="Europe/Amsterdam", latitude=latitude, longitude=longitude, **facts,
    )  # fmt: skip


def settle_places(shop: Shop, **facts: dict[str, Any]) -> None:
    """Say where the three places are, and what is special of some."""
    with shop.ledger.transaction() as tx:
        locations.register(tx, [a_place(code, **facts.get(code, {})) for code in POINTS], at=NOW)


def activate(shop: Shop, *rules: dict[str, Any], **split: Any) -> int:
    """Let these rules decide from now on."""
    listed = list(rules) or [{"name": "near", "sort": ["distance"]}]
    return activate_all(
        shop, {"name": "t", "groups": [{"name": "all", "rules": listed, "split": split}]}
    )


def activate_all(shop: Shop, content: dict[str, Any]) -> int:
    """Let a whole rule set decide from now on."""
    with shop.ledger.transaction() as tx:
        version = operations.draft(tx, messages.read_rules(content), by="ann", at=NOW)
        operations.activate(tx, version, by="ann", at=NOW)
    return version


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


def decisions(shop: Shop, ref: str = "W-1") -> list[Decision]:
    number = shop.order(ref).summary.order_number
    with shop.ledger.snapshot() as tx:
        return sourcing.of_order(tx, number)


def stocked(shop: Shop, **quantities: int) -> None:
    shop.take(*(a_movement(n, location=code) for code, n in quantities.items()))


def pens(quantity: int = 1, ref: str = "W-1", **columns: Any) -> Any:
    return an_order(ref, lines=[a_line(quantity=quantity)], ship_to=NEAR_AMS, **columns)


def given(found: Iterable[FulfillmentOrder]) -> dict[str, int]:
    return {f.location_code: sum(line.open for line in f.lines) for f in found
            if f.state is FulfillmentOrderState.ASSIGNED}  # fmt: skip
