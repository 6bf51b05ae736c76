"""Papers that go with goods: what to take from the shelves, and what lies in a box."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from oms.fulfillment import queries as fulfillments
from oms.fulfillment.model import FulfillmentOrderState
from oms.kernel.limits import PAGE_ROWS_MAX
from oms.kernel.money import text_from_minor
from oms.ledger.database import Tx
from oms.orders import queries as orders
from oms.refunds.model import Visit, VisitState
from oms.shipments import queries as parcels
from oms.shipments.model import ParcelState

_TO_PICK: Final = (FulfillmentOrderState.ACCEPTED, FulfillmentOrderState.PICKING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a paper's table, and how much of its width it takes beside the others."""

    name: str
    share: int
    is_number: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """What stands on a paper, whatever it is printed with."""

    title: str
    number: str
    made_at: datetime
    facts: tuple[tuple[str, str], ...]
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    remark: str = ""
    code: str = ""  # to be scanned: capitals and digits


class Printer(Protocol):
    """Prints papers."""

    @property
    def media_type(self) -> str:
        """What kind of file it makes."""
        ...

    def print(self, paper: Paper) -> bytes:
        """Return a paper as a file: the same paper, the same bytes."""
        ...


def packing_slip(tx: Tx, number: str) -> Paper:
    """Return what goes into the box with a fulfillment order: no prices, nobody's address.

    Raises FulfillmentOrderNotFound.
    """
    of = fulfillments.fulfillment_order(tx, number)
    order = orders.order(tx, of.order_number).summary
    sent = [
        each for each in parcels.of_fulfillment(tx, of.fulfillment_id)
        if each.state is not ParcelState.VOIDED
    ]  # fmt: skip
    facts = [
        ("Order", order.external_number or of.order_number),
        ("Placed on", order.placed_at.date().isoformat()), ("From", of.location_code),
        *((f"Parcel {each.parcel_number}", f"{each.carrier} {each.tracking_number}")
          for each in sent),
        *_point(parcels.point_of(tx, of.fulfillment_id)),
    ]  # fmt: skip
    lines = [(line, line.quantity - line.removed) for line in of.lines]
    return Paper(
        title="Packing slip", number=of.fulfillment_number, made_at=of.changed_at,
        facts=tuple(facts),
        columns=(Column(name="SKU", share=3), Column(name="Article", share=8),
                 Column(name="Units", share=2, is_number=True)),
        rows=tuple((line.sku, line.title, str(units)) for line, units in lines if units),
    )  # fmt: skip


def visit_receipt(visit: Visit) -> Paper:
    """Return the one receipt of what somebody got back at a till."""
    rows = [
        (each.order_number, each.refund_number, each.kind.value.replace("_", " "),
         f"{text_from_minor(each.amount_minor, each.currency)} {each.currency}",
         each.state.value.replace("_", " "))
        for each in visit.refunds
    ]  # fmt: skip
    facts = [("Store", visit.location_code), ("Given by", visit.given_by),
             ("At", f"{visit.given_at:%Y-%m-%d %H:%M} UTC")]  # fmt: skip
    if visit.cash:
        currency = visit.cash[0].currency
        paid = text_from_minor(visit.cash_minor, currency)
        rounding = text_from_minor(visit.rounding_minor, currency)
        facts += [("Rounding", f"{rounding} {currency}"), ("In cash", f"{paid} {currency}")]
    is_on_its_way = visit.state is not VisitState.DONE
    return Paper(
        title="Refund receipt", number=visit.visit_number, made_at=visit.given_at,
        facts=tuple(facts), rows=tuple(rows),
        columns=(Column(name="Order", share=4), Column(name="Refund", share=4),
                 Column(name="For", share=3), Column(name="Amount", share=4, is_number=True),
                 Column(name="How far", share=4)),
        remark="What is not in cash goes back as it was paid; a bank may take some days."
        if is_on_its_way else "",
    )  # fmt: skip


def _point(kept: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    """Give where the carrier takes it to: a pick-up point is nobody's address."""
    if kept is not None:
        known = [kept.get(name) for name in ("name", "street", "postcode", "city", "country_code")]
        yield "Pick-up point", ", ".join(each for each in (*known, kept["point_id"]) if each)


def pick_list(
    tx: Tx, location_code: str, *, channel_codes: Sequence[str] | None, at: datetime
) -> Paper:
    """Return what to take from a location's shelves, by article, and for whom it is."""
    found, more = fulfillments.page(
        tx, location_codes=[location_code], states=_TO_PICK, channel_codes=channel_codes, after=0,
        limit=PAGE_ROWS_MAX,
    )  # fmt: skip
    wanted: dict[tuple[str, str], list[tuple[str, int]]] = defaultdict(list)
    for each in found:
        for line in each.lines:
            if line.open:
                wanted[line.sku, line.title].append((each.fulfillment_number, line.open))
    rows = [
        (sku, title, str(sum(units for _, units in takers)),
         ", ".join(f"{number}: {units}" for number, units in takers))
        for (sku, title), takers in sorted(wanted.items())
    ]  # fmt: skip
    return Paper(
        title="Pick list", number=location_code, made_at=at,
        facts=(("Made at", f"{at:%Y-%m-%d %H:%M} UTC"), ("Fulfillment orders", str(len(found)))),
        columns=(Column(name="SKU", share=3), Column(name="Article", share=6),
                 Column(name="Units", share=2, is_number=True), Column(name="For", share=5)),
        rows=tuple(rows),
        remark=f"The oldest {PAGE_ROWS_MAX} only; more are waiting." if more else "",
    )  # fmt: skip
