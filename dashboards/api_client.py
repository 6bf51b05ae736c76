"""The HTTP API as the console asks it: by a person's key, in time, refusals told as sentences."""

import hashlib
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache, lru_cache
from typing import Any, Final

import httpx

from oms.kernel.money import text_from_minor

Json = dict[str, Any]

TIMEOUT: Final = httpx.Timeout(20.0, connect=3.0)
# The API closes a connection that was idle for five seconds; ours are given up before.
LIMITS: Final = httpx.Limits(keepalive_expiry=2.0)
# What pages ask beside something else: of all of them so many at once, the others wait.
BESIDE_MAX: Final = 8
KEY_ID_AT: Final = 1  # oms_<id>_<secret>
_NO_ANSWER: Final = 0
_UNAUTHENTICATED: Final = 401
_UNREACHABLE: Final = (
    "The system cannot be reached. Wait a moment and do it again: what was sent acts once, however"
    " often it is sent."
)
_SENTENCES: Final[Mapping[int, str]] = {
    401: "This key is not valid, or no longer. Sign in with one that is.",
    412: (
        "Somebody changed this since you opened it, and nothing of yours was done. It is shown as"
        " it is now: look at it and do it again."
    ),
    428: "The page did not know which version it shows. Reload it and do it again.",
    503: "The system is busy or a part of it is away; nothing was done. Do it again in a moment.",
}


class ApiRefusal(Exception):
    """The API did not do what it was asked; the sentence says what a person can do about it."""

    def __init__(self, status: int, sentence: str, facts: Json | None = None) -> None:
        """Take the status, 0 for no answer, the sentence, and what the problem carries."""
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.facts = facts or {}

    @property
    def is_of_the_key(self) -> bool:
        """Tell whether another key is needed."""
        return self.status == _UNAUTHENTICATED


class Client:
    """The API under one person's key."""

    def __init__(self, address: str, key: str) -> None:
        """Take where the API is, and the key."""
        self._address = address
        self._key = key

    @property
    def key_id(self) -> str:
        """The part of the key that is no secret."""
        parts = self._key.split("_")
        return parts[KEY_ID_AT] if len(parts) > KEY_ID_AT else ""

    def get(self, path: str, **query: Any) -> Any:
        """Return what a path answers; raises ApiRefusal."""
        return self._ask("GET", path, query=query).json()

    def begin(self, path: str, **query: Any) -> Callable[[], Any]:
        """Ask a path beside what is asked next; what is returned waits for its answer.

        It raises ApiRefusal when it is called, and not before.
        """
        return _beside().submit(self.get, path, **query).result

    def file(self, path: str, **query: Any) -> bytes:
        """Return a file; raises ApiRefusal."""
        return self._ask("GET", path, query=query).content

    def post(
        self, path: str, body: Json | None = None, *, version: int | None = None, turn: int = 0
    ) -> Any:  # fmt: skip
        """Have something done, and return its answer; raises ApiRefusal.

        The same request to the same version in the same turn is the same intention: a second
        tap is answered as the first.
        """
        headers = {"Idempotency-Key": self._intention(path, body, version, turn)}
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        return self._ask("POST", path, body=body, headers=headers).json()

    def send(self, path: str, content: bytes, **query: Any) -> Any:
        """Send a file, which acts once by its content; raises ApiRefusal."""
        return self._ask("POST", path, query=query, content=content).json()

    def delete(self, path: str) -> None:
        """Have something removed; raises ApiRefusal."""
        self._ask("DELETE", path)

    def offers(self) -> Mapping[str, frozenset[str]]:
        """Return the paths that can be asked, each with the names of its parameters."""
        return _offers(self._address)

    def _intention(self, path: str, body: Json | None, version: int | None, turn: int) -> str:
        seen = json.dumps([self.key_id, path, body, version, turn], sort_keys=True)
        return hashlib.sha256(seen.encode()).hexdigest()

    def _ask(
        self, method: str, path: str, *, query: Json | None = None, body: Json | None = None,
        headers: Mapping[str, str] | None = None, content: bytes | None = None,
    ) -> httpx.Response:  # fmt: skip
        asked = {name: value for name, value in (query or {}).items() if value not in (None, "")}
        try:
            answer = _connection(self._address).request(
                method, path, params=asked, json=body, content=content,
                headers={"Authorization": f"Bearer {self._key}", **(headers or {})},
            )  # fmt: skip
        except (httpx.LocalProtocolError, UnicodeEncodeError, httpx.InvalidURL) as error:
            # A header cannot carry just any text.
            raise refusal(_UNAUTHENTICATED, {}) from error
        except httpx.HTTPError as error:
            raise ApiRefusal(_NO_ANSWER, _UNREACHABLE) from error
        if answer.is_error:
            raise refusal(answer.status_code, _problem(answer))
        return answer


def refusal(status: int, problem: Json) -> ApiRefusal:
    """Return a problem of the API as a person reads it."""
    detail = _closed(str(problem.get("detail") or problem.get("title") or "The API refused this"))
    if status in _SENTENCES:
        return ApiRefusal(status, _SENTENCES[status], problem)
    further = {
        403: _forbidden, 409: _allowed, 422: _fields, 429: _later, 500: _found_by,
    }.get(status)  # fmt: skip
    sentence = detail if further is None else f"{detail} {further(problem)}".strip()
    return ApiRefusal(status, sentence, problem)


def _forbidden(problem: Json) -> str:
    scope = problem.get("scope")
    needed = f" It needs {scope}." if scope else ""
    return f"{needed} Ask who gave you the key for one that does.".strip()


def _allowed(problem: Json) -> str:
    actions = [str(each).replace("_", " ") for each in problem.get("allowed_actions") or []]
    if problem.get("max_minor") is not None and problem.get("currency"):
        most = text_from_minor(int(problem["max_minor"]), problem["currency"])
        return f"At most: {most} {problem['currency']}."
    if "allowed_actions" not in problem:
        return ""
    return f"What can be done now: {', '.join(actions) or 'nothing'}."


def _fields(problem: Json) -> str:
    errors = problem.get("errors") or []
    told = [f"{each.get('pointer', '').strip('/')}: {each.get('detail')}" for each in errors]
    return f"{'; '.join(told)}." if told else ""


def _later(problem: Json) -> str:
    return f"Do it again in {problem.get('retry_after_seconds', 'a few')} seconds."


def _found_by(problem: Json) -> str:
    return f"The logs tell more under {problem.get('correlation_id', '-')}."


def _closed(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."


def _problem(answer: httpx.Response) -> Json:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


# For each address, which is a setting: one that was thrown away would leave its sockets open.
@cache
def _connection(address: str) -> httpx.Client:
    # What this machine is told of proxies is not for a server on it.
    return httpx.Client(base_url=address, timeout=TIMEOUT, limits=LIMITS, trust_env=False)


@cache
def _beside() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(BESIDE_MAX, thread_name_prefix="beside")


@lru_cache(maxsize=8)
def _offers(address: str) -> Mapping[str, frozenset[str]]:
    try:
        answer = _connection(address).get("/openapi.json").raise_for_status()
    except httpx.HTTPError as error:
        raise ApiRefusal(_NO_ANSWER, _UNREACHABLE) from error
    return {
        path: frozenset(each["name"] for each in methods.get("get", {}).get("parameters", ()))
        for path, methods in answer.json()["paths"].items()
    }
