"""The errors of the core.

OmsError
├── NotFound      there is no such thing (or the caller may not know of it)
├── Conflict      it cannot happen now: the state or the stock is in the way
│   └── VersionConflict   … or somebody else has changed it since the caller looked
├── Rejected      it can never happen: the input is wrong
├── Forbidden     the caller may not do it
└── Unavailable   something we need is away; the same call may work later

A feature subclasses these. The docstring is the public text, `code` the stable name of the
problem, `facts` what a caller needs to act on it. The core knows no HTTP status.
"""

from typing import Any, ClassVar


class OmsError(Exception):
    """Something went wrong in an anticipated way."""

    code: ClassVar[str] = "ERROR"

    def __init__(self, detail: str | None = None, **facts: Any) -> None:
        """Take a sentence for a person and the facts for a program."""
        self.detail = detail or (type(self).__doc__ or "").split("\n", 1)[0]
        self.facts = facts
        super().__init__(self.detail)


class NotFound(OmsError):
    """There is no such thing."""

    code = "NOT_FOUND"


class Conflict(OmsError):
    """The current state does not allow it."""

    code = "CONFLICT"


class VersionConflict(Conflict):
    """Somebody else has changed it meanwhile; look at it again."""

    code = "VERSION_CONFLICT"


class Rejected(OmsError):
    """The input is not valid."""

    code = "VALIDATION"


class Forbidden(OmsError):
    """The caller may not do this."""

    code = "FORBIDDEN"


class Unavailable(OmsError):
    """A service this needs is away; try again later."""

    code = "UNAVAILABLE"
