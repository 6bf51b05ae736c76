"""Papers that go with goods and money: what to take from the shelves, what a till gave back."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from oms.fulfillment import queries as fulfillments
from oms.fulfillment.model import FulfillmentOrderState
from oms.kernel.limits import PAGE_ROWS_MAX
from oms.kernel.money import text_from_minor
from oms.ledger.database import Tx
from oms.locations import queries as locations
from oms.refunds.model import RefundKind, RefundState, Visit, VisitState

_KINDS: Final[Mapping[RefundKind, str]] = {
    RefundKind.OWED: "what was owed", RefundKind.SHIPPING: "shipping",
    RefundKind.GOODWILL: "goodwill",
}  # fmt: skip
# As who stands at the till reads it; what nobody has tried again is for the office to end.
_HOW_FAR: Final[Mapping[RefundState, str]] = {
    RefundState.AWAITING_APPROVAL: "to be approved", RefundState.REQUESTED: "on its way",
    RefundState.SUCCEEDED: "given back", RefundState.PARTIALLY_SUCCEEDED: "given back in part",
    RefundState.FAILED: "not yet given back", RefundState.REVERSED: "not yet given back",
    RefundState.REJECTED: "declined", RefundState.CANCELED: "canceled",
}  # fmt: skip
assert set(_KINDS) == set(RefundKind)
assert set(_HOW_FAR) == set(RefundState)
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


def visit_receipt(tx: Tx, visit: Visit) -> Paper:
    """Return the one receipt of what somebody got back at a till, by the clock of its store."""
    every = locations.places(tx, channel_codes=None)
    store = next(each.location for each in every if each.location.code == visit.location_code)
    given_at = visit.given_at.astimezone(ZoneInfo(store.time_zone))
    rows = [
        (each.order_number, each.refund_number, _KINDS[each.kind],
         f"{text_from_minor(each.amount_minor, each.currency)} {each.currency}",
         _HOW_FAR[each.state])
        for each in visit.refunds
    ]  # fmt: skip
    facts = [("Store", store.name), ("Given by", visit.given_by),
             ("At", f"{given_at:%Y-%m-%d %H:%M}")]  # fmt: skip
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
                 Column(name="For", share=4), Column(name="Amount", share=4, is_number=True),
                 Column(name="How far", share=4)),
        remark="What is not in cash goes back as it was paid; a bank may take some days."
        if is_on_its_way else "",
    )  # fmt: skip


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
