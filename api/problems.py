"""Problems: what an error looks like to a caller (RFC 9457)."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from oms.access.model import NotAuthenticated
from oms.channels.model import PayloadTooLarge
from oms.kernel.errors import (
    Conflict,
    Forbidden,
    NotFound,
    OmsError,
    Rejected,
    Unavailable,
    VersionConflict,
)

MEDIA_TYPE: Final = "application/problem+json"
DOCUMENT: Final = "/docs/problems.md"
ERRORS_MAX: Final = 100
DETAIL_CHARACTERS_MAX: Final = 300


class BadRequest(OmsError):
    """The request is not one this can be read from."""

    code = "BAD_REQUEST"


class Malformed(BadRequest):
    """The body is not JSON in UTF-8, or is nested too deeply."""

    code = "MALFORMED"


class PersonInvalid(BadRequest):
    """OMS-On-Behalf-Of names one person in 1 to 100 printable ASCII characters without blanks."""

    code = "ON_BEHALF_OF_INVALID"


class MethodNotAllowed(OmsError):
    """The resource has no such method; the header Allow names those it has."""

    code = "METHOD_NOT_ALLOWED"


class UnsupportedMediaType(OmsError):
    """The body must be sent as application/json."""

    code = "UNSUPPORTED_MEDIA_TYPE"


class VersionNeeded(OmsError):
    """What is changed must be named in the version that was seen, by the header If-Match."""

    code = "VERSION_NEEDED"


class TooManyRequests(OmsError):
    """The key has sent more than it may; it may again after `Retry-After` seconds."""

    code = "TOO_MANY_REQUESTS"


class TooManyGuesses(TooManyRequests):
    """Too much was asked for what could be guessed; it may be again after `Retry-After` seconds."""

    code = "TOO_MANY_GUESSES"


class Unexpected(OmsError):
    """Something went wrong that nobody anticipated; the correlation id finds it in the logs."""

    code = "INTERNAL"


# By the nearest of its ancestors an error has its status.
STATUSES: Final[Mapping[type[OmsError], int]] = {
    BadRequest: 400,
    NotAuthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    MethodNotAllowed: 405,
    Conflict: 409,
    VersionConflict: 412,
    PayloadTooLarge: 413,
    UnsupportedMediaType: 415,
    Rejected: 422,
    VersionNeeded: 428,
    TooManyRequests: 429,
    Unexpected: 500,
    Unavailable: 503,
}
_OF_STATUS: Final[Mapping[int, type[OmsError]]] = {
    status: kind for kind, status in STATUSES.items()
} | {400: Malformed}

# What a single field can be told; the core's own sentences may repeat what was sent.
FIELD_CODES: Final[Mapping[str, str]] = {
    "VALIDATION": "the value is not valid here",
    "MALFORMED": "the body is not JSON",
    "UNKNOWN_SKU": "the catalog does not know this SKU",
    "UNKNOWN_LOCATION": "there is no such location",
    "UNKNOWN_CURRENCY": "it is not an active currency of ISO 4217",
    "UNKNOWN_CHANNEL": "there is no such channel",
    "UNKNOWN_LINE": "the order has no such line",
    "CURRENCY_MISMATCH": "the channel does not sell in this currency",
    "UNKNOWN_PICKUP_POINT": "the carrier has no such pick-up point",
    "QTY_EXCEEDS_RETURNABLE": "the line has fewer units left than are taken",
    "QUANTITY_BELOW_DONE": "more units than that are shipped, returned or canceled already",
}
_HEADERS: Final[Mapping[int, Mapping[str, str]]] = {
    401: {"WWW-Authenticate": 'Bearer realm="oms"'},
    503: {"Retry-After": "2"},
}
# What a query says beside its filters.
_QUERY_CODES: Final[Mapping[str, str]] = {
    "/after": "INVALID_CURSOR", "/limit": "VALIDATION", "/sort": "VALIDATION",
}  # fmt: skip
_FIELD_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldProblem:
    """One thing that is wrong with one field."""

    location: str  # body, query, path, header
    pointer: str  # a JSON pointer in the body, else /name
    code: str
    detail: str


class Problem(BaseModel):
    """An error as RFC 9457 describes it. Some kinds carry further members: facts to act on."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    code: str
    correlation_id: str
    errors: list[FieldProblem] = []


