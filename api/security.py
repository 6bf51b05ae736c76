"""Permissions: who calls, by which key, and what a route's signature asks of them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, get_type_hints

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer
from sqlalchemy import text

from api.dependencies import Opening, system_of
from api.problems import PersonInvalid
from api.throttle import Throttle
from oms.access import queries
from oms.access.model import (
    KEY,
    PERSON,
    SCOPES,
    TOKEN,
    Caller,
    NotAuthenticated,
    ScopeMissing,
)
from oms.kernel import clock
from oms.ledger.database import Ledger, Tx

SIGNATURE_HEADER: Final = "x-shopify-hmac-sha256"
# Whom a tool acts for.
PERSON_HEADER: Final = "oms-on-behalf-of"
# How exact the last use of a key is known: writing it down at each request would make all
# requests of a key wait for each other.
USE_NOTED_EVERY: Final = timedelta(minutes=1)

# How long a key is believed without asking the ledger: what is revoked here is refused at once,
# what is revoked by another process within this time.
BELIEVED_FOR: Final = timedelta(milliseconds=500)
BELIEVED_MAX: Final = 1_000

_bearer = HTTPBearer(
    auto_error=False, bearerFormat="oms_…", description="An API key, or a token for one."
)


@dataclass(frozen=True, slots=True)
class Permission:
    """What a route asks of its caller: a scope, or for webhooks a signature in its stead.

    None asks for a key and nothing more: what it tells, everybody may know of themselves. Whether
    the system is well may be asked however much a key has asked already.
    """

    scope: str | None
    is_signature_enough: bool = False
    is_throttled: bool = True

    def __post_init__(self) -> None:
        """Refuse a scope nobody can have."""
        assert self.scope is None or self.scope in SCOPES, f"{self.scope} is not a scope"

    async def __call__(
        self, request: Request, _key: Annotated[Any, Security(_bearer)] = None
    ) -> Caller | None:
        """Return the caller, who was let in before the body was read."""
        caller: Caller | None = request.state.caller
        return caller

    def let_in(self, request: Request) -> Caller | None:
        """Return who calls; None when a signature speaks for them.

        Raises NotAuthenticated, TooManyRequests for a key that has none left, and ScopeMissing
        for one that does not allow this.
        """
        is_keyless = "authorization" not in request.headers
        if is_keyless and self.is_signature_enough and SIGNATURE_HEADER in request.headers:
            return None
        at = clock.now()
        caller = _caller(request, at=at)
        if self.is_throttled:
            throttle_of(request).admit(caller, at=at)
        return self._allowed(caller)

    def still(self, request: Request) -> Caller:
        """Return who calls as their key stands now, for an answer that goes on.

        Raises NotAuthenticated and ScopeMissing.
        """
        return self._allowed(_caller(request, at=clock.now()))

    def _allowed(self, caller: Caller) -> Caller:
        if self.scope is not None and self.scope not in caller.scopes:
            raise ScopeMissing(scope=self.scope)
        return caller


class Keyring:
    """The keys this process has seen lately: whose they are, and when their use was noted."""

    def __init__(self) -> None:
        """Begin without any."""
        self._believed: dict[str, tuple[Caller, datetime]] = {}
        self._noted: dict[str, datetime] = {}

    def caller(self, key: str, ledger: Ledger, *, at: datetime) -> Caller:
        """Return whose a key is; raises NotAuthenticated."""
        caller, since = self._believed.get(key, (None, at))
        if caller is None or not timedelta(0) <= at - since < BELIEVED_FOR:
            opening = Opening(ledger=ledger, is_read_only=True)
            caller = opening.run(lambda tx: queries.bearer(tx, key, at=at))
            if len(self._believed) >= BELIEVED_MAX:
                self._believed.clear()
            self._believed[key] = caller, at
        if at - self._noted.get(caller.key_id, at - USE_NOTED_EVERY) >= USE_NOTED_EVERY:
            self._noted[caller.key_id] = at
            with ledger.transaction() as tx:
                _note_use(tx, caller.key_id, at=at)
        return caller

    def forget(self) -> None:
        """Ask the ledger about every key again."""
        self._believed.clear()
        self._noted.clear()


def _caller(request: Request, *, at: datetime) -> Caller:
    given = request.headers.getlist("authorization")
    if len(given) != 1:
        raise NotAuthenticated
    scheme, _, key = given[0].partition(" ")
    if scheme.lower() != "bearer" or not (KEY.fullmatch(key) or TOKEN.fullmatch(key)):
        raise NotAuthenticated
    keyring: Keyring = request.app.state.keyring
    return _speaking(request, keyring.caller(key, system_of(request).ledger, at=at))


def _speaking(request: Request, caller: Caller) -> Caller:
    """Return the caller as who they speak for. Raises PersonInvalid, NoTool."""
    named = request.headers.getlist(PERSON_HEADER)
    if not named:
        return caller
    if len(named) > 1 or not PERSON.fullmatch(named[0]):
        raise PersonInvalid
    return caller.speaking_for(named[0])


def _note_use(tx: Tx, key_id: str, *, at: datetime) -> None:
    tx.execute(
        text("update api_keys set last_used_at = :at where key_id = :key_id"),
        {"at": at, "key_id": key_id},
    )


def throttle_of(request: Request) -> Throttle:
    """Return the throttle of this application."""
    throttle: Throttle = request.app.state.throttle
    return throttle


def permission_of(endpoint: Any) -> Permission | None:
    """Return the permission a function's signature names."""
    for hint in get_type_hints(endpoint, include_extras=True).values():
        for mark in getattr(hint, "__metadata__", ()):
            if isinstance(getattr(mark, "dependency", None), Permission):
                permission: Permission = mark.dependency
                return permission
    return None


