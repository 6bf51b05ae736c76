"""Steps of journeys: something that is done over HTTP, and what it must add to a story."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from oms.kernel import clock
from tests.journeys.journey import UNITS, Journey


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
        "location_code": journey.method.comes_back_to,
    }  # fmt: skip
    document = journey.document(version=2, updated_at=at, changes=[change])
    told = journey.retail.post("/v1/orders", document, journey.cell.origin)
    assert told["outcome"] == "updated"


def _transfer(*came: int) -> Callable[[Journey], None]:
    """Have as many transfers sent, of which so much comes."""

    def transfer(journey: Journey) -> None:
        for made, units in zip(journey.order()["transfers"], came, strict=True):
            journey.look()
            assert journey.work["state"] == "waiting_for_transfer"
            path, version = f"/v1/transfers/{made['transfer_number']}/actions", made["version"]
            lines = [{"line_no": 1, "received": units}]
            for body in (
                {"action": "pick"}, {"action": "ship"},
                {"action": "receive", "receipt_id": "r-1", "came": lines},
            ):  # fmt: skip
                version = journey.retail.post(path, body, "clerk", version)["version"]
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
CANCEL_GATHERING: Final = Step(_cancel, (*CANCEL_COMING.tells, "transfer.canceled"))
CANCEL_MISSING: Final = Step(_cancel, ("order.canceled",))
SELL: Final = Step(_sell, ("fulfillment.collected", "order.canceled", "reservation.converted"))
PUT_BACK: Final = Step(_put_back, ("fulfillment.uncollected", "order.canceled"))
LET_TIME_PASS: Final = Step(_let_time_pass, ("fulfillment.uncollected", "order.canceled"))
TRANSFER: Final = Step(_transfer(UNITS), _CAME)
TRANSFER_ONE: Final = Step(
    _transfer(1), (*_CAME[:3], "fulfillment.reduced", "order.backordered", _CAME[3])
)
GATHER: Final = Step(_transfer(1, 1), (*_CAME[:3], *_CAME))
GATHER_ONE: Final = Step(_transfer(1, 0), (*_CAME[:3], *TRANSFER_ONE.tells))
