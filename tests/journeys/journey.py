"""An order on its way: of each method what its order says, where its goods are, how it is paid.

Every order is of two units of an article of its own, and two are there: at a place of the method,
or one at each of two, and nowhere else.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from oms.cli.journeys import Cell
from tests.journeys.retail import ORIGINS, Json, Retail

UNITS: Final = 2
SENT: Final = frozenset({"sent", "to_point", "gathered"})  # ways by which a carrier brings it


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A way to the customer: what an order says of it, where its goods are kept, how they go."""

    way: str
    kept_at: str
    says: Mapping[str, Any]
    also_at: str | None = None  # one of its units

    @property
    def kept(self) -> dict[str, int]:
        """How much of an order is kept where, before anything is done."""
        if self.also_at is None:
            return {self.kept_at: UNITS}
        return {self.kept_at: UNITS - 1, self.also_at: 1}

    @property
    def comes_back_to(self) -> str:
        """Where it is put when its customer gives it back."""
        if self.way == "gathered":
            return "DC"
        return self.kept_at if self.way in SENT else "AMS"


def _group(method: str, **said: Any) -> Json:
    return {"groups": [{"method": method, "line_refs": ["1"], **said}]}


POINT: Final = {
    "provider": "sandbox", "point_id": "SB-NL-1012-1", "name": "the shop's own name of it",
}  # fmt: skip
METHODS: Final = {
    "carry_out": Method(way="carried", kept_at="AMS", says={"fulfillment_method": "carry_out"}),
    "home": Method(way="sent", kept_at="DC", says={"fulfillment_method": "ship_home"}),
    "home_gathered": Method(
        way="gathered", kept_at="UTR", also_at="AMS", says={"fulfillment_method": "ship_home"}
    ),
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

    def promised(self) -> dict[str, tuple[int, int]]:
        """Return its stock with all of it promised, before anything is done."""
        return {place: (units, units) for place, units in self.method.kept.items()}

    def place(self) -> None:
        """Have it paid, sent by its channel, and given to its locations."""
        said = PAYMENTS[self.cell.payment](self)
        placed = self.retail.post("/v1/orders", self.document(**said), self.cell.origin)
        assert placed["outcome"] == "captured"
        self.number = placed["order_number"]
        if self.method.way != "carried":
            assert self.retail.stock(self.sku) == self.promised()
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
    assert journey.retail.stock(journey.sku) == journey.promised()
    return {"hold_ref": held["hold_ref"]}


PAYMENTS: Final[Mapping[str, Callable[[Journey], Json]]] = {
    "now": _paid, "in_store": _paid_at_the_till,
}  # fmt: skip
