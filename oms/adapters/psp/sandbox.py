"""The sandbox PSP, as payments know it: asked over HTTP, its notifications verified."""

import hmac
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import httpx

from oms.payments.model import TransactionState, TransactionType
from oms.payments.port import Answer, Asked, NoAnswer, Notice, NotOurs
from oms.webhooks.messages import signature

TIMEOUT_SECONDS: Final = 10.0
SKEW_SECONDS_MAX: Final = 300
_TIMESTAMP: Final = re.compile(r"[0-9]{1,12}")


class SandboxPsp:
    """A client of the sandbox's service."""

    code = "sandbox"
    acknowledgment = None
    captures_once = False  # it says so of each payment

    def __init__(self, url: str, secret: str, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        """Take where the service is, and the secret it signs with."""
        self._client = httpx.Client(base_url=url, timeout=timeout_seconds, trust_env=False)
        self._secret = secret

    def execute(self, asked: Asked) -> Answer:
        """Do an operation, once per key. Raises NoAnswer when what it did is not known."""
        body = {
            "type": asked.type.value, "amount_minor": asked.amount_minor,
            "currency": asked.currency, "reference": asked.reference,
            "payment_id": asked.parent_reference, "token": asked.token,
        }  # fmt: skip
        answer = self._call(
            "POST", "/operations", json=body, headers={"Idempotency-Key": asked.key}
        )
        if answer.is_success:
            return _answer(_document(answer))
        if answer.status_code in {400, 409, 422}:
            failure = str(_document(answer).get("code", "refused"))
            return Answer(state=TransactionState.FAILED, failure=failure)
        raise NoAnswer(f"status {answer.status_code}")

    def find(self, asked: Asked) -> Answer | None:
        """Return what became of an operation; None when the service never heard of it."""
        answer = self._call("GET", "/operations", params={"key": asked.key})
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        if not answer.is_success:
            raise NoAnswer(f"status {answer.status_code}")
        return _answer(_document(answer))

    def read(self, headers: Mapping[str, str], body: bytes, *, at: datetime) -> Sequence[Notice]:
        """Read a notification. Raises NotOurs for one that is not signed, or was long ago."""
        stamp, ref = headers.get("webhook-timestamp", ""), headers.get("webhook-id", "")
        if not _TIMESTAMP.fullmatch(stamp) or abs(at.timestamp() - int(stamp)) > SKEW_SECONDS_MAX:
            raise NotOurs
        expected = signature(self._secret, ref, int(stamp), body)
        given = headers.get("webhook-signature", "").split()
        if not any(hmac.compare_digest(expected.encode(), each.encode()) for each in given):
            raise NotOurs
        told = json.loads(body)["operation"]
        return [
            Notice(
                ref=ref, type=TransactionType(told["type"]), answer=_answer(told),
                amount_minor=told["amount_minor"], currency=told["currency"],
                reference=told["reference"] or None, parent_reference=told["payment_id"],
            )
        ]  # fmt: skip

    def close(self) -> None:
        """Let go of its connections."""
        self._client.close()

    def _call(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            return self._client.request(method, path, **options)
        except httpx.HTTPError as error:
            raise NoAnswer(type(error).__name__) from error


def _document(answer: httpx.Response) -> dict[str, Any]:
    """Return what an answer says. Raises NoAnswer for one that nobody understands."""
    try:
        found = answer.json()
    except ValueError as error:
        raise NoAnswer("not JSON") from error
    if not isinstance(found, dict):
        raise NoAnswer("no document")
    return found


def _moment(told: str | None) -> datetime | None:
    return None if told is None else datetime.fromisoformat(told)


def _answer(told: Mapping[str, Any]) -> Answer:
    """Read what became of an operation. Raises NoAnswer for what does not say it."""
    try:
        is_begun = told["type"] == TransactionType.AUTHORIZE
        return Answer(
            state=TransactionState(told["state"]), failure=told["failure"],
            psp_reference=told["payment_id"] if is_begun else told["id"],
            psp_at=datetime.fromisoformat(told["changed_at"]),
            captures_once=told.get("captures_once"),
            authorized_until_at=_moment(told.get("authorized_until_at")),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise NoAnswer("an answer that does not say what it is") from error
