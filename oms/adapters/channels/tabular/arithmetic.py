"""Exact numbers in SQL: whole numbers with a scale, rounded once, half-up, when money is due."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from oms.adapters.channels.tabular.rows import Rows
from oms.kernel.errors import Rejected
from oms.kernel.money import EXPONENTS

# n / d to the nearest whole number, halves away from zero, without ever being a fraction.
HALF_UP: Final = (
    "create macro half_up(n, d) as (case when (n < 0) <> (d < 0) then -1 else 1 end)"
    " * ((abs(n) * 2 + abs(d)) // (abs(d) * 2))"
)


_DIGITS_MAX: Final = 24


class NotCalculable(Rejected):
    """The mapping asks for a calculation that cannot be done exactly."""

    code = "BAD_MAPPING"


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """An exact number of each row: num / den times ten to the power of -scale."""

    num: str
    den: str | None = None
    scale: int = 0


def constant(text: str) -> Number:
    """Return a number that is the same in every row. Raises NotCalculable."""
    digits = text.removeprefix("-").replace(".", "", 1)
    if not (digits.isascii() and digits.isdigit()) or len(digits) > _DIGITS_MAX:
        raise NotCalculable(f"{text[:40]!r} is not a number such as 12.50")
    value = Decimal(text)
    scale = max(0, -int(value.as_tuple().exponent))
    return Number(num=f"({int(value.scaleb(scale))})::hugeint", scale=scale)


def first_of(rows: Rows, numbers: Sequence[Number]) -> Number:
    """Return the first of several numbers that is there. Raises NotCalculable."""
    if any(number.den for number in numbers):
        raise NotCalculable("a division cannot be one of several choices")
    scale = max(number.scale for number in numbers)
    nums = ", ".join(_scaled(number.num, scale - number.scale) for number in numbers)
    return Number(num=rows.add(f"try(coalesce({nums}))"), scale=scale)


def calculate(rows: Rows, operation: str, numbers: Sequence[Number]) -> Number:
    """Return the result of a calculation; where it is too large it is null."""
    if operation == "absolute":
        (only,) = numbers
        den = rows.add(f"abs({only.den})") if only.den else None
        return replace(only, num=rows.add(f"abs({only.num})"), den=den)
    result, *rest = numbers
    for number in rest:
        result = _TWO[operation](rows, result, number)
    return result


def _scaled(num: str, by: int) -> str:
    return f"({num}) * {10**by}::hugeint" if by else f"({num})"


def _product(rows: Rows, *names: str | None) -> str | None:
    factors = [f"({name})" for name in names if name is not None]
    if len(factors) < 2:  # noqa: PLR2004  # a product needs two
        return factors[0] if factors else None
    return rows.add(f"try({' * '.join(factors)})")


def _multiply(rows: Rows, left: Number, right: Number) -> Number:
    num = _product(rows, left.num, right.num)
    assert num is not None
    return Number(num=num, den=_product(rows, left.den, right.den), scale=left.scale + right.scale)


def _divide(rows: Rows, left: Number, right: Number) -> Number:
    num = _product(rows, left.num, right.den)
    assert num is not None
    den = _product(rows, left.den, rows.add(f"nullif({right.num}, 0)"))
    return Number(num=num, den=den, scale=left.scale - right.scale)


def _add(rows: Rows, left: Number, right: Number) -> Number:
    return _sum(rows, left, right, "+")


def _subtract(rows: Rows, left: Number, right: Number) -> Number:
    return _sum(rows, left, right, "-")


def _sum(rows: Rows, left: Number, right: Number, sign: str) -> Number:
    scale = max(left.scale, right.scale)
    first = _product(rows, _scaled(left.num, scale - left.scale), right.den)
    second = _product(rows, _scaled(right.num, scale - right.scale), left.den)
    num = rows.add(f"try({first} {sign} {second})")
    return Number(num=num, den=_product(rows, left.den, right.den), scale=scale)


_TWO: Final[dict[str, Callable[[Rows, Number, Number], Number]]] = {
    "multiply": _multiply,
    "divide": _divide,
    "add": _add,
    "subtract": _subtract,
}


def minor(number: Number, exponent: str) -> str:
    """Return a number as minor units of a currency whose exponent is the value of `exponent`."""
    cases = " ".join(
        f"when {places} then {_rounded(number, places)}"
        for places in sorted(set(EXPONENTS.values()))
    )
    return f"try((case {exponent} {cases} end)::bigint)"


def _rounded(number: Number, places: int) -> str:
    up, down = max(0, places - number.scale), max(0, number.scale - places)
    num, den = _scaled(number.num, up), number.den
    if den is None and not down:
        return num
    return f"half_up({num}, {_scaled(den, down) if den else f'{10**down}::hugeint'})"


def is_whole(number: Number) -> str:
    """Return the condition that a number has no fraction."""
    if number.den or number.scale < 0:
        raise NotCalculable("a quantity is not the result of a division")
    return f"({number.num}) % {10**number.scale} = 0" if number.scale else "true"


def whole(number: Number) -> str:
    """Return a number without its fraction."""
    return f"try((({number.num}) // {10**number.scale})::bigint)"


def sign_of(number: Number) -> str:
    """Return -1, 0 or 1."""
    return f"sign({number.num}) * sign({number.den})" if number.den else f"sign({number.num})"
