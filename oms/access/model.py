"""API keys as values, roles, scopes, and what a caller may do."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from oms.kernel.errors import Forbidden, OmsError

# Any other text is no key, and none that PostgreSQL or a hash would stumble over.
KEY: Final = re.compile(r"oms_[0-9a-f]{12}_[0-9a-f]{64}")

SCOPES: Final = (
    "orders:read", "orders:write", "stock:read", "stock:write", "catalog:read", "catalog:write",
    "inbox:write", "quarantine:read", "quarantine:write", "sales:read", "keys:write",
    "channels:read", "channels:write", "fulfillment:read", "fulfillment:write", "customers:read",
    "customers:write", "customers:manage", "orders:lookup", "orders:hold", "orders:review",
    "events:read", "webhooks:read", "webhooks:write", "sourcing:read", "sourcing:write",
    "tracking:write", "reservations:read", "reservations:write", "payments:read", "payments:write",
    "refunds:read", "refunds:write", "refunds:approve", "notes:internal", "notes:customer",
    "notes:work", "documents:read", "documents:write", "returns:read", "returns:request",
    "returns:write", "returns:override",
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
        " documents:read returns:read returns:request returns:write returns:override"
    ),
    # Orders of other stores and channels are looked up, not read: who bought is not shown.
    "store": (
        "orders:lookup stock:read stock:write catalog:read fulfillment:read fulfillment:write"
        " reservations:read reservations:write payments:write notes:work returns:read"
        " returns:request returns:write"
    ),
    # A carrier, or who passes on what carriers tell: it learns of nothing.
    "carrier": "tracking:write",
    "finance": (
        "orders:read orders:hold orders:review sales:read channels:read payments:read"
        " payments:write refunds:read refunds:write refunds:approve notes:internal"
        " documents:read documents:write"
    ),
    "analyst": "stock:read catalog:read sales:read channels:read quarantine:read",
    "engineer": (
        "quarantine:read quarantine:write inbox:write channels:read channels:write stock:read"
        " sales:read events:read webhooks:read webhooks:write sourcing:read"
    ),
}
# Whose keys may be bound to locations: every route they reach asks where its caller works.
BOUND_TO_LOCATIONS: Final = frozenset({"store"})
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who is calling, and what they may do; None means every channel, every location."""

    key_id: str
    name: str
    role: str
    scopes: frozenset[str]
    channels: frozenset[str] | None
    locations: frozenset[str] | None = None

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
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
