"""What Stripe's objects and events mean to payments."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from oms.adapters.psp.decimals import Decimals
from oms.payments.model import TransactionState, TransactionType
from oms.payments.port import Answer, Notice

# Its page of currencies: whole units, two decimals for the old ones' sake, and three
# of which the last is a zero.
DECIMALS: Final = Decimals(others={"MGA": 0, "ISK": 2, "UGX": 2}, steps={3: 10})

# What we leave at an intent or a refund: our number of the operation, of the one that gave up
# what was left, and of each capture.
TRANSACTION: Final = "oms_transaction"
VOIDED: Final = "oms_void"
CAPTURED: Final = "oms_capture_"

_S = TransactionState
_INTENTS: Final[Mapping[str, TransactionState]] = {
    "requires_capture": _S.SUCCEEDED, "succeeded": _S.SUCCEEDED, "processing": _S.PENDING,
    "requires_action": _S.PENDING, "requires_confirmation": _S.PENDING,
    "requires_payment_method": _S.FAILED,
}  # fmt: skip
_REFUNDS: Final[Mapping[str, TransactionState]] = {
    "succeeded": _S.SUCCEEDED, "pending": _S.PENDING, "requires_action": _S.PENDING,
    "failed": _S.FAILED, "canceled": _S.FAILED,
}  # fmt: skip
Event = Mapping[str, Any]


def of_intent(intent: Event) -> Answer:
    """Return whether an intent holds, or held, what it was made for."""
    state = _INTENTS.get(intent["status"], TransactionState.UNKNOWN)
    if intent["status"] == "canceled":
        # Given up after it was held, or before.
        state = TransactionState.SUCCEEDED if intent.get("latest_charge") else _S.FAILED
    error = intent.get("last_payment_error") or {}
    failure = error.get("decline_code") or error.get("code") or intent["status"]
    return Answer(
        state=state, psp_reference=intent["id"],
        failure=failure if state is TransactionState.FAILED else None,
    )  # fmt: skip


def of_refund(refund: Event) -> Answer:
    """Return what became of a refund."""
    state = _REFUNDS.get(refund["status"], TransactionState.UNKNOWN)
    failure = refund.get("failure_reason") or refund["status"]
    return Answer(
        state=state, psp_reference=refund["id"], failure=failure if state is _S.FAILED else None
    )


def once_of(intent: Event) -> bool:
    """Tell whether an intent whose charge is shown with it can be captured only once."""
    multicapture = _card_of(intent).get("multicapture") or {}
    return bool(multicapture.get("status") != "available")


def until_of(intent: Event) -> datetime | None:
    """Return until when an intent whose charge is shown with it holds what it does."""
    before = _card_of(intent).get("capture_before")
    return None if before is None else datetime.fromtimestamp(before, UTC)


def _card_of(intent: Event) -> dict[str, Any]:
    charge = intent.get("latest_charge")
    details = (charge.get("payment_method_details") or {}) if isinstance(charge, dict) else {}
    return details.get("card") or {}


def charge_of(intent: Event) -> str | None:
    """Return the id of the charge an intent has made last."""
    charge = intent.get("latest_charge")
    return charge if charge is None or isinstance(charge, str) else str(charge["id"])


def _authorized(told: Event) -> tuple[TransactionType, Answer, str | None] | None:
    return TransactionType.AUTHORIZE, of_intent(told), (told.get("metadata") or {}).get(TRANSACTION)


def _captured(told: Event) -> tuple[TransactionType, Answer, str | None] | None:
    """Read a capture nobody asked for by a number of ours: one of ours is answered."""
    if any(name.startswith(CAPTURED) for name in told.get("metadata") or {}):
        return None
    answer = Answer(state=TransactionState.SUCCEEDED, psp_reference=charge_of(told))
    return TransactionType.CAPTURE, answer, None


def _canceled(told: Event) -> tuple[TransactionType, Answer, str | None] | None:
    if not told.get("latest_charge"):
        return _authorized(told)
    answer = Answer(state=TransactionState.SUCCEEDED, psp_reference=told["id"])
    return TransactionType.VOID, answer, (told.get("metadata") or {}).get(VOIDED)


def _refunded(told: Event) -> tuple[TransactionType, Answer, str | None] | None:
    return TransactionType.REFUND, of_refund(told), (told.get("metadata") or {}).get(TRANSACTION)


def _disputed(told: Event) -> tuple[TransactionType, Answer, str | None] | None:
    answer = Answer(state=TransactionState.SUCCEEDED, psp_reference=told["id"])
    return TransactionType.CHARGEBACK, answer, None


def _reinstated(told: Event) -> tuple[TransactionType, Answer, str | None] | None:
    answer = Answer(state=TransactionState.SUCCEEDED, psp_reference=told["id"])
    return TransactionType.CHARGEBACK_REVERSAL, answer, None


_READ: Final[
    Mapping[str, Callable[[Event], tuple[TransactionType, Answer, str | None] | None]]
] = {
    "payment_intent.amount_capturable_updated": _authorized,
    "payment_intent.payment_failed": _authorized,
    "payment_intent.succeeded": _captured,
    "payment_intent.canceled": _canceled,
    "refund.created": _refunded, "refund.updated": _refunded, "refund.failed": _refunded,
    "charge.dispute.funds_withdrawn": _disputed,
    "charge.dispute.funds_reinstated": _reinstated,
}  # fmt: skip


def notice_of(event: Event) -> Notice | None:
    """Read an event; None for one that says nothing of money."""
    told = event["data"]["object"]
    read = _READ.get(event["type"])
    found = None if read is None else read(told)
    if found is None:
        return None
    kind, answer, reference = found
    is_intent = told["object"] == "payment_intent"
    counted = told["amount_received"] if kind is TransactionType.CAPTURE else told["amount"]
    currency = str(told["currency"]).upper()
    return Notice(
        ref=event["id"], type=kind, currency=currency, reference=reference,
        answer=Answer(
            state=answer.state, psp_reference=answer.psp_reference, failure=answer.failure,
            psp_at=datetime.fromtimestamp(event["created"], UTC),
        ),
        amount_minor=DECIMALS.minor(counted, currency),
        parent_reference=told["id"] if is_intent else told.get("payment_intent"),
    )  # fmt: skip
