"""The sender over HTTP: one POST to a checked address, no redirects, an answer whatever happens."""

import email.utils
import ssl
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import httpcore
import httpx

from oms.adapters.endpoints.network import (
    CheckedNetwork,
    Deadline,
    HostUnknown,
    TargetForbidden,
)
from oms.kernel import clock
from oms.kernel.targets import url_problem
from oms.webhooks.model import Answer

CALL_SECONDS_MAX: Final = 10.0
CONNECTIONS_MAX: Final = 64
KEPT_ALIVE_SECONDS: Final = 5.0
# More of an answer than this is not read: an endpoint has little to say.
ANSWER_BYTES_MAX: Final = 256 * 1024

# The first that fits says what went wrong.
_KINDS: Final[tuple[tuple[type[Exception], str], ...]] = (
    (TargetForbidden, "target"),
    (HostUnknown, "dns"),
    (httpcore.TimeoutException, "timeout"),
    (ssl.SSLError, "tls"),
    (httpcore.NetworkError, "connect"),
    (Exception, "protocol"),
)


class HttpSender:
    """Calls endpoints over HTTP; safe to be used by several threads."""

    def __init__(
        self, *, is_local_allowed: bool = False, seconds_max: float = CALL_SECONDS_MAX,
        tls: ssl.SSLContext | None = None,
    ) -> None:  # fmt: skip
        """Take whether this machine itself may be called, and how long a call may take."""
        self._is_local_allowed, self._seconds_max = is_local_allowed, seconds_max
        self._deadline = Deadline()
        self._pool = httpcore.ConnectionPool(
            ssl_context=tls or httpx.create_ssl_context(trust_env=False),
            max_connections=CONNECTIONS_MAX, keepalive_expiry=KEPT_ALIVE_SECONDS,
            network_backend=CheckedNetwork(self._deadline, is_local_allowed=is_local_allowed),
        )  # fmt: skip

    def problem(self, url: str) -> str | None:
        """Return why a URL cannot be called, as far as it can be told without resolving its host.

        Its host is looked at again at each connection.
        """
        return url_problem(url, is_local_allowed=self._is_local_allowed)

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Post a body and return what came back; whatever goes wrong is an answer, too."""
        answer, _ = self.exchange(url, headers, body)
        return answer

    def exchange(self, url: str, headers: Mapping[str, str], body: bytes) -> tuple[Answer, bytes]:
        """Post a body; return the answer and its own body, cut where it is too long."""
        begun = time.monotonic()
        self._deadline.at = begun + self._seconds_max
        if self.problem(url) is not None:
            return Answer(error_kind="target"), b""
        try:
            status, retry_after, said = self._call(url, headers, body)
        except Exception as error:  # noqa: BLE001 - whatever it is, the endpoint was not reached
            return Answer(error_kind=_kind(error), duration_ms=_since(begun)), b""
        answer = Answer(
            status_code=status, retry_after_seconds=retry_after, duration_ms=_since(begun)
        )
        return answer, said

    def close(self) -> None:
        """Let go of every connection."""
        self._pool.close()

    def _call(
        self, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, float | None, bytes]:
        request = httpcore.URL(url)
        sent = [(name.encode(), value.encode()) for name, value in headers.items()]
        seconds = self._seconds_max
        timeout = {"connect": seconds, "read": seconds, "write": seconds, "pool": seconds}
        with self._pool.stream(
            "POST", request, content=body, extensions={"timeout": timeout},
            headers=[(b"host", _host(request)), (b"accept", b"*/*"), *sent,
                     (b"content-length", str(len(body)).encode())],
        ) as response:  # fmt: skip
            found = {name.lower(): value for name, value in response.headers}
            said = bytearray()
            for part in response.iter_stream():
                said += part
                if len(said) > ANSWER_BYTES_MAX:
                    break
        return response.status, _retry_after(found.get(b"retry-after")), bytes(said)


def _host(url: httpcore.URL) -> bytes:
    default = {b"http": 80, b"https": 443}[url.scheme]
    host = b"[" + url.host + b"]" if b":" in url.host else url.host
    return host if url.port in {None, default} else host + b":" + str(url.port).encode()


def _kind(error: Exception) -> str:
    chain: list[BaseException] = [error]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(cause)
    return next(kind for known, kind in _KINDS if any(isinstance(each, known) for each in chain))


def _since(begun: float) -> int:
    return int((time.monotonic() - begun) * 1000)


def _retry_after(given: bytes | None) -> float | None:
    """Read Retry-After, in seconds or as a date; None for what is neither."""
    if given is None:
        return None
    text = given.decode("latin-1").strip()
    if text.isascii() and text.isdigit() and len(text) <= 9:  # noqa: PLR2004 - thirty years
        return float(text)
    try:
        at = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    aware: datetime = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return max(0.0, (aware - clock.now()).total_seconds())
