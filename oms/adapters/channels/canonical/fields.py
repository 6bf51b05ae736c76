"""The kinds of values canonical documents hold, each with its rule: amounts, refs, instants."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, StringConstraints
from pydantic_core import PydanticCustomError

from oms.kernel.limits import NOTE_CHARACTERS_MAX, QUANTITY_MAX, REF_CHARACTERS_MAX

AMOUNT: Final = r"^[0-9]{1,13}(\.[0-9]{1,3})?$"
INSTANT: Final = re.compile(
    r"(19|20|21)[0-9]{2}-[01][0-9]-[0-3][0-9]T[012][0-9]:[0-5][0-9]:[0-5][0-9]"
    r"(\.[0-9]{1,6})?(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])"
)

# Characters no text of ours may hold: PostgreSQL has no NUL, and the other controls only serve
# to hide something from whoever reads it. Tab and line breaks are for notes.
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def _printable(text: str) -> str:
    if _CONTROLS.search(text):
        raise PydanticCustomError("text", "the text holds control characters")
    return text


def _trimmed(text: str) -> str:
    if text != text.strip() or "\n" in text or "\t" in text or "\r" in text:
        raise PydanticCustomError(
            "text", "the text begins or ends with a space, or is not one line"
        )
    return _printable(text)


def _instant(value: Any) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value
    if not isinstance(value, str) or not INSTANT.fullmatch(value):
        raise PydanticCustomError(
            "instant", "an instant such as 2026-03-01T09:30:00+01:00 is needed"
        )
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        raise PydanticCustomError("instant", "there is no such day or hour") from None


def instant_text(at: datetime) -> str:
    """Write an instant as every draft does: in UTC, with microseconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


Amount = Annotated[str, StringConstraints(strict=True, pattern=AMOUNT, max_length=17)]
Ref = Annotated[
    str,
    StringConstraints(strict=True, min_length=1, max_length=REF_CHARACTERS_MAX),
    AfterValidator(_trimmed),
]
Text = Annotated[str, StringConstraints(strict=True, max_length=500), AfterValidator(_printable)]
NoteText = Annotated[
    str,
    StringConstraints(strict=True, max_length=NOTE_CHARACTERS_MAX),
    AfterValidator(_printable),
]
Email = Annotated[
    str, StringConstraints(strict=True, max_length=254, pattern=r"^[^@\s]+@[^@\s]+$"),
    AfterValidator(_printable),
]  # fmt: skip
Country = Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Z]{2}$")]
Currency = Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Z]{3}$")]
Quantity = Annotated[int, Field(strict=True, ge=1, le=QUANTITY_MAX)]
Instant = Annotated[
    datetime,
    BeforeValidator(_instant, json_schema_input_type=str),
    PlainSerializer(instant_text, when_used="json"),
]


Method = Literal[
    "carry_out", "ship_home", "pickup_point", "collect_store", "ship_from_store", "reserve"
]
COLLECTED: Final = frozenset({"collect_store", "reserve"})


TenderName = Literal["card", "wallet", "bank", "gift_card", "store_credit", "cash", "invoice"]
Last4 = Annotated[str, StringConstraints(strict=True, pattern=r"^[0-9]{4}$")]
