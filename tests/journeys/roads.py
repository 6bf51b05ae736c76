"""What is played: of each way and ending the steps, and where an order must be after them.

A cell is composed of these tables.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import httpx

from oms.cli.journeys import Cell
from tests.journeys.journey import METHODS, UNITS, Journey
from tests.journeys.steps import (
    ACCEPT,
    ARRIVE,
    CANCEL,
    CANCEL_COMING,
    CANCEL_GATHERING,
    CANCEL_MISSING,
    COLLECT,
    COLLECT_THERE,
    COME_BACK,
    EXPIRE_THERE,
    GATHER,
    GATHER_ONE,
    GIVE_BACK,
    LAY_READY,
    LET_TIME_PASS,
    LIE_THERE,
    PAY_AND_COLLECT,
    PICK,
    PICK_ONE,
    PUT_BACK,
    SELL,
    SEND,
    TRANSFER,
    TRANSFER_ONE,
    Step,
)

# What an order's story begins with, before anybody does anything.
BEGINS: Final[Mapping[str, tuple[str, ...]]] = {
    "carried": ("order.captured", "order.shipped"),
    "sent": ("order.captured", "fulfillment.assigned"),
    "to_point": ("order.captured", "fulfillment.assigned"),
    "collected": ("order.captured", "fulfillment.assigned"),
    "reserved": ("order.captured", "fulfillment.assigned"),
    "transferred": ("order.captured", "fulfillment.waiting_for_transfer", "transfer.allocated"),
    "gathered": (
        "order.captured",
        "fulfillment.waiting_for_transfer",
        "transfer.allocated",
        "transfer.allocated",
    ),
}
_TO_POINT: Final = (ACCEPT, PICK, SEND, LIE_THERE)
_COUNTER: Final = (ACCEPT, PICK, LAY_READY)
ROADS: Final[Mapping[tuple[str, str], tuple[Step, ...]]] = {
    ("carried", "delivered"): (),
    ("carried", "short"): (),
    ("carried", "refused"): (GIVE_BACK,),
    ("sent", "delivered"): (ACCEPT, PICK, SEND, ARRIVE),
    ("sent", "canceled"): (ACCEPT, CANCEL),
    ("sent", "short"): (ACCEPT, PICK_ONE, SEND, ARRIVE, CANCEL_MISSING),
    ("sent", "refused"): (ACCEPT, PICK, SEND, COME_BACK, GIVE_BACK),
    ("to_point", "delivered"): (*_TO_POINT, COLLECT_THERE),
    ("to_point", "canceled"): (ACCEPT, CANCEL),
    ("to_point", "short"): (ACCEPT, PICK_ONE, SEND, LIE_THERE, COLLECT_THERE, CANCEL_MISSING),
    ("to_point", "refused"): (*_TO_POINT, COME_BACK, GIVE_BACK),
    ("to_point", "not_collected"): (*_TO_POINT, EXPIRE_THERE, GIVE_BACK),
    ("collected", "delivered"): (*_COUNTER, COLLECT),
    ("collected", "canceled"): (ACCEPT, CANCEL),
    ("collected", "short"): (ACCEPT, PICK_ONE, LAY_READY, COLLECT, CANCEL_MISSING),
    ("collected", "refused"): (*_COUNTER, COLLECT, GIVE_BACK),
    ("collected", "not_collected"): (*_COUNTER, LET_TIME_PASS),
    ("reserved", "delivered"): (*_COUNTER, SELL),
    ("reserved", "canceled"): (ACCEPT, CANCEL),
    ("reserved", "short"): (ACCEPT, PICK_ONE, LAY_READY, SELL, CANCEL_MISSING),
    ("reserved", "refused"): (*_COUNTER, PUT_BACK),
    ("reserved", "not_collected"): (*_COUNTER, LET_TIME_PASS),
    ("gathered", "delivered"): (GATHER, ACCEPT, PICK, SEND, ARRIVE),
    ("gathered", "canceled"): (CANCEL_GATHERING,),
    ("gathered", "short"): (GATHER_ONE, ACCEPT, PICK, SEND, ARRIVE, CANCEL_MISSING),
    ("gathered", "refused"): (GATHER, ACCEPT, PICK, SEND, COME_BACK, GIVE_BACK),
    ("transferred", "delivered"): (TRANSFER, *_COUNTER, COLLECT),
    ("transferred", "canceled"): (CANCEL_COMING,),
    ("transferred", "short"): (TRANSFER_ONE, *_COUNTER, COLLECT, CANCEL_MISSING),
    ("transferred", "refused"): (TRANSFER, *_COUNTER, COLLECT, GIVE_BACK),
    ("transferred", "not_collected"): (TRANSFER, *_COUNTER, LET_TIME_PASS),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """Where an order and its goods must be in the end; what is not named is not there."""

    states: tuple[str, str]
    lines: Mapping[str, int]  # of the line's buckets those that are not empty
    on_hand: Mapping[str, int]  # where it was kept, and at the counter; nothing is promised
    works: tuple[str, ...] = ()
    parcels: tuple[str, ...] = ()
    transfers: tuple[str, ...] = ()
    open_exceptions: tuple[str, ...] = ()
    sold: int = 0  # by a till's receipt


_DONE: Final = ("completed", "shipped")
_BACK: Final = ("completed", "returned")
_OVER: Final = ("canceled", "canceled")
_ALL, _NONE, _ONE = {"shipped": 2}, {"canceled": 2}, {"shipped": 1, "canceled": 1}
_RETURNED: Final = {"shipped": 2, "returned": 2}
_CAME_BACK: Final = End(
    states=_BACK, lines=_RETURNED, on_hand={"kept": 2}, works=("returned_to_sender",),
    parcels=("returned_to_sender",),
)  # fmt: skip
ENDS: Final[Mapping[tuple[str, str], End]] = {
    ("carried", "delivered"): End(states=_DONE, lines=_ALL, on_hand={"kept": 0}),
    # A till may sell what the count says is not there: somebody should look.
    ("carried", "short"): End(
        states=_DONE, lines=_ALL, on_hand={"kept": -1}, open_exceptions=("OVERSOLD",)
    ),
    ("carried", "refused"): End(states=_BACK, lines=_RETURNED, on_hand={"kept": 2}),
    ("sent", "delivered"): End(
        states=_DONE, lines=_ALL, on_hand={"kept": 0}, works=("delivered",), parcels=("delivered",)
    ),
    ("sent", "canceled"): End(
        states=_OVER, lines=_NONE, on_hand={"kept": 2}, works=("canceled",)
    ),
    ("sent", "short"): End(
        states=_DONE, lines=_ONE, on_hand={"kept": 0}, works=("delivered",), parcels=("delivered",)
    ),
    ("sent", "refused"): _CAME_BACK,
    ("to_point", "delivered"): End(
        states=_DONE, lines=_ALL, on_hand={"kept": 0}, works=("delivered",), parcels=("collected",)
    ),
    ("to_point", "canceled"): End(
        states=_OVER, lines=_NONE, on_hand={"kept": 2}, works=("canceled",)
    ),
    ("to_point", "short"): End(
        states=_DONE, lines=_ONE, on_hand={"kept": 0}, works=("delivered",), parcels=("collected",)
    ),
    ("to_point", "refused"): _CAME_BACK,
    ("to_point", "not_collected"): _CAME_BACK,
    ("collected", "delivered"): End(
        states=_DONE, lines=_ALL, on_hand={"kept": 0}, works=("collected",)
    ),
    ("collected", "canceled"): End(
        states=_OVER, lines=_NONE, on_hand={"kept": 2}, works=("canceled",)
    ),
    ("collected", "short"): End(
        states=_DONE, lines=_ONE, on_hand={"kept": 0}, works=("collected",)
    ),
    ("collected", "refused"): End(
        states=_BACK, lines=_RETURNED, on_hand={"kept": 2}, works=("collected",)
    ),
    ("collected", "not_collected"): End(
        states=_OVER, lines=_NONE, on_hand={"kept": 2}, works=("uncollected",)
    ),
    # A reservation that is sold ends; what is sold is the receipt's order.
    ("reserved", "delivered"): End(
        states=_OVER, lines=_NONE, on_hand={"kept": 0}, works=("collected",), sold=2
    ),
    ("reserved", "canceled"): End(
        states=_OVER, lines=_NONE, on_hand={"kept": 2}, works=("canceled",)
    ),
    ("reserved", "short"): End(
        states=_OVER, lines=_NONE, on_hand={"kept": 0}, works=("collected",), sold=1
    ),
    ("reserved", "refused"): End(
        states=_OVER, lines=_NONE, on_hand={"kept": 2}, works=("uncollected",)
    ),
    ("reserved", "not_collected"): End(
        states=_OVER, lines=_NONE, on_hand={"kept": 2}, works=("uncollected",)
    ),
    ("gathered", "delivered"): End(
        states=_DONE, lines=_ALL, on_hand={"kept": 0, "also": 0, "DC": 0}, works=("delivered",),
        parcels=("delivered",), transfers=("received", "received"),
    ),
    ("gathered", "canceled"): End(
        states=_OVER, lines=_NONE, on_hand={"kept": 1, "also": 1}, works=("canceled",),
        transfers=("canceled", "canceled"),
    ),
    ("gathered", "short"): End(
        states=_DONE, lines=_ONE, on_hand={"kept": 0, "also": 0, "DC": 0}, works=("delivered",),
        parcels=("delivered",), transfers=("received", "received"),
    ),
    ("gathered", "refused"): End(
        states=_BACK, lines=_RETURNED, on_hand={"kept": 0, "also": 0, "DC": 2},
        works=("returned_to_sender",), parcels=("returned_to_sender",),
        transfers=("received", "received"),
    ),
    ("transferred", "delivered"): End(
        states=_DONE, lines=_ALL, on_hand={"kept": 0, "AMS": 0}, works=("collected",),
        transfers=("received",),
    ),
    ("transferred", "canceled"): End(
        states=_OVER, lines=_NONE, on_hand={"kept": 2}, works=("canceled",),
        transfers=("canceled",),
    ),
    ("transferred", "short"): End(
        states=_DONE, lines=_ONE, on_hand={"kept": 0, "AMS": 0}, works=("collected",),
        transfers=("received",),
    ),
    ("transferred", "refused"): End(
        states=_BACK, lines=_RETURNED, on_hand={"kept": 0, "AMS": 2}, works=("collected",),
        transfers=("received",),
    ),
    ("transferred", "not_collected"): End(
        states=_OVER, lines=_NONE, on_hand={"kept": 0, "AMS": 2}, works=("uncollected",),
        transfers=("received",),
    ),
}  # fmt: skip
# How what is paid as it is collected is paid in the end; what is given back is owed back.
PAID_AT_LAST: Final = {
    "delivered": "paid", "canceled": "none", "short": "paid", "refused": "overpaid",
    "not_collected": "none",
}  # fmt: skip
BUCKETS: Final = ("canceled", "shipped", "returned", "allocated", "backordered")


def kept_of(cell: Cell) -> dict[str, int]:
    """Return where the goods of a cell are kept at first, and how many the count says there are."""
    method = METHODS[cell.method]
    is_oversold = method.way == "carried" and cell.ending == "short"
    return {method.kept_at: UNITS - 1} if is_oversold else method.kept


def is_gathered(cell: Cell) -> bool:
    """Tell whether the parts of a cell's order are gathered before they are sent."""
    return METHODS[cell.method].way == "gathered"