AnyKey = Annotated[Caller, Depends(Permission(None))]
OrdersRead = Annotated[Caller, Depends(Permission("orders:read"))]
OrdersWrite = Annotated[Caller, Depends(Permission("orders:write"))]
OrdersLookUp = Annotated[Caller, Depends(Permission("orders:lookup"))]
OrdersHold = Annotated[Caller, Depends(Permission("orders:hold"))]
CustomersRead = Annotated[Caller, Depends(Permission("customers:read"))]
CustomersWrite = Annotated[Caller, Depends(Permission("customers:write"))]
CustomersManage = Annotated[Caller, Depends(Permission("customers:manage"))]
FulfillmentRead = Annotated[Caller, Depends(Permission("fulfillment:read"))]
FulfillmentWrite = Annotated[Caller, Depends(Permission("fulfillment:write"))]
TrackingWrite = Annotated[Caller, Depends(Permission("tracking:write"))]
ReservationsRead = Annotated[Caller, Depends(Permission("reservations:read"))]
ReservationsWrite = Annotated[Caller, Depends(Permission("reservations:write"))]
PaymentsRead = Annotated[Caller, Depends(Permission("payments:read"))]
PaymentsWrite = Annotated[Caller, Depends(Permission("payments:write"))]
RefundsRead = Annotated[Caller, Depends(Permission("refunds:read"))]
RefundsWrite = Annotated[Caller, Depends(Permission("refunds:write"))]
RefundsRules = Annotated[Caller, Depends(Permission("refunds:rules"))]
RefundsTill = Annotated[Caller, Depends(Permission("refunds:till"))]
NotesInternal = Annotated[Caller, Depends(Permission("notes:internal"))]
SettlementsRead = Annotated[Caller, Depends(Permission("settlements:read"))]
SettlementsWrite = Annotated[Caller, Depends(Permission("settlements:write"))]
CreditsRead = Annotated[Caller, Depends(Permission("credits:read"))]
CreditsWrite = Annotated[Caller, Depends(Permission("credits:write"))]
DocumentsRead = Annotated[Caller, Depends(Permission("documents:read"))]
DocumentsSend = Annotated[Caller, Depends(Permission("documents:send"))]
DocumentsWrite = Annotated[Caller, Depends(Permission("documents:write"))]
ReturnsRead = Annotated[Caller, Depends(Permission("returns:read"))]
ReturnsRequest = Annotated[Caller, Depends(Permission("returns:request"))]
ReturnsWrite = Annotated[Caller, Depends(Permission("returns:write"))]
StockRead = Annotated[Caller, Depends(Permission("stock:read"))]
StockWrite = Annotated[Caller, Depends(Permission("stock:write"))]
CatalogRead = Annotated[Caller, Depends(Permission("catalog:read"))]
CatalogWrite = Annotated[Caller, Depends(Permission("catalog:write"))]
ChannelsRead = Annotated[Caller, Depends(Permission("channels:read"))]
HealthRead = Annotated[Caller, Depends(Permission("channels:read", is_throttled=False))]
InboxWrite = Annotated[Caller, Depends(Permission("inbox:write"))]
InboxWriteOrSigned = Annotated[
    Caller | None, Depends(Permission("inbox:write", is_signature_enough=True))
]
QuarantineRead = Annotated[Caller, Depends(Permission("quarantine:read"))]
QuarantineWrite = Annotated[Caller, Depends(Permission("quarantine:write"))]
SalesRead = Annotated[Caller, Depends(Permission("sales:read"))]
MAY_READ_EVENTS: Final = Permission("events:read")
EventsRead = Annotated[Caller, Depends(MAY_READ_EVENTS)]
WebhooksRead = Annotated[Caller, Depends(Permission("webhooks:read"))]
WebhooksWrite = Annotated[Caller, Depends(Permission("webhooks:write"))]
SourcingRead = Annotated[Caller, Depends(Permission("sourcing:read"))]
SourcingWrite = Annotated[Caller, Depends(Permission("sourcing:write"))]
KeysWrite = Annotated[Caller, Depends(Permission("keys:write"))]
