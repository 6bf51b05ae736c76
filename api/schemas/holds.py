"""Holds on the wire, and what may be done with an order."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from api.schemas.common import Out, Wire, Words, values_of
from oms.holds.model import RULES, Command, Hold, HoldType
from oms.workflows.actions import Verdict

Comment = Annotated[Words, Field(description="why, in a line")]


class HoldPost(Wire):
    """A hold to put an order on."""

    type: HoldType
    comment: Comment


class ReleasePost(Wire):
    """Why a hold is released."""

    comment: Comment


class HoldOut(Out):
    """What keeps commands from an order until it is released."""

    hold_no: int
    type: HoldType
    comment: str
    placed_at: datetime
    placed_by: str
    released_at: datetime | None
    released_by: str | None
    release_comment: str | None
    blocks: Annotated[list[Command], Field(description="what may not be done while it lasts")]

    @classmethod
    def of(cls, hold: Hold) -> Self:
        """Write a hold."""
        blocks = sorted(RULES[hold.type].blocks) if hold.is_active else []
        return cls(**values_of(hold), blocks=blocks)


class VerdictOut(Out):
    """Whether a command may be given now; if not, the problem its caller would get."""

    action: str
    is_allowed: bool
    code: str | None
    reason: str | None
    fulfillment_number: Annotated[str | None, Field(description="on which fulfillment order")]
    hold_no: Annotated[int | None, Field(description="of which hold")]

    @classmethod
    def of(cls, verdict: Verdict) -> Self:
        """Write a verdict."""
        return cls(**values_of(verdict), is_allowed=verdict.is_allowed)
