"""Cards: an order in brief, for a tool that shows it beside something else."""

from typing import Final

from fastapi import APIRouter, Response

from api.dependencies import Snapshot, System
from api.routers.orders import visible
from api.routes import LedgerRoute
from api.schemas.cards import CardOut
from api.security import OrdersRead
from oms.cases import queries as cases
from oms.payments import queries as payments
from oms.shipments import queries as parcels
from oms.workflows import actions

router: Final = APIRouter(prefix="/v1", tags=["orders"], route_class=LedgerRoute)


@router.get("/orders/{number}/summary")
def get_order_summary(
    number: str, caller: OrdersRead, tx: Snapshot, system: System, response: Response
) -> CardOut:
    """Return an order in brief: how it is, what may be done with it, and where the rest is."""
    order = visible(tx, number, caller)
    summary = order.summary
    state, _ = payments.state_of(tx, summary.order_id)
    response.headers["ETag"] = f'"{summary.version}"'
    return CardOut.of(
        actions.situation_of(tx, order), caller.scopes, payment_state=state,
        parcels=parcels.of_order(tx, summary.order_number),
        cases=cases.of_order(tx, summary.order_id),
        console_url=f"{system.settings.console_address}/order?number={summary.order_number}",
    )  # fmt: skip