def walk(journey: Journey) -> None:
    """Go all of the road, and hold where it ended to where it must."""
    road = (journey.method.way, journey.cell.ending)
    steps = [
        PAY_AND_COLLECT if step is COLLECT and journey.is_unpaid else step for step in ROADS[road]
    ]
    journey.place()
    for step in steps:
        step.do(journey)
    story = [*BEGINS[journey.method.way], *(each for step in steps for each in step.tells)]
    arrive(journey, ENDS[road], story)


def arrive(journey: Journey, end: End, story: list[str]) -> None:
    """Hold an order, its goods and what its channel is told to how they must be."""
    order = journey.order()
    (line,) = order["lines"]
    assert (order["order_state"], order["fulfillment_state"]) == end.states
    assert {name: line[name] for name in BUCKETS if line[name]} == end.lines
    for name, states in (
        ("fulfillments", end.works), ("parcels", end.parcels), ("transfers", end.transfers),
    ):  # fmt: skip
        assert tuple(each["state"] for each in order[name]) == states
    if journey.is_unpaid:
        assert order["payments"]["payment_state"] == PAID_AT_LAST[journey.cell.ending]
    is_open = [each["code"] for each in order["exceptions"] if each["resolved_at"] is None]
    assert tuple(is_open) == end.open_exceptions
    places = {"kept": journey.method.kept_at, "also": journey.method.also_at or ""}
    expected = {places.get(place, place): (units, 0) for place, units in end.on_hand.items()}
    assert journey.retail.stock(journey.sku) == expected
    assert [each["type"] for each in order["events"]] == story
    told = journey.retail.told(journey.cell.origin)
    mine = [each for each in told if each["order_number"] == journey.number]
    assert [(each["sequence"], each["type"]) for each in mine] == list(enumerate(story, start=1))
    assert bool(journey.sale) == bool(end.sold)
    if end.sold:
        sale = journey.retail.get(f"/v1/orders/{journey.sale}")
        (line,) = sale["lines"]
        assert (sale["order_state"], sale["channel_code"]) == ("completed", "till")
        assert {name: line[name] for name in BUCKETS if line[name]} == {"shipped": end.sold}
        sold = [*BEGINS["carried"], "reservation.converted"]
        assert [each["type"] for each in sale["events"]] == sold


