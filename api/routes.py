"""The one kind of route: behind a permission, with a bounded body, its work one transaction."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Final

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.types import Message, Receive

from api.dependencies import Opening
from api.idempotency import Once
from api.problems import UnsupportedMediaType
from api.security import permission_of, throttle_of
from oms.channels.model import PayloadTooLarge
from oms.kernel.errors import NotFound, OmsError
from oms.ledger.database import Tx

BODY_BYTES_MAX: Final = 2 * 1024 * 1024
# A body that is too large is still read to this size, so that its sender sees the answer
# instead of a broken connection.
DRAIN_BYTES_MAX: Final = 64 * 1024 * 1024

# What the API's description calls the permission every key has.
ANY_KEY: Final = "any"

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Unguarded(AssertionError):
    """A route's signature names no permission: the application does not start."""


def limited_to(size_bytes_max: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a route function another limit for its body."""

    def mark(endpoint: Callable[..., Any]) -> Callable[..., Any]:
        endpoint.body_bytes_max = size_bytes_max  # type: ignore[attr-defined]  # read below
        return endpoint

    return mark


def keeping(kept: Callable[[str], str]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Say what of a route function's answer may be kept for repeated requests."""

    def mark(endpoint: Callable[..., Any]) -> Callable[..., Any]:
        endpoint.kept = kept  # type: ignore[attr-defined]  # read below
        return endpoint

    return mark


Refusal = Callable[[Tx, OmsError, dict[str, Any]], None]
"""Writes down what was refused: the error, and what the route function was called with."""


def noting_refusals(note: Refusal) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Say how what a route function refuses is written down, in a transaction of its own."""

    def mark(endpoint: Callable[..., Any]) -> Callable[..., Any]:
        endpoint.note_refusal = note  # type: ignore[attr-defined]  # read below
        return endpoint

    return mark


class LedgerRoute(APIRoute):
    """A route that lets in by key, reads a bounded body, and works in one transaction."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """Take a route function; raises Unguarded when its signature names no permission."""
        permission = permission_of(endpoint)
        if permission is None:
            raise Unguarded(f"{endpoint.__name__} names no permission")
        self.permission = permission
        self.body_bytes_max: int = getattr(endpoint, "body_bytes_max", BODY_BYTES_MAX)
        options["openapi_extra"] = {
            "x-permission": permission.scope or ANY_KEY, **(options.get("openapi_extra") or {})
        }  # fmt: skip
        status = options.get("status_code") or 200
        super().__init__(path, _in_transaction(endpoint, status), **options)

    def get_route_handler(self) -> Handler:
        """Return what handles a request: who may not is told so before the body is read."""
        handle = super().get_route_handler()
        reads_json = self.body_field is not None

        async def handler(request: Request) -> Response:
            request.state.caller = await run_in_threadpool(self.permission.let_in, request)
            if "\x00" in request.url.path:
                raise NotFound  # PostgreSQL has no such character, so nothing is called that
            if not self.permission.is_throttled:
                return await handle(request)
            async with throttle_of(request).slot(request.state.caller):
                if request.method == "POST":
                    request = Request(request.scope, _limited(request, self.body_bytes_max))
                    body = await request.body()
                    if reads_json and body and not _is_json(request):
                        raise UnsupportedMediaType
                return await handle(request)

        return handler


def _in_transaction(endpoint: Callable[..., Any], status: int) -> Callable[..., Any]:
    """Wrap a route function: its Opening becomes a transaction, its Once is kept."""
    note_refusal: Refusal = getattr(endpoint, "note_refusal", _unnoted)

    @wraps(endpoint)
    def within(**values: Any) -> Any:
        name, opening = _only(values, Opening)
        if opening is None:
            return endpoint(**values)
        _, once = _only(values, Once)
        if once is None:
            return opening.run(lambda tx: endpoint(**{**values, name: tx}))
        return once.answer(
            opening,
            lambda tx: _response(endpoint(**{**values, name: tx}), values, status),
            kept=getattr(endpoint, "kept", str),
            refused=lambda tx, error: note_refusal(tx, error, values),
        )

    return within


def _unnoted(_tx: Tx, _error: OmsError, _values: dict[str, Any]) -> None:
    """Leave a refusal to its answer."""


def _only(values: dict[str, Any], kind: type) -> tuple[str, Any]:
    return next(
        ((name, each) for name, each in values.items() if isinstance(each, kind)), ("", None)
    )


def _response(result: Any, values: dict[str, Any], status: int) -> Response:
    """Write an answer down as it will be sent, and sent again."""
    _, told = _only(values, Response)
    headers = dict(told.headers) if told is not None else {}
    if told is not None and told.status_code is not None:
        status = told.status_code
    body = result.model_dump_json() if isinstance(result, BaseModel) else ""
    return Response(body, status, headers, media_type="application/json")


def _is_json(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or (
        kind.startswith("application/") and kind.endswith("+json")
    )


def _limited(request: Request, size_bytes_max: int) -> Receive:
    """Return a request's receive that raises PayloadTooLarge beyond a size."""
    read = 0

    async def receive() -> Message:
        nonlocal read
        message = await request.receive()
        read += len(message.get("body", b""))
        if read > size_bytes_max:
            while message.get("more_body") and read < DRAIN_BYTES_MAX:
                message = await request.receive()
                read += len(message.get("body", b""))
            raise PayloadTooLarge(f"a body here is at most {size_bytes_max:,} bytes")
        return message

    return receive
