"""Tokens: what a client gets for its key by OAuth 2.0's client credentials (RFC 6749, 4.4)."""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qsl, unquote_plus

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from api.dependencies import Opening, system_of
from api.problems import correlation_id_of
from api.schemas.tokens import GRANT, TokenForm, TokenOut
from api.throttle import Guesses, address_of
from oms.access import operations
from oms.access.model import NotAuthenticated, ScopeBeyond, Token
from oms.channels.model import PayloadTooLarge
from oms.kernel import clock

FORM_BYTES_MAX: Final = 16 * 1024
FIELDS_MAX: Final = 20
# An address may be that of many clients, and each asks anew every hour.
ADDRESS_PER_HOUR_MAX: Final = 600
FORM: Final = "application/x-www-form-urlencoded"

# Open to everybody: who has a key gets a token for it, and nobody else.
public: Final = APIRouter(prefix="/v1", tags=["keys"])

_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True, "content": {FORM: {"schema": TokenForm.model_json_schema()}}
    }
}  # fmt: skip
_REFUSED: Final[dict[int | str, dict[str, Any]]] = {
    status: {
        "description": description,
        "content": {"application/json": {"schema": {
            "type": "object", "required": ["error"],
            "properties": {name: {"type": "string"} for name in ("error", "error_description")},
        }}},
    }
    for status, description in (
        (400, "`invalid_request`, `unsupported_grant_type` or `invalid_scope`"),
        (401, "`invalid_client`"),
    )
}  # fmt: skip
_UNKNOWN: Final = "invalid_client"
# As OAuth 2.0 wants it, for those who keep things by HTTP/1.0.
_UNKEPT: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_SENTENCES: Final[Mapping[str, str]] = {
    "invalid_request": "grant_type once, in a form, and the client in one place only",
    _UNKNOWN: "there is no such client, or its key is not this one",
    "unsupported_grant_type": f"the grant is {GRANT}",
    "invalid_scope": "the key of the client does not allow all that",
}


class _Refusal(Exception):
    """What OAuth calls an error."""


@public.post("/oauth/token", openapi_extra=_BODY, responses=_REFUSED, response_model=TokenOut)
async def make_token(request: Request) -> Response:
    """Give a client a bearer token for its key; errors are those of OAuth 2.0."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > FORM_BYTES_MAX:
            raise PayloadTooLarge
    return await run_in_threadpool(_answer, request, body)


def _answer(request: Request, body: bytes) -> Response:
    at = clock.now()
    guesses: Guesses = request.app.state.guesses
    guesses.admit(at, token_from=(address_of(request), ADDRESS_PER_HOUR_MAX))
    try:
        token = _token(request, _fields(request, body), at=at)
    except _Refusal as refusal:
        return _refused(str(refusal))
    except NotAuthenticated:
        return _refused(_UNKNOWN)
    except ScopeBeyond:
        return _refused("invalid_scope")
    return JSONResponse(TokenOut.of(token, at=at).model_dump(), headers=_UNKEPT)


def _token(request: Request, fields: Mapping[str, str], *, at: datetime) -> Token:
    key_id, key = _client(request, fields)
    if "grant_type" not in fields:
        raise _Refusal("invalid_request")
    if fields["grant_type"] != GRANT:
        raise _Refusal("unsupported_grant_type")
    scopes = set(fields.get("scope", "").split(" ")) - {""} or None
    opening = Opening(
        ledger=system_of(request).ledger, is_read_only=False,
        correlation_id=correlation_id_of(request.scope),
    )  # fmt: skip
    return opening.run(lambda tx: operations.exchange_key(tx, key_id, key, scopes, at=at))


def _refused(error: str) -> Response:
    headers = _UNKEPT | ({"WWW-Authenticate": 'Basic realm="oms"'} if error == _UNKNOWN else {})
    content = {"error": error, "error_description": _SENTENCES[error]}
    return JSONResponse(content, 401 if error == _UNKNOWN else 400, headers=headers)


def _fields(request: Request, body: bytes) -> dict[str, str]:
    """Read a form; a field without a value is left out, and none comes twice."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != FORM:
        raise _Refusal("invalid_request")
    try:
        pairs = parse_qsl(body.decode("ascii"), errors="strict", max_num_fields=FIELDS_MAX)
    except ValueError:
        raise _Refusal("invalid_request") from None
    if len(dict(pairs)) != len(pairs):
        raise _Refusal("invalid_request")
    return dict(pairs)


def _client(request: Request, fields: Mapping[str, str]) -> tuple[str, str]:
    """Return the client and its secret, from the header or from the form."""
    given = request.headers.getlist("authorization")
    if not given:
        if "client_id" not in fields or "client_secret" not in fields:
            raise _Refusal(_UNKNOWN)
        return fields["client_id"], fields["client_secret"]
    if len(given) > 1 or "client_secret" in fields:
        raise _Refusal("invalid_request")
    scheme, _, credentials = given[0].partition(" ")
    if scheme.lower() != "basic":
        raise _Refusal(_UNKNOWN)
    try:
        text = base64.b64decode(credentials, validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        raise _Refusal(_UNKNOWN) from None
    key_id, _, key = (unquote_plus(each) for each in text.partition(":"))
    if fields.get("client_id", key_id) != key_id:
        raise _Refusal("invalid_request")
    return key_id, key
