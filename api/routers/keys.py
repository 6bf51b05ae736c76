"""API keys: made, listed, revoked. Nobody gives more than they have."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Request

from api.dependencies import Now, Snapshot, Tx
from api.idempotency import OncePerKeyIfGiven
from api.problems import Refused, field_problem
from api.routes import LedgerRoute, keeping
from api.schemas.keys import KeyMadeOut, KeyOut, KeyPost, MeOut, without_secret
from api.security import AnyKey, KeysWrite
from oms.access import operations, queries
from oms.access.model import BOUND_TO_LOCATIONS, OF_TOOLS, ROLES, VIA, ApiKey, Caller
from oms.channels import queries as channels
from oms.kernel.errors import Forbidden, NotFound
from oms.locations import queries as locations

router: Final = APIRouter(prefix="/v1", tags=["keys"], route_class=LedgerRoute)


class KeyNotFound(NotFound):
    """There is no such key."""


class MoreThanOwn(Forbidden):
    """A key may not make one that is allowed more than itself."""

    code = "MORE_THAN_OWN"


@router.get("/me")
def get_me(caller: AnyKey) -> MeOut:
    """Tell whose key this is, and what it allows."""
    return MeOut.of(caller)


@router.get("/keys")
def list_keys(caller: KeysWrite, tx: Snapshot) -> list[KeyOut]:
    """List keys, without their secrets, oldest first."""
    return [KeyOut.of(key) for key in queries.keys(tx) if _governs(caller, key)]


@router.post("/keys", status_code=201)
@keeping(without_secret)
def make_key(
    body: KeyPost, caller: KeysWrite, tx: Tx, now: Now, _once: OncePerKeyIfGiven
) -> KeyMadeOut:
    """Make a key; its secret is in this answer and never again."""
    if body.expires_at is not None and body.expires_at <= now:
        raise Refused([field_problem("VALIDATION", "/expires_at")])
    codes = caller.channels if body.channel_codes is None else frozenset(body.channel_codes)
    _check(tx, caller, body.role, codes)
    _check_places(tx, body)
    _check_tool(body)
    secret = operations.make_key(
        tx, body.name, role=body.role, at=now, expires_at=body.expires_at,
        channel_codes=None if codes is None else sorted(codes), location_codes=body.location_codes,
        is_tool=body.is_tool,
    )  # fmt: skip
    made = next(key for key in queries.keys(tx) if key.key_id == secret.split("_")[1])
    return KeyMadeOut(**KeyOut.of(made).model_dump(), key=secret)


@router.delete("/keys/{key_id}", status_code=204)
def revoke_key(
    key_id: Annotated[str, Path(pattern="^[0-9a-f]{1,32}$")],
    caller: KeysWrite,
    tx: Tx,
    now: Now,
    request: Request,
) -> None:
    """Revoke a key from now on."""
    if not any(key.key_id == key_id and _governs(caller, key) for key in queries.keys(tx)):
        raise KeyNotFound
    operations.revoke_key(tx, key_id, at=now)
    request.app.state.keyring.forget()


def _governs(caller: Caller, key: ApiKey) -> bool:
    """Tell whether a key is within what its caller may know of."""
    if caller.channels is None:
        return True
    return key.channel_codes is not None and caller.channels.issuperset(key.channel_codes)


def _check(tx: Tx, caller: Caller, role: str, codes: frozenset[str] | None) -> None:
    if not caller.scopes.issuperset(ROLES[role]):
        raise MoreThanOwn
    known = {channel.code for channel in channels.channels(tx) if caller.may_see(channel.code)}
    if not known.issuperset(codes or ()):
        raise Refused([field_problem("UNKNOWN_CHANNEL", "/channel_codes")])


def _check_places(tx: Tx, body: KeyPost) -> None:
    if body.location_codes is None:
        return
    if body.role not in BOUND_TO_LOCATIONS:
        raise Refused([field_problem("VALIDATION", "/location_codes")])
    if not locations.codes(tx).issuperset(body.location_codes):
        raise Refused([field_problem("UNKNOWN_LOCATION", "/location_codes")])


def _check_tool(body: KeyPost) -> None:
    if body.is_tool and body.role not in OF_TOOLS:
        raise Refused([field_problem("VALIDATION", "/is_tool")])
    if VIA in body.name:
        raise Refused([field_problem("VALIDATION", "/name")])
