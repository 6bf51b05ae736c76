"""What needs a person, on the wire."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field

from api.schemas.common import Out
from oms.attention.model import KINDS, Matter

Code = Literal[
    "PAYLOAD_FAILED", "INBOX_WAITS", "QUARANTINED", "SUBSCRIPTION_DISABLED",
    "SUBSCRIPTION_FAILING", "MESSAGES_PARKED", "FEED_HELD", "STOCK_REFUSED", "ORDER_EXCEPTION",
    "PAYMENT_UNKNOWN", "CAPTURE_FAILED", "CHARGED_BACK", "VOID_FAILED", "SET_ASIDE",
    "REFUND_FAILED", "REFUND_WAITS", "REFUND_NOT_BEGUN", "OVERPAID", "NOTICE_PARKED",
    "AUTHORIZATION_ENDS", "MAIL_FAILED",
    "HOLD_OPEN", "WORK_UNTOUCHED", "WORK_TIMED_OUT", "TRANSFER_AWAY", "PARCEL_SILENT",
    "RETURN_UNIDENTIFIED", "RETURN_UNDECIDED", "RETURN_UNPAID", "SETTLEMENT_DIFFERS",
]  # fmt: skip
assert set(Code.__args__) == set(KINDS)  # type: ignore[attr-defined]  # a Literal has them


class MatterOut(Out):
    """Something that needs a person."""

    code: Code
    severity: Annotated[
        Literal["error", "warning"],
        Field(description="error: something stands still until a person acts"),
    ]
    title: str
    advice: str
    place: Annotated[
        str | None,
        Field(description="the channel, location, carrier, subscriber, or the exception's code"),
    ]
    channel_code: str | None
    count: int
    oldest_at: datetime

    @classmethod
    def of(cls, matter: Matter) -> Self:
        """Write a matter."""
        kind = matter.kind
        return cls.model_validate({
            "code": matter.code, "severity": kind.severity.value, "title": kind.title,
            "advice": kind.advice, "place": matter.place, "channel_code": matter.channel_code,
            "count": matter.count, "oldest_at": matter.oldest_at,
        })  # fmt: skip


class AttentionOut(Out):
    """What needs a person now, worst first; nothing is good news."""

    as_of: datetime
    items: list[MatterOut]
