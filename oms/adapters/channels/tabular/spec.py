"""The mapping a person writes: one YAML file that says what each column of a file means.

    mapping: shop-export          # its name
    version: 1                    # raised with every change
    about: One row per order line, exported nightly.
    documents: orders             # orders, products, counts or movements
    file: {format: csv, delimiter: ";", encoding: windows-1252, decimal_mark: ","}
    codes: {delivery: {Standard: ship_home, "Click & Collect": collect_store}}
    look_ups: {items: {file: items.csv, key: item_no}}
    order:
      external_ref: Order           # a name: the text in that column
      placed_at: {column: Date, format: "%d.%m.%Y"}
      is_historical: true           # a number or true/false: a constant
      fulfillment_method: {column: Delivery, then: [{codes: delivery}]}
    lines:
      sku: {column: Item, then: [upper]}
      title: {column: Item, then: [{look_up: {in: items, take: name}}]}
      quantity: Qty
      total: {multiply: [Qty, Price]}
      tax: {constant: "0"}
    payments:                     # of rows whose kind is `payment`: totals so far of each
      tender: {column: Tender, then: [{codes: tenders}]}
      captured: Paid

An expression has one source (column, constant, join, first_of, add, subtract, multiply, divide,
absolute), then steps on its text, then a default. Everything is read as text; numbers are exact
and rounded once, half-up, to the minor unit of the order's currency. Rows are grouped into
orders by external_ref; header fields are the same in every row of an order unless `take` says
how to choose.
"""

import codecs
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Annotated, Any, Final, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from oms.adapters.channels.tabular.fields import SECTIONS

_SOURCES: Final = (
    "column", "constant", "join", "first_of", "add", "subtract", "multiply", "divide", "absolute",
)  # fmt: skip
_STEPS: Final = ("extract", "replace", "split", "codes", "look_up")


def _short_expression(value: Any) -> Any:
    """Read a bare text as a column, any other scalar as a constant."""
    if isinstance(value, str):
        return {"column": value}
    if isinstance(value, bool | int | Decimal):
        return {"constant": value}
    return value


def _short_step(value: Any) -> Any:
    return {"word": value} if isinstance(value, str) else value


def _word(value: Any) -> Any:
    """Read a scalar as the text it was written as."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | Decimal) else value


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Name = Annotated[str, Field(min_length=1, max_length=200)]
Word = Annotated[str, BeforeValidator(_word)]
Codes = dict[str, Annotated[Word, Field(min_length=1, max_length=200)]]
Expr = Annotated["Expression", BeforeValidator(_short_expression)]
Step = Annotated["StepSpec", BeforeValidator(_short_step)]
Operands = Annotated[list[Expr], Field(min_length=2, max_length=20)]


class Replace(_Strict):
    """Every occurrence of a text becomes another."""

    text: Annotated[str, Field(min_length=1)]
    by: str


class Split(_Strict):
    """One part, counted from 1, of a cell that holds a list."""

    by: Annotated[str, Field(min_length=1)]
    part: Annotated[int, Field(ge=1, le=1000)] = 1


class LookUpStep(_Strict):
    """The value of a column in the row of a look-up file that has this key."""

    in_: Name = Field(alias="in")
    take: Name


class StepSpec(_Strict):
    """One step on a text: trim, upper, lower, squeeze, or one of the steps with a value."""

    word: Literal["trim", "upper", "lower", "squeeze"] | None = None
    extract: Annotated[str, Field(max_length=500)] | None = None
    replace: Replace | None = None
    split: Split | None = None
    codes: Name | Codes | None = None
    look_up: LookUpStep | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError(f"a step is a word or exactly one of {', '.join(_STEPS)}")
        return self


class Condition(_Strict):
    """Holds where a column has one of these texts, or none at all."""

    column: Name
    is_: Annotated[list[Word], Field(min_length=1)] | None = Field(default=None, alias="is")
    is_empty: Literal[True] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.is_ is None) == (self.is_empty is None):
            raise ValueError("say either 'is: [texts]' or 'is_empty: true'")
        return self


class Expression(_Strict):
    """Where a field's value comes from, and what is done to it."""

    column: Name | None = None
    constant: str | bool | int | Decimal | None = None
    join: Operands | None = None
    first_of: Operands | None = None
    add: Operands | None = None
    subtract: Annotated[list[Expr], Field(min_length=2, max_length=2)] | None = None
    multiply: Operands | None = None
    divide: Annotated[list[Expr], Field(min_length=2, max_length=2)] | None = None
    absolute: Expr | None = None
    with_: str = Field(default="", alias="with")
    then: list[Step] = []
    default: str | None = None
    when: Condition | None = None
    take: Literal["same", "first", "sum", "smallest", "largest"] = "same"
    format: Annotated[list[str], BeforeValidator(lambda f: [f] if isinstance(f, str) else f)] = []
    time_zone: str | None = None
    decimals: Annotated[int, Field(ge=0, le=20)] = 6

    @property
    def source(self) -> str:
        """The one source it has."""
        return next(name for name in _SOURCES if getattr(self, name) is not None)

    @property
    def operands(self) -> "list[Expression]":
        """The expressions its source is made of."""
        value = getattr(self, self.source)
        if isinstance(value, Expression):
            return [value]
        return value if isinstance(value, list) else []

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [name for name in _SOURCES if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"an expression has exactly one of {', '.join(_SOURCES)}")
        if self.then and given[0] not in {"column", "constant", "join", "first_of"}:
            raise ValueError("steps work on texts, not on the result of a calculation")
        return self

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        if value is not None:
            _zone(value)
        return value


