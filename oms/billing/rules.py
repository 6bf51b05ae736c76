"""What is to be billed and credited of an order: pure functions of its events and documents.

What should be billed of a line follows from its events and from what was taken off its price, and
a document is the difference to what is billed so far. Whoever looks again finds nothing to do.
When all of an order has left or was canceled, invoices less credit notes are the sum of its events
and its shipping, with the fees of returns, less the shipping that was given back and what was
taken off: what was captured less what was refunded.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Final

from oms.billing.model import (
    SHIPPING_LINE_NO,
    Amounts,
    Basis,
    BilledLine,
    Category,
    DocumentType,
    Party,
    Policy,
    Remark,
    TaxGroup,
)
from oms.kernel.money import round_half_up, shares_of_units

PPM: Final = 1_000_000
# The rates goods are sold at, in parts per million, the standard one first. A channel tells the
# tax and not the rate: it is the one of these that makes this tax.
RATES: Final[Mapping[str, tuple[int, ...]]] = {
    country: tuple(round(float(rate) * 10_000) for rate in rates.split())
    for country, rates in {
        "AT": "20 10 13", "BE": "21 6 12", "BG": "20 9", "CH": "8.1 2.6 3.8", "CY": "19 5 9",
        "CZ": "21 12", "DE": "19 7", "DK": "25", "EE": "24 9 13", "ES": "21 10 4",
        "FI": "25.5 13.5 10", "FR": "20 5.5 10 2.1", "GB": "20 5", "GR": "24 13 6",
        "HR": "25 13 5", "HU": "27 18 5", "IE": "23 13.5 9 4.8", "IT": "22 10 5 4",
        "LT": "21 9 5", "LU": "17 8 3 14", "LV": "21 12 5", "MT": "18 7 5", "NL": "21 9",
        "NO": "25 15 12", "PL": "23 8 5", "PT": "23 13 6", "RO": "21 11", "SE": "25 12 6",
        "SI": "22 9.5 5", "SK": "23 19 5",
    }.items()
}  # fmt: skip
EU: Final = frozenset(RATES) - {"CH", "GB", "NO"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SoldLine:
    """A line of an order as its events have it, its shipping likewise as line 0.

    Money that nobody gave with a return is a share of the line, money that was given is not. The
    fees of a line's returns are a line of their own, under its number below zero.
    """

    line_no: int
    sku: str
    title: str
    ordered: int
    canceled: int
    shipped: int
    returned: int
    returned_given: int  # units of it whose money the channel gave
    sold: Amounts  # as it is sold now, after edits
    kept: Amounts  # after cancels, too
    returns: Amounts  # negative: what came back, at its share of the line
    returns_given: Amounts  # negative: what came back, at the channel's word
    discount_minor: int  # of the sale
    reduced: Amounts  # taken off its price since, by refunds without goods
    supplied_on: date | None  # when the last of it left


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """What an earlier document has of a line."""

    document_id: int
    type: DocumentType
    preceding_id: int | None
    line_no: int
    quantity: int
    counted: int
    amounts: Amounts
    rate_ppm: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """An order as billing sees it."""

    order_id: int
    order_number: str
    external_number: str | None
    channel_id: int
    channel_code: str
    is_carried_out: bool
    placed_on: date
    currency: str
    entity_id: int
    policy: Policy
    basis: Basis | None  # by its documents so far
    buyer: Party
    ship_to: Party | None
    destination: str  # the country goods are supplied in
    stated_total_minor: int | None
    total_minor: int
    reason: str | None  # of its last change
    lines: tuple[SoldLine, ...]
    earlier: tuple[Earlier, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Billable:
    """What should be billed of a line, and how many of its units have come back by now."""

    gone: int  # units that are to be on invoices
    back: int  # … and on credit notes
    amounts: Amounts  # invoices less credit notes
    overdrawn: Amounts  # what was given back beyond what was sold: on no document


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a document shall have of a line."""

    line_no: int
    quantity: int
    counted: int
    amounts: Amounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What is to be billed of an order now: one invoice, and per invoice that is corrected one."""

    invoice: tuple[Part, ...]
    credits: tuple[Part, ...]
    overdrawn: Mapping[int, Amounts]


def billable(line: SoldLine, basis: Basis) -> Billable:
    """Return what should be billed of a line.

    Of the units still there the open ones are the last, as they are where money is captured
    (ADR 0027): cancels and returns take the first, which never are the dearer ones, so whatever
    happens next to a line, no less of it is earned. Money a channel gave with a return is no
    unit's share and is taken off as it is.
    """
    left = line.ordered - line.canceled
    shared = line.returned - line.returned_given
    money = line.kept + line.returns
    if basis is Basis.ORDERED:
        wanted, gone = money, left
    else:
        there = max(left - shared, 0)
        held = min(max(line.shipped - shared, 0), there)
        wanted, gone = _first_units(money, there, held), line.shipped
    wanted += line.returns_given
    floor = Amounts(net_minor=max(wanted.net_minor, 0), tax_minor=max(wanted.tax_minor, 0))
    return Billable(
        gone=gone, back=line.returned, amounts=_less(floor, line.reduced), overdrawn=floor - wanted
    )


def _first_units(money: Amounts, units: int, count: int) -> Amounts:
    if count in {0, units}:
        return money if count else Amounts()
    net, tax = shares_of_units(money.net_minor, money.tax_minor, units, 0, count)
    return Amounts(net_minor=net, tax_minor=tax)


def _less(amounts: Amounts, reduced: Amounts) -> Amounts:
    """Take off what was taken off a price, as long as there is as much: with tax, then its tax."""
    total = max(amounts.total_minor - reduced.total_minor, 0)
    tax = min(max(amounts.tax_minor - reduced.tax_minor, 0), total)
    return Amounts(net_minor=total - tax, tax_minor=tax)


def due(sale: Sale, basis: Basis) -> Due:
    """Return what is to be invoiced and credited of an order beyond its documents so far."""
    earlier: dict[int, list[Earlier]] = defaultdict(list)
    for each in sale.earlier:
        earlier[each.line_no].append(each)
    is_any = any(
        line.line_no > SHIPPING_LINE_NO
        and (
            max(line.shipped, line.returned) > 0
            if basis is Basis.SHIPPED
            else line.ordered > line.canceled
        )
        for line in sale.lines
    )
    invoice: list[Part] = []
    credits_: list[Part] = []
    overdrawn = {}
    for line in sale.lines:
        wanted = billable(line, basis)
        if line.line_no == SHIPPING_LINE_NO:
            wanted = _shipping(line, is_due=is_any)
        elif line.line_no < SHIPPING_LINE_NO:
            wanted = Billable(gone=line.ordered, back=0, amounts=line.sold, overdrawn=Amounts())
        if wanted.overdrawn:
            overdrawn[line.line_no] = wanted.overdrawn
        up, down = _moves(line, wanted, earlier[line.line_no], basis, rate_of(sale, line))
        invoice += [up] if up else []
        credits_ += [down] if down else []
    return Due(invoice=tuple(invoice), credits=tuple(credits_), overdrawn=overdrawn)


def _shipping(line: SoldLine, *, is_due: bool) -> Billable:
    """Return shipping as owed: as soon as anything is, and no longer; less what was given back."""
    if not is_due:
        return Billable(gone=0, back=0, amounts=Amounts(), overdrawn=Amounts())
    left = line.sold + line.returns
    return Billable(
        gone=int(bool(line.sold)), back=int(bool(line.sold) and not left),
        amounts=_less(left, line.reduced), overdrawn=Amounts(),
    )  # fmt: skip


def _moves(
    line: SoldLine, wanted: Billable, earlier: Sequence[Earlier], basis: Basis, rate_ppm: int
) -> tuple[Part | None, Part | None]:
    """Return what of a line goes on an invoice, and what on a credit note."""
    out = [each for each in earlier if each.type is DocumentType.INVOICE]
    back = [each for each in earlier if each.type is DocumentType.CREDIT_NOTE]
    invoiced, credited = sum(each.counted for each in out), sum(each.counted for each in back)
    billed = _sum(each.amounts for each in out) - _sum(each.amounts for each in back)
    if basis is Basis.SHIPPED or not out:
        up, down = max(wanted.gone - invoiced, 0), max(wanted.back - credited, 0)
    else:
        net = (wanted.gone - wanted.back) - (invoiced - credited)
        up, down = max(net, 0), max(-net, 0)
    more = wanted.amounts - billed
    if not (up or down or more):
        return None, None
    taken = Amounts()
    if down and up:
        taken = _between(-(line.returns + line.returns_given) - _sum(e.amounts for e in back))
    elif down:
        taken = -more
    given = more + taken
    if down and not up and not taken.is_negative:
        given = Amounts()
    elif not up and not down and more.net_minor <= 0 and more.tax_minor <= 0:
        given, taken = Amounts(), -more
    is_same_rate = not billed or max(out, key=_age).rate_ppm == rate_ppm
    if given.is_negative or taken.is_negative or not is_same_rate:
        return _anew(line, wanted, billed, earlier, up=up, down=down)
    return (
        _part(line, up, up, given), _part(line, down, down, taken),
    )  # fmt: skip


def _anew(
    line: SoldLine, wanted: Billable, billed: Amounts, earlier: Sequence[Earlier], *, up: int,
    down: int,
) -> tuple[Part | None, Part | None]:  # fmt: skip
    """Take a line back as it is billed, and bill it again: it cannot be said as a difference."""
    sign = {DocumentType.INVOICE: 1, DocumentType.CREDIT_NOTE: -1}
    units = max(sum(sign[each.type] * each.quantity for each in earlier), 0)
    now = max(wanted.gone - wanted.back, 0)
    return _part(line, now, up, wanted.amounts), _part(line, units, down, billed)


def _part(line: SoldLine, quantity: int, counted: int, amounts: Amounts) -> Part | None:
    if not (quantity or counted or amounts):
        return None
    return Part(line_no=line.line_no, quantity=quantity, counted=counted, amounts=amounts)


def _age(earlier: Earlier) -> int:
    return earlier.document_id


def _between(amounts: Amounts) -> Amounts:
    return Amounts(net_minor=max(amounts.net_minor, 0), tax_minor=max(amounts.tax_minor, 0))


def _sum(amounts: Iterable[Amounts]) -> Amounts:
    return sum(amounts, Amounts())


def rate_of(sale: Sale, line: SoldLine) -> int:
    """Return the rate of a line in parts per million: of its country's the one that makes its tax.

    A channel may have rounded the tax of each unit, so that much is let pass. Tax that no rate
    makes has the rate it comes to, to a hundredth of a percent.
    """
    if line.line_no < SHIPPING_LINE_NO:  # a fee is taxed as what came back
        line = next(each for each in sale.lines if each.line_no == -line.line_no)
    if not line.sold:  # a gift is taxed as what it is given with
        line = max(sale.lines, key=lambda each: each.sold.net_minor)
    net, tax = line.sold.net_minor, line.sold.tax_minor
    if not net or not tax:
        return 0
    known = RATES.get(sale.destination, ())
    tolerance = 1 + max(line.ordered, 1) // 2
    near = [(abs(Fraction(net * rate, PPM) - tax), rate) for rate in known]
    if near and min(near)[0] <= tolerance:
        return min(near)[1]
    return round_half_up(Fraction(tax * 10_000, net)) * 100


def category_of(sale: Sale, seller_country: str, rate_ppm: int) -> Category:
    """Return why a line is taxed as it is."""
    if rate_ppm:
        return Category.STANDARD
    to = sale.destination
    if seller_country in EU and to not in EU:
        return Category.EXPORT
    if sale.buyer.vat_id is None or seller_country not in EU:
        return Category.ZERO
    return Category.REVERSE_CHARGE if to == seller_country else Category.INTRA_COMMUNITY


def remarks_of(sale: Sale, seller_country: str, lines: Iterable[BilledLine]) -> tuple[Remark, ...]:
    """Return what the law has a document say of its lines."""
    said = {
        Category.REVERSE_CHARGE: Remark.REVERSE_CHARGE,
        Category.INTRA_COMMUNITY: Remark.INTRA_COMMUNITY, Category.EXPORT: Remark.EXPORT,
    }  # fmt: skip
    categories = {each.category for each in lines}
    found = {said[each] for each in categories if each in said}
    to = sale.destination
    is_abroad = to != seller_country and {to, seller_country} <= EU
    if Category.STANDARD in categories and is_abroad and sale.buyer.vat_id is None:
        found.add(Remark.ONE_STOP_SHOP)
    return tuple(sorted(found))


def groups_of(lines: Iterable[BilledLine]) -> tuple[TaxGroup, ...]:
    """Return the sums of lines that are taxed alike, the channel's tax as it was given."""
    sums: dict[tuple[Category, int], Amounts] = defaultdict(Amounts)
    for line in lines:
        sums[line.category, line.rate_ppm] += line.amounts
    return tuple(
        TaxGroup(
            category=category, rate_ppm=rate, net_minor=found.net_minor,
            tax_minor=found.tax_minor,
            tax_delta_minor=found.tax_minor - round_half_up(Fraction(found.net_minor * rate, PPM)),
        )
        for (category, rate), found in sorted(sums.items(), key=lambda each: (-each[0][1], each[0]))
    )  # fmt: skip


def basis_of(policy: Policy) -> Basis:
    """Return what an order is billed by whose first document is issued under a policy."""
    return Basis.ORDERED if policy is Policy.ON_PLACEMENT else Basis.SHIPPED
