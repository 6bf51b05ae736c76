"""The story of an order read again: what it is after each step, folded from its events alone.

It knows no table. What it comes to is what the tables say, at every moment at which nothing is
being written: the tests of random lives hold the two against each other.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from oms.orders.model import Event, FulfillmentState, OrderState


@dataclass(slots=True, kw_only=True)
class LineUnits:
    """How many units of a line are where."""

    quantity: int = 0
    canceled: int = 0
    shipped: int = 0
    returned: int = 0
    backordered: int = 0

    @property
    def gone(self) -> int:
        """What has left, whether or not it was said before it came back."""
        return max(self.shipped, self.returned)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A fulfillment order: its state, and of each line what it is asked for and what became of it.

    By line: quantity, picked, done, removed.
    """

    state: str
    location_code: str
    lines: Mapping[int, tuple[int, int, int, int]]


@dataclass(slots=True)
class Remark:
    """A note on the order, as far as its story tells: what it says is not in it."""

    version: int = 1
    is_pinned: bool = False
    is_redacted: bool = False

    def redact(self) -> None:
        """Leave a tombstone."""
        self.version += 1
        self.is_pinned, self.is_redacted = False, True


@dataclass(slots=True)
class Standing:
    """What an order is, as far as its events have told."""

    is_historical: bool = False
    lines: dict[int, LineUnits] = field(default_factory=dict)
    work: dict[str, Work] = field(default_factory=dict)
    parts: dict[tuple[str, str], str] = field(default_factory=dict)  # the state of each, by entity
    holds: set[int] = field(default_factory=set)
    notes: dict[int, Remark] = field(default_factory=dict)
    tags: set[str] = field(default_factory=set)
    returns: dict[str, str] = field(default_factory=dict)  # the state of each
    cases: dict[tuple[str, str], str] = field(default_factory=dict)  # the state of each

    @property
    def order_state(self) -> OrderState:
        """Where it is in its life."""
        ordered, canceled, gone, _, _ = self._sums()
        if canceled >= ordered:
            return OrderState.CANCELED
        if canceled + gone >= ordered:
            return OrderState.COMPLETED
        return OrderState.IN_PROGRESS if gone else OrderState.PLACED

    @property
    def fulfillment_state(self) -> FulfillmentState:
        """How far its goods are."""
        ordered, canceled, gone, returned, backordered = self._sums()
        if canceled >= ordered:
            return FulfillmentState.CANCELED
        if returned:
            is_all = canceled + returned >= ordered
            return FulfillmentState.RETURNED if is_all else FulfillmentState.PARTIALLY_RETURNED
        if backordered:
            return FulfillmentState.BACKORDERED
        if canceled + gone >= ordered:
            return FulfillmentState.SHIPPED
        return FulfillmentState.PARTIALLY_SHIPPED if gone else FulfillmentState.ALLOCATED

    @property
    def is_on_hold(self) -> bool:
        """Whether a hold nobody has released is on it."""
        return bool(self.holds)

    def take(self, event: Event) -> None:
        """Take in the next event."""
        data = event.data or {}
        if event.type in _OF_LINES:
            self._take_lines(event.type, data)
        elif event.type in _TAKEN:
            _TAKEN[event.type](self, data)
        elif "return" in data:
            self.returns[data["return"]] = data["state"]
        elif "fulfillment_lines" in data:
            self.work[data["fulfillment"]] = Work(
                state=data["state"], location_code=data["location"],
                lines={
                    line["line_no"]: tuple(line[name] for name in _COUNTED)
                    for line in data["fulfillment_lines"]
                },
            )  # fmt: skip
        for told in data.get("backordered", ()):
            self.lines[told["line_no"]].backordered = told["after"]

    def _take_lines(self, kind: str, data: Mapping[str, Any]) -> None:
        self.notes |= {note_id: Remark() for note_id in data.get("notes", ())}
        self.is_historical = self.is_historical or bool(data.get("is_historical"))
        for told in data.get("lines", ()):
            line = self.lines.setdefault(told["line_no"], LineUnits())
            _OF_LINES[kind](line, told)
            if self.is_historical:  # its goods left before anybody told
                line.shipped = line.quantity - line.canceled

    def _sums(self) -> tuple[int, int, int, int, int]:
        lines = self.lines.values()
        return (
            sum(line.quantity for line in lines), sum(line.canceled for line in lines),
            sum(line.gone for line in lines), sum(line.returned for line in lines),
            sum(line.backordered for line in lines),
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """An event, what it is about, and what that was before and after it."""

    event: Event
    entity: str
    entity_id: str | None  # None: the order itself
    from_state: str | None  # None: it was not there, or has no states
    to_state: str | None
    order_state: OrderState
    fulfillment_state: FulfillmentState
    caused_by_seq: int | None  # the first step of the same command, where it is not that itself


def fold(events: Iterable[Event]) -> Standing:
    """Return what an order is after its events, which are all there are and in their order."""
    standing = Standing()
    for event in events:
        standing.take(event)
    return standing


def steps(events: Iterable[Event]) -> Iterator[Step]:
    """Return the events of an order, from the first on, each with what it changed."""
    standing = Standing()
    causes: dict[str, int] = {}
    for event in events:
        entity, entity_id = _entity_of(event)
        before = _state_of(standing, entity, entity_id) if event.seq > 1 else None
        standing.take(event)
        if entity_id is not None and (state := _told_state(event, entity)) is not None:
            standing.parts[entity, entity_id] = state
        cause = causes.setdefault(event.transaction_id, event.seq)
        yield Step(
            event=event, entity=entity, entity_id=entity_id, from_state=before,
            to_state=_state_of(standing, entity, entity_id), order_state=standing.order_state,
            fulfillment_state=standing.fulfillment_state,
            caused_by_seq=None if cause == event.seq else cause,
        )  # fmt: skip


def _sell(line: LineUnits, told: Mapping[str, Any]) -> None:
    line.quantity = told["quantity"]


def _edit(line: LineUnits, told: Mapping[str, Any]) -> None:
    line.quantity = told["after"]


def _cancel(line: LineUnits, told: Mapping[str, Any]) -> None:
    line.canceled += told["quantity"]


def _ship(line: LineUnits, told: Mapping[str, Any]) -> None:
    line.shipped += told["quantity"]


def _return(line: LineUnits, told: Mapping[str, Any]) -> None:
    line.returned += told["quantity"]


def _place(standing: Standing, data: Mapping[str, Any]) -> None:
    standing.holds.add(data["hold_no"])


def _release(standing: Standing, data: Mapping[str, Any]) -> None:
    standing.holds.discard(data["hold_no"])


def _remark(standing: Standing, data: Mapping[str, Any]) -> None:
    standing.notes[data["note_id"]] = Remark(is_pinned=data.get("is_pinned", False))


def _reword(standing: Standing, data: Mapping[str, Any]) -> None:
    standing.notes[data["note_id"]].version += 1


def _pin(standing: Standing, data: Mapping[str, Any]) -> None:
    standing.notes[data["note_id"]].is_pinned = True


def _unpin(standing: Standing, data: Mapping[str, Any]) -> None:
    standing.notes[data["note_id"]].is_pinned = False


def _redact(standing: Standing, data: Mapping[str, Any]) -> None:
    standing.notes[data["note_id"]].redact()


def _erase(standing: Standing, _data: Mapping[str, Any]) -> None:
    for remark in standing.notes.values():
        if not remark.is_redacted:
            remark.redact()


def _tag(standing: Standing, data: Mapping[str, Any]) -> None:
    standing.tags = (standing.tags | set(data["added"])) - set(data["removed"])


def _link(standing: Standing, data: Mapping[str, Any]) -> None:
    standing.cases[data["tool"], data["case_id"]] = data["state"]


def _unlink(standing: Standing, data: Mapping[str, Any]) -> None:
    del standing.cases[data["tool"], data["case_id"]]


_TAKEN: Final = {
    "hold.placed": _place, "hold.released": _release, "note.added": _remark,
    "note.edited": _reword, "note.pinned": _pin, "note.unpinned": _unpin,
    "note.redacted": _redact, "order.erased": _erase, "order.tagged": _tag,
    "order.case_linked": _link, "order.case_unlinked": _unlink,
}  # fmt: skip
_OF_LINES: Final = {
    "order.captured": _sell, "order.updated": _edit, "order.canceled": _cancel,
    "order.shipped": _ship, "order.returned": _return,
}  # fmt: skip
_COUNTED: Final = ("quantity", "picked", "done", "removed")
# What an event is about, by the first part of its type, and which of its facts names it.
_ENTITIES: Final = {
    "fulfillment": "fulfillment", "parcel": "parcel", "transfer": "transfer", "hold": "hold_no",
    "note": "note_id", "change_order": "change_no", "return": "return",
}  # fmt: skip
_TELLS_STATE: Final = frozenset({"fulfillment", "return"})
# What is told of a part and is not a state of it.
_NO_STATES: Final = frozenset({
    "scanned", "reduced", "extended", "added", "edited", "pinned", "unpinned", "redirected",
    "attached",
})  # fmt: skip


def _entity_of(event: Event) -> tuple[str, str | None]:
    entity = event.type.partition(".")[0]
    name = (event.data or {}).get(_ENTITIES.get(entity, ""))
    return (entity, str(name)) if name is not None else ("order", None)


def _told_state(event: Event, entity: str) -> str | None:
    told: str | None = (event.data or {}).get("state") if entity in _TELLS_STATE else None
    state = told or event.type.partition(".")[2]
    return None if state in _NO_STATES else state


def _state_of(standing: Standing, entity: str, entity_id: str | None) -> str | None:
    if entity_id is not None:
        return standing.parts.get((entity, entity_id))
    return standing.order_state
