"""A sandbox PSP: a payment service over real HTTP that does, forgets to answer and tells twice.

It keeps its own record, so that what it did can be compared with what its client believes. How
it misbehaves is switched by POST /switches; which operations a ratio picks follows from their
keys, so that a run can be repeated.
"""

import hashlib
import json
import logging
import threading
import time
from contextlib import suppress
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from oms.kernel import clock
from oms.sandbox import settlement
from oms.sandbox.book import Book, KeyReused, NotPossible, Operation, Wish
from oms.webhooks.messages import headers as signed

log = logging.getLogger("oms.sandbox.psp")

TYPES: Final = frozenset({"authorize", "capture", "void", "refund"})
BODY_BYTES_MAX: Final = 16_384
GONE: Final = 499  # as proxies log it; nobody reads it
ROUND_SECONDS: Final = 0.1
AGAIN: Final = timedelta(seconds=2)
# Instruments that behave in a way of their own, whatever the switches say.
DECLINED_TOKENS: Final = {"tok_declined": "declined", "tok_expired": "expired_card"}


class _Away(Exception):
    """Nobody answers, with this status."""

    def __init__(self, status: int) -> None:
        self.status = status


class Service:
    """What answers the routes, on one record."""

    def __init__(self, book: Book) -> None:
        """Take the record."""
        self.book = book

    async def operate(self, request: Request) -> Response:
        """Do an operation."""
        body = await request.body()
        return await run_in_threadpool(self._operate, request.headers.get("idempotency-key"), body)

    def _operate(self, key: str | None, body: bytes) -> Response:
        if not key or len(body) > BODY_BYTES_MAX:
            return JSONResponse({"code": "key_missing"}, 400)
        try:
            return JSONResponse(self._told(self._done(key, body)))
        except _Away as error:
            return JSONResponse({"code": "away"}, error.status)
        except KeyReused:
            return JSONResponse({"code": "key_reused"}, 422)
        except NotPossible as error:
            return JSONResponse({"code": str(error)}, 409)
        except (ValueError, KeyError, TypeError):
            return JSONResponse({"code": "not_understood"}, 400)

    def _told(self, done: Operation) -> dict[str, Any]:
        """Return an operation as it is told, with how and until when its payment is captured."""
        switches, until = self.book.switches(), None
        if done.type == "authorize" and switches["authorized_hours"]:
            held = timedelta(hours=switches["authorized_hours"])
            until = (datetime.fromisoformat(done.changed_at) + held).isoformat()
        return done.document() | {
            "captures_once": switches["captures_once"], "authorized_until_at": until,
        }  # fmt: skip

    def _done(self, key: str, body: bytes) -> Operation:
        """Do an operation and tell of it. Raises _Away when nobody is told, done or not."""
        switches = self.book.switches()
        is_new = self.book.found(key) is None
        # Not even looked at: the same key is taken when it comes again, every other time.
        if is_new and _picks(key, "away", switches["away_ratio"]) and _turn(key) % 2:
            raise _Away(503)
        done = self.book.do(_wish(key, body, json.loads(body), switches), at=clock.now())
        if is_new and done.state != "pending":
            self.tell(done, switches)
        time.sleep(switches["delay_ms"] / 1000)
        if is_new and _picks(key, "lost", switches["lost_answer_ratio"]):
            raise _Away(504)
        return done

    def tell(self, done: Operation, switches: dict[str, Any]) -> None:
        """Queue a notification of an operation as it is now."""
        if not switches["notify_url"]:
            return
        ref = f"ntc_{done.id}_{done.state}"
        due_at = clock.now() + timedelta(milliseconds=switches["notice_delay_ms"])
        body = json.dumps({"id": ref, "operation": self._told(done)})
        self.book.queue(ref, body, copies=switches["notice_copies"], due_at=due_at)

    async def find(self, request: Request) -> Response:
        """Tell what was done by a key."""
        found = await run_in_threadpool(self.book.found, request.query_params.get("key", ""))
        if found is None:
            return JSONResponse({"code": "not_found"}, 404)
        return JSONResponse(await run_in_threadpool(self._told, found))

    async def record(self, request: Request) -> Response:
        """Return every operation there is."""
        after = int(request.query_params.get("after", "0"))
        found = await run_in_threadpool(lambda: self.book.all(after=after))
        return JSONResponse([each.document() for each in found])

    async def settlement(self, request: Request) -> Response:
        """Return the settlement report of a day."""
        try:
            day = date.fromisoformat(request.path_params["day"])
        except ValueError:
            return JSONResponse({"code": "not_understood"}, 400)
        done, switches = await run_in_threadpool(lambda: (self.book.all(), self.book.switches()))
        written = settlement.report(done, day, fee_ppm=switches["fee_ppm"])
        return Response(written, media_type="text/csv")

    async def switch(self, request: Request) -> Response:
        """Have the sandbox behave otherwise."""
        try:
            await run_in_threadpool(self.book.switch, await request.json())
        except (KeyError, ValueError):
            return JSONResponse({"code": "not_understood"}, 400)
        return JSONResponse(await run_in_threadpool(self.book.switches))

    async def external(self, request: Request) -> Response:
        """Do something nobody asked for by a key of ours: a refund in the PSP's own console."""
        return await run_in_threadpool(self._external, await request.body())

    def _external(self, body: bytes) -> Response:
        asked = json.loads(body)
        key = f"external_{clock.now().timestamp()}_{hashlib.sha256(body).hexdigest()[:8]}"
        switches = self.book.switches()
        wish = _wish(key, body, {"reference": "", **asked}, switches | {"pending_ratio": 0})
        try:
            done = self.book.do(wish, at=clock.now())
        except NotPossible as error:
            return JSONResponse({"code": str(error)}, 409)
        self.tell(done, switches)
        return JSONResponse(done.document())

    def round(self, client: httpx.Client) -> None:
        """Let time pass: what is pending ends, what is to be told is told."""
        switches, at = self.book.switches(), clock.now()
        ripe = at - timedelta(milliseconds=switches["pending_ms"])
        for each in self.book.pending():
            if datetime.fromisoformat(each.changed_at) <= ripe:
                is_bad = _picks(each.key, "later", switches["fails_later_ratio"])
                ended = ("failed", "refused_later") if is_bad else ("succeeded", None)
                self.tell(self.book.become(each.key, *ended, at=at), switches)
        for notice_id, ref, body in self.book.due_notices(at=at):
            is_taken = _send(client, switches, ref, body.encode())
            self.book.told(notice_id, is_taken=is_taken, at=at, again_at=at + AGAIN)