def _problem(answer: httpx.Response) -> str:
    """Write a refusal as the matrix documents it."""
    said = answer.json()
    at = "".join(f" at {each['pointer']}" for each in said.get("errors", []))
    return f"{answer.status_code} {said['code']}{at}"


def _carry_out_nowhere(journey: Journey) -> str:
    answer = journey.retail.ask("/v1/orders", journey.document(), journey.cell.origin)
    return _problem(answer)


def _cancel_carried_out(journey: Journey) -> str:
    journey.place()
    before = journey.order()
    answer = _problem(journey.ask_to_cancel())
    after = journey.order()
    assert {name: after[name] for name in ("lines", "version", "order_state")} == {
        name: before[name] for name in ("lines", "version", "order_state")
    }
    return answer


def _no_show_of_what_was_sent(journey: Journey) -> str:
    journey.place()
    for step in ROADS[journey.method.way, "delivered"][:-1]:  # all but its arrival
        step.do(journey)
    return _problem(journey.ask_to("no_show"))


# What is asked of the API where a journey makes no sense, or is not there yet.
ASKED: Final[Mapping[str, Callable[[Journey], str]]] = {
    "carry_out_nowhere": _carry_out_nowhere,
    "cancel_carried_out": _cancel_carried_out,
    "no_show_of_what_was_sent": _no_show_of_what_was_sent,
}
