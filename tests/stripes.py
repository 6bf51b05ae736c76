"""Stripe on this machine: localstripe behind real HTTP, with what it lacks of what we ask of it.

What it lacks is played as Stripe's reference has it: the same key is the same answer, searches by
metadata, metadata and `final_capture` of captures, and what may still be captured.
"""

import asyncio
import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web

with warnings.catch_warnings():
    # Its routes are of a kind its library has deprecated.
    warnings.simplefilter("ignore")
    from localstripe import resources
    from localstripe.errors import UserError
    from localstripe.server import api_extra, auth_middleware, error_middleware
    from localstripe.server import app as stripe_app

KEY = "sk_test_ours"
WEBHOOK_SECRET = "whsec_ours"
CAPTURE_BEFORE = 1_900_000_000


class Local:
    """A running Stripe: what it is to lose, and what it has done."""

    def __init__(self) -> None:
        self.port = 0
        self.kept: dict[str, tuple[int, bytes]] = {}
        self.asked: list[tuple[str, str, str | None]] = []
        self.is_losing = False
        self.status: int | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def loses(self, ratio: float) -> None:
        self.is_losing = bool(ratio)

    def done(self) -> dict[str, int]:
        """Add up what was done, in the currency's smallest unit."""
        sums = dict.fromkeys(("authorize", "capture", "void", "refund"), 0)
        for each in list(resources.store.values()):
            if isinstance(each, resources.PaymentIntent) and each.latest_charge:
                charge = each.latest_charge
                if charge.status == "failed":
                    continue
                sums["authorize"] += each.amount
                if charge.captured:
                    sums["capture"] += each.amount - _released(charge)
                elif each._canceled:
                    sums["void"] += each.amount - _captured(each)
                sums["capture"] += _captured(each)
            if isinstance(each, resources.Refund) and each.payment_intent:
                sums["refund"] += each.amount
        return {kind: total for kind, total in sums.items() if total}


def _released(charge: Any) -> int:
    """Return what was let go when less was captured: localstripe has it as a refund."""
    return sum(each.amount for each in charge.refunds._list if not each.payment_intent)


def _capture(
    id: str,  # noqa: A002 - as it is asked
    amount_to_capture: Any = None,
    metadata: Any = None,
    final_capture: Any = None,
) -> Any:
    intent = resources.PaymentIntent._api_retrieve(id)
    if intent.status != "requires_capture":
        raise UserError(400, "It holds nothing.", {"code": "payment_intent_unexpected_state"})
    amount, captured = int(amount_to_capture), _captured(intent)
    if amount > _capturable(intent):
        raise UserError(400, "It does not hold as much.", {"code": "amount_too_large"})
    if str(final_capture).lower() == "false":
        if not _is_multicapture(intent):
            raise UserError(400, "It is captured once.", {"code": "parameter_invalid"})
        intent._parts = captured + amount
    else:
        resources.PaymentIntent._api_capture(id, amount_to_capture=captured + amount)
        intent._parts = 0
    intent.metadata.update(metadata or {})
    return intent


def _create(
    automatic_payment_methods: Any = None, payment_method_options: Any = None, **rest: Any
) -> Any:
    made = resources.PaymentIntent._api_create(**rest)
    if made.latest_charge is not None:
        made.latest_charge.payment_method_details = {"card": {"capture_before": CAPTURE_BEFORE}}
    wish = ((payment_method_options or {}).get("card") or {}).get("request_multicapture")
    if wish is not None and made.latest_charge is not None:
        status = "unavailable" if rest.get("currency") == "jpy" else "available"
        made.latest_charge.payment_method_details["card"]["multicapture"] = {"status": status}
    return made


def _is_multicapture(intent: Any) -> bool:
    details = getattr(intent.latest_charge, "payment_method_details", None) or {}
    return bool((details.get("card") or {}).get("multicapture", {}).get("status") == "available")


def _captured(intent: Any) -> int:
    return int(getattr(intent, "_parts", 0))


def _capturable(intent: Any) -> int:
    held = int(intent.amount) - _captured(intent)
    return held if intent.status == "requires_capture" else 0


def _search(query: str, limit: Any = None) -> Any:
    _, name, _, value, _ = query.split('"')
    found = resources.List("/v1/payment_intents/search", limit=int(limit))
    found._list = [
        each
        for each in resources.store.values()
        if isinstance(each, resources.PaymentIntent) and each.metadata.get(name) == value
    ]
    return found


def _made(local: Local) -> web.Application:
    @web.middleware
    async def playing(request: web.Request, handler: Any) -> web.StreamResponse:
        key = request.headers.get("Idempotency-Key")
        local.asked.append((request.method, request.path, key))
        if local.status is not None:
            return web.json_response({"error": {"type": "api_error"}}, status=local.status)
        if key in local.kept:
            status, body = local.kept[key]
            return web.Response(status=status, body=body, content_type="application/json")
        answer = await handler(request)
        if key is not None:
            local.kept[key] = answer.status, answer.body
        if local.is_losing and str(key).startswith("key-"):
            raise web.HTTPGatewayTimeout
        return answer

    made = web.Application(middlewares=[playing, error_middleware, auth_middleware])
    made.router.add_post("/v1/payment_intents/{id}/capture", api_extra(_capture, ""))
    made.router.add_post("/v1/payment_intents", api_extra(_create, ""))
    made.router.add_get("/v1/payment_intents/search", api_extra(_search, ""))
    for route in stripe_app.router.routes():
        made.router.add_route(route.method, route.resource.canonical, route.handler)
    return made


@contextmanager
def charging() -> Iterator[Local]:
    """Run a Stripe on a port of its own."""
    logging.getLogger("aiohttp.access").setLevel(logging.CRITICAL)
    resources.store.clear()
    resources.PaymentIntent.amount_capturable = property(_capturable)
    resources.store.dump_to_disk = lambda: None  # it would keep everything in a file of its own
    local, loop, stop = Local(), asyncio.new_event_loop(), asyncio.Event()
    ready = threading.Event()

    async def serve() -> None:
        runner = web.AppRunner(_made(local))
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        local.port = runner.addresses[0][1]
        ready.set()
        await stop.wait()
        await runner.cleanup()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    ready.wait(10)
    try:
        yield local
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
