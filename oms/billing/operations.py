"""Writes on documents: issued for what left, came back or was asked for, and never changed."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import date, datetime
from typing import Final

from oms.billing import crediting, queries, rules
from oms.billing.model import (
    SHIPPING_LINE_NO,
    Amounts,
    BilledLine,
    Document,
    DocumentType,
    EntityInvalid,
    ExceedsInvoiced,
    File,
    FileKind,
    LegalEntity,
    NoInvoiceToCredit,
    NoStructuredInvoice,
    NotCarriedOut,
    NothingToCredit,
    NothingToInvoice,
    Paper,
    Policy,
    Reference,
    Remark,
)
from oms.billing.port import Renderer
from oms.billing.rules import Part, Sale, SoldLine
from oms.billing.store import SQL
from oms.kernel.clock import business_date
from oms.kernel.money import share_of_units
from oms.kernel.writing import LANGUAGES
from oms.ledger import followers, journal
from oms.ledger.database import Tx

FOLLOWER: Final = "billing"
# So many orders are looked at in one transaction, about: their series wait for as long.
ORDERS_AT_ONCE_MAX: Final = 500
SYSTEM: Final = "billing"

# Which letter the numbers of a type have behind their entity's prefix.
_LETTERS: Final = {
    DocumentType.INVOICE: "I", DocumentType.CREDIT_NOTE: "C", DocumentType.RECEIPT: "R",
}  # fmt: skip
# What cash makes of a total: at most so much more or less than its parts.
ROUNDING_MINOR_MAX: Final = 2


def register(tx: Tx, entity: LegalEntity, *, at: datetime) -> int:
    """Write down a legal entity, new or changed, and whose sales are its; return its id.

    Raises EntityInvalid, also for another prefix or fiscal year once a series has begun.
    """
    if entity.language not in LANGUAGES:
        raise EntityInvalid(f"language must be one of {', '.join(LANGUAGES)}")
    values = asdict(entity)
    del values["channels"]
    values["legal_name"] = values.pop("name")
    entity_id = SQL.run(tx, "register_entity", **values, at=at).scalar()
    if entity_id is None:
        raise EntityInvalid("series_prefix and fiscal_year_month stay once a series has begun")
    for channel_code, policy in (entity.channels or {}).items():
        done = SQL.run(
            tx, "assign_channel", channel_code=channel_code, entity_id=entity_id,
            policy=Policy(policy), at=at,
        )  # fmt: skip
        if done.scalar() is None:
            raise EntityInvalid(f"there is no channel {channel_code[:60]!r}")
    return int(entity_id)


def bill_changed(tx: Tx, after: int, upto: int, *, at: datetime) -> bool:
    """Issue what follows of the orders that changed; tell whether there were any.

    What was set aside is tried again when its time is, whether or not anything changed.
    A follower's step. What is due follows of an order as it is, so looking again issues nothing.
    """
    bounds = {"after": str(after), "upto": str(upto)}
    again = followers.again(tx, FOLLOWER, at=at)
    if not again and not SQL.run(tx, "is_changed", **bounds).scalar():
        return False
    found = {*SQL.run(tx, "changed", **bounds).scalars(), *again}
    order_ids = sorted(found)
    if order_ids:
        SQL.run(tx, "hold", order_ids=order_ids)
    followers.take_in(tx, FOLLOWER, order_ids, lambda ids: bill(tx, ids, by=SYSTEM, at=at), at=at)
    return True


def stop(tx: Tx, after: int, upto: int) -> int:
    """Return how far to bill in one transaction."""
    return journal.rows_before(tx, "orders", after=after, upto=upto, rows_max=ORDERS_AT_ONCE_MAX)


def bill(
    tx: Tx, order_ids: Sequence[int], *, by: str, at: datetime, is_asked: bool = False
) -> list[int]:
    """Issue what is due of orders: an invoice of what left, credit notes of what came back.

    Orders are held first, all of them, then series: so nobody waits for who waits for them. What
    is invoiced on request is once somebody asked, and from then on. Returns the ids of what was
    issued.
    """
    SQL.run(tx, "hold", order_ids=list(order_ids))
    issued: list[int] = []
    for sale in queries.sales(tx, order_ids):
        due = rules.due(sale, sale.basis or rules.basis_of(sale.policy))
        is_wanted = is_asked or sale.policy is not Policy.ON_REQUEST or sale.basis is not None
        if is_wanted and _is_worth_an_invoice(due.invoice):
            issued.append(_issue(tx, DocumentType.INVOICE, sale, due.invoice, by=by, at=at))
        if due.credits:
            issued += _credit(tx, sale, due.credits, by=by, at=at)
    return issued


def _is_worth_an_invoice(parts: Sequence[Part]) -> bool:
    return any(part.line_no != SHIPPING_LINE_NO or part.amounts for part in parts)


def _credit(tx: Tx, sale: Sale, credits_: Sequence[Part], *, by: str, at: datetime) -> list[int]:
    """Issue a credit note for each invoice that is corrected, what was just invoiced included."""
    (now,) = queries.sales(tx, [sale.order_id])
    rooms = crediting.rooms(now.earlier)
    of_invoice: dict[int, list[Part]] = defaultdict(list)
    for credit in credits_:
        for document_id, part in crediting.allocate(credit, rooms).items():
            of_invoice[document_id].append(part)
    due = {
        document_id: parts for document_id, parts in sorted(of_invoice.items())
        if any(part.amounts for part in parts)
    }  # fmt: skip
    # What a till gave back in coins is one sum of the order: the first credit note says it.
    rounding = queries.cash_rounding_minor(tx, sale.order_id)
    return [
        _issue(
            tx, DocumentType.CREDIT_NOTE, sale, parts, preceding_id=document_id, by=by, at=at,
            rounding_minor=0 if nth else rounding,
        )
        for nth, (document_id, parts) in enumerate(due.items())
    ]  # fmt: skip


def invoice(tx: Tx, order_number: str, *, by: str, at: datetime) -> list[int]:
    """Issue an invoice that is asked for. Raises OrderNotFound, NotBilled, NothingToInvoice."""
    order_id = queries.billed_order(tx, order_number)
    issued = bill(tx, [order_id], by=by, at=at, is_asked=True)
    return _of_type(tx, issued, DocumentType.INVOICE) or _refuse(NothingToInvoice())


def credit(tx: Tx, order_number: str, *, by: str, at: datetime) -> list[int]:
    """Issue the credit notes that are due.

    Raises OrderNotFound, NotBilled, NoInvoiceToCredit, NothingToCredit, and ExceedsInvoiced where
    the channel gave more back than it sold for.
    """
    order_id = queries.billed_order(tx, order_number)
    issued = bill(tx, [order_id], by=by, at=at)
    if found := _of_type(tx, issued, DocumentType.CREDIT_NOTE):
        return found
    (sale,) = queries.sales(tx, [order_id])
    if sale.basis is None:
        raise NoInvoiceToCredit
    over = sum(rules.due(sale, sale.basis).overdrawn.values(), Amounts())
    raise ExceedsInvoiced(**asdict(over)) if over else NothingToCredit


def receipt(tx: Tx, order_number: str, *, by: str, at: datetime) -> list[int]:
    """Issue the proof of what was carried out of a store; once, the same again after that.

    Raises OrderNotFound, NotBilled and NotCarriedOut.
    """
    order_id = queries.billed_order(tx, order_number)
    SQL.run(tx, "hold", order_ids=[order_id])
    if known := queries.receipt_of(tx, order_id):
        return [known]
    (sale,) = queries.sales(tx, [order_id])
    parts = [
        Part(line_no=line.line_no, quantity=line.ordered - line.canceled, counted=0,
             amounts=line.kept)
        for line in sale.lines
        if line.line_no >= SHIPPING_LINE_NO and line.ordered > line.canceled
    ]  # fmt: skip
    if not sale.is_carried_out or not parts:
        raise NotCarriedOut
    return [_issue(tx, DocumentType.RECEIPT, sale, parts, by=by, at=at)]


def _of_type(tx: Tx, issued: Sequence[int], wanted: DocumentType) -> list[int]:
    found = queries.by_ids(tx, issued)
    return [each.document_id for each in found if each.paper.type is wanted]


def _refuse(error: Exception) -> list[int]:
    raise error


def _issue(
    tx: Tx, kind: DocumentType, sale: Sale, parts: Sequence[Part], *, by: str, at: datetime,
    preceding_id: int | None = None, rounding_minor: int = 0,
) -> int:  # fmt: skip
    """Write a document down under the next number of its series; return its id."""
    entity = queries.entity(tx, sale.entity_id)
    before = None if preceding_id is None else queries.by_ids(tx, [preceding_id])[0].paper
    paper = _paper(kind, sale, parts, entity, before)
    if rounding_minor:
        paper = replace(paper, rounding_minor=rounding_minor)
    issued_on = business_date(at, entity.time_zone)
    year = entity.fiscal_year_of(issued_on)
    taken = SQL.run(
        tx, "take_number", entity_id=sale.entity_id, document_type=kind, fiscal_year=year,
        issued_on=issued_on,
    ).one()  # fmt: skip
    paper = replace(
        paper, number=f"{entity.series_prefix}-{_LETTERS[kind]}{year}-{taken.last_number:06}",
        issued_on=taken.last_issued_on,
        supplied_on=issued_on if paper.supplied_on == _NEVER else paper.supplied_on,
    )  # fmt: skip
    document_id = SQL.run(
        tx, "issue", number=paper.number, document_type=kind, entity_id=sale.entity_id,
        fiscal_year=year, series_number=taken.last_number, order_id=sale.order_id,
        channel_id=sale.channel_id, preceding_id=preceding_id,
        basis=sale.basis or rules.basis_of(sale.policy), at=at, issued_on=paper.issued_on,
        currency=paper.currency, net_minor=paper.net_minor, tax_minor=paper.tax_minor,
        total_minor=paper.total_minor, by=by, destination_code=sale.destination,
        seller_code=paper.seller.country_code,
        is_one_stop_shop=Remark.ONE_STOP_SHOP in paper.remarks,
        value=json.dumps(paper.to_json()),
    ).scalar_one()  # fmt: skip
    lines = [asdict(line) for line in paper.lines]
    SQL.run(tx, "write_lines", document_id=document_id, lines=json.dumps(lines))
    return int(document_id)


_NEVER: Final = date.min


def _paper(
    kind: DocumentType, sale: Sale, parts: Sequence[Part], entity: LegalEntity,
    before: Paper | None,
) -> Paper:  # fmt: skip
    """Return what stands on a document, but for its number and date.

    A credit note speaks to whom its invoice did, of what it had, at its rates.
    """
    of = {line.line_no: line for line in sale.lines}
    known = {line.line_no: line for line in before.lines} if before else {}
    lines = tuple(
        _line(sale, of[part.line_no], part, entity, known.get(part.line_no))
        for part in sorted(parts, key=_place)
    )
    net = sum(line.net_minor for line in lines)
    tax = sum(line.tax_minor for line in lines)
    supplied = [of[part.line_no].supplied_on or _NEVER for part in parts]
    is_first = before is None and (kind is DocumentType.RECEIPT or not sale.earlier)
    return Paper(
        type=kind, number="", issued_on=_NEVER, order_number=sale.order_number,
        supplied_on=before.supplied_on if before else max(supplied, default=_NEVER),
        external_number=sale.external_number, channel_code=sale.channel_code,
        placed_on=sale.placed_on, currency=sale.currency, language=entity.language,
        seller=before.seller if before else entity.party,
        buyer=before.buyer if before else sale.buyer,
        ship_to=before.ship_to if before else sale.ship_to,
        iban=entity.iban, bic=entity.bic, payment_terms=entity.payment_terms,
        preceding=Reference(number=before.number, issued_on=before.issued_on) if before else None,
        reason=sale.reason if before else None, lines=lines, groups=rules.groups_of(lines),
        remarks=rules.remarks_of(sale, entity.country_code, lines),
        net_minor=net, tax_minor=tax, total_minor=net + tax,
        rounding_minor=_rounding(sale, net + tax) if is_first else 0,
    )  # fmt: skip


def _place(part: Part) -> tuple[bool, int]:
    return part.line_no <= SHIPPING_LINE_NO, abs(part.line_no)


def _line(
    sale: Sale, line: SoldLine, part: Part, entity: LegalEntity, known: BilledLine | None
) -> BilledLine:
    rate = known.rate_ppm if known else rules.rate_of(sale, line)
    units = max(line.ordered, 1)
    done = sum(e.quantity for e in sale.earlier
               if e.line_no == part.line_no and e.type is DocumentType.INVOICE)  # fmt: skip
    discount = 0
    if known is None and part.quantity and done + part.quantity <= units:
        discount = share_of_units(line.discount_minor, units, done, part.quantity)
    return BilledLine(
        line_no=part.line_no, sku=line.sku, title=line.title, quantity=part.quantity,
        counted=part.counted, discount_minor=discount, net_minor=part.amounts.net_minor,
        tax_minor=part.amounts.tax_minor, rate_ppm=rate,
        category=known.category if known
        else rules.category_of(sale, entity.country_code, rate),
    )  # fmt: skip


def _rounding(sale: Sale, total_minor: int) -> int:
    """Return what was paid in coins beyond or short of the whole order's total."""
    if not sale.is_carried_out or sale.stated_total_minor is None:
        return 0
    rounding = sale.stated_total_minor - total_minor
    is_whole = total_minor == sale.total_minor
    return rounding if is_whole and abs(rounding) <= ROUNDING_MINOR_MAX else 0


def file(tx: Tx, document: Document, kind: FileKind, renderer: Renderer, *, at: datetime) -> File:
    """Return a document as a file, made the first time it is asked for and the same ever after.

    Raises NoStructuredInvoice.
    """
    if kind is not FileKind.PDF and not document.paper.is_structured:
        raise NoStructuredInvoice
    kept = queries.file(tx, document.document_id, kind)
    if kept is None:
        body = renderer.render(document.paper, kind)
        SQL.run(
            tx, "keep_file", document_id=document.document_id, kind=kind, body=body,
            sha256=hashlib.sha256(body).digest(), at=at,
        )  # fmt: skip
        kept = queries.file(tx, document.document_id, kind)
        assert kept is not None, "it was just kept, here or elsewhere"
    return kept


def note_sent(tx: Tx, document: Document, *, recipient: str | None, by: str, at: datetime) -> None:
    """Note that a document was sent: it is then, however often it is sent again."""
    SQL.run(tx, "note_sent", document_id=document.document_id, recipient=recipient, by=by, at=at)


def erase(tx: Tx, order_ids: Sequence[int]) -> None:
    """Forget to whom documents of orders were sent; they stay, and that they were."""
    SQL.run(tx, "erase", order_ids=list(order_ids))