def _zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"there is no time zone {name[:40]!r}") from None


class Dialect(_Strict):
    """How a file of rows is written."""

    format: Literal["csv", "parquet"] = "csv"
    encoding: str = "utf-8"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    quote: Annotated[str, Field(max_length=1)] = '"'
    header: bool = True
    columns: list[Name] | None = None
    skip_lines: Annotated[int, Field(ge=0, le=1000)] = 0
    decimal_mark: Literal[".", ","] = "."
    thousands_mark: Literal["", ".", ",", " ", "'"] = ""
    empty: list[str] = []

    @field_validator("encoding")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            "".encode(value)  # unlike a look-up, it refuses what encodes no texts
        except (LookupError, ValueError):
            raise ValueError(f"there is no encoding of texts {value[:40]!r}") from None
        return codecs.lookup(value).name

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.format == "csv" and self.header == (self.columns is not None):
            raise ValueError(
                "columns are named by the header, or by 'columns' where header is false"
            )
        if self.delimiter in {self.quote, "\n", "\r"}:
            raise ValueError("the delimiter cannot be the quote or a line break")
        if not (self.delimiter + self.quote).isascii():
            raise ValueError("delimiter and quote are ASCII characters")
        if self.thousands_mark == self.decimal_mark:
            raise ValueError("thousands_mark and decimal_mark differ")
        return self


class LookUp(_Strict):
    """A further file that is read by key. Its path is relative, and stays inside its folder."""

    file: Name
    key: Name
    dialect: Dialect | None = None

    @field_validator("file")
    @classmethod
    def _inside(cls, value: str) -> str:
        path = PurePosixPath(value)
        if path.is_absolute() or ".." in path.parts or "\\" in value or "\0" in value:
            raise ValueError("a look-up file lies beside the mapping or the data, or below")
        return value

    @property
    def read_as(self) -> Dialect:
        """How it is read: as said, else by the file's ending."""
        if self.dialect is not None:
            return self.dialect
        return Dialect(format="parquet" if self.file.endswith(".parquet") else "csv")


class Rows(_Strict):
    """What a row is: a sale, or something that happened to one."""

    kind: Expr | None = None
    negative_quantity: Literal["refuse", "cancel", "return"] = "refuse"

    @property
    def has_changes(self) -> bool:
        """Whether rows may be anything but sales."""
        return self.kind is not None or self.negative_quantity != "refuse"


Section = dict[str, Expr]


def _flat_addresses(value: Any) -> Any:
    """Write ship_to and bill_to as flat names: ship_to.city."""
    if not isinstance(value, dict):
        return value
    flat: dict[str, Any] = {}
    for name, expression in value.items():
        if name in {"ship_to", "bill_to"} and isinstance(expression, dict):
            flat |= {f"{name}.{part}": inner for part, inner in expression.items()}
        else:
            flat[name] = expression
    return flat


class Spec(_Strict):
    """A mapping as it is written."""

    mapping: Name
    version: Annotated[int, Field(ge=1)]
    about: str = ""
    documents: Literal["orders", "products", "counts", "movements"]
    file: Dialect = Dialect()
    codes: dict[str, Codes] = {}
    look_ups: dict[str, LookUp] = {}
    ignore: list[Condition] = []
    rows: Rows = Rows()
    order: Annotated[Section, BeforeValidator(_flat_addresses)] = {}
    lines: Section = {}
    changes: Section = {}
    payments: Section = {}
    products: Section = {}
    counts: Section = {}
    movements: Section = {}

    def section(self, name: str) -> dict[str, Expression]:
        """Return the expressions of one section."""
        section: dict[str, Expression] = getattr(self, name)
        return section

    @property
    def sections(self) -> tuple[str, ...]:
        """The sections its kind of document has."""
        return tuple(SECTIONS[self.documents])
