"""The application: every router on one system, problems for every error."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import anyio.to_thread
from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from api.edge import Edge
from api.problems import (
    MEDIA_TYPE,
    on_http_error,
    on_oms_error,
    on_validation_error,
)
from api.routers import (
    attachments,
    attention,
    cards,
    cases,
    catalog,
    change_orders,
    channels,
    counters,
    customers,
    documents,
    events,
    feeds,
    fulfillments,
    health,
    holds,
    keys,
    locations,
    lookup,
    mails,
    notes,
    order_search,
    orders,
    papers,
    parcels,
    payments,
    points,
    promises,
    quarantine,
    refund_batches,
    refund_rules,
    refunds,
    reservations,
    return_receipts,
    returns,
    sales,
    settlements,
    sourcing,
    stock,
    stock_holds,
    store_credits,
    stores,
    tags,
    tokens,
    tracking,
    transfers,
    views,
    webhooks,
    why_stock,
)
from api.routes import LedgerRoute, Unguarded
from api.security import Keyring
from api.streams import Streams
from api.throttle import Guesses, Throttle
from oms.bootstrap import System
from oms.kernel.errors import OmsError
from oms.kernel.limits import IDEMPOTENCY_KEY_DAYS_MAX
from oms.reports.published import Publications

# What a list is asked comes before what one of it is: /orders/facets is no order.
ROUTERS: Final = (
    attention, order_search, orders, change_orders, holds, notes, attachments, cards, cases, tags,
    views, fulfillments, parcels, papers, transfers, customers, lookup, tracking, sourcing,
    stock_holds, why_stock, stock, stores, locations, points, promises, reservations, payments,
    refunds, channels, quarantine, catalog, sales, events, feeds, webhooks, keys, documents,
    return_receipts, returns, refund_batches, settlements, mails, store_credits, counters,
    refund_rules,
)  # fmt: skip
# Open to everybody, each with its reason: they tell nothing of anybody, or only how an order is,
# to who knows its number and address or has its link; or who asks has another proof than a key.
PUBLIC: Final = frozenset({
    "/health/live", "/health/ready", "/docs/problems.md", "/v1/tracking", "/v1/psps/{psp}/notices",
    "/v1/oauth/token",
})  # fmt: skip

DESCRIPTION: Final = (
    "Orders and stock of every channel. Every request but health and tracking carries"
    " `Authorization: Bearer oms_…`, or a token that `POST /v1/oauth/token` gives for the key; a"
    " tool names whom it acts for by `OMS-On-Behalf-Of`;"
    " a key that is bound to channels knows of no others. Errors are RFC 9457 problems with a"
    " stable `code`, listed in [problems](/docs/problems.md). Amounts are decimal texts with"
    " their currency, instants RFC 3339 in UTC. What was posted with an `Idempotency-Key` may"
    f" be posted again for {IDEMPOTENCY_KEY_DAYS_MAX} days: it acts once."
)


def create_app(system: System) -> FastAPI:
    """Make the application of a system; it closes the system when it stops.

    Raises Unguarded when a route asks for no permission and is not among the public ones, and
    Rejected for settings that cannot be.
    """
    app = FastAPI(
        title="ORP OMS", version="1", description=DESCRIPTION, redoc_url=None,
        lifespan=_lifespan, redirect_slashes=False, middleware=None,
        generate_unique_id_function=lambda route: route.name,
        exception_handlers={
            OmsError: on_oms_error,
            RequestValidationError: on_validation_error,
            HTTPException: on_http_error,
        },
    )  # fmt: skip
    app.state.system = system
    app.state.publications = Publications(system.settings.published_dir)
    app.state.keyring = Keyring()
    app.state.throttle = Throttle.of(system.settings, connections_max=_connections_max(system))
    app.state.guesses = Guesses(processes_count=system.settings.api_workers)
    app.state.streams = Streams(processes_count=system.settings.api_workers)
    for module in ROUTERS:
        _include(app, module.router)
    _include(app, health.router)
    _include(app, health.public)
    _include(app, tracking.public)
    _include(app, payments.public)
    _include(app, tokens.public)
    app.add_middleware(Edge)
    return app


def _include(app: FastAPI, router: APIRouter) -> None:
    for route in router.routes:
        assert isinstance(route, APIRoute), "a router holds routes"
        if not isinstance(route, LedgerRoute) and route.path not in PUBLIC:
            raise Unguarded(f"{route.path} asks for no permission")
    app.include_router(router, responses=_PROBLEMS)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    system: System = app.state.system
    # As many requests work at once as there are connections; the rest wait without a thread.
    limiter = anyio.to_thread.current_default_thread_limiter()
    limiter.total_tokens = _connections_max(system)
    yield
    system.close()


def _connections_max(system: System) -> int:
    count: int = system.ledger.engine.pool.size()  # type: ignore[attr-defined]  # it is a QueuePool
    return count


_PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"description": description, "content": {MEDIA_TYPE: {"schema": {
        "$ref": "#/components/schemas/Problem"}}}}
    for status, description in (
        ("4XX", "What the caller can mend; `code` says what."),
        ("5XX", "What the caller cannot mend; 503 may work again after `Retry-After`."),
    )
}  # fmt: skip
