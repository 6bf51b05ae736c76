"""Pages: one envelope for every list, read on by a cursor."""

from typing import Annotated, Final, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from api.problems import Refused, field_problem
from oms.kernel.limits import PAGE_ROWS_MAX

T = TypeVar("T")
DIGITS_MAX: Final = 18

Limit = Annotated[
    int, Field(ge=1, le=PAGE_ROWS_MAX, description=f"rows of a page, at most {PAGE_ROWS_MAX}")
]


class Page(BaseModel, Generic[T]):
    """A page of a list; `next_after` is null on the last one."""

    items: list[T]
    next_after: str | None = None


def number_of(after: str | None) -> int | None:
    """Return a cursor that is a number. Raises Refused for any other."""
    if after is None:
        return None
    if not after.isdecimal() or len(after) > DIGITS_MAX:
        raise Refused([field_problem("VALIDATION", "/after", location="query")])
    return int(after)


class Paging(BaseModel):
    """Which page of a list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    after: Annotated[
        str | None,
        Field(max_length=200, pattern=r"^[A-Za-z0-9_-]+$", description="`next_after` of a page"),
    ] = None
    limit: Limit = 50
