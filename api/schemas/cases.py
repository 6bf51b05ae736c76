"""Cases of customer service on the wire."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from api.schemas.common import Out, Wire, Words, values_of
from oms.cases.model import URL_CHARACTERS_MAX, Case, CaseDraft, CaseState


class CasePost(Wire):
    """A case that is about an order."""

    tool: Annotated[Words, Field(max_length=40, examples=["salesforce"])]
    case_id: Annotated[Words, Field(max_length=100, examples=["5003000000D8cuI"])]
    url: Annotated[
        Words, Field(max_length=URL_CHARACTERS_MAX, description="where it is opened; https")
    ]
    state: CaseState = CaseState.OPEN

    def draft(self) -> CaseDraft:
        """Return the case to link."""
        return CaseDraft(**dict(self))


class CaseOut(Out):
    """A case that is about an order, and who said so."""

    tool: str
    case_id: str
    url: str
    state: CaseState
    linked_at: datetime
    linked_by: str
    changed_at: datetime
    changed_by: str

    @classmethod
    def of(cls, case: Case) -> Self:
        """Write a case."""
        return cls(**values_of(case))
