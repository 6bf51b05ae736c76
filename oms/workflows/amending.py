"""What an edit makes of an order's lines: fewer units, more, other prices, further lines."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Final

from oms.catalog import queries as catalog
from oms.catalog.model import Product
from oms.change_orders.model import (
    Addition,
    Edit,
    NotEditable,
    NotPossible,
    PriceUnknown,
)
from oms.change_orders.rules import Terms, at_price, fresh, more, rate_seen, tax_of
from oms.kernel.limits import AMOUNT_MINOR_MAX, ORDER_LINES_MAX, QUANTITY_MAX
from oms.kernel.money import NotAnAmount, exponent_of, minor_from_text, round_half_up
from oms.ledger.database import Tx
from oms.orders import queries
from oms.orders.model import FulfillmentMethod, Line, OrderNotFound
from oms.orders.queries import Sold
from oms.stock.model import UnknownSku
from oms.workflows.actions import QuantityNotCancelable, Situation
from oms.workflows.changes import OwnLine

# How more of something may get to a customer; what is carried out or reserved is bought in a store.
SENT: Final = frozenset({
    FulfillmentMethod.SHIP_HOME, FulfillmentMethod.SHIP_FROM_STORE, FulfillmentMethod.PICKUP_POINT,
})  # fmt: skip
GROWING: Final = SENT | {FulfillmentMethod.COLLECT_STORE}


@dataclass(slots=True, kw_only=True)
class Plan:
    """What is done to an order's lines: units canceled, and lines as they shall be."""

    less: dict[int, int] = field(default_factory=dict)
    lines: dict[int, OwnLine] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Amending:
    tx: Tx
    now: Situation
    known: Mapping[int, Line]
    possible: Mapping[int, int]
    plan: Plan

    @property
    def is_gross(self) -> bool:
        return self.now.order.prices_include_tax

    @property
    def order_id(self) -> int:
        return self.now.order.summary.order_id

    def line(self, line_no: int) -> Line:
        if line_no not in self.known:
            raise OrderNotFound(f"the order has no line {line_no}")
        return self.known[line_no]

    def minor(self, amount: str) -> int:
        currency = self.now.order.summary.currency
        if len(amount.partition(".")[2]) > exponent_of(currency):
            raise NotAnAmount(f"{currency} has {exponent_of(currency)} decimals")
        return minor_from_text(amount, currency)


def planned(tx: Tx, now: Situation, edit: Edit) -> Plan:
    """Return what an edit makes of an order's lines.

    Raises OrderNotFound for what is not there; QuantityNotCancelable, NotEditable with what
    is in the way; PriceUnknown, UnknownSku, NotPossible.
    """
    known = {line.line_no: line for line in now.order.lines}
    made = _Amending(tx=tx, now=now, known=known, possible=now.cancelable(), plan=Plan())
    _refuse_twice(edit)
    for line_no, quantity in edit.quantities.items():
        _amount_to(made, made.line(line_no), quantity)
    given = queries.lines_with_given_money(tx, made.order_id) if edit.prices else set()
    for line_no, price in edit.prices.items():
        _price(made, made.line(line_no), price, has_given=line_no in given)
    if len(known) + len(edit.additions) > ORDER_LINES_MAX:
        raise NotEditable("an order has no more lines", max=ORDER_LINES_MAX - len(known))
    for line_no, addition in enumerate(edit.additions, start=max(known) + 1):
        _add(made, line_no, addition)
    return made.plan


def _refuse_twice(edit: Edit) -> None:
    replaced = [each.replaces for each in edit.additions if each.replaces is not None]
    if len(set(replaced)) < len(replaced) or {*replaced} & {*edit.quantities, *edit.prices}:
        raise NotPossible("a line that is replaced is not changed in another way as well")


def _amount_to(made: _Amending, line: Line, quantity: int) -> None:
    """Have a line come to so many units, of what was not canceled before."""
    has = line.quantity - line.canceled
    if quantity < has:
        _lower(made, line, has - quantity)
    elif quantity > has:
        _refuse_growth(made, line.group_no)
        if not line.quantity:
            raise NotEditable("nothing of the line is sold: add another one", line_no=line.line_no)
        _put(made, line, more(_terms(line), quantity - has))


def _lower(made: _Amending, line: Line, units: int) -> None:
    most = made.possible.get(line.line_no, 0)
    if units > most:
        raise QuantityNotCancelable(line_no=line.line_no, max=most)
    made.plan.less[line.line_no] = units


def _price(made: _Amending, line: Line, price: str, *, has_given: bool) -> None:
    """Have every unit of a line cost so much, if all of them are still to be had."""
    left = line.quantity - line.canceled
    if line.shipped or line.returned or not left:
        raise NotEditable("what has left keeps its price", line_no=line.line_no, max=0)
    if made.possible.get(line.line_no, 0) < left:
        raise NotEditable("it is in somebody's hands: put it back first", line_no=line.line_no)
    if has_given:
        raise NotEditable(
            "its channel has said what was taken of it is worth", line_no=line.line_no
        )  # fmt: skip
    kept = made.plan.lines.get(line.line_no)
    terms = _terms(line) if kept is None else _terms(kept)
    unit = made.minor(price)
    if unit * terms.quantity == terms.total_minor:
        return
    rate = rate_seen(terms.total_minor, terms.tax_minor, is_gross=made.is_gross)
    if rate is None:
        rate = _rate(made, _product(made, line.sku), None)
    _put(made, line, at_price(terms, unit, rate, is_gross=made.is_gross))


