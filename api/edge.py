"""The edge: every answer has its id, its headers and its line in the log, errors included."""

import json
import logging
import re
import secrets
import time
from typing import Any, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import Unexpected, rendered

log = logging.getLogger("oms.api")

REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    # What is said here is about people and money; what may be kept says so itself.
    "Cache-Control": "no-store",
}
# The page of the interactive documentation loads its scripts from elsewhere.
PAGES: Final = frozenset({"/docs"})


class Edge:
    """The outermost layer of the application, around everything that can go wrong."""

    def __init__(self, app: ASGIApp) -> None:
        """Take the application."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _complete(MutableHeaders(scope=message), scope["path"], request_id)
            await send(message)

        try:
            await self.app(scope, receive, answer)
        except Exception:
            log.exception("not anticipated", extra={"request_id": request_id})
            if status == 0:
                await rendered(Unexpected(), request_id).response()(scope, receive, answer)
        _note(scope, request_id, status, time.perf_counter() - began)


class JsonLines(logging.Formatter):
    """One JSON object a line, in UTC; control characters are escaped by JSON itself."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, Any] = {
            "at": f"{at}.{int(record.msecs):03d}Z", "level": record.levelname.lower(),
            "logger": record.name, "message": record.getMessage(),
        }  # fmt: skip
        line |= {name: vars(record)[name] for name in _NOTED if name in vars(record)}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


_NOTED: Final = ("request_id", "method", "route", "status", "milliseconds", "key_id")


def _request_id(scope: Scope) -> str:
    given = Headers(scope=scope).get("x-request-id", "")
    return given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


def _complete(headers: MutableHeaders, path: str, request_id: str) -> None:
    headers["X-Request-Id"] = request_id
    for name, value in HEADERS.items():
        if name != "Content-Security-Policy" or path not in PAGES:
            headers.setdefault(name, value)


def _note(scope: Scope, request_id: str, status: int, seconds: float) -> None:
    # The route's path and not the request's: numbers and addresses of people stay out of logs.
    caller = scope["state"].get("caller")
    log.info(
        "answered",
        extra={
            "request_id": request_id, "method": scope["method"],
            "route": getattr(scope.get("route"), "path", None), "status": status,
            "milliseconds": round(seconds * 1000, 1),
            "key_id": None if caller is None else caller.key_id,
        },
    )  # fmt: skip
