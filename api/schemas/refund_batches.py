"""Batches of refunds on the wire: rows as JSON, as CSV, or of a search; what was found of each."""

import csv
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from api.paging import Paging
from api.problems import FieldProblem, Refused, field_problem
from api.schemas.common import MoneyOut, Out, Wire, Words, values_of
from api.schemas.order_search import OrderFilters
from api.schemas.payments import MoneyIn
from oms.kernel.errors import Rejected
from oms.refunds.batches import (
    NEXT,
    ROWS_MAX,
    Batch,
    BatchAction,
    BatchState,
    Row,
    RowDraft,
    RowState,
    Step,
    Total,
)
from oms.refunds.model import RefundKind, RefundState

CSV_CHARACTERS_MAX: Final = 3_000_000
CSV_COLUMNS: Final = ("order_number", "kind", "amount", "currency", "reason")
_NO_TEXT: Final = re.compile(r"[\x00\ud800-\udfff]")


def _text(text: str) -> str:
    if _NO_TEXT.search(text):
        raise PydanticCustomError("text", "the text holds characters that are none")
    return text


class RowPost(Wire):
    """A refund of a batch."""

    order_number: Annotated[Words, Field(max_length=40)]
    kind: RefundKind = RefundKind.OWED
    amount: Annotated[MoneyIn | None, Field(description="left out: all that is owed")] = None
    reason: Annotated[str, Field(max_length=500), AfterValidator(_text)] = ""

    @model_validator(mode="after")
    def _says_enough(self) -> Self:
        if self.kind is not RefundKind.OWED and (self.amount is None or not self.reason.strip()):
            raise PydanticCustomError("row", "what is not owed needs an amount and a reason")
        return self

    def draft(self) -> RowDraft:
        """Return what it asks for. Raises NotAnAmount, UnknownCurrency."""
        amount = self.amount
        return RowDraft(
            order_number=self.order_number.strip().upper(), kind=self.kind,
            amount_minor=None if amount is None else amount.minor(),
            currency=None if amount is None else amount.currency, reason=self.reason.strip(),
        )  # fmt: skip


class PutRow(RowPost):
    """A row to add, or to say anew by its number."""

    row_no: Annotated[int | None, Field(ge=1, le=2**31 - 1, description="left out: a new one")] = (
        None
    )


class BatchPost(Wire):
    """Refunds to make together: rows, or a CSV of them, or what is owed of a search's orders."""

    name: Words
    rows: Annotated[list[RowPost] | None, Field(min_length=1, max_length=ROWS_MAX)] = None
    csv: Annotated[
        str | None,
        Field(
            max_length=CSV_CHARACTERS_MAX,
            description=f"a head of {', '.join(CSV_COLUMNS)}; all but the first may be missing",
        ),
        AfterValidator(_text),
    ] = None
    orders: Annotated[
        OrderFilters | None,
        Field(description="as `GET /v1/orders` has them; taken as they are now"),
    ] = None
    reason: Annotated[
        str, Field(max_length=500, description="of the rows of a search"), AfterValidator(_text)
    ] = ""

    def drafts(self) -> list[RowDraft] | None:
        """Return its rows; None where they are those of a search.

        Raises Refused with every row that cannot be, and why.
        """
        given = [self.rows is not None, self.csv is not None, self.orders is not None]
        if sum(given) != 1:
            raise Refused([field_problem("VALIDATION", "")])
        if self.rows is not None:
            return drafts_of(self.rows)
        return None if self.csv is None else _drafts_of_csv(self.csv)


class RowsPost(Wire):
    """Rows to change, add and remove."""

    rows: Annotated[list[PutRow], Field(default_factory=list, max_length=ROWS_MAX)]
    remove: Annotated[
        list[Annotated[int, Field(ge=1, le=2**31 - 1)]],
        Field(default_factory=list, max_length=ROWS_MAX, description="numbers of rows"),
    ]

    @model_validator(mode="after")
    def _says_each_once(self) -> Self:
        numbers = [each.row_no for each in self.rows if each.row_no is not None]
        if len({*numbers, *self.remove}) < len(numbers) + len(self.remove):
            raise PydanticCustomError("repeated", "a row is named more than once")
        return self

    def drafts(self) -> list[tuple[int | None, RowDraft]]:
        """Return the rows with their numbers. Raises Refused."""
        numbers = [each.row_no for each in self.rows]
        return list(zip(numbers, drafts_of(self.rows), strict=True))


def drafts_of(rows: list[RowPost] | list[PutRow]) -> list[RowDraft]:
    """Return what rows ask for. Raises Refused with every one that cannot be."""
    found, problems = [], []
    for number, row in enumerate(rows):
        try:
            found.append(row.draft())
        except Rejected as error:
            problems.append(_problem(f"/rows/{number}/amount", error.detail, error.code))
    if problems:
        raise Refused(problems)
    return found


def _problem(pointer: str, detail: str, code: str = "VALIDATION") -> FieldProblem:
    return FieldProblem(location="body", pointer=pointer, code=code, detail=detail[:300])


def _drafts_of_csv(text: str) -> list[RowDraft]:
    """Read a CSV. Raises Refused with every line that cannot be, and why."""
    found: list[RowDraft] = []
    problems: list[FieldProblem] = []
    try:
        for number, values in _lines(text):
            read = _of_line(number, values)
            if isinstance(read, FieldProblem):
                problems.append(read)
            else:
                found.append(read)
    except csv.Error as error:
        problems.append(_problem("/csv", f"it is no CSV: {error}"))
    if not found and not problems:
        problems.append(_problem("/csv", "it has no rows"))
    if problems:
        raise Refused(problems)
    return found


