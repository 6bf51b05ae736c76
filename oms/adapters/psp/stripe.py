"""Stripe, as payments know it: payment intents that are captured by hand, signed webhooks.

Stripe does what it is asked once per key, but forgets keys after a day. So whatever we ask for
leaves our number at its payment intent or refund, and is looked for there before it is asked again.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import stripe
from stripe import StripeClient

from oms.adapters.psp.decimals import NotPossible
from oms.adapters.psp.stripe_events import (
    CAPTURED,
    DECIMALS,
    TRANSACTION,
    VOIDED,
    charge_of,
    notice_of,
    of_intent,
    of_refund,
    once_of,
    until_of,
)
from oms.payments.model import TransactionState, TransactionType
from oms.payments.port import Answer, Asked, NoAnswer, Notice, NotOurs

TIMEOUT_SECONDS: Final = 10
SKEW_SECONDS_MAX: Final = 300
# So many of the newest intents are looked at one by one: a search knows them a minute later.
NEWEST_MAX: Final = 100
CHARGE: Final = ["latest_charge"]
# What the keys of its live mode begin with.
LIVE: Final = ("sk_live_", "rk_live_")

Told = dict[str, Any]


class StripePsp:
    """A client of Stripe."""

    code = "stripe"
    acknowledgment = None

    def __init__(
        self, key: str, webhook_secret: str, *, url: str | None = None,
        is_multicapture: bool = False, timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:  # fmt: skip
        """Take the secrets; whether an account may capture an intent in several parts."""
        # It never asks again by itself: what is asked again is decided in one place.
        self._http = stripe.RequestsClient(timeout=timeout_seconds)
        self._client = StripeClient(
            key, http_client=self._http, max_network_retries=0,
            base_addresses={"api": url} if url else {},
        )  # fmt: skip
        self._webhook_secret = webhook_secret
        self._is_live = key.startswith(LIVE)
        self._is_multicapture = is_multicapture
        self.captures_once = not is_multicapture
        self._do: Final[Mapping[TransactionType, Callable[[Asked], Answer]]] = {
            TransactionType.AUTHORIZE: self._authorize, TransactionType.CAPTURE: self._capture,
            TransactionType.VOID: self._void, TransactionType.REFUND: self._refund,
        }  # fmt: skip
        self._seek: Final[Mapping[TransactionType, Callable[[Asked], Answer | None]]] = {
            TransactionType.AUTHORIZE: self._authorized, TransactionType.CAPTURE: self._captured,
            TransactionType.VOID: self._voided, TransactionType.REFUND: self._refunded,
        }  # fmt: skip

    def execute(self, asked: Asked) -> Answer:
        """Do an operation, once per key. Raises NoAnswer when what it did is not known."""
        try:
            return self._do[asked.type](asked)
        except NotPossible:
            return Answer(state=TransactionState.FAILED, failure="amount_not_possible")
        except stripe.CardError as error:
            return Answer(state=TransactionState.FAILED, failure=_code_of(error))
        except stripe.InvalidRequestError as error:
            if error.http_status in {400, 402, 404}:
                return Answer(state=TransactionState.FAILED, failure=_code_of(error))
            raise NoAnswer(f"status {error.http_status}") from error
        except stripe.StripeError as error:
            raise NoAnswer(type(error).__name__) from error

    def find(self, asked: Asked) -> Answer | None:
        """Return what became of an operation; None when Stripe has nothing of our number."""
        try:
            return self._seek[asked.type](asked)
        except stripe.StripeError as error:
            raise NoAnswer(type(error).__name__) from error

    def read(self, headers: Mapping[str, str], body: bytes, *, at: datetime) -> Sequence[Notice]:
        """Read an event. Raises NotOurs for one not signed, long ago, or of the other mode."""
        signed = headers.get("stripe-signature")
        try:
            text = body.decode()
            stripe.WebhookSignature.verify_header(text, signed, self._webhook_secret)
            stamps = [part[2:] for part in str(signed).split(",") if part.startswith("t=")]
            if abs(at.timestamp() - int(stamps[0])) > SKEW_SECONDS_MAX:
                raise NotOurs
        except (stripe.SignatureVerificationError, ValueError) as error:
            raise NotOurs from error
        event = json.loads(text)
        if event["livemode"] is not self._is_live:
            raise NotOurs
        found = notice_of(event)
        return [] if found is None else [found]

    def close(self) -> None:
        """Let go of its connections."""
        self._http.close()  # type: ignore[no-untyped-call]  # the library's

    def _authorize(self, asked: Asked) -> Answer:
        wish: Any = {
            "amount": DECIMALS.of_minor(asked.amount_minor, asked.currency),
            "currency": asked.currency.lower(), "payment_method": str(asked.token),
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
            "capture_method": "manual", "confirm": True,
            "metadata": {TRANSACTION: asked.reference}, "expand": CHARGE,
        }  # fmt: skip
        if self._is_multicapture:
            # Not every card can: which one, its charge says.
            wish["payment_method_options"] = {"card": {"request_multicapture": "if_available"}}
        made = self._client.v1.payment_intents.create(wish, {"idempotency_key": asked.key})
        return self._of_held(_plain(made))

    def _capture(self, asked: Asked) -> Answer:
        amount = DECIMALS.of_minor(asked.amount_minor, asked.currency)
        options: Any = {
            "amount_to_capture": amount,
            "metadata": {f"{CAPTURED}{asked.reference}": str(amount)},
        }  # fmt: skip
        if self._is_multicapture:
            intent = self._intent(_parent(asked))
            if amount < intent["amount_capturable"] and not once_of(intent):
                options["final_capture"] = False
        done = self._client.v1.payment_intents.capture(
            _parent(asked), options, {"idempotency_key": asked.key}
        )
        return self._of_capture(_plain(done))

    def _void(self, asked: Asked) -> Answer:
        """Give up what is left of an intent: Stripe has no part of that."""
        intent = self._intent(_parent(asked))
        if intent["status"] in {"canceled", "succeeded"}:
            return self._of_void(intent)
        left = intent.get("amount_capturable")
        if left is not None and DECIMALS.of_minor(asked.amount_minor, asked.currency) < left:
            return Answer(state=TransactionState.FAILED, failure="partial_void_not_possible")
        # The event that tells of it may be here before the answer: it names us by this.
        self._client.v1.payment_intents.update(
            _parent(asked), {"metadata": {VOIDED: asked.reference}}
        )
        done = self._client.v1.payment_intents.cancel(
            _parent(asked), {}, {"idempotency_key": asked.key}
        )
        return self._of_void(_plain(done))

    def _refund(self, asked: Asked) -> Answer:
        made = self._client.v1.refunds.create(
            {
                "payment_intent": _parent(asked),
                "amount": DECIMALS.of_minor(asked.amount_minor, asked.currency),
                "metadata": {TRANSACTION: asked.reference},
            },
            {"idempotency_key": asked.key},
        )  # fmt: skip
        return of_refund(_plain(made))

    def _authorized(self, asked: Asked) -> Answer | None:
        newest = self._client.v1.payment_intents.list({"limit": NEWEST_MAX})
        for each in newest.data:
            if (_plain(each).get("metadata") or {}).get(TRANSACTION) == asked.reference:
                return self._of_held(self._intent(each.id))
        query = f'metadata["{TRANSACTION}"]:"{asked.reference}"'
        found = self._client.v1.payment_intents.search({"query": query, "limit": 1})
        return self._of_held(self._intent(found.data[0].id)) if found.data else None

    def _captured(self, asked: Asked) -> Answer | None:
        intent = self._intent(_parent(asked))
        is_ours = f"{CAPTURED}{asked.reference}" in (intent.get("metadata") or {})
        return self._of_capture(intent) if is_ours else None

    def _voided(self, asked: Asked) -> Answer | None:
        intent = self._intent(_parent(asked))
        is_over = intent["status"] in {"canceled", "succeeded"}
        return self._of_void(intent) if is_over else None

    def _refunded(self, asked: Asked) -> Answer | None:
        found = self._client.v1.refunds.list({"payment_intent": _parent(asked), "limit": 100})
        for each in found.auto_paging_iter():
            if (_plain(each).get("metadata") or {}).get(TRANSACTION) == asked.reference:
                return of_refund(_plain(each))
        return None

    def _intent(self, reference: str) -> Told:
        return _plain(self._client.v1.payment_intents.retrieve(reference, {"expand": CHARGE}))

    def _of_held(self, intent: Told) -> Answer:
        """Return what became of an authorization, and what its charge says of the payment."""
        return replace(
            of_intent(intent), authorized_until_at=until_of(intent),
            captures_once=once_of(intent) if self._is_multicapture else None,
        )  # fmt: skip

    def _of_capture(self, intent: Told) -> Answer:
        """Return that an intent was captured: several captures have one charge, and no id."""
        reference = None if self._is_multicapture else charge_of(intent)
        return Answer(
            state=TransactionState.SUCCEEDED, psp_reference=reference,
            captures_once=intent["status"] == "succeeded",
        )  # fmt: skip

    def _of_void(self, intent: Told) -> Answer:
        """Return that nothing is held any more: given up, or let go with the last capture."""
        return Answer(state=TransactionState.SUCCEEDED, psp_reference=intent["id"])


def _plain(found: stripe.StripeObject) -> Told:
    plain: Told = found.to_dict()
    return plain


def _parent(asked: Asked) -> str:
    return str(asked.parent_reference)


def _code_of(error: stripe.StripeError) -> str:
    body = error.error
    declined = None if body is None else getattr(body, "decline_code", None)
    return str(declined or error.code or "refused")