def _wish(key: str, body: bytes, asked: dict[str, Any], switches: dict[str, Any]) -> Wish:
    kind, amount = asked["type"], asked["amount_minor"]
    if kind not in TYPES or not isinstance(amount, int) or amount <= 0:
        raise ValueError
    failure = DECLINED_TOKENS.get(str(asked.get("token")))
    if failure is None and _picks(key, "decline", switches["decline_ratio"]):
        failure = "declined"
    is_pending = asked.get("token") == "tok_pending" or _picks(
        key, "pending", switches["pending_ratio"]
    )
    state = "failed" if failure else "pending" if is_pending else "succeeded"
    return Wish(
        key=key, digest=hashlib.sha256(body).hexdigest(), type=kind, amount_minor=amount,
        payment_id=asked.get("payment_id"), reference=str(asked["reference"]),
        currency=str(asked["currency"]), state=state, failure=failure,
        captures_once=bool(switches["captures_once"]),
    )  # fmt: skip


def _picks(key: str, salt: str, ratio: float) -> bool:
    """Tell whether a ratio picks a key: always the same for the same key."""
    digest = hashlib.sha256(f"{salt}:{key}".encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32 < ratio


_TURNS: Final[dict[str, int]] = {}


def _turn(key: str) -> int:
    _TURNS[key] = _TURNS.get(key, 0) + 1
    return _TURNS[key]


def _send(client: httpx.Client, switches: dict[str, Any], ref: str, body: bytes) -> bool:
    headers = signed([switches["secret"]], ref, body, at=clock.now())
    with suppress(httpx.HTTPError):
        return client.post(switches["notify_url"], content=body, headers=headers).is_success
    return False


def _gone(_request: Request, _error: Exception) -> Response:
    """Answer nobody: a client that was killed did not even ask to the end."""
    return Response(status_code=GONE)


def create_app(path: Path) -> Starlette:
    """Make the service on a record."""
    service = Service(Book(path))
    app = Starlette(
        routes=[
            Route("/health", lambda _: Response("ok"), methods=["GET"]),
            Route("/operations", service.operate, methods=["POST"]),
            Route("/operations", service.find, methods=["GET"]),
            Route("/external", service.external, methods=["POST"]),
            Route("/record", service.record, methods=["GET"]),
            Route("/settlements/{day}", service.settlement, methods=["GET"]),
            Route("/switches", service.switch, methods=["POST"]),
        ],
        exception_handlers={ClientDisconnect: _gone},
    )
    app.state.service = service
    return app


def keep_round(service: Service, stop: threading.Event) -> None:
    """Let time pass until told to stop."""
    with httpx.Client(timeout=5) as client:
        while not stop.wait(ROUND_SECONDS):
            try:
                service.round(client)
            except Exception:
                log.exception("a round failed")


def serve(path: Path, port: int, *, notify_url: str, secret: str) -> None:
    """Run the service on loopback until it is stopped."""
    app = create_app(path)
    app.state.service.book.switch({"notify_url": notify_url, "secret": secret})
    stop = threading.Event()
    telling = threading.Thread(target=keep_round, args=(app.state.service, stop), daemon=True)
    telling.start()
    try:
        uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")
    finally:
        stop.set()
        telling.join()
