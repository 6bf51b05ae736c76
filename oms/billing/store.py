"""Documents in the database: rows to values and back."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

from oms.billing.model import (
    SHIPPING_LINE_NO,
    Amounts,
    Basis,
    Document,
    DocumentState,
    DocumentType,
    LegalEntity,
    Paper,
    Party,
    Policy,
)
from oms.billing.rules import Earlier, Sale, SoldLine
from oms.ledger.database import Tx
from oms.ledger.rows import by_name
from oms.ledger.statements import Statements

SQL: Final = Statements(Path(__file__).with_name("billing.sql"))

# What an order without an address or a name says in its place.
NOBODY: Final = "—"
NO_MONEY: Final = Amounts()


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What became of an order's shipping: given back with returns, taken off its price."""

    given_back: Amounts = NO_MONEY
    reduced: Amounts = NO_MONEY


def sales(tx: Tx, order_ids: Sequence[int]) -> list[Sale]:
    """Return orders as billing sees them, in the order of their ids; only those that are billed."""
    lines: dict[int, list[SoldLine]] = defaultdict(list)
    for row in SQL.run(tx, "lines", order_ids=list(order_ids)):
        lines[row.order_id].append(_line(row))
    beside = _beside(tx, order_ids, lines)
    earlier: dict[int, list[Earlier]] = defaultdict(list)
    for row in SQL.run(tx, "earlier", order_ids=list(order_ids)):
        earlier[row.order_id].append(_earlier(row))
    return [
        _sale(row, lines[row.order_id], earlier[row.order_id], beside.get(row.order_id))
        for row in SQL.run(tx, "sales", order_ids=list(order_ids))
    ]


def _line(row: Any) -> SoldLine:
    def money(name: str) -> Amounts:
        return Amounts(
            net_minor=int(getattr(row, f"{name}_net")), tax_minor=int(getattr(row, f"{name}_tax"))
        )

    return SoldLine(
        line_no=row.line_no, sku=row.sku, title=row.title, ordered=row.ordered,
        canceled=row.canceled, shipped=row.shipped, returned=row.returned,
        returned_given=row.returned_given, sold=money("sold"), kept=money("kept"),
        returns=money("returns"), returns_given=money("returns_given"),
        discount_minor=int(row.discount_minor), reduced=money("reduced"),
        supplied_on=row.supplied_on,
    )  # fmt: skip


def _beside(
    tx: Tx, order_ids: Sequence[int], lines: Mapping[int, list[SoldLine]]
) -> dict[int, Beside]:
    """Add the fees of returns to the lines of orders; return what became of their shipping."""
    found: dict[int, Beside] = defaultdict(Beside)
    for row in SQL.run(tx, "beside", order_ids=list(order_ids)):
        back = Amounts(net_minor=row.back_net_minor, tax_minor=row.back_tax_minor)
        before = found[row.order_id]
        found[row.order_id] = replace(before, given_back=before.given_back + back)
        if row.fees:
            (of,) = (each for each in lines[row.order_id] if each.line_no == row.line_no)
            lines[row.order_id].append(_fee(row, of))
    for row in SQL.run(tx, "reduced_shipping", order_ids=list(order_ids)):
        reduced = Amounts(net_minor=row.net_minor, tax_minor=row.tax_minor)
        found[row.order_id] = replace(found[row.order_id], reduced=reduced)
    return found


def _fee(row: Any, of: SoldLine) -> SoldLine:
    money = Amounts(net_minor=row.fee_minor - row.fee_tax_minor, tax_minor=row.fee_tax_minor)
    return SoldLine(
        line_no=-of.line_no, sku="", title=of.title, ordered=row.fees, canceled=0,
        shipped=row.fees, returned=0, returned_given=0, sold=money, kept=money, returns=Amounts(),
        returns_given=Amounts(), discount_minor=0, reduced=Amounts(), supplied_on=row.decided_on,
    )  # fmt: skip


def _earlier(row: Any) -> Earlier:
    return Earlier(
        document_id=row.document_id, type=DocumentType(row.document_type),
        preceding_id=row.preceding_id, line_no=row.line_no, quantity=row.quantity,
        counted=row.counted, rate_ppm=row.rate_ppm,
        amounts=Amounts(net_minor=row.net_minor, tax_minor=row.tax_minor),
    )  # fmt: skip


def _sale(row: Any, lines: list[SoldLine], earlier: list[Earlier], beside: Beside | None) -> Sale:
    if row.shipping_net_minor or row.shipping_tax_minor or any(
        each.line_no == SHIPPING_LINE_NO for each in earlier
    ):  # fmt: skip
        lines.append(_shipping(row, beside or Beside(), max(
            (e.supplied_on for e in lines if e.supplied_on), default=None)))  # fmt: skip
    buyer = _party(row.bill_to or row.ship_to, row, vat_id=_vat_id(row))
    return Sale(
        order_id=row.order_id, order_number=row.order_number,
        external_number=row.external_number, channel_id=row.channel_id,
        channel_code=row.channel_code, is_carried_out=row.fulfillment_method == "carry_out",
        placed_on=row.placed_on, currency=row.currency, entity_id=row.entity_id,
        policy=Policy(row.policy), basis=None if row.basis is None else Basis(row.basis),
        destination=row.destination, buyer=buyer,
        ship_to=_party(row.ship_to, row) if row.ship_to else None,
        stated_total_minor=row.stated_total_minor, total_minor=row.total_minor,
        reason=row.reason, lines=tuple(lines), earlier=tuple(earlier),
    )  # fmt: skip


def _shipping(row: Any, beside: Beside, supplied_on: date | None) -> SoldLine:
    money = Amounts(net_minor=row.shipping_net_minor, tax_minor=row.shipping_tax_minor)
    return SoldLine(
        line_no=SHIPPING_LINE_NO, sku="", title="", ordered=1, canceled=0, shipped=1, returned=0,
        returned_given=0, sold=money, kept=money, returns=-beside.given_back,
        returns_given=Amounts(), discount_minor=0, reduced=beside.reduced,
        supplied_on=supplied_on,
    )  # fmt: skip


def _vat_id(row: Any) -> str | None:
    for address in (row.bill_to, row.ship_to):
        found = "".join(str((address or {}).get("vat_id") or "").upper().split())
        if found:
            return found
    return None


def _party(address: Mapping[str, Any] | None, row: Any, *, vat_id: str | None = None) -> Party:
    said = address or {}
    return Party(
        name=said.get("name") or row.customer_name or NOBODY, street=said.get("street"),
        postcode=said.get("postcode"), city=said.get("city"),
        country_code=said.get("country_code") or row.country_code, vat_id=vat_id,
        email=row.customer_email,
    )  # fmt: skip


def entity(row: Any) -> LegalEntity:
    """Make a legal entity of its row."""
    values = by_name(row)
    del values["entity_id"]
    return LegalEntity(**values)


def document(row: Any) -> Document:
    """Make a document of its row."""
    return Document(
        document_id=row.document_id, order_id=row.order_id, basis=Basis(row.basis),
        state=DocumentState.ISSUED if row.sent_at is None else DocumentState.SENT,
        issued_at=row.issued_at, issued_by=row.issued_by, sent_at=row.sent_at,
        paper=Paper.of_json(row.value),
    )  # fmt: skip
