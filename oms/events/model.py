"""Events of orders as they are told to others, and what of an order each of them sees."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, Self

from oms.kernel.errors import Rejected
from oms.kernel.money import text_from_minor

Vocabulary = Mapping[str, Mapping[str, str]]
"""Of a kind of state somebody's words for ours; what has none is told as ours."""

# What of an order, and of what a step says of a part of it, has words: by the kind of state.
_OF_ORDERS: Final = ("order_state", "fulfillment_state", "payment_state")
_OF_PARTS: Final = {"fulfillment": "fulfillment_order_state", "return": "return_state"}
_POSITION: Final = re.compile(r"\d{1,19}(\.\d{1,19}){2}")


class EventsCursorInvalid(Rejected):
    """The cursor of the events is not one we gave out."""

    code = "INVALID_CURSOR"


class View(StrEnum):
    """Who looks at an order."""

    OWN = "own"  # the channel it was placed in, or the retailer's own people and systems
    COUNTER = "counter"  # another channel that meets the customer: tills, kiosks, the phone
    FOREIGN = "foreign"  # any other channel


# What names or reaches the customer of an order, and who sees it; the rest of an order is seen
# by all. Of a channel's own remarks on an event others see the fields in SHARED only.
PERSONAL: Final[dict[str, frozenset[View]]] = {
    "customer_ref": frozenset({View.OWN}),
    "customer_name": frozenset({View.OWN, View.COUNTER}),
    "customer_email": frozenset({View.OWN}),
    "customer_phone": frozenset({View.OWN}),
    "ship_to": frozenset({View.OWN}),
    "bill_to": frozenset({View.OWN}),
}
SHARED: Final = frozenset({"change_ref", "lines", "reason", "location_code"})
COUNTERS: Final = frozenset({"pos", "kiosk", "phone"})


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in the journal of events: what lies after it has not been read."""

    xid: int = 0
    order_id: int = 0
    seq: int = 0

    @classmethod
    def read(cls, cursor: str) -> Self:
        """Read a cursor; raises EventsCursorInvalid."""
        try:
            content = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        except (binascii.Error, ValueError):
            raise EventsCursorInvalid from None
        if not _POSITION.fullmatch(content):
            raise EventsCursorInvalid
        xid, order_id, seq = map(int, content.split("."))
        if xid >= 1 << 62 or order_id >= 1 << 62 or seq >= 1 << 31:
            raise EventsCursorInvalid
        return cls(xid, order_id, seq)

    def write(self) -> str:
        """Write it as a cursor."""
        content = f"{self.xid}.{self.order_id}.{self.seq}"
        return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderNow:
    """An order as it is at the moment of reading."""

    header: dict[str, Any]
    lines: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEvent:
    """One step of an order's story, with the order as it is now."""

    order_id: int
    order_number: str
    channel_code: str
    seq: int
    type: str
    occurred_at: datetime
    recorded_at: datetime
    data: dict[str, Any] | None
    order: OrderNow
    # Several in a row may share it: it is gone on from after the last of them.
    place: Position

    @property
    def event_id(self) -> str:
        """What names it, to everybody and for ever."""
        return event_id(self.order_number, self.seq)


def event_id(order_number: str, seq: int) -> str:
    """Return the name of a step of an order's story."""
    return f"evt_{order_number}_{seq}"


def view_of(*, channel_code: str, reader_code: str | None, reader_kind: str | None) -> View:
    """Return how a channel looks at an order; no channel is the retailer itself."""
    if reader_code is None or reader_code == channel_code:
        return View.OWN
    return View.COUNTER if reader_kind in COUNTERS else View.FOREIGN


def document(event: OrderEvent, view: View, words: Vocabulary) -> dict[str, Any]:
    """Return an event as it goes out to whom a view stands for, states in their words."""
    change = event.data
    if change is not None and view is not View.OWN:
        change = {name: value for name, value in change.items() if name in SHARED}
    kind = _OF_PARTS.get(event.type.partition(".")[0])
    if change is not None and kind is not None and "state" in change:
        change = {**change, "state": _word(words, kind, change["state"])}
    return {
        "event_id": event.event_id, "type": event.type, "order_number": event.order_number,
        "channel_code": event.channel_code, "sequence": event.seq,
        "occurred_at": instant(event.occurred_at), "recorded_at": instant(event.recorded_at),
        "data": {"change": change, "order": _order(event.order, view, words)},
    }  # fmt: skip


def instant(at: datetime) -> str:
    """Write an instant as it goes out."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _word(words: Vocabulary, kind: str, state: str) -> str:
    return words.get(kind, {}).get(state, state)


def _order(order: OrderNow, view: View, words: Vocabulary) -> dict[str, Any]:
    header = order.header
    currency = header["currency"]
    seen: dict[str, Any] = {}
    for name, value in header.items():
        if name in PERSONAL and view not in PERSONAL[name]:
            continue
        if name.endswith("_minor"):
            seen[name.removesuffix("_minor")] = _money(value, currency)
        elif name in _OF_ORDERS:
            seen[name] = _word(words, name, value)
        else:
            seen[name] = instant(value) if isinstance(value, datetime) else value
    lines = [
        {name.removesuffix("_minor"): _money(value, currency) if name.endswith("_minor") else value
         for name, value in line.items()}
        for line in order.lines
    ]  # fmt: skip
    return {**seen, "lines": lines}


def _money(minor: int, currency: str) -> dict[str, str]:
    return {"amount": text_from_minor(minor, currency), "currency": currency}
