"""Holds on the wire, and what may be done with an order."""

import re
from datetime import datetime
from typing import Annotated, Final, Self

from pydantic import Field

from api.paging import Paging
from api.problems import Refused, field_problem
from api.schemas.common import Out, Wire, Words, values_of
from oms.holds.model import RULES, Command, HeldOrder, Hold, HoldType
from oms.workflows.actions import RELEASE_SCOPE, Verdict

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


_CURSOR: Final = re.compile(r"([0-9]{1,18})-([0-9]{1,4})")


class HoldQuery(Paging):
    """Which holds to list."""

    type: Annotated[list[HoldType] | None, Field(max_length=20)] = None
    is_active: Annotated[bool, Field(description="false: those that were released")] = True

    def begins_after(self) -> tuple[int, int]:
        """Return where the page begins. Raises Refused for a cursor that is none."""
        if self.after is None:
            return (0, 0)
        found = _CURSOR.fullmatch(self.after)
        if found is None:
            raise Refused([field_problem("VALIDATION", "/after", location="query")])
        return int(found[1]), int(found[2])


class HeldOrderOut(HoldOut):
    """A hold, and the order that is on it."""

    order_number: str
    channel_code: str
    customer_name: str | None
    ordered_at: datetime
    version: Annotated[int, Field(description="of the order: what `If-Match` is to say")]
    may_release: Annotated[bool, Field(description="the caller's key allows it")]

    @classmethod
    def of_order(cls, held: HeldOrder, scopes: frozenset[str]) -> Self:
        """Write a hold with its order, for a caller who has these scopes."""
        values = values_of(held)
        del values["order_id"], values["hold"]
        rule = RULES[held.hold.type]
        return cls(
            **HoldOut.of(held.hold).model_dump(), **values,
            may_release=held.hold.is_active and {RELEASE_SCOPE, rule.release_scope} <= scopes,
        )  # fmt: skip


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
