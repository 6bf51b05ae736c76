"""What every resource shares: money, instants and texts on the wire."""

import hashlib
import re
from collections import Counter
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from oms.kernel.limits import REF_CHARACTERS_MAX
from oms.kernel.money import text_from_minor

BATCH_ITEMS_MAX: Final = 1_000

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


class Wire(BaseModel):
    """What comes in: nothing but what is named."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Out(BaseModel):
    """What goes out."""

    model_config = ConfigDict(frozen=True)


def etag_of(answer: BaseModel) -> str:
    """Return what stands for what an answer says, whenever it is asked for."""
    content = answer.model_dump_json(exclude={"as_of"})
    return f'W/"{hashlib.sha256(content.encode()).hexdigest()[:32]}"'


class MoneyOut(Out):
    """An amount with all decimals of its currency."""

    amount: Annotated[str, Field(examples=["12.50"])]
    currency: Annotated[str, Field(examples=["EUR"])]

    @classmethod
    def of(cls, minor: int, currency: str) -> Self:
        """Write minor units as an amount."""
        return cls(amount=text_from_minor(minor, currency), currency=currency)

    @classmethod
    def of_known(cls, minor: int | None, currency: str) -> Self | None:
        """Write minor units as an amount, where there are any."""
        return None if minor is None else cls.of(minor, currency)


def values_of(value: Any) -> dict[str, Any]:
    """Return a value's fields by name; `asdict` would copy each of them in depth."""
    return {name: getattr(value, name) for name in value.__slots__}


def _one_line(text: str) -> str:
    if _CONTROLS.search(text):
        raise PydanticCustomError("text", "the text holds control characters")
    return text


def _instant(value: Any) -> Any:
    """Read an instant of a query: a bare plus arrives as a space, a date is its midnight in UTC."""
    if not isinstance(value, str):
        return value
    return f"{value}T00:00:00Z" if _DATE.fullmatch(value) else value.replace(" ", "+")


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise PydanticCustomError("instant", "an instant such as 2026-03-01T09:30:00Z is needed")
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("instant", "there is no such day") from None


def once(name: str) -> AfterValidator:
    """Refuse a list that says something of one thing twice: nobody knows which of it counts."""

    def check(items: list[Any]) -> list[Any]:
        counts = Counter(getattr(item, name) for item in items)
        twice = sorted(each for each, count in counts.items() if count > 1)
        if twice:
            raise PydanticCustomError(
                "repeated", "{name} {value} is named more than once",
                {"name": name, "value": str(twice[0])},
            )  # fmt: skip
        return items

    return AfterValidator(check)


Words = Annotated[
    str, Field(min_length=1, max_length=REF_CHARACTERS_MAX), AfterValidator(_one_line)
]
"""A text to look for."""

Moment = Annotated[datetime, BeforeValidator(_instant), AfterValidator(_aware)]
"""An instant of a query."""
