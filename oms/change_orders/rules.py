"""What lines are worth after a change: pure arithmetic in whole minor units."""

from dataclasses import dataclass, replace
from fractions import Fraction

from oms.kernel.money import round_half_up

RATE_PERCENT_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How much of an article is bought on which terms, in the order's tax mode."""

    quantity: int
    unit_price_minor: int | None  # as the channel shows it
    list_minor: int
    discount_minor: int
    tax_minor: int

    @property
    def total_minor(self) -> int:
        """What is paid for all of it."""
        return self.list_minor - self.discount_minor


def rate_seen(total_minor: int, tax_minor: int, *, is_gross: bool) -> Fraction | None:
    """Return the rate of tax that a line shows, as a part of its net; None of what is free.

    It is a whole percent, or a half one, where exactly one comes to that tax; else what the
    amounts say.
    """
    net = total_minor - tax_minor if is_gross else total_minor
    if net <= 0:
        return None
    for parts in (100, 200):
        rates = [Fraction(n, parts) for n in range(RATE_PERCENT_MAX * parts // 100 + 1)]
        exact = {rate: _tax(total_minor, rate, is_gross=is_gross) for rate in rates}
        near = [rate for rate, tax in exact.items() if abs(tax - tax_minor) < 1]
        if len(near) == 1:
            return near[0]
        if near:
            break
    return Fraction(tax_minor, net)


def tax_of(total_minor: int, rate: Fraction, *, is_gross: bool) -> int:
    """Return the tax in, or on, an amount."""
    return round_half_up(_tax(total_minor, rate, is_gross=is_gross))


def more(terms: Terms, units: int) -> Terms:
    """Return a line with further units, each at what its units are worth; those keep theirs."""
    share = Fraction(units, terms.quantity)
    discount = round_half_up(terms.discount_minor * share)
    total = round_half_up(terms.total_minor * share)
    return replace(
        terms, quantity=terms.quantity + units, list_minor=terms.list_minor + total + discount,
        discount_minor=terms.discount_minor + discount,
        tax_minor=terms.tax_minor + round_half_up(terms.tax_minor * share),
    )  # fmt: skip


def at_price(terms: Terms, unit_minor: int, rate: Fraction, *, is_gross: bool) -> Terms:
    """Return a line of which each unit costs so much: what that is below its list is discount."""
    total = unit_minor * terms.quantity
    full = max(total, terms.list_minor)
    return replace(
        terms, list_minor=full, discount_minor=full - total,
        tax_minor=tax_of(total, rate, is_gross=is_gross),
    )  # fmt: skip


def fresh(quantity: int, unit_minor: int, tax_minor: int) -> Terms:
    """Return the terms of a line that is added."""
    return Terms(
        quantity=quantity, unit_price_minor=unit_minor, list_minor=unit_minor * quantity,
        discount_minor=0, tax_minor=tax_minor,
    )  # fmt: skip


def _tax(total_minor: int, rate: Fraction, *, is_gross: bool) -> Fraction:
    return total_minor * rate / (1 + rate) if is_gross else total_minor * rate
