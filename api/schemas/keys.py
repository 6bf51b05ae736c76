"""API keys on the wire."""

import json
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field

from api.schemas.common import Moment, Out, Wire, Words, values_of
from oms.access.model import ROLES, ApiKey

Role = Literal["admin", "channel", "agent", "store", "carrier", "finance", "analyst", "engineer"]
assert set(Role.__args__) == set(ROLES)  # type: ignore[attr-defined]  # a Literal has them


class KeyPost(Wire):
    """A key to make."""

    name: Annotated[Words, Field(examples=["web shop"])]
    role: Role
    channel_codes: Annotated[
        list[Words] | None,
        Field(min_length=1, max_length=100, description="only these channels; left out: every one"),
    ] = None
    expires_at: Moment | None = None


class KeyOut(Out):
    """A key as it is listed."""

    key_id: str
    name: str
    role: str
    scopes: list[str]
    channel_codes: list[str] | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: Annotated[datetime | None, Field(description="to the minute")]

    @classmethod
    def of(cls, key: ApiKey) -> Self:
        """Write a key."""
        return cls.model_validate(values_of(key))


class KeyMadeOut(KeyOut):
    """A key that was just made, with its secret text: it is shown this once."""

    key: Annotated[
        str | None,
        Field(description="to be sent as `Authorization: Bearer …`; null when asked for again"),
    ]


def without_secret(body: str) -> str:
    """Return an answer as it may be kept: a secret that was shown once is gone."""
    values = json.loads(body)
    if "key" in values:
        values["key"] = None
    return json.dumps(values)