def _lines(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Give the lines of a CSV with their numbers. Raises Refused for a head that is none."""
    reader = csv.reader(text.removeprefix("\ufeff").splitlines(keepends=True), strict=True)
    head = [name.strip().lower() for name in next(reader, [])]
    if "order_number" not in head or len(set(head)) < len(head) or set(head) - set(CSV_COLUMNS):
        detail = f"its first line names columns, each once, of {', '.join(CSV_COLUMNS)}"
        raise Refused([_problem("/csv/1", detail)])
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        values = {name: cell.strip() for name, cell in zip(head, cells, strict=False)}
        if len(cells) != len(head):
            values["cells"] = f"{len(cells)} of {len(head)}"  # which no row has
        yield reader.line_num, values


def _of_line(number: int, values: dict[str, str]) -> RowDraft | FieldProblem:
    """Read a line, or say what is wrong with it."""
    row: dict[str, Any] = {name: value for name, value in values.items() if value}
    amount, currency = row.pop("amount", None), row.pop("currency", None)
    if amount is not None or currency is not None:
        row["amount"] = {"amount": amount, "currency": currency}
    try:
        return RowPost.model_validate(row).draft()
    except ValidationError as error:
        said = (": ".join([*map(str, each["loc"]), each["msg"]]) for each in error.errors())
        return _problem(f"/csv/{number}", "; ".join(said))
    except Rejected as error:
        return _problem(f"/csv/{number}", error.detail, error.code)


class BatchActionPost(Wire):
    """Something that is done with a batch."""

    action: BatchAction
    digest: Annotated[
        Words | None, Field(description="to approve: the batch's, as it was seen")
    ] = None


class BatchQuery(Paging):
    """Which batches to list."""

    state: Annotated[
        list[BatchState],
        Field(default_factory=list, description="repeat it for several; none: all", max_length=20),
    ]


class BatchRowQuery(Paging):
    """Which rows of a batch to list."""

    state: Annotated[
        list[RowState],
        Field(default_factory=list, description="repeat it for several; none: all", max_length=20),
    ]


class TotalOut(Out):
    """Rows of one kind, currency and fate, added up."""

    kind: RefundKind
    state: RowState
    refund_state: RefundState | None
    count: int
    amount: Annotated[MoneyOut | None, Field(description="null: nothing of it was found")]

    @classmethod
    def of(cls, total: Total) -> Self:
        """Write a total."""
        amount = None if total.currency is None else MoneyOut.of(total.amount_minor, total.currency)
        return cls(
            kind=total.kind, state=total.state, refund_state=total.refund_state,
            count=total.count, amount=amount,
        )  # fmt: skip


class BatchSummaryOut(Out):
    """Refunds that are asked for together."""

    batch_number: str
    name: str
    state: BatchState
    created_by: str
    edited_by: str
    submitted_by: str | None
    approved_by: str | None
    created_at: datetime
    changed_at: datetime
    digest: Annotated[
        str | None, Field(description="of what the dry run found; whoever approves sends it back")
    ]
    version: Annotated[int, Field(description="what `If-Match` is to say")]
    allowed_actions: list[BatchAction]

    @classmethod
    def of_batch(cls, batch: Batch, **more: Any) -> Self:
        """Write a batch."""
        values = {name: value for name, value in values_of(batch).items()
                  if name in cls.model_fields}  # fmt: skip
        return cls(**values, allowed_actions=sorted(NEXT[batch.state]), **more)


class BatchOut(BatchSummaryOut):
    """A batch, and how far its rows are."""

    rows_count: int
    totals: list[TotalOut]

    @classmethod
    def of(cls, batch: Batch, totals: list[Total]) -> Self:
        """Write a batch with its totals."""
        return cls.of_batch(
            batch, rows_count=sum(each.count for each in totals),
            totals=[TotalOut.of(each) for each in totals],
        )  # fmt: skip


class BatchTenderOut(Out):
    """What would go back to one payment."""

    payment_number: str
    amount: MoneyOut


class SeenOut(Out):
    """What the dry run found for a row."""

    step: Annotated[Step, Field(description="make a refund, approve the one that waits, or retry")]
    amount: MoneyOut
    maximum: MoneyOut
    tenders: list[BatchTenderOut]


class RowOut(Out):
    """A row of a batch, and what became of it."""

    row_no: int
    order_number: str
    kind: RefundKind
    amount: Annotated[MoneyOut | None, Field(description="null: all that is owed")]
    reason: str
    state: RowState
    code: Annotated[str | None, Field(description="why it was refused, or not paid")]
    eligible: SeenOut | None
    refund_number: str | None
    refund_state: RefundState | None

    @classmethod
    def of(cls, row: Row) -> Self:
        """Write a row."""
        values = {name: value for name, value in values_of(row).items()
                  if name in cls.model_fields}  # fmt: skip
        amount = None
        if row.amount_minor is not None and row.currency is not None:
            amount = MoneyOut.of(row.amount_minor, row.currency)
        return cls(**values, amount=amount, eligible=_seen(row))


def _seen(row: Row) -> SeenOut | None:
    if row.seen is None:
        return None
    currency = row.seen.currency
    return SeenOut(
        step=row.seen.step, amount=MoneyOut.of(row.seen.amount_minor, currency),
        maximum=MoneyOut.of(row.seen.max_minor, currency),
        tenders=[
            BatchTenderOut(payment_number=number, amount=MoneyOut.of(amount, currency))
            for number, amount in row.seen.tenders
        ],
    )  # fmt: skip
