"""Saved views: kept, listed, given up. One sees one's own and those of one's role."""

from typing import Annotated, Final

from fastapi import APIRouter, Path

from api.dependencies import Now, Snapshot, Tx
from api.idempotency import OncePerKey
from api.routes import LedgerRoute
from api.schemas.common import values_of
from api.schemas.order_search import ViewOut, ViewPost
from api.security import OrdersRead
from oms.access.model import Caller
from oms.views import operations, queries
from oms.views.model import Holder

router: Final = APIRouter(prefix="/v1", tags=["views"], route_class=LedgerRoute)


@router.get("/views")
def list_views(caller: OrdersRead, tx: Snapshot) -> list[ViewOut]:
    """List one's own saved views and those of one's role, by name."""
    return [ViewOut(**values_of(view)) for view in queries.views(tx, _holder(caller))]


@router.post("/views", status_code=201)
def save_view(body: ViewPost, caller: OrdersRead, tx: Tx, now: Now, _once: OncePerKey) -> ViewOut:
    """Keep a question to the list of orders under a name, in the place of what was under it."""
    view = operations.save(
        tx, _holder(caller), body.name, body.kept(), is_shared=body.is_shared, at=now
    )
    return ViewOut(**values_of(view))


@router.delete("/views/{view_id}", status_code=204)
def remove_view(
    view_id: Annotated[int, Path(ge=1, lt=1 << 63)], caller: OrdersRead, tx: Tx
) -> None:
    """Give up a view of one's own or of one's role."""
    operations.remove(tx, _holder(caller), view_id)


def _holder(caller: Caller) -> Holder:
    return Holder(name=caller.name, role=caller.role, channel_codes=caller.channels)
