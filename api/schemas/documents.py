"""Documents on the wire: invoices, credit notes and receipts."""

from datetime import date, datetime
from typing import Annotated, Any, Self

from pydantic import Field

from api.paging import Paging
from api.schemas.common import MoneyOut, Out, Wire, Words, values_of
from oms.billing.model import BilledLine, Document, DocumentType, Paper, Party, TaxGroup


class DocumentPost(Wire):
    """A document that is asked for."""

    type: Annotated[
        DocumentType,
        Field(
            description="`invoice`: of what left and is on none; `credit_note`: of what came back"
            " since; `receipt`: of what a till sold, the same when there is one"
        ),
    ]


class SentPost(Wire):
    """That a document was sent."""

    recipient: Annotated[Words | None, Field(description="to whom")] = None


class SelectionQuery(Wire):
    """Which documents; all that is given must fit."""

    type: Annotated[list[DocumentType] | None, Field(max_length=3)] = None
    from_: Annotated[
        date | None, Field(alias="from", description="the first day they were issued on")
    ] = None
    to: Annotated[date | None, Field(description="the last")] = None
    channel: Annotated[list[Words] | None, Field(max_length=50)] = None


class DocumentsQuery(Paging, SelectionQuery):
    """Which documents to list."""


class PartyOut(Out):
    """Who sells, who buys, or where goods go, as it stands on the document."""

    name: str
    street: str | None
    postcode: str | None
    city: str | None
    country_code: str | None
    vat_id: str | None
    registration_id: str | None
    email: str | None
    phone: str | None

    @classmethod
    def of(cls, party: Party) -> Self:
        """Write a party."""
        return cls(**values_of(party))


class DocumentLineOut(Out):
    """A line of a document; line 0 is shipping, and without units only money is corrected."""

    line_no: int
    sku: str
    title: str
    quantity: int
    discount: MoneyOut
    net: MoneyOut
    tax: MoneyOut
    rate_percent: Annotated[str, Field(examples=["21"])]
    category: Annotated[str, Field(description="of VAT, by EN 16931: S, Z, AE, K, G")]

    @classmethod
    def of(cls, line: BilledLine, currency: str) -> Self:
        """Write a line."""
        return cls(
            line_no=line.line_no, sku=line.sku, title=line.title, quantity=line.quantity,
            discount=MoneyOut.of(line.discount_minor, currency),
            net=MoneyOut.of(line.net_minor, currency), tax=MoneyOut.of(line.tax_minor, currency),
            rate_percent=_percent(line.rate_ppm), category=line.category,
        )  # fmt: skip


class TaxGroupOut(Out):
    """All that is taxed alike."""

    category: str
    rate_percent: str
    net: MoneyOut
    tax: MoneyOut
    tax_delta: Annotated[
        MoneyOut, Field(description="by how much the channel's tax differs from the rate's")
    ]

    @classmethod
    def of(cls, group: TaxGroup, currency: str) -> Self:
        """Write a group."""
        return cls(
            category=group.category, rate_percent=_percent(group.rate_ppm),
            net=MoneyOut.of(group.net_minor, currency), tax=MoneyOut.of(group.tax_minor, currency),
            tax_delta=MoneyOut.of(group.tax_delta_minor, currency),
        )  # fmt: skip


class IssuedOut(Out):
    """A document, and nobody's name: such answers are kept for who repeats a request."""

    number: str
    type: DocumentType
    state: str
    issued_on: date
    issued_at: datetime
    sent_at: datetime | None
    order_number: str
    channel_code: str
    preceding_number: Annotated[str | None, Field(description="the invoice it corrects")]
    net: MoneyOut
    tax: MoneyOut
    total: MoneyOut

    @classmethod
    def of(cls, document: Document) -> Self:
        """Write a document in short."""
        return cls(**_summary(document))


class DocumentSummaryOut(IssuedOut):
    """A document as a list shows it."""

    buyer_name: str

    @classmethod
    def of(cls, document: Document) -> Self:
        """Write a document in short."""
        return cls(**_summary(document), buyer_name=document.paper.buyer.name)


class DocumentOut(DocumentSummaryOut):
    """A document with all that stands on it."""

    supplied_on: date
    external_number: str | None
    language: str
    seller: PartyOut
    buyer: PartyOut
    ship_to: PartyOut | None
    preceding_issued_on: date | None
    reason: str | None
    remarks: Annotated[list[str], Field(description="what the law has it say")]
    lines: list[DocumentLineOut]
    groups: list[TaxGroupOut]
    rounding: MoneyOut
    payable: MoneyOut

    @classmethod
    def of(cls, document: Document) -> Self:
        """Write a document in full."""
        paper, currency = document.paper, document.paper.currency
        return cls(
            **_summary(document), buyer_name=paper.buyer.name, supplied_on=paper.supplied_on,
            language=paper.language,
            external_number=paper.external_number, seller=PartyOut.of(paper.seller),
            buyer=PartyOut.of(paper.buyer),
            ship_to=None if paper.ship_to is None else PartyOut.of(paper.ship_to),
            preceding_issued_on=paper.preceding.issued_on if paper.preceding else None,
            reason=paper.reason, remarks=list(paper.remarks),
            lines=[DocumentLineOut.of(each, currency) for each in paper.lines],
            groups=[TaxGroupOut.of(each, currency) for each in paper.groups],
            rounding=MoneyOut.of(paper.rounding_minor, currency),
            payable=MoneyOut.of(paper.payable_minor, currency),
        )  # fmt: skip


def _summary(document: Document) -> dict[str, Any]:
    paper: Paper = document.paper
    return {
        "number": paper.number, "type": paper.type, "state": document.state,
        "issued_on": paper.issued_on, "issued_at": document.issued_at,
        "sent_at": document.sent_at, "order_number": paper.order_number,
        "channel_code": paper.channel_code,
        "preceding_number": paper.preceding.number if paper.preceding else None,
        "net": MoneyOut.of(paper.net_minor, paper.currency),
        "tax": MoneyOut.of(paper.tax_minor, paper.currency),
        "total": MoneyOut.of(paper.total_minor, paper.currency),
    }  # fmt: skip


def _percent(rate_ppm: int) -> str:
    return f"{rate_ppm / 10_000:.2f}".rstrip("0").rstrip(".")


class IssuedAllOut(Out):
    """What was issued."""

    documents: list[IssuedOut]
