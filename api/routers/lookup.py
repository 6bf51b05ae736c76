"""Look-up: any store's and channel's order, for whoever stands at a till."""

from typing import Annotated, Final

from fastapi import APIRouter, Query

from api.dependencies import Now, Snapshot
from api.problems import Refused, field_problem
from api.routes import LedgerRoute
from api.schemas.lookup import LookedUpOut, LookUpQuery
from api.security import OrdersLookUp
from oms.customers import queries, search

router: Final = APIRouter(prefix="/v1", tags=["look-up"], route_class=LedgerRoute)


@router.get("/lookup")
def look_up_orders(
    query: Annotated[LookUpQuery, Query()], caller: OrdersLookUp, tx: Snapshot, now: Now
) -> list[LookedUpOut]:
    """Find orders by receipt, number, e-mail, telephone, name, or card and day, newest first.

    Who bought is shown by initial and city: what was asked for is known, nothing is learned.
    """
    asked = query.asked()
    if not asked:
        raise Refused([field_problem("VALIDATION", "/number", location="query")])
    codes = None if caller.channels is None else tuple(sorted(caller.channels))
    found = search.orders(tx, asked, channel_codes=codes, limit=query.limit)
    return [LookedUpOut.of(each, today=now.date()) for each in queries.purchases(tx, found)]
