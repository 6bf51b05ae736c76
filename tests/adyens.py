"""Adyen on this machine: the little of its Checkout API that we ask, over real HTTP.

It answers what it has received and tells later what became of it, as the real one does.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from oms.adapters.psp.adyen import signature

KEY = "AQE_ours"
ACCOUNT = "OrpCOM"
HMAC_KEY = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"
KINDS = {"captures": "CAPTURE", "cancels": "CANCELLATION", "refunds": "REFUND"}
SUMS = {"AUTHORISATION": "authorize", "CAPTURE": "capture", "CANCELLATION": "void",
        "REFUND": "refund"}  # fmt: skip


class Local:
    """A running Adyen: what it was asked, and what it has to tell."""

    def __init__(self) -> None:
        self.port = 0
        self.kept: dict[str, tuple[int, Any]] = {}
        self.items: dict[str, dict[str, Any]] = {}  # by our reference
        self.wishes: list[dict[str, Any]] = []
        self.is_losing = False
        self.is_multicapture = False
        self.status: int | None = None
        self.error, self.headers = "000", dict[str, str]()  # of what it does not do
        self.result: str | None = None  # of what it is asked to authorize

    def behaves(self, *, is_multicapture: bool) -> None:
        self.is_multicapture = is_multicapture

    def loses(self, ratio: float) -> None:
        self.is_losing = bool(ratio)

    def done(self) -> dict[str, int]:
        sums: dict[str, int] = {}
        for each in self.items.values():
            if each["success"] == "true":
                kind = SUMS[each["eventCode"]]
                sums[kind] = sums.get(kind, 0) + each["amount"]["value"]
        return sums

    def batch(self, *references: str) -> bytes:
        """Return what is told of operations, signed."""
        return batch([self.items[each] for each in references])

    async def ask(self, request: Request) -> Response:
        body = await request.json()
        self.wishes.append(body)
        key = request.headers.get("idempotency-key", "")
        if self.status is not None or request.headers.get("x-api-key") != KEY:
            return JSONResponse({"errorCode": self.error}, self.status or 401, self.headers)
        if key not in self.kept:
            self.kept[key] = self._answer(request.path_params, body)
        status, told = self.kept[key]
        return JSONResponse({}, 504) if self.is_losing else JSONResponse(told, status)

    def _answer(self, asked: dict[str, str], body: dict[str, Any]) -> tuple[int, Any]:
        number = f"PSP{len(self.items):013d}"
        if body["merchantAccount"] != ACCOUNT:
            return 403, {"errorCode": "901"}
        if "payment" not in asked:
            is_good = body["paymentMethod"]["storedPaymentMethodId"] != "declined"
            self._tell("AUTHORISATION", number, "", body, is_good=is_good)
            told = {"pspReference": number, "merchantReference": body["reference"]}
            if self.result is not None:
                return 200, told | {"resultCode": self.result}
            if is_good:
                return 200, told | {"resultCode": "Authorised"}
            return 200, told | {"resultCode": "Refused", "refusalReasonCode": "2"}
        parent = asked["payment"]
        sums = self._sums(parent)
        if "authorize" not in sums:
            return 422, {"errorCode": "167", "message": "Original pspReference required"}
        held = sums["authorize"] - sums.get("capture", 0) - sums.get("void", 0)
        kind = KINDS[asked["kind"]]
        if sums.get("capture") and not self.is_multicapture:
            held = 0  # what a capture leaves is let go
        body.setdefault("amount", {"value": held, "currency": "EUR"})
        left = sums.get("capture", 0) - sums.get("refund", 0) if kind == "REFUND" else held
        is_good = 0 < body["amount"]["value"] <= left
        self._tell(kind, number, parent, body, is_good=is_good)
        return 201, {"pspReference": number, "status": "received"}

    def _tell(
        self, event: str, number: str, parent: str, body: dict[str, Any], *, is_good: bool
    ) -> None:
        self.items[body["reference"]] = an_item(
            pspReference=number, originalReference=parent, merchantReference=body["reference"],
            amount=body["amount"], eventCode=event, success="true" if is_good else "false",
            reason="" if is_good else "Refused",
        )  # fmt: skip

    def _sums(self, parent: str) -> dict[str, int]:
        sums: dict[str, int] = {}
        for each in self.items.values():
            is_of_it = parent in {each["pspReference"], each["originalReference"]}
            if is_of_it and each["success"] == "true":
                kind = SUMS[each["eventCode"]]
                sums[kind] = sums.get(kind, 0) + each["amount"]["value"]
        return sums


def an_item(**fields: Any) -> dict[str, Any]:
    """Return an item of a notification that is signed."""
    item = {
        "pspReference": "P1", "originalReference": "", "merchantAccountCode": ACCOUNT,
        "merchantReference": "X1", "amount": {"value": 1000, "currency": "EUR"},
        "eventCode": "AUTHORISATION", "success": "true", "reason": "", "paymentMethod": "visa",
        "eventDate": "2026-01-05T12:00:00+01:00", **fields,
    }  # fmt: skip
    return item | {"additionalData": {"hmacSignature": signature(HMAC_KEY, item)}}


def batch(items: list[dict[str, Any]], *, is_live: bool = False) -> bytes:
    told = {"live": str(is_live).lower(),
            "notificationItems": [{"NotificationRequestItem": each} for each in items]}  # fmt: skip
    return json.dumps(told).encode()


@contextmanager
def charging() -> Iterator[Local]:
    """Run an Adyen on a port of its own."""
    local = Local()
    app = Starlette(
        routes=[
            Route("/v71/payments", local.ask, methods=["POST"]),
            Route("/v71/payments/{payment}/{kind}", local.ask, methods=["POST"]),
        ]
    )
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            thread.join(0.01)
        local.port = server.servers[0].sockets[0].getsockname()[1]
        yield local
    finally:
        server.should_exit = True
        thread.join()
