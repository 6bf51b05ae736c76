"""Money as whole minor units of one currency, and the arithmetic that never loses one."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Final

from oms.kernel.errors import Rejected

# ISO 4217:2015, codes of circulating money by number of decimals, and of the money the euro
# has replaced, which sales history still speaks of (list three: withdrawn codes).
_BY_EXPONENT: Final = {
    0: "BIF CLP DJF ESP GNF ISK ITL JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: (
        "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN"
        " BZD CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL"
        " GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK"
        " LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO"
        " NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE"
        " SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST"
        " XCD YER ZAR ZMW ATS BEF CYP DEM EEK FIM FRF GRD HRK IEP LTL LUF LVL MTL NLG PTE SIT SKK"
    ),
    3: "BHD IQD JOD KWD LYD OMR TND",
}
EXPONENTS: Final[dict[str, int]] = {
    code: exponent for exponent, codes in _BY_EXPONENT.items() for code in codes.split()
}

# Checked before a text ever becomes a Decimal: Decimal("1e1000000") takes minutes to print.
AMOUNT_PATTERN: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,9})?")


class UnknownCurrency(Rejected):
    """The currency is not an ISO 4217 code."""

    code = "UNKNOWN_CURRENCY"


class NotAnAmount(Rejected):
    """The text is not an amount of money."""

    code = "VALIDATION"


def exponent_of(currency: str) -> int:
    """Return the number of decimals of a currency.

    Raises UnknownCurrency for anything but an ISO 4217 code.
    """
    try:
        return EXPONENTS[currency]
    except KeyError:
        raise UnknownCurrency(f"{currency[:8]!r} is not a currency") from None


def minor_from_text(text: str, currency: str) -> int:
    """Read a decimal text as minor units, half-up once where it has too many decimals.

    Raises NotAnAmount or UnknownCurrency.
    """
    exponent = exponent_of(currency)
    if not AMOUNT_PATTERN.fullmatch(text):
        raise NotAnAmount(f"{text[:24]!r} is not an amount such as 12.50")
    scaled = Decimal(text).scaleb(exponent)
    return int(scaled.to_integral_value(rounding=ROUND_HALF_UP))


def text_from_minor(minor: int, currency: str) -> str:
    """Write minor units as a decimal text with all the currency's decimals."""
    exponent = exponent_of(currency)
    return f"{Decimal(minor).scaleb(-exponent):.{exponent}f}"


def round_half_up(value: Fraction) -> int:
    """Round to the nearest whole number, halves away from zero."""
    magnitude = (abs(value) * 2 + 1) // 2
    return int(magnitude) if value >= 0 else -int(magnitude)


def tax_in(gross_minor: int, rate_ppm: int) -> int:
    """Return the tax contained in a tax-inclusive amount, at a rate in parts per million."""
    return round_half_up(Fraction(gross_minor * rate_ppm, 1_000_000 + rate_ppm))


def split(minor: int, weights: Sequence[int]) -> list[int]:
    """Split an amount in proportion to weights by largest remainder; the parts sum to the whole.

    Ties go to the larger weight, then to the earlier part; a zero weight gets nothing unless
    every weight is zero, when the parts are as equal as they can be. Sign-symmetric.
    """
    if not weights:
        assert minor == 0, "nothing to split over"
        return []
    assert min(weights) >= 0, "weights are not negative"
    total = sum(weights)
    if total == 0:
        weights, total = [1] * len(weights), len(weights)
    sign, amount = (1, minor) if minor >= 0 else (-1, -minor)
    parts = [amount * weight // total for weight in weights]
    by_remainder = sorted(
        range(len(weights)), key=lambda i: (-(amount * weights[i] % total), -weights[i], i)
    )
    for index in by_remainder[: amount - sum(parts)]:
        parts[index] += 1
    return [sign * part for part in parts]


def share_of_units(minor: int, units: int, taken: int, more: int) -> int:
    """Return what `more` units are worth after `taken` of a line's `units` are gone.

    Units of a line differ by at most one minor unit, the remainder lies on the last ones, so
    that any sequence of partial returns adds up to the line exactly.
    """
    return _first_units(minor, units, taken + more) - _first_units(minor, units, taken)


def shares_of_units(
    net_minor: int, tax_minor: int, units: int, taken: int, more: int
) -> tuple[int, int]:
    """Return what `more` units are worth without tax, and their tax, after `taken` are gone.

    What the customer pays is shared first, then the tax in it: one of two for 20.00 is worth
    10.00. Net and tax shared apart could make it 9.99.
    """
    tax = share_of_units(tax_minor, units, taken, more)
    return share_of_units(net_minor + tax_minor, units, taken, more) - tax, tax


def _first_units(minor: int, units: int, count: int) -> int:
    sign, amount = (1, minor) if minor >= 0 else (-1, -minor)
    each, remainder = divmod(amount, units)
    return sign * (each * count + max(0, count - (units - remainder)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """An amount: whole minor units and the currency they are of."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        """Refuse an unknown currency."""
        exponent_of(self.currency)

    def __add__(self, other: "Money") -> "Money":
        """Add an amount of the same currency."""
        assert self.currency == other.currency, "two currencies never add up"
        return Money(minor=self.minor + other.minor, currency=self.currency)

    def __str__(self) -> str:
        """Write it as people do, the currency last."""
        return f"{text_from_minor(self.minor, self.currency)} {self.currency}"
