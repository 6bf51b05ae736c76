"""Channels, the inbox and the quarantine on the wire."""

import base64
import re
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field

from api.paging import Limit
from api.schemas.common import Out, Wire, Words, values_of
from oms.billing.model import Policy
from oms.channels.model import Channel, Payload, QuarantinedDocument, Received
from oms.workflows.documents import Problem as DraftProblem

# What broke unanticipated is told in the words of a library, SQL included.
_INTERNAL: Final = re.compile(r"\w*(Error|Exception|Violation|Warning)\b")


class ChannelOut(Out):
    """A channel: where orders come from."""

    channel_code: str
    name: str
    kind: str
    currency: str
    currencies: list[str]
    prices_include_tax: bool
    time_zone: str
    adapter: str
    threshold: Annotated[int, Field(description="units of each SKU withheld from it")]
    is_enabled: bool
    is_routed: Annotated[bool, Field(description="whether we give its goods to locations to send")]
    billing_policy: Annotated[
        Policy | None, Field(description="when its sales are invoiced; null: it issues nothing")
    ]
    vocabulary: Annotated[
        dict[str, dict[str, str]],
        Field(description="its words for our states, by kind of state; what has none is ours"),
    ]
    topics: Annotated[list[str], Field(description="what may be pushed to its inbox")]

    @classmethod
    def of(cls, channel: Channel, topics: frozenset[str], policy: Policy | None) -> Self:
        """Write a channel, without its options: secrets are among them."""
        values = {name: getattr(channel, name, None) for name in cls.model_fields}
        return cls.model_validate(
            values
            | {
                "channel_code": channel.code,
                "topics": sorted(topics),
                "billing_policy": policy,
                "currencies": list(channel.currencies),
            }
        )


class ReceivedOut(Out):
    """What the inbox says of a payload handed to it."""

    inbox_id: int
    is_new: Annotated[bool, Field(description="false: it was here before, and acts once")]
    state: str

    @classmethod
    def of(cls, received: Received) -> Self:
        """Write a receipt."""
        return cls(**values_of(received))


class PayloadOut(Out):
    """A payload in the inbox, with how far its processing is."""

    inbox_id: int
    channel_code: str
    transport: str
    topic: str
    external_ref: str
    sha256: str
    content_type: str
    size_bytes: int
    file_name: str | None
    received_at: datetime
    state: Literal["received", "processing", "processed", "failed"]
    documents_count: int
    captured_count: int
    updated_count: int
    duplicate_count: int
    stale_count: int
    quarantined_count: int
    failure: str | None
    attempts: int
    finished_at: datetime | None

    @classmethod
    def of(cls, payload: Payload) -> Self:
        """Write a payload."""
        values = {name: getattr(payload, name) for name in cls.model_fields}
        if payload.failure is not None and _INTERNAL.match(payload.failure):
            values["failure"] = "it could not be processed; the worker's log says why"
        return cls(**values)


class DraftProblemOut(Out):
    """One thing that is wrong with a document."""

    field: Annotated[str, Field(description="a JSON pointer, or a column")]
    code: str
    detail: str


class QuarantineQuery(Wire):
    """Which quarantined documents to list."""

    after: Annotated[int, Field(ge=0, le=2**62, description="`next_after` of a page")] = 0
    limit: Limit = 50
    channel: Annotated[Words | None, Field(description="a channel's code")] = None
    code: Annotated[Words | None, Field(description="what is wrong, e.g. UNKNOWN_SKU")] = None
    state: Literal["open", "resolved", "dismissed"] = "open"
    external_ref: Words | None = None


class QuarantinedOut(Out):
    """A document that could not be used, and why."""

    quarantine_id: int
    inbox_id: int
    channel_code: str
    topic: str
    file_name: str | None
    position: Annotated[int, Field(description="the document's number in its payload, from 1")]
    line: int | None
    external_ref: str | None
    problems: list[DraftProblemOut]
    state: Literal["open", "resolved", "dismissed"]
    attempts: int
    first_seen_at: datetime
    last_tried_at: datetime

    @classmethod
    def of(cls, document: QuarantinedDocument) -> Self:
        """Write a quarantined document, without what it says."""
        return cls(**_values(document, cls))


class QuarantinedInFullOut(QuarantinedOut):
    """A document that could not be used, and what it says."""

    content_type: str
    fragment: Annotated[str, Field(description="the document as it came")]
    fragment_encoding: Literal["utf-8", "base64"]

    @classmethod
    def of(cls, document: QuarantinedDocument) -> Self:
        """Write a quarantined document."""
        try:
            fragment, encoding = document.fragment.decode(), "utf-8"
        except UnicodeDecodeError:
            fragment, encoding = base64.b64encode(document.fragment).decode(), "base64"
        values = {**_values(document, cls), "fragment": fragment, "fragment_encoding": encoding}
        return cls(**values)


class ReplayedOut(Out):
    """What became of a document that was tried again."""

    quarantine_id: int
    state: Literal["open", "resolved", "dismissed"]
    problems: Annotated[list[DraftProblemOut], Field(description="what is still wrong")]

    @classmethod
    def of(cls, quarantine_id: int, problems: tuple[DraftProblem, ...]) -> Self:
        """Write what is still wrong; nothing means it is captured."""
        return cls(
            quarantine_id=quarantine_id, state="open" if problems else "resolved",
            problems=[DraftProblemOut(**values_of(problem)) for problem in problems],
        )  # fmt: skip


def _values(document: QuarantinedDocument, kind: type[Out]) -> dict[str, Any]:
    return {name: getattr(document, name, None) for name in kind.model_fields}
