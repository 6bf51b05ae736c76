"""What is played: of each method what its order says and how goods go, of each ending the steps.

A cell is composed of these tables. Every order is of two units of an article of its own, and two
are there: at a place of the method, and nowhere else.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from oms.cli.journeys import Cell
from oms.kernel import clock
from tests.journeys.retail import ORIGINS, Json, Retail

UNITS: Final = 2
SENT: Final = frozenset({"sent", "to_point"})  # ways by which a carrier brings it


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A way to the customer: what an order says of it, where its goods are kept, how they go."""

    way: str
    kept_at: str
    says: Mapping[str, Any]


def _group(method: str, **said: Any) -> Json:
    return {"groups": [{"method": method, "line_refs": ["1"], **said}]}


POINT: Final = {
    "provider": "sandbox", "point_id": "SB-NL-1012-1", "name": "the shop's own name of it",
}  # fmt: skip
METHODS: Final = {
    "carry_out": Method(way="carried", kept_at="AMS", says={"fulfillment_method": "carry_out"}),
    "home": Method(way="sent", kept_at="DC", says={"fulfillment_method": "ship_home"}),
    "pickup_point": Method(
        way="to_point", kept_at="DC",
        # Its carrier must be able to tell somebody, whoever ordered it.
        says={"fulfillment_method": "pickup_point", "customer_phone": "+31 20 555 0102",
              **_group("pickup_point", pickup_point=POINT)},
    ),
    "collect_dc": Method(
        way="transferred", kept_at="DC", says=_group("collect_store", location_code="AMS")
    ),
    "collect_store": Method(
        way="collected", kept_at="AMS", says=_group("collect_store", location_code="AMS")
    ),
    "ship_from_store": Method(
        way="sent", kept_at="UTR", says={"fulfillment_method": "ship_from_store"}
    ),
    "reserve": Method(way="reserved", kept_at="AMS", says=_group("reserve", location_code="AMS")),
}  # fmt: skip


@dataclass(slots=True)
class Journey:
    """One order on its way."""

    retail: Retail
    cell: Cell
    sku: str
    number: str = ""
    work: Json = field(default_factory=dict)  # what a location does for it, as it was last seen
    sale: str = ""  # the order that a till's receipt made of it

    @property
    def method(self) -> Method:
        """How it gets to the customer."""
        return METHODS[self.cell.method]

    @property
    def is_unpaid(self) -> bool:
        """Whether it is paid as it is collected."""
        is_collected = self.method.way in {"collected", "transferred"}
        return is_collected and self.cell.payment == "in_store" and self.cell.origin != "kiosk"

    def document(self, **said: Any) -> Json:
        """Return the order as its channel tells it."""
        line = {"line_ref": "1", "sku": self.sku, "quantity": UNITS, "total": "20.00",
                "tax": "3.47"}  # fmt: skip
        return {
            "external_ref": str(self.cell), "placed_at": "2026-01-05T12:00:00Z", "version": 1,
            "currency": "EUR", "lines": [line], **ORIGINS[self.cell.origin].says,
            **self.method.says, **said,
        }  # fmt: skip

    def order(self) -> Json:
        """Return the order as whoever serves its customer sees it."""
        return self.retail.get(f"/v1/orders/{self.number}")

    def place(self) -> None:
        """Have it paid, sent by its channel, and given to its locations."""
        said = PAYMENTS[self.cell.payment](self)
        placed = self.retail.post("/v1/orders", self.document(**said), self.cell.origin)
        assert placed["outcome"] == "captured"
        self.number = placed["order_number"]
        if self.method.way != "carried":
            assert self.retail.stock(self.sku) == {self.method.kept_at: (UNITS, UNITS)}
            self.retail.route()
            self.look()

    def look(self) -> None:
        """See what a location does for it by now."""
        (self.work,) = self.order()["fulfillments"]

    def ask_to(self, action: str, **said: Any) -> httpx.Response:
        """Ask for something to be done by the location, whatever is answered."""
        path = f"/v1/fulfillments/{self.work['fulfillment_number']}/actions"
        return self.retail.ask(path, {"action": action, **said}, "clerk", self.work["version"])

    def act(self, action: str, **said: Any) -> None:
        """Do something, as the location would."""
        answer = self.ask_to(action, **said)
        assert answer.status_code == 200, answer.text
        self.work = answer.json()

    def ask_to_cancel(self) -> httpx.Response:
        """Ask for what can be canceled of it to be canceled, as an agent would."""
        path = f"/v1/orders/{self.number}/cancel"
        return self.retail.ask(path, {"reason": "customer"}, "agent", self.order()["version"])