class Refused(Rejected):
    """The input is not valid; `errors` names each field."""

    def __init__(self, fields: Iterable[FieldProblem]) -> None:
        """Take what is wrong; the first decides the code."""
        found = tuple(fields)[:ERRORS_MAX]
        assert found, "something is wrong"
        super().__init__(errors=[asdict(each) for each in found])
        self.problem_code = found[0].code


class InvalidFilter(Refused):
    """A filter is none, or has a value that cannot be asked for; `errors` names it."""

    code = "INVALID_FILTER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A problem ready to be sent, or to be kept for who repeats the request."""

    status: int
    body: str
    headers: Mapping[str, str]

    def response(self) -> Response:
        """Return it as a response."""
        return Response(self.body, self.status, dict(self.headers), media_type=MEDIA_TYPE)


def field_problem(code: str, pointer: str, *, location: str = "body") -> FieldProblem:
    """Return what is wrong with a field, in the one sentence its code has."""
    return FieldProblem(
        location=location, pointer=pointer, code=code,
        detail=FIELD_CODES.get(code, FIELD_CODES["VALIDATION"]),
    )  # fmt: skip


def status_of(kind: type[OmsError]) -> int:
    """Return the status of a kind of error."""
    return next((STATUSES[each] for each in kind.__mro__ if each in STATUSES), 500)


def rendered(error: OmsError, correlation_id: str) -> Rendered:
    """Write an error down as a problem."""
    status, title = status_of(type(error)), _sentence(type(error))
    code = getattr(error, "problem_code", error.code)
    # What is not there and what may not be seen read the same.
    detail = title if isinstance(error, NotFound) else error.detail[:DETAIL_CHARACTERS_MAX]
    body = {
        **error.facts, "type": f"{DOCUMENT}#{code}", "title": title, "status": status,
        "detail": detail, "code": code, "correlation_id": correlation_id,
    }  # fmt: skip
    headers = dict(_HEADERS.get(status, {}))
    if error.facts.get("retry_after_seconds"):
        headers["Retry-After"] = str(error.facts["retry_after_seconds"])
    return Rendered(status=status, body=json.dumps(body, default=str), headers=headers)


async def on_oms_error(request: Request, error: Exception) -> Response:
    """Answer an anticipated error."""
    assert isinstance(error, OmsError)
    return rendered(error, correlation_id_of(request.scope)).response()


async def on_validation_error(request: Request, error: Exception) -> Response:
    """Answer a request that does not have the form it must have."""
    assert isinstance(error, RequestValidationError)
    found = list(error.errors())
    if any(each["type"] == "json_invalid" for each in found):
        return await on_oms_error(request, Malformed())
    return await on_oms_error(request, Refused(map(_of_form, found)))


async def on_http_error(request: Request, error: Exception) -> Response:
    """Answer what the framework itself refuses: no such route, no such method."""
    assert isinstance(error, HTTPException)
    kind = _OF_STATUS.get(error.status_code, Unexpected)
    response = await on_oms_error(request, kind())
    for name, value in (error.headers or {}).items():
        response.headers[name] = value
    return response


def correlation_id_of(scope: Any) -> str:
    """Return the id that joins an answer to its lines in the logs."""
    return str(scope.get("state", {}).get("request_id", "-"))


def _sentence(kind: type[OmsError]) -> str:
    return (kind.__doc__ or "").split("\n", 1)[0]


def _of_form(details: Any) -> FieldProblem:
    location, *path = details["loc"]
    pointer = ""
    for part in path:
        # An unknown field's name is the caller's own text: only harmless ones are repeated.
        if isinstance(part, str) and not _FIELD_NAME.fullmatch(part):
            break
        pointer += f"/{part}"
    code = "UNKNOWN_CURRENCY" if details["type"] == "unknown_currency" else "VALIDATION"
    if location == "query":
        code = _QUERY_CODES.get(pointer, InvalidFilter.code)
    return FieldProblem(
        location=str(location), pointer=pointer, code=code,
        detail=str(details["msg"])[:DETAIL_CHARACTERS_MAX],
    )  # fmt: skip
