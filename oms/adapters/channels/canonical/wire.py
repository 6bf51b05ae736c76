"""What rules across the fields of a document are said with, and places on the map."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

Fault = tuple[tuple[str | int, ...], str, str]
"""Where a document is wrong, what kind of fault it is, and what is said of it."""


class Located(BaseModel):
    """A place that may be known on the map."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    latitude: Annotated[float, Field(strict=True, ge=-90, le=90, allow_inf_nan=False)] | None = None
    longitude: Annotated[float, Field(strict=True, ge=-180, le=180, allow_inf_nan=False)] | None = (
        None
    )

    @model_validator(mode="after")
    def _both(self) -> Self:
        refuse(self, _halves(self))
        return self


def refuse(document: BaseModel, faults: Iterable[Fault]) -> None:
    """Raise what rules across fields found as errors of those very fields."""
    errors = [
        InitErrorDetails(type=PydanticCustomError(kind, detail), loc=where, input=None)
        for where, kind, detail in faults
    ]
    if errors:
        raise ValidationError.from_exception_data(type(document).__name__, errors)


def _halves(place: Located) -> Iterator[Fault]:
    for one, other in (("latitude", "longitude"), ("longitude", "latitude")):
        if getattr(place, one) is None and getattr(place, other) is not None:
            yield (one,), "missing", f"a {other} needs its {one}"
