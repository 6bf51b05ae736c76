"""Adyen, as payments know it: its Checkout API, and notifications that are signed one by one.

Adyen answers that it has received what it was asked for; what became of it, its notifications
tell. It cannot be asked, but does the same once per key for a week at least: what was not
answered is asked for again for as long, and not a day longer.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import httpx

from oms.adapters.psp.decimals import Decimals, NotPossible
from oms.kernel import clock
from oms.payments.model import TransactionState, TransactionType
from oms.payments.port import Answer, Asked, NoAnswer, Notice, NotOurs

TIMEOUT_SECONDS: Final = 10.0
KEYS_KEPT: Final = timedelta(days=6)
# Its page of currency codes: where it counts otherwise than ISO.
DECIMALS: Final = Decimals(others={"CLP": 2, "CVE": 0, "IDR": 0, "ISK": 2})
# What the addresses of its live mode have in them.
LIVE: Final = "-live."
SIGNED: Final = (
    "pspReference", "originalReference", "merchantAccountCode", "merchantReference", "value",
    "currency", "eventCode", "success",
)  # fmt: skip

_S, _T = TransactionState, TransactionType
_RESULTS: Final[Mapping[str, TransactionState]] = {
    "Authorised": _S.SUCCEEDED, "Refused": _S.FAILED, "Error": _S.FAILED,
    "Cancelled": _S.FAILED, "Received": _S.PENDING, "Pending": _S.PENDING,
    "RedirectShopper": _S.PENDING, "IdentifyShopper": _S.PENDING, "ChallengeShopper": _S.PENDING,
    "PresentToShopper": _S.PENDING,
}  # fmt: skip
_PATHS: Final = {_T.CAPTURE: "captures", _T.VOID: "cancels", _T.REFUND: "refunds"}
# What a notification is about. One that says something failed that was told to be done is the
# last word, too.
_EVENTS: Final[Mapping[str, TransactionType]] = {
    "AUTHORISATION": _T.AUTHORIZE, "CAPTURE": _T.CAPTURE, "CAPTURE_FAILED": _T.CAPTURE,
    "CANCELLATION": _T.VOID, "REFUND": _T.REFUND, "REFUND_FAILED": _T.REFUND,
    "REFUNDED_REVERSED": _T.REFUND_REVERSAL, "CHARGEBACK": _T.CHARGEBACK,
    "SECOND_CHARGEBACK": _T.CHARGEBACK, "CHARGEBACK_REVERSED": _T.CHARGEBACK_REVERSAL,
}  # fmt: skip
_DISPUTED: Final = frozenset({_T.CHARGEBACK, _T.CHARGEBACK_REVERSAL})
_FAILED_LATER: Final = frozenset({"CAPTURE_FAILED", "REFUND_FAILED"})
_REFUSED: Final = frozenset({400, 404, 422})
# The same is being done under this key just now.
_IN_PROGRESS: Final = "704"

Item = Mapping[str, Any]


class AdyenPsp:
    """A client of Adyen's Checkout API, for one merchant account."""

    code = "adyen"
    acknowledgment = "[accepted]"

    def __init__(
        self, url: str, key: str, *, account: str, hmac_key: str, is_multicapture: bool = False,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:  # fmt: skip
        """Take where the API is, the secrets, and whether the account may capture in parts."""
        self.captures_once = not is_multicapture
        self._client = httpx.Client(
            base_url=url, timeout=timeout_seconds, trust_env=False, headers={"X-API-Key": key}
        )
        self._account = account
        self._is_live = LIVE in url
        self._hmac_key = hmac_key

    def execute(self, asked: Asked) -> Answer:
        """Do an operation, once per key. Raises NoAnswer when what it did is not known."""
        try:
            amount = {
                "value": DECIMALS.of_minor(asked.amount_minor, asked.currency),
                "currency": asked.currency,
            }
        except NotPossible:
            return Answer(state=_S.FAILED, failure="amount_not_possible")
        if asked.type is _T.AUTHORIZE:
            return self._authorize(asked, amount)
        if asked.type is _T.VOID and asked.amount_minor < (asked.held_minor or 0):
            return Answer(state=_S.FAILED, failure="partial_void_not_possible")
        body = {} if asked.type is _T.VOID else {"amount": amount}
        path = f"/payments/{asked.parent_reference}/{_PATHS[asked.type]}"
        told = self._call(path, asked, body)
        if isinstance(told, Answer):
            return told
        return Answer(state=_S.PENDING, psp_reference=_text(told, "pspReference"))

    def find(self, asked: Asked) -> Answer | None:
        """Return None: it is to be asked for again by its key. Raises NoAnswer for an old one."""
        if asked.requested_at is not None and asked.requested_at < clock.now() - KEYS_KEPT:
            raise NoAnswer("Adyen may have forgotten the key")
        return None

    def read(self, headers: Mapping[str, str], body: bytes, *, at: datetime) -> Sequence[Notice]:  # noqa: ARG002 - the port's
        """Read a batch. Raises NotOurs unless every item is signed and of our account and mode.

        An item has no time of its own that is signed: one that is sent again is known by its id.
        """
        try:
            told = json.loads(body)
            items = [each["NotificationRequestItem"] for each in told["notificationItems"]]
            if (told["live"] in {"true", True}) is not self._is_live:
                raise NotOurs
            if not items or not all(self._is_ours(each) for each in items):
                raise NotOurs
            found = [_notice(each) for each in items]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise NotOurs from error
        return [each for each in found if each is not None]

    def close(self) -> None:
        """Let go of its connections."""
        self._client.close()

    def _authorize(self, asked: Asked, amount: dict[str, Any]) -> Answer:
        """Have a stored instrument charged: its token is `<shopper>:<stored payment method>`."""
        shopper, _, stored = str(asked.token).rpartition(":")
        if not shopper:
            return Answer(state=_S.FAILED, failure="token_not_understood")
        told = self._call("/payments", asked, {
            "amount": amount, "shopperReference": shopper, "shopperInteraction": "ContAuth",
            "recurringProcessingModel": "CardOnFile",
            "paymentMethod": {"type": "scheme", "storedPaymentMethodId": stored},
            "additionalData": {"manualCapture": "true"},
        })  # fmt: skip
        if isinstance(told, Answer):
            return told
        state = _RESULTS.get(str(told.get("resultCode")), _S.UNKNOWN)
        failure = told.get("refusalReasonCode") or told.get("resultCode")
        return Answer(
            state=state, psp_reference=_text(told, "pspReference"),
            failure=str(failure) if state is _S.FAILED else None,
        )  # fmt: skip

    def _call(self, path: str, asked: Asked, body: dict[str, Any]) -> dict[str, Any] | Answer:
        """Return what is answered, or that it is refused. Raises NoAnswer."""
        try:
            answer = self._client.post(
                path,
                headers={"Idempotency-Key": asked.key},
                json={"merchantAccount": self._account, "reference": asked.reference, **body},
            )
            told = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise NoAnswer(type(error).__name__) from error
        if not isinstance(told, dict):
            raise NoAnswer("no document")
        if answer.is_success:
            return told
        code = str(told.get("errorCode") or "refused")
        is_passing = answer.headers.get("transient-error") == "true" or code == _IN_PROGRESS
        if answer.status_code not in _REFUSED or is_passing:
            raise NoAnswer(f"status {answer.status_code}")
        return Answer(state=_S.FAILED, failure=code)

    def _is_ours(self, item: Item) -> bool:
        if item["merchantAccountCode"] != self._account or not self._hmac_key:
            return False
        given = str(item["additionalData"]["hmacSignature"]).encode()
        # Told to be escaped; its own libraries do not. Without colons they are the same.
        return any(
            hmac.compare_digest(given, signature(self._hmac_key, item, is_escaped=each).encode())
            for each in (True, False)
        )


def signature(hmac_key: str, item: Item, *, is_escaped: bool = True) -> str:
    """Return how Adyen signs an item of a notification, by a key in hexadecimal."""
    told = {**item, **item["amount"]}
    values = ["" if told.get(name) is None else str(told[name]) for name in SIGNED]
    if is_escaped:
        values = [each.replace("\\", "\\\\").replace(":", "\\:") for each in values]
    try:
        key = binascii.unhexlify(hmac_key)
    except binascii.Error as error:
        raise NotOurs from error
    made = hmac.new(key, ":".join(values).encode(), hashlib.sha256).digest()
    return base64.b64encode(made).decode()


def _notice(item: Item) -> Notice | None:
    """Read an item; None for one that says nothing of money."""
    event = str(item["eventCode"])
    kind = _EVENTS.get(event)
    if kind is None:
        return None
    is_done = item["success"] in {"true", True} and event not in _FAILED_LATER
    is_beginning = kind is _T.AUTHORIZE
    currency = str(item["amount"]["currency"])
    ref = reference = str(item["pspReference"])
    ref += f":{event}:{item['success']}"
    if kind in _DISPUTED:  # all events of a dispute have one reference
        ref = reference = f"{ref}:{item['eventDate']}"
    return Notice(
        ref=ref, type=kind, currency=currency,
        answer=Answer(
            state=_S.SUCCEEDED if is_done else _S.FAILED, psp_reference=reference,
            failure=None if is_done else str(item.get("reason") or event)[:200],
            psp_at=datetime.fromisoformat(item["eventDate"]),
        ),
        amount_minor=DECIMALS.minor(int(item["amount"]["value"]), currency),
        reference=item.get("merchantReference") or None,
        parent_reference=item["pspReference" if is_beginning else "originalReference"],
        is_last_word=not is_done or is_beginning,
    )  # fmt: skip


def _text(told: Mapping[str, Any], name: str) -> str | None:
    found = told.get(name)
    return None if found is None else str(found)
