"""The system's health on the wire."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from api.schemas.common import Out


class AliveOut(Out):
    """That the process answers, or that it may be sent requests."""

    status: Literal["ok"] = "ok"


class LedgerHealth(Out):
    """How the ledger is."""

    answered_milliseconds: float
    migration: str
    is_migrated: Annotated[bool, Field(description="whether this program's schema is in place")]


class InboxHealth(Out):
    """What waits in the inbox."""

    waiting_count: int
    oldest_age_seconds: float | None


class PublicationHealth(Out):
    """How fresh the published marts are."""

    version: int
    age_seconds: float


class HealthOut(Out):
    """How each part is; a number too old is for whoever reads it to say."""

    status: Literal["ok", "degraded"]
    as_of: datetime
    ledger: LedgerHealth
    inbox: InboxHealth
    publication: PublicationHealth | None
