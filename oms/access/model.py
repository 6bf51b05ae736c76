"""API keys as values, roles, scopes, and what a caller may do."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Self

from oms.kernel.errors import Forbidden, OmsError, Rejected

# Any other text is no key, and none that PostgreSQL or a hash would stumble over.
KEY: Final = re.compile(r"oms_[0-9a-f]{12}_[0-9a-f]{64}")
# What a key is exchanged for, to be sent in its stead for a while.
TOKEN: Final = re.compile(r"omst_[0-9a-f]{12}_[0-9a-f]{64}")
# Whom a tool speaks for, as the tool knows them: a user name or an address, in one word.
PERSON: Final = re.compile(r"[\x21-\x7e]{1,100}")
# Stands in what is written down between a person and the tool they used. No key is named so.
VIA: Final = " via "

SCOPES: Final = (
    "orders:read", "orders:write", "stock:read", "stock:write", "catalog:read", "catalog:write",
    "inbox:write", "quarantine:read", "quarantine:write", "sales:read", "keys:write",
    "channels:read", "channels:write", "fulfillment:read", "fulfillment:write", "customers:read",
    "customers:write", "customers:manage", "orders:lookup", "orders:hold", "orders:review",
    "events:read", "webhooks:read", "webhooks:write", "sourcing:read", "sourcing:write",
    "tracking:write", "reservations:read", "reservations:write", "payments:read", "payments:write",
    "refunds:read", "refunds:write", "refunds:approve", "notes:internal", "notes:customer",
    "notes:work", "documents:read", "documents:write", "documents:send", "returns:read",
    "returns:request", "returns:write", "returns:override", "settlements:read",
    "settlements:write", "credits:read", "credits:write", "refunds:till", "refunds:override",
    "refunds:rules",
)  # fmt: skip

# A role is a named set of scopes.
_WORDS: Final[dict[str, str]] = {
    "channel": (
        "orders:read orders:write stock:read stock:write inbox:write catalog:read customers:read"
        " customers:write events:read webhooks:read notes:customer returns:read returns:request"
    ),
    "agent": (
        "orders:read orders:write orders:lookup orders:hold stock:read catalog:read quarantine:read"
        " channels:read fulfillment:read fulfillment:write customers:read customers:write"
        " customers:manage sourcing:read reservations:read reservations:write payments:read"
        " payments:write refunds:read refunds:write notes:internal notes:customer notes:work"
        " documents:read documents:send returns:read returns:request returns:write"
        " returns:override credits:read"
    ),
    # Orders of other stores and channels are looked up, not read: who bought is not shown.
    "store": (
        "orders:lookup stock:read stock:write catalog:read fulfillment:read fulfillment:write"
        " reservations:read reservations:write payments:write notes:work returns:read"
        " returns:request returns:write refunds:till"
    ),
    # Sets the rules of a store's counter aside, with a reason; otherwise like who works there.
    "manager": (
        "orders:lookup stock:read stock:write catalog:read fulfillment:read fulfillment:write"
        " reservations:read reservations:write payments:write notes:work returns:read"
        " returns:request returns:write returns:override refunds:till refunds:override"
    ),
    # A carrier, or who passes on what carriers tell: it learns of nothing.
    "carrier": "tracking:write",
    "finance": (
        "orders:read orders:hold orders:review sales:read channels:read payments:read"
        " payments:write refunds:read refunds:write refunds:approve refunds:rules notes:internal"
        " documents:read documents:write documents:send settlements:read settlements:write"
        " credits:read credits:write"
    ),
    "analyst": "stock:read catalog:read sales:read channels:read quarantine:read",
    "engineer": (
        "quarantine:read quarantine:write inbox:write channels:read channels:write stock:read"
        " sales:read events:read webhooks:read webhooks:write sourcing:read"
    ),
}
# Whose keys may be those of tools, which speak for people: who works for customers or with money.
OF_TOOLS: Final = frozenset({"agent", "finance"})
# Whose keys may be bound to locations: every route they reach asks where its caller works.
BOUND_TO_LOCATIONS: Final = frozenset({"store", "manager"})
ROLES: Final[dict[str, tuple[str, ...]]] = {
    "admin": SCOPES,
    **{role: tuple(words.split()) for role, words in _WORDS.items()},
}


class NotAuthenticated(OmsError):
    """The request carries no valid API key."""

    code = "NOT_AUTHENTICATED"


class OtherLocation(Forbidden):
    """Another location does this."""

    code = "OTHER_LOCATION"


class ScopeMissing(Forbidden):
    """The API key does not allow this."""

    code = "SCOPE_MISSING"


class NoTool(Forbidden):
    """The key speaks for nobody but itself: only that of a tool says on whose behalf it acts."""

    code = "NO_TOOL"


class ScopeBeyond(Rejected):
    """A token allows nothing its key does not."""

    code = "SCOPE_BEYOND"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who is calling, and what they may do; None means every channel, every location.

    `name` is what is written down of them: of a person who uses a tool, both.
    """

    key_id: str
    name: str
    role: str
    scopes: frozenset[str]
    channels: frozenset[str] | None
    locations: frozenset[str] | None = None
    is_tool: bool = False
    person: str | None = None  # whom a tool speaks for

    def speaking_for(self, person: str) -> Self:
        """Return the caller who acts for a person. Raises NoTool."""
        if not self.is_tool:
            raise NoTool
        return replace(self, name=f"{person}{VIA}{self.name}", person=person)

    def may_see(self, channel_code: str) -> bool:
        """Tell whether the caller may know of a channel's orders."""
        return self.channels is None or channel_code in self.channels

    def may_work_at(self, location_code: str) -> bool:
        """Tell whether a location's work is the caller's."""
        return self.locations is None or location_code in self.locations

    def work_at(self, location_code: str | None) -> tuple[str, ...] | None:
        """Return the locations whose work to look among, of the one asked; None is every one."""
        if location_code is None:
            return None if self.locations is None else tuple(sorted(self.locations))
        return (location_code,) if self.may_work_at(location_code) else ()

    def visible(self, asked: Iterable[str] | None) -> tuple[str, ...] | None:
        """Return the channels whose orders to look among, of those asked; None is every channel."""
        if asked is None:
            return None if self.channels is None else tuple(sorted(self.channels))
        return tuple(sorted({code for code in asked if self.may_see(code)}))


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key as it is listed; its secret is nowhere."""

    key_id: str
    name: str
    role: str
    scopes: tuple[str, ...]
    channel_codes: tuple[str, ...] | None
    location_codes: tuple[str, ...] | None
    is_tool: bool
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What a key was exchanged for: its text, what it allows, and until when."""

    text: str
    scopes: tuple[str, ...]
    expires_at: datetime


def is_same_person(one: str, other: str) -> bool:
    """Tell whether two names that were written down may be one person's.

    A person is the same through a tool and without. A tool that has not said for whom it acts
    may be anybody who uses it.
    """
    (person, tool), (second, its) = _parts(one), _parts(other)
    return person in {second, its} or second == tool


def person_of(name: str) -> str:
    """Return who a name that was written down is: the same through a tool and without."""
    return _parts(name)[0]


def _parts(name: str) -> tuple[str, str]:
    """Return the person of a name, or the tool that named none, and the tool they used."""
    person, via, tool = name.casefold().rpartition(VIA)
    return (person, tool) if via else (tool, "")
