"""Settlement reports on the wire: what a service says, beside what we have."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import Field

from api.paging import Paging
from api.schemas.common import MoneyOut, Out, Wire, Words, values_of
from oms.settlements.model import (
    SERVICE,
    Difference,
    DifferenceState,
    Finding,
    Payout,
    Report,
    Row,
    RowType,
    Total,
)

Service = Annotated[str, Field(pattern=f"^{SERVICE.pattern}$", description="a payment service")]


class ReportPost(Wire):
    """What a file is that is posted as the body."""

    psp: Service
    layout: Annotated[
        Words | None, Field(description="what it is read by; left out: the service's own")
    ] = None
    name: Annotated[Words, Field(description="of the file, as people know it")] = "report.csv"


class ReportQuery(Paging):
    """Which reports to list."""

    psp: Service | None = None


class RowQuery(Paging):
    """Which rows of a report to list."""

    finding: Annotated[
        list[Finding],
        Field(default_factory=list, max_length=20, description="repeat it for several; none: all"),
    ]


class DifferenceQuery(Paging):
    """Which differences to list."""

    state: Annotated[list[DifferenceState], Field(default_factory=list, max_length=2)]
    finding: Annotated[list[Finding], Field(default_factory=list, max_length=20)]
    psp: Service | None = None
    report: Annotated[Words | None, Field(description="the number of one")] = None


class ResolvePost(Wire):
    """What explains a difference."""

    reason: Words


class ReportOut(Out):
    """A settlement report."""

    report_number: str
    psp: str
    layout: str
    name: str
    digest: Annotated[str, Field(description="SHA-256 of the file")]
    size_bytes: int
    rows_count: int
    first_at: Annotated[datetime | None, Field(description="of its rows, by the service's clock")]
    last_at: datetime | None
    received_by: str
    received_at: datetime
    open_count: Annotated[int, Field(description="differences nobody has resolved")]

    @classmethod
    def of(cls, report: Report) -> Self:
        """Write a report."""
        return cls(**_named(cls, report))


class SettledTotalOut(Out):
    """Rows of one type, finding and currency, added up."""

    type: RowType
    finding: Finding
    count: int
    amount: Annotated[MoneyOut, Field(description="what they did to our money, before fees")]
    fee: Annotated[MoneyOut | None, Field(description="null: in another currency")]

    @classmethod
    def of(cls, total: Total) -> Self:
        """Write a total."""
        fee = None if total.fee_minor is None else MoneyOut.of(total.fee_minor, total.currency)
        return cls(
            type=total.type, finding=total.finding, count=total.count, fee=fee,
            amount=MoneyOut.of(total.amount_minor, total.currency),
        )  # fmt: skip


class PayoutOut(Out):
    """What a report says was paid out."""

    payout_ref: str
    rows_count: int
    rows_total: Annotated[MoneyOut, Field(description="what its rows come to after fees")]
    paid: Annotated[MoneyOut | None, Field(description="null: the report does not say")]

    @classmethod
    def of(cls, payout: Payout) -> Self:
        """Write a payout."""
        paid = None if payout.paid_minor is None else MoneyOut.of(
            payout.paid_minor, payout.currency
        )  # fmt: skip
        return cls(
            payout_ref=payout.payout_ref, rows_count=payout.rows_count, paid=paid,
            rows_total=MoneyOut.of(payout.rows_minor, payout.currency),
        )  # fmt: skip


class ReportDetailOut(ReportOut):
    """A settlement report with its totals."""

    totals: list[SettledTotalOut]
    payouts: list[PayoutOut]

    @classmethod
    def of_all(cls, report: Report, totals: list[Total], payouts: list[Payout]) -> Self:
        """Write a report with what it comes to."""
        return cls(
            **_named(ReportOut, report), totals=[SettledTotalOut.of(each) for each in totals],
            payouts=[PayoutOut.of(each) for each in payouts],
        )  # fmt: skip


class SettledRowOut(Out):
    """A row of a report, and the operation of ours it is."""

    row_no: int
    entry_ref: str | None
    payout_ref: str | None
    type: RowType
    finding: Finding
    psp_reference: str | None
    payment_reference: str | None
    reference: str | None
    amount: MoneyOut
    fee: MoneyOut
    net: MoneyOut
    occurred_at: datetime | None
    transaction_number: str | None
    payment_number: str | None
    order_number: str | None

    @classmethod
    def of(cls, row: Row) -> Self:
        """Write a row."""
        return cls(
            **_named(cls, row), amount=MoneyOut.of(row.amount_minor, row.currency),
            fee=MoneyOut.of(row.fee_minor, row.net_currency),
            net=MoneyOut.of(row.net_minor, row.net_currency),
        )  # fmt: skip


class DifferenceOut(Out):
    """What we have beside what a service says."""

    difference_number: str
    psp: str
    finding: Finding
    report_number: Annotated[str | None, Field(description="null: in no report")]
    row_no: int | None
    entry_ref: str | None
    transaction_number: str | None
    payment_number: str | None
    order_number: str | None
    ours: MoneyOut | None
    theirs: MoneyOut | None
    state: DifferenceState
    found_at: datetime
    resolved_by: str | None
    resolved_at: datetime | None
    reason: str | None
    version: Annotated[int, Field(description="what `If-Match` is to say")]

    @classmethod
    def of(cls, difference: Difference) -> Self:
        """Write a difference."""
        return cls(
            **_named(cls, difference),
            ours=_money(difference.ours_minor, difference.ours_currency),
            theirs=_money(difference.theirs_minor, difference.theirs_currency),
        )  # fmt: skip


def _money(minor: int | None, currency: str | None) -> MoneyOut | None:
    return None if minor is None or currency is None else MoneyOut.of(minor, currency)


def _named(model: type[Out], value: object) -> dict[str, Any]:
    """Return the fields of a value that a model has."""
    return {name: each for name, each in values_of(value).items() if name in model.model_fields}
