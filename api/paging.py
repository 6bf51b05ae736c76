"""Pages: one envelope for every list, read on by a cursor."""

from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from oms.kernel.limits import PAGE_ROWS_MAX

T = TypeVar("T")

Limit = Annotated[
    int, Field(ge=1, le=PAGE_ROWS_MAX, description=f"rows of a page, at most {PAGE_ROWS_MAX}")
]


class Page(BaseModel, Generic[T]):
    """A page of a list; `next_after` is null on the last one."""

    items: list[T]
    next_after: str | None = None


class Paging(BaseModel):
    """Which page of a list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    after: Annotated[
        str | None,
        Field(max_length=200, pattern=r"^[A-Za-z0-9_-]+$", description="`next_after` of a page"),
    ] = None
    limit: Limit = 50
