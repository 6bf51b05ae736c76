"""API keys on the wire."""

import json
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field

from api.schemas.common import Moment, Out, Wire, Words, values_of
from oms.access.model import ROLES, ApiKey, Caller

Role = Literal[
    "admin", "channel", "agent", "store", "manager", "carrier", "finance", "analyst", "engineer"
]
assert set(Role.__args__) == set(ROLES)  # type: ignore[attr-defined]  # a Literal has them


class KeyPost(Wire):
    """A key to make."""

    name: Annotated[Words, Field(examples=["web shop"])]
    role: Role
    channel_codes: Annotated[
        list[Words] | None,
        Field(min_length=1, max_length=100, description="only these channels; left out: every one"),
    ] = None
    location_codes: Annotated[
        list[Words] | None,
        Field(
            min_length=1, max_length=100,
            description="only these locations' work, for the role store; left out: every one's",
        ),
    ] = None  # fmt: skip
    is_tool: Annotated[
        bool,
        Field(
            strict=True,
            description="it says for whom it acts, by `OMS-On-Behalf-Of`; roles agent and finance",
        ),
    ] = False
    expires_at: Moment | None = None


class KeyOut(Out):
    """A key as it is listed."""

    key_id: str
    name: str
    role: str
    scopes: list[str]
    channel_codes: list[str] | None
    location_codes: list[str] | None
    is_tool: bool
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: Annotated[datetime | None, Field(description="to the minute")]

    @classmethod
    def of(cls, key: ApiKey) -> Self:
        """Write a key."""
        return cls.model_validate(values_of(key))


class MeOut(Out):
    """Whose key it is that asks, and what it allows."""

    key_id: str
    name: str
    role: str
    scopes: list[str]
    channel_codes: Annotated[list[str] | None, Field(description="null: every channel")]
    location_codes: Annotated[
        list[str] | None, Field(description="whose work it does; null: every location's")
    ]
    is_tool: bool
    on_behalf_of: Annotated[str | None, Field(description="whom a tool speaks for")]

    @classmethod
    def of(cls, caller: Caller) -> Self:
        """Write who calls."""
        return cls(
            key_id=caller.key_id, name=caller.name, role=caller.role,
            scopes=sorted(caller.scopes),
            channel_codes=None if caller.channels is None else sorted(caller.channels),
            location_codes=None if caller.locations is None else sorted(caller.locations),
            is_tool=caller.is_tool, on_behalf_of=caller.person,
        )  # fmt: skip


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