def _paid(_: Journey) -> Json:
    """Say nothing: the order came because it is paid."""
    return {}


def _paid_at_the_till(journey: Journey) -> Json:
    """Say that money is awaited; at a kiosk, keep the basket until a till has taken it.

    What is reserved is paid when it is handed over, by the receipt that it becomes.
    """
    if journey.method.way == "reserved":
        return {}
    if journey.is_unpaid:
        return {"payments": [{"ref": "1", "tender": "cash", "amount": "20.00"}]}
    body = {
        "channel_code": ORIGINS[journey.cell.origin].code, "minutes": 20,
        "lines": [{"sku": journey.sku, "quantity": UNITS}],
    }  # fmt: skip
    held = journey.retail.post("/v1/stock/holds", body, journey.cell.origin)
    assert journey.retail.stock(journey.sku) == {journey.method.kept_at: (UNITS, UNITS)}
    return {"hold_ref": held["hold_ref"]}


PAYMENTS: Final[Mapping[str, Callable[[Journey], Json]]] = {
    "now": _paid, "in_store": _paid_at_the_till,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """Something that is done, and what it must add to the order's story."""

    do: Callable[[Journey], None]
    tells: tuple[str, ...]


def _accept(journey: Journey) -> None:
    journey.act("accept")


def _pick(journey: Journey) -> None:
    journey.act("start_pick")
    journey.act("pick")


def _pick_one(journey: Journey) -> None:
    """Find one of two: the other is not where the count says it is, and nowhere else."""
    journey.act("start_pick")
    journey.act("pick", picked=[{"line_no": 1, "quantity": 1}], reason="not_found")


def _send(journey: Journey) -> None:
    """Put it in a parcel with a label, and hand that over to the carrier."""
    (line,) = journey.work["lines"]
    parcels = [{"lines": [{"line_no": 1, "quantity": line["open"]}]}]
    path = f"/v1/fulfillments/{journey.work['fulfillment_number']}/parcels"
    body = {"carrier": "sandbox", "parcels": parcels}
    packed = journey.retail.post(path, body, "clerk", journey.work["version"])
    journey.work = packed["fulfillment"]
    journey.act("ship")


def _scanned(*statuses: str, **said: Any) -> Callable[[Journey], None]:
    def scan(journey: Journey) -> None:
        (parcel,) = journey.order()["parcels"]
        for status in statuses:
            event = {"tracking_number": parcel["tracking_number"], "status": status,
                     "occurred_at": clock.now().isoformat(), **said}  # fmt: skip
            body = {"events": [event]}
            told = journey.retail.post("/v1/carriers/sandbox/events", body, "carrier")
            assert told["outcomes"][0]["outcome"] == "recorded"
        journey.look()

    return scan


def _lie_at_the_point(journey: Journey) -> None:
    """Lie where the customer chose, as the carrier says that place is, until a day it tells."""
    collect_by = "2030-01-01T12:00:00Z"
    _scanned("IN_TRANSIT")(journey)
    _scanned("READY_FOR_PICKUP", collect_by=collect_by)(journey)
    order = journey.order()
    (parcel,), (group,) = order["parcels"], order["groups"]
    assert (journey.work["state"], parcel["collect_by"]) == ("at_pickup_point", collect_by)
    assert parcel["pickup_point"] == group["pickup_point"]
    assert parcel["pickup_point"]["name"] == "Parcel locker Amsterdam station"
    assert parcel["pickup_point"]["opening_hours"]["sun"] == [["00:00", "24:00"]]


def _lay_ready(journey: Journey) -> None:
    journey.act("pack")
    journey.act("ready")


def _collect(journey: Journey) -> None:
    """Show another code first, which opens nothing."""
    code = journey.retail.code_of(journey.work["fulfillment_number"])
    wrong = journey.ask_to("collect", collect_code=f"{int(code) + 1}")
    assert (wrong.status_code, wrong.json()["code"]) == (409, "WRONG_COLLECTION_CODE")
    journey.act("collect", collect_code=code)


def _pay_and_collect(journey: Journey) -> None:
    """Show the code before the money, which opens nothing either; pay for what is there, once."""
    code = journey.retail.code_of(journey.work["fulfillment_number"])
    unpaid = journey.ask_to("collect", collect_code=code)
    (line,) = journey.work["lines"]
    assert (unpaid.status_code, unpaid.json()["code"]) == (409, "PAYMENT_DUE")
    assert unpaid.json()["due_minor"] == line["open"] * 1000
    taken = {
        "external_ref": f"T-{journey.sku}", "tender": "cash", "location_code": "AMS",
        "amount": {"amount": f"{line['open'] * 10}.00", "currency": "EUR"},
    }  # fmt: skip
    path = f"/v1/orders/{journey.number}/payments"
    assert journey.retail.post(path, taken, "clerk") == journey.retail.post(path, taken, "clerk")
    journey.act("collect", collect_code=code)


def _sell(journey: Journey) -> None:
    """Have a till sell what lies ready, to who shows the code; once, however often it says so."""
    (line,) = journey.work["lines"]
    sold = {"line_ref": "1", "sku": journey.sku, "quantity": line["open"], "total": "20.00",
            "tax": "3.47"}  # fmt: skip
    receipt = {
        "channel_code": "till", "external_ref": f"T-{journey.sku}", "currency": "EUR",
        "placed_at": "2026-01-06T12:00:00Z", "fulfillment_method": "carry_out",
        "location_code": "AMS", "lines": [sold],
    }  # fmt: skip
    code = journey.retail.code_of(journey.work["fulfillment_number"])
    path = f"/v1/reservations/{journey.number}/convert"
    body = {"receipt": receipt, "code": code}
    found = journey.retail.post(path, body, "clerk")
    assert journey.retail.post(path, body, "clerk") == found
    again = journey.retail.ask(path, {"receipt": receipt | {"external_ref": "T-0"}}, "clerk")
    assert again.json()["code"] == "ALREADY_CONVERTED"
    journey.sale = found["sales"][0]["order_number"]


def _put_back(journey: Journey) -> None:
    journey.act("no_show")


def _cancel(journey: Journey) -> None:
    answer = journey.ask_to_cancel()
    assert answer.status_code == 200, answer.text


def _let_time_pass(journey: Journey) -> None:
    journey.retail.let_time_pass(days=8)


def _give_back(journey: Journey) -> None:
    """Have the channel tell that all of it came back and is on a shelf again."""
    at = "2026-01-08T12:00:00Z"
    change = {
        "kind": "return", "change_ref": "r-1", "line_ref": "1", "quantity": UNITS,
        "occurred_at": at, "restock": True, "reason": "refused",
        "location_code": journey.method.kept_at if journey.method.way in SENT else "AMS",
    }  # fmt: skip
    document = journey.document(version=2, updated_at=at, changes=[change])
    told = journey.retail.post("/v1/orders", document, journey.cell.origin)
    assert told["outcome"] == "updated"


def _transfer(*, came: int) -> Callable[[Journey], None]:
    def transfer(journey: Journey) -> None:
        (made,) = journey.order()["transfers"]
        path = f"/v1/transfers/{made['transfer_number']}/actions"
        lines = [{"line_no": 1, "received": came}]
        for body in (
            {"action": "pick"}, {"action": "ship"},
            {"action": "receive", "receipt_id": "r-1", "came": lines},
        ):  # fmt: skip
            made = journey.retail.post(path, body, "clerk", made["version"])
        journey.look()

    return transfer


_HANDED_OVER: Final = ("fulfillment.shipped", "order.shipped")
_CAME: Final = (
    "transfer.picked", "transfer.shipped", "transfer.received", "fulfillment.assigned",
)  # fmt: skip
ACCEPT: Final = Step(_accept, ("fulfillment.accepted",))
PICK: Final = Step(_pick, ("fulfillment.picking", "fulfillment.picked"))
PICK_ONE: Final = Step(
    _pick_one, ("fulfillment.picking", "fulfillment.picked", "order.backordered")
)
SEND: Final = Step(_send, ("parcel.label_created", "fulfillment.packed", *_HANDED_OVER))
ARRIVE: Final = Step(
    _scanned("IN_TRANSIT", "DELIVERED"),
    ("parcel.in_transit", "parcel.delivered", "fulfillment.delivered"),
)
COME_BACK: Final = Step(
    _scanned("DELIVERY_FAILED", "RETURNED_TO_SENDER"),
    (
        "parcel.delivery_failed",
        "fulfillment.delivery_failed",
        "parcel.returned_to_sender",
        "fulfillment.returned_to_sender",
    ),
)
LIE_THERE: Final = Step(
    _lie_at_the_point,
    ("parcel.in_transit", "parcel.ready_for_pickup", "fulfillment.at_pickup_point"),
)
COLLECT_THERE: Final = Step(_scanned("COLLECTED"), ("parcel.collected", "fulfillment.delivered"))
EXPIRE_THERE: Final = Step(
    _scanned("EXPIRED", "RETURNED_TO_SENDER"),
    (
        "parcel.expired",
        "fulfillment.delivery_failed",
        "parcel.returned_to_sender",
        "fulfillment.returned_to_sender",
    ),
)
LAY_READY: Final = Step(_lay_ready, ("fulfillment.packed", "fulfillment.ready_for_collection"))
COLLECT: Final = Step(_collect, ("command.refused", "fulfillment.collected", "order.shipped"))
PAY_AND_COLLECT: Final = Step(
    _pay_and_collect,
    ("command.refused", "payment.captured", "fulfillment.collected", "order.shipped"),
)
GIVE_BACK: Final = Step(_give_back, ("order.updated", "order.returned"))
CANCEL: Final = Step(_cancel, ("order.canceled", "fulfillment.canceled"))
CANCEL_COMING: Final = Step(_cancel, (*CANCEL.tells, "transfer.canceled"))
CANCEL_MISSING: Final = Step(_cancel, ("order.canceled",))
SELL: Final = Step(_sell, ("fulfillment.collected", "order.canceled", "reservation.converted"))
PUT_BACK: Final = Step(_put_back, ("fulfillment.uncollected", "order.canceled"))
LET_TIME_PASS: Final = Step(_let_time_pass, ("fulfillment.uncollected", "order.canceled"))
TRANSFER: Final = Step(_transfer(came=UNITS), _CAME)
TRANSFER_ONE: Final = Step(
    _transfer(came=1), (*_CAME[:3], "fulfillment.reduced", "order.backordered", _CAME[3])
)

# What an order's story begins with, before anybody does anything.
BEGINS: Final[Mapping[str, tuple[str, ...]]] = {
    "carried": ("order.captured", "order.shipped"),
    "sent": ("order.captured", "fulfillment.assigned"),
    "to_point": ("order.captured", "fulfillment.assigned"),
    "collected": ("order.captured", "fulfillment.assigned"),
    "reserved": ("order.captured", "fulfillment.assigned"),
    "transferred": ("order.captured", "fulfillment.waiting_for_transfer", "transfer.allocated"),
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


def kept_of(cell: Cell) -> tuple[str, int]:
    """Return where the goods of a cell are kept at first, and how many the count says there are."""
    method = METHODS[cell.method]
    is_oversold = method.way == "carried" and cell.ending == "short"
    return method.kept_at, 1 if is_oversold else UNITS


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
    places = {"kept": journey.method.kept_at}
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
    for step in (ACCEPT, PICK, SEND):
        step.do(journey)
    return _problem(journey.ask_to("no_show"))


# What is asked of the API where a journey makes no sense, or is not there yet.
ASKED: Final[Mapping[str, Callable[[Journey], str]]] = {
    "carry_out_nowhere": _carry_out_nowhere,
    "cancel_carried_out": _cancel_carried_out,
    "no_show_of_what_was_sent": _no_show_of_what_was_sent,
}