def _add(made: _Amending, line_no: int, addition: Addition) -> None:
    """Add a line, in place of units of another where it is said so."""
    group_no, quantity = addition.group_no, addition.quantity
    if addition.replaces is not None:
        line = made.line(addition.replaces)
        group_no = line.group_no
        quantity = quantity or made.possible.get(line.line_no, 0)
        if not quantity:
            raise QuantityNotCancelable(line_no=line.line_no, max=0)
        _lower(made, line, quantity)
    _refuse_growth(made, group_no)
    _put_fresh(made, line_no, addition, quantity or 1, group_no)


def fresh_line(tx: Tx, now: Situation, line_no: int, addition: Addition) -> OwnLine:
    """Return a line of an article as an order's channel sells it now, or as it is said.

    Raises UnknownSku, NotEditable, PriceUnknown, NotPossible, NotAnAmount.
    """
    made = _Amending(tx=tx, now=now, known={}, possible={}, plan=Plan())
    _put_fresh(made, line_no, addition, addition.quantity or 1, addition.group_no)
    return made.plan.lines[line_no]


def _put_fresh(
    made: _Amending, line_no: int, addition: Addition, quantity: int, group_no: int
) -> None:
    product = _product(made, addition.sku)
    if not product.is_sellable:
        raise NotEditable(f"{product.sku} is not sold any more")
    sold = queries.last_sold(made.tx, made.order_id, product.product_id)
    unit = _unit(made, addition, sold)
    if addition.tax is not None:
        tax = made.minor(addition.tax)
        if made.is_gross and tax > unit * quantity:
            raise NotPossible("there is more tax in it than it costs")
    else:
        tax = tax_of(unit * quantity, _rate(made, product, sold), is_gross=made.is_gross)
    order = made.now.order
    named = OwnLine(
        line_no=line_no, line_ref=f"{order.summary.order_number}-{line_no}", sku=product.sku,
        title=product.title, quantity=0, unit_price_minor=unit, list_minor=0, discount_minor=0,
        tax_minor=0, group_no=group_no,
    )  # fmt: skip
    _put(made, named, fresh(quantity, unit, tax))


def _unit(made: _Amending, addition: Addition, sold: Sold | None) -> int:
    """Return what a unit costs: as it is given, or as its channel asked for it last."""
    if addition.unit_price is not None:
        return made.minor(addition.unit_price)
    if sold is None:
        raise PriceUnknown(sku=addition.sku)
    if sold.unit_price_minor is not None:
        return sold.unit_price_minor
    return round_half_up(Fraction(sold.list_minor, sold.quantity))


def _rate(made: _Amending, product: Product, sold: Sold | None) -> Fraction:
    """Return the rate of tax on a product: as of its like in the order, or as it was last sold."""
    country = made.now.order.summary.country_code
    beside = queries.sold_beside(made.tx, made.order_id, product.tax_class)
    last = sold if sold is not None and sold.country_code == country else None
    for each in (beside, last):
        if each is not None:
            total = each.list_minor - each.discount_minor
            rate = rate_seen(total, each.tax_minor, is_gross=made.is_gross)
            if rate is not None:
                return rate
    raise PriceUnknown("nothing shows which tax is on it: say how much", sku=product.sku)


def _product(made: _Amending, sku: str) -> Product:
    product = catalog.product(made.tx, sku)
    if product is None:
        raise UnknownSku(f"SKU {sku} is not in the catalog", sku=sku)
    return product


def _refuse_growth(made: _Amending, group_no: int) -> None:
    """Refuse to add to what is bought in a store. Raises OrderNotFound, NotEditable."""
    methods = {group.group_no: group.method for group in made.now.order.groups}
    if group_no not in methods:
        raise OrderNotFound(f"the order has no delivery group {group_no}")
    if methods[group_no] not in GROWING:
        raise NotEditable("what is bought or reserved in a store is not added to")


def _terms(line: Line | OwnLine) -> Terms:
    return Terms(
        quantity=line.quantity, unit_price_minor=line.unit_price_minor,
        list_minor=line.list_minor, discount_minor=line.discount_minor, tax_minor=line.tax_minor,
    )  # fmt: skip


def _put(made: _Amending, line: Line | OwnLine, terms: Terms) -> None:
    """Note a line as it shall be. Raises NotPossible where it is too much of something."""
    if terms.quantity > QUANTITY_MAX:
        raise NotPossible(f"a line has at most {QUANTITY_MAX:,} units", max=QUANTITY_MAX)
    if terms.list_minor > AMOUNT_MINOR_MAX:
        raise NotPossible("that is more money than a line has")
    named = OwnLine(
        line_no=line.line_no, line_ref=line.line_ref, sku=line.sku, title=line.title,
        quantity=0, unit_price_minor=None, list_minor=0, discount_minor=0, tax_minor=0,
        group_no=line.group_no,
    )  # fmt: skip
    made.plan.lines[line.line_no] = replace(
        named, quantity=terms.quantity, unit_price_minor=terms.unit_price_minor,
        list_minor=terms.list_minor, discount_minor=terms.discount_minor,
        tax_minor=terms.tax_minor,
    )  # fmt: skip
