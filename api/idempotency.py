"""Idempotency: the same key with the same request gets the same answer, and acts once."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Header, Request, Response
from sqlalchemy import text

from api.dependencies import Opening
from api.problems import BadRequest, TooManyRequests, correlation_id_of, rendered
from oms.access.model import Caller
from oms.kernel import clock
from oms.kernel.errors import Conflict, OmsError, Rejected, Unavailable
from oms.ledger.database import Tx

KEY: Final = re.compile(r"[\x21-\x7e]{1,200}")
REPLAYED: Final = "Idempotency-Replayed"

# The lock ends with the transaction, so a request that dies leaves nothing in flight. A row
# alone would make the second request wait for the first instead of being told.
_CLAIM: Final = text(
    "select pg_try_advisory_xact_lock(hashtextextended(:subject, 0)) as is_ours,"
    " k.request_sha256, k.status, k.response from (values (1)) as one (n)"
    " left join idempotency_keys k"
    " on k.owner = :owner and k.route = :route and k.idempotency_key = :key"
)
_KEEP: Final = text(
    "insert into idempotency_keys (owner, route, idempotency_key, request_sha256, status,"
    " response, created_at) values (:owner, :route, :key, :sha256, :status,"
    " jsonb_build_object('body', cast(:body as text), 'media_type', cast(:media_type as text),"
    " 'location', cast(:location as text)), :at) on conflict do nothing"
)


class KeyMissing(BadRequest):
    """The header Idempotency-Key is missing: it makes repeating this safe."""

    code = "IDEMPOTENCY_KEY_MISSING"


class KeyInvalid(BadRequest):
    """An Idempotency-Key has 1 to 200 printable ASCII characters."""

    code = "IDEMPOTENCY_KEY_INVALID"


class KeyReused(Rejected):
    """The Idempotency-Key came before with another request."""

    code = "IDEMPOTENCY_KEY_REUSED"


class InFlight(Conflict):
    """The first request with this Idempotency-Key is still being answered."""

    code = "IDEMPOTENCY_KEY_IN_FLIGHT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """A request that shall act once: whose it is, under which key, and its digest."""

    owner: str
    route: str
    key: str
    sha256: bytes
    correlation_id: str

    def answer(
        self, opening: Opening, work: Callable[[Tx], Response], *, kept: Callable[[str], str],
        refused: Callable[[Tx, OmsError], None],
    ) -> Response:  # fmt: skip
        """Return the kept answer of this key, or work it out and keep it in the same transaction.

        An anticipated refusal is an answer too, kept in a transaction of its own; that
        something is away, or was asked too often, is not. `kept` says what of a body may be
        kept; `refused` writes down what was refused, beside its answer and as often. Raises
        InFlight and KeyReused.
        """
        try:
            return opening.run(lambda tx: self._first(tx, work, kept))
        except (Unavailable, InFlight, KeyReused, TooManyRequests):
            raise
        except OmsError as error:
            refusal = rendered(error, self.correlation_id).response()
            because = error

            def refuse(tx: Tx) -> Response:
                refused(tx, because)
                return refusal

            return opening.run(lambda tx: self._first(tx, refuse, str))

    def _first(
        self, tx: Tx, work: Callable[[Tx], Response], kept: Callable[[str], str]
    ) -> Response:
        names = {"owner": self.owner, "route": self.route, "key": self.key}
        found = tx.execute(_CLAIM, {**names, "subject": "\n".join(names.values())}).one()
        if not found.is_ours:
            raise InFlight(retry_after_seconds=1)
        if found.status is not None:
            return self._replay(bytes(found.request_sha256), found.status, found.response)
        response = work(tx)
        body = kept(bytes(response.body).decode())
        is_kept = tx.execute(
            _KEEP,
            {
                **names, "sha256": self.sha256, "status": response.status_code, "body": body,
                "media_type": response.media_type, "location": response.headers.get("location"),
                "at": clock.now(),
            },
        ).rowcount  # fmt: skip
        if not is_kept:
            # The first request ended between our look and our lock: the next try will see it.
            raise InFlight(retry_after_seconds=1)
        return response

    def _replay(self, sha256: bytes, status: int, response: dict[str, str | None]) -> Response:
        if sha256 != self.sha256:
            raise KeyReused
        headers = {REPLAYED: "true"}
        if response["location"] is not None:
            headers["Location"] = response["location"]
        return Response(response["body"], status, headers, media_type=response["media_type"])


async def once_or_not(
    request: Request,
    idempotency_key: Annotated[
        str | None, Header(description="Repeating a request with its key acts once.")
    ] = None,
) -> Once | None:
    """Return what makes a request act once, or None without a key; raises KeyInvalid."""
    if idempotency_key is None:
        return None
    if not KEY.fullmatch(idempotency_key):
        raise KeyInvalid
    caller: Caller = request.state.caller
    # Two people who use one tool mean two things, though they ask for the same.
    target = f"{request.url.path}?{request.url.query}\n{caller.person or ''}".encode()
    return Once(
        owner=caller.key_id, route=request.scope["route"].name, key=idempotency_key,
        sha256=hashlib.sha256(target + await request.body()).digest(),
        correlation_id=correlation_id_of(request.scope),
    )  # fmt: skip


async def once(found: Annotated[Once | None, Depends(once_or_not)]) -> Once:
    """Return what makes a request act once; raises KeyMissing."""
    if found is None:
        raise KeyMissing
    return found


OncePerKey = Annotated[Once, Depends(once)]
"""The route must be called with an Idempotency-Key."""

OncePerKeyIfGiven = Annotated[Once | None, Depends(once_or_not)]
"""The route may be called with an Idempotency-Key."""
