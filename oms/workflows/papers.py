"""Papers that go with goods and money, as their printers take them; what to take from shelves."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from oms.fulfillment import queries as fulfillments
from oms.fulfillment.model import FulfillmentOrderState
from oms.kernel.limits import PAGE_ROWS_MAX
from oms.ledger.database import Tx

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
