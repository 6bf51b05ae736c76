"""Channels and inbox payloads as values."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from oms.kernel.errors import Conflict, NotFound, Rejected


class UnknownChannel(NotFound):
    """There is no such channel."""

    code = "UNKNOWN_CHANNEL"


class PayloadTooLarge(Rejected):
    """The payload is larger than the inbox takes this way."""

    code = "PAYLOAD_TOO_LARGE"


class PayloadEmpty(Rejected):
    """The payload is empty."""


class NotOpen(Conflict):
    """The quarantined document is no longer open."""

    code = "NOT_OPEN"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelDraft:
    """A channel as it is registered, with its network of locations, best first."""

    code: str
    name: str
    kind: str  # webshop, pos, kiosk, marketplace, phone, wholesale, other
    currency: str
    prices_include_tax: bool
    time_zone: str
    adapter: str
    adapter_options: dict[str, Any] = field(default_factory=dict)
    currencies: tuple[str, ...] = ()
    network: tuple[str, ...] = ()
    threshold: int = 0
    is_routed: bool = False  # whether we give its orders to locations, or it does and tells us
    stock_shown: str = "banded"  # of a store's stock: exact, banded, hidden
    # What is collected in a store comes of its own stock only, or of any in the network.
    collect_supply: str = "store"  # store, any
    # What is reserved to be paid in a store is kept there for so many of its opening days.
    reserve_days: int = 2
    reserve_max: int | None = None  # open reservations of one customer; None: without limit
    return_policy: dict[str, Any] = field(default_factory=dict)  # docs/returns.md
    # Of each kind of state its words for ours, as docs/what-goes-out.md has them.
    vocabulary: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A channel: where orders come from."""

    channel_id: int
    code: str
    name: str
    kind: str
    currency: str
    currencies: tuple[str, ...]
    prices_include_tax: bool
    time_zone: str
    adapter: str
    adapter_options: dict[str, Any]
    threshold: int
    is_routed: bool
    stock_shown: str
    collect_supply: str
    reserve_days: int
    reserve_max: int | None
    return_policy: dict[str, Any]
    vocabulary: dict[str, dict[str, str]]
    is_enabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What the inbox says of a payload handed to it."""

    inbox_id: int
    is_new: bool
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
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
    state: str
    position: int
    documents_count: int
    captured_count: int
    updated_count: int
    duplicate_count: int
    stale_count: int
    quarantined_count: int
    failure: str | None
    attempts: int
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantinedDocument:
    """A document that could not be used: where it came from, why, and itself."""

    quarantine_id: int
    inbox_id: int
    channel_code: str
    topic: str
    content_type: str
    file_name: str | None
    position: int
    line: int | None
    external_ref: str | None
    problems: list[dict[str, str]]
    fragment: bytes
    state: str
    attempts: int
    first_seen_at: datetime
    last_tried_at: datetime


def masked(content: bytes) -> bytes:
    """Return a text of the same length and form that says nothing: an address stays one."""
    return bytes(byte if byte in b"@." else ord("x") for byte in content)
