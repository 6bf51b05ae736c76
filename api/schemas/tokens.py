"""OAuth 2.0's tokens on the wire."""

from datetime import datetime
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, Field

from api.schemas.common import Out
from oms.access.model import Token

GRANT: Final = "client_credentials"


class TokenForm(BaseModel):
    """What a client asks for a token with; it may name itself by HTTP Basic instead."""

    grant_type: Literal["client_credentials"]
    client_id: Annotated[str | None, Field(description="the key's `key_id`")] = None
    client_secret: Annotated[str | None, Field(description="the whole key, `oms_…`")] = None
    scope: Annotated[
        str | None, Field(description="of what the key allows, only this; words between blanks")
    ] = None


class TokenOut(Out):
    """A token, to be sent as `Authorization: Bearer …` while it is good."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: Annotated[int, Field(description="seconds")]
    scope: Annotated[str, Field(description="what it allows")]

    @classmethod
    def of(cls, token: Token, *, at: datetime) -> Self:
        """Write a token."""
        return cls(
            access_token=token.text, token_type="Bearer", scope=" ".join(token.scopes),  # noqa: S106 - its kind
            expires_in=int((token.expires_at - at).total_seconds()),
        )  # fmt: skip
