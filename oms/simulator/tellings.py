"""Which documents a channel sends that tells whole orders: new, repeated, stale and late ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from oms.simulator.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from oms.simulator.book import Expected
    from oms.simulator.model import Order
    from oms.simulator.retailer import Happening


class _Touched(NamedTuple):
    """An order to which something happened within a window."""

    order: Order
    known: int  # changes known before the window; -1: the order itself is new
    upto: int


def _touched(happenings: Sequence[Happening]) -> list[_Touched]:
    """Group a window's happenings by order, in the order the last one of each happened."""
    first: dict[int, int] = {}
    last: dict[int, tuple[Order, int]] = {}
    for happening in happenings:
        number = happening.order.number
        first.setdefault(number, happening.upto - 1)
        last.pop(number, None)
        last[number] = (happening.order, happening.upto)
    return [_Touched(order, first[number], upto) for number, (order, upto) in last.items()]


def tellings(happenings: Sequence[Happening], book: Expected) -> list[Snapshot]:
    """List the documents of a window as they are sent, and note in the book what they tell.

    A late creation is withheld until after the first update; an order whose old state comes
    again has it behind its first update; what is repeated comes again at the end.
    """
    documents: list[Snapshot] = []
    again: list[Snapshot] = []
    for touched in _touched(happenings):
        documents.extend(_documents(touched, book))
        if touched.order.trouble.is_repeated and touched.known < 0:
            again.append(documents[-1])
            book.duplicates[touched.order.channel.code] += 1
    return documents + again


def _documents(touched: _Touched, book: Expected) -> Iterator[Snapshot]:
    """Write the newest state of an order, and the oldest behind it where that goes wrong."""
    order, trouble = touched.order, touched.order.trouble
    if trouble.is_late and touched.upto == 0:
        return
    book.tell(order, touched.upto)
    yield Snapshot(order, touched.upto)
    is_first_update = touched.known <= 0 < touched.upto
    if is_first_update and (trouble.is_late or trouble.is_stale):
        book.stale[order.channel.code] += 1
        yield Snapshot(order, 0)
