"""Tags on the wire."""

from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from api.schemas.common import Out, Wire, Words
from api.schemas.order_search import OrderFilters
from oms.kernel.limits import TAGS_MAX

Tags = Annotated[
    list[Words],
    Field(
        default_factory=list, max_length=TAGS_MAX,
        description="kept in lower case; what is there already, or is not, is no trouble",
    ),
]  # fmt: skip


class TagsPost(Wire):
    """Tags to put on and to take off."""

    add: Tags
    remove: Tags

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.add and not self.remove:
            raise PydanticCustomError("empty", "no tag is named")
        return self


class FoundTagsPost(TagsPost):
    """Tags for every order of a search."""

    query: OrderFilters


class TagsOut(Out):
    """What an order is tagged with now."""

    order_number: str
    tags: list[str]


class TaggedOut(Out):
    """What became of tagging the orders of a search."""

    orders_count: Annotated[int, Field(description="all the search found")]
    changed_count: Annotated[int, Field(description="those that are tagged otherwise now")]
