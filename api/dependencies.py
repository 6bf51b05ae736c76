"""What a route asks for in its signature: the system, the time, a transaction."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, TypeVar

from fastapi import Depends, Header, Request, Response
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from api.problems import VersionNeeded, correlation_id_of
from oms import bootstrap
from oms.kernel import clock
from oms.kernel.errors import Unavailable
from oms.ledger.database import REPEATABLE, Ledger, correlate

T = TypeVar("T")


class Busy(Unavailable):
    """More is asked at the moment than can be answered; try again in a moment."""

    code = "BUSY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A transaction to be: the route's work is run in it, and again when PostgreSQL asks so."""

    ledger: Ledger
    is_read_only: bool
    correlation_id: str = "-"

    def run(self, work: Callable[[Connection], T]) -> T:
        """Run work in the transaction, which commits when it returns and rolls back when it raises.

        Raises Busy when no connection is free or every repetition failed.
        """
        try:
            if not self.is_read_only:
                return self.ledger.run(lambda tx: self._correlated(tx, work))
            with self.ledger.snapshot() as tx:
                return work(tx)
        except PoolTimeout as error:
            raise Busy from error
        except DBAPIError as error:
            if isinstance(error.orig, REPEATABLE):
                raise Busy from error
            raise

    def _correlated(self, tx: Connection, work: Callable[[Connection], T]) -> T:
        correlate(tx, self.correlation_id)
        return work(tx)


def system_of(request: Request) -> bootstrap.System:
    """Return the system this application serves."""
    system: bootstrap.System = request.app.state.system
    return system


# Without an await in them, but async: a plain function would cost a thread each.
async def _system(request: Request) -> bootstrap.System:
    return system_of(request)


async def _now() -> datetime:
    return clock.now()


async def _writing(request: Request) -> Opening:
    return _opening(request, is_read_only=False)


async def _reading(request: Request) -> Opening:
    return _opening(request, is_read_only=True)


def _opening(request: Request, *, is_read_only: bool) -> Opening:
    return Opening(
        ledger=system_of(request).ledger, correlation_id=correlation_id_of(request.scope),
        is_read_only=is_read_only,
    )  # fmt: skip


System = Annotated[bootstrap.System, Depends(_system)]
"""Everything that runs on the ledger, for routes whose work has transactions of its own."""

_VERSION: Final = re.compile(r'(W/)?"([0-9]{1,9})"|([0-9]{1,9})')


async def _if_match(
    if_match: Annotated[
        str | None, Header(description="the version that was seen, as `ETag` or `version` says it")
    ] = None,
) -> int:
    """Return the version a caller has seen. Raises VersionNeeded."""
    found = _VERSION.fullmatch((if_match or "").strip())
    if found is None:
        raise VersionNeeded
    return int(found[2] or found[3])


@dataclass(frozen=True, slots=True)
class Known:
    """What the caller has of a resource already."""

    response: Response
    if_none_match: Annotated[str | None, Header()] = None

    def spare(self, etag: str, *, cached: str = "private, no-cache") -> None:
        """Tag the answer; leave its body out when the caller has it."""
        self.response.headers["ETag"] = etag
        self.response.headers["Cache-Control"] = cached
        known = [each.strip().removeprefix("W/") for each in (self.if_none_match or "").split(",")]
        if "*" in known or etag.removeprefix("W/") in known:
            self.response.status_code = 304  # with which FastAPI sends no body


IfMatch = Annotated[int, Depends(_if_match)]
"""The version of a thing its caller has seen: whoever changes it says so."""

Now = Annotated[datetime, Depends(_now)]
"""The instant of the request."""

# A route is handed the open transaction: the Opening is exchanged for it (api/routes.py).
Tx = Annotated[Connection, Depends(_writing)]
"""The request's transaction: it commits when the route returns and rolls back when it raises."""

Snapshot = Annotated[Connection, Depends(_reading)]
"""The request's view of one moment of the ledger, for reading."""
