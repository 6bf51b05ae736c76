"""Documents as values: who issues them, what stands on them, and why one is refused."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final, Self

from oms.kernel.errors import Conflict, NotFound, Rejected
from oms.kernel.money import exponent_of

# Goods have the numbers of their lines, the fees of their returns the same below this one.
SHIPPING_LINE_NO: Final = 0
# How many documents one download may hold.
BUNDLE_DOCUMENTS_MAX: Final = 1_000
# EN 16931 has no amounts with more.
STRUCTURED_DECIMALS_MAX: Final = 2


class DocumentType(StrEnum):
    """What kind of document it is."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    RECEIPT = "receipt"


class DocumentState(StrEnum):
    """How far a document is. Before it is issued there is none: a draft has no number."""

    ISSUED = "issued"
    SENT = "sent"


class FileKind(StrEnum):
    """What kind of file a document is made into."""

    PDF = "pdf"
    XML = "xml"  # EN 16931 as CII, which Factur-X embeds
    UBL = "ubl"  # the same as UBL 2.1


class Policy(StrEnum):
    """When the sales of a channel are invoiced."""

    ON_SHIPMENT = "on_shipment"
    ON_PLACEMENT = "on_placement"
    ON_REQUEST = "on_request"


class Basis(StrEnum):
    """What of an order is billed: what left, or what was ordered. Its first document decides."""

    SHIPPED = "shipped"
    ORDERED = "ordered"


class Category(StrEnum):
    """Why a line has the rate it has, in the codes of EN 16931."""

    STANDARD = "S"
    ZERO = "Z"
    REVERSE_CHARGE = "AE"
    INTRA_COMMUNITY = "K"
    EXPORT = "G"


class Remark(StrEnum):
    """What the law has a document say."""

    REVERSE_CHARGE = "reverse_charge"
    INTRA_COMMUNITY = "intra_community"
    EXPORT = "export"
    ONE_STOP_SHOP = "one_stop_shop"


class DocumentNotFound(NotFound):
    """There is no such document."""

    code = "DOCUMENT_NOT_FOUND"


class NoStructuredInvoice(NotFound):
    """There is no XML of this document: it is a receipt, or its currency has three decimals."""

    code = "NO_STRUCTURED_INVOICE"


class NothingToInvoice(Conflict):
    """All that left is invoiced already, or nothing has left."""

    code = "NOTHING_TO_INVOICE"


class NothingToCredit(Conflict):
    """All that came back is credited already, or nothing has come back."""

    code = "NOTHING_TO_CREDIT"


class NoInvoiceToCredit(Conflict):
    """The order has no invoice a credit note could correct."""

    code = "NO_INVOICE_TO_CREDIT"


class ExceedsInvoiced(Conflict):
    """More is given back than was invoiced; a credit note has no more than its invoice."""

    code = "EXCEEDS_INVOICED"


class NotBilled(Conflict):
    """The order gets no documents: it is historical or a test, or its channel issues none."""

    code = "NOT_BILLED"


class NotCarriedOut(Conflict):
    """A receipt is of what was paid and carried out of a store."""

    code = "NOT_CARRIED_OUT"


class TooManyDocuments(Rejected):
    """One download holds no more documents than this; ask for fewer days."""

    code = "TOO_MANY_DOCUMENTS"


class EntityInvalid(Rejected):
    """The legal entity is not complete."""

    code = "LEGAL_ENTITY_INVALID"


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Who sells, who buys, or where goods go, as it stands on a document."""

    name: str
    street: str | None = None
    postcode: str | None = None
    city: str | None = None
    country_code: str | None = None
    vat_id: str | None = None
    registration_id: str | None = None
    email: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalEntity:
    """Who sells: what stands on its documents, and how they are numbered."""

    code: str
    name: str
    street: str
    postcode: str
    city: str
    country_code: str
    vat_id: str
    series_prefix: str
    payment_terms: str
    language: str = "en"
    time_zone: str = "UTC"
    registration_id: str | None = None
    email: str | None = None
    phone: str | None = None
    iban: str | None = None
    bic: str | None = None
    fiscal_year_month: int = 1  # the month its fiscal year begins with
    channels: Mapping[str, str] | None = None  # whose sales are its: a policy by channel

    @property
    def party(self) -> Party:
        """Return it as the seller of a document."""
        return Party(
            name=self.name, street=self.street, postcode=self.postcode, city=self.city,
            country_code=self.country_code, vat_id=self.vat_id,
            registration_id=self.registration_id, email=self.email, phone=self.phone,
        )  # fmt: skip

    def fiscal_year_of(self, on: date) -> int:
        """Return the fiscal year of a date: that in which it ends."""
        month = self.fiscal_year_month
        return on.year + 1 if month > 1 and on.month >= month else on.year


@dataclass(frozen=True, slots=True, kw_only=True)
class Amounts:
    """Money of one line: without tax, and the tax on it."""

    net_minor: int = 0
    tax_minor: int = 0

    def __add__(self, other: "Amounts") -> "Amounts":
        """Add both parts."""
        return Amounts(
            net_minor=self.net_minor + other.net_minor, tax_minor=self.tax_minor + other.tax_minor
        )

    def __sub__(self, other: "Amounts") -> "Amounts":
        """Subtract both parts."""
        return self + -other

    def __neg__(self) -> "Amounts":
        """Turn both signs."""
        return Amounts(net_minor=-self.net_minor, tax_minor=-self.tax_minor)

    def __bool__(self) -> bool:
        """Tell whether it is any money at all."""
        return bool(self.net_minor or self.tax_minor)

    @property
    def total_minor(self) -> int:
        """Return it with tax."""
        return self.net_minor + self.tax_minor

    @property
    def is_negative(self) -> bool:
        """Tell whether either part is below nothing."""
        return self.net_minor < 0 or self.tax_minor < 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BilledLine:
    """A line of a document; 0 is the number of shipping, below it are fees of returns."""

    line_no: int
    sku: str
    title: str
    quantity: int
    counted: int  # units that left or came back by it: none where only money is corrected
    discount_minor: int  # without tax, already taken off
    net_minor: int
    tax_minor: int
    rate_ppm: int
    category: Category

    @property
    def amounts(self) -> Amounts:
        """Return its money."""
        return Amounts(net_minor=self.net_minor, tax_minor=self.tax_minor)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxGroup:
    """All of a document that is taxed alike."""

    category: Category
    rate_ppm: int
    net_minor: int
    tax_minor: int
    tax_delta_minor: int  # how much the channel's tax differs from what the rate makes of the net


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """The document another one corrects."""

    number: str
    issued_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """All that stands on a document: what is kept, and what every file of it is made of."""

    type: DocumentType
    number: str
    issued_on: date
    supplied_on: date
    order_number: str
    external_number: str | None
    channel_code: str
    placed_on: date
    currency: str
    language: str
    seller: Party
    buyer: Party
    ship_to: Party | None
    iban: str | None
    bic: str | None
    payment_terms: str
    preceding: Reference | None
    reason: str | None
    lines: tuple[BilledLine, ...]
    groups: tuple[TaxGroup, ...]
    remarks: tuple[Remark, ...]
    net_minor: int
    tax_minor: int
    total_minor: int
    rounding_minor: int  # what is paid more or less, for want of small coins

    @property
    def payable_minor(self) -> int:
        """Return what is to be paid, or given back."""
        return self.total_minor + self.rounding_minor

    @property
    def is_structured(self) -> bool:
        """Tell whether EN 16931 can say it: no receipts, and at most two decimals."""
        is_receipt = self.type is DocumentType.RECEIPT
        return not is_receipt and exponent_of(self.currency) <= STRUCTURED_DECIMALS_MAX

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data, as it is kept."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> Self:
        """Make it of what was kept."""
        preceding = kept["preceding"]
        return cls(**{
            **kept, "type": DocumentType(kept["type"]),
            **{name: date.fromisoformat(kept[name])
               for name in ("issued_on", "supplied_on", "placed_on")},
            "seller": Party(**kept["seller"]), "buyer": Party(**kept["buyer"]),
            "ship_to": None if kept["ship_to"] is None else Party(**kept["ship_to"]),
            "preceding": None if preceding is None else Reference(
                number=preceding["number"], issued_on=date.fromisoformat(preceding["issued_on"])),
            "lines": tuple(
                BilledLine(**{**each, "category": Category(each["category"])})
                for each in kept["lines"]),
            "groups": tuple(
                TaxGroup(**{**each, "category": Category(each["category"])})
                for each in kept["groups"]),
            "remarks": tuple(Remark(each) for each in kept["remarks"]),
        })  # fmt: skip


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document that was issued."""

    document_id: int
    order_id: int
    state: DocumentState
    basis: Basis
    issued_at: datetime
    issued_by: str
    sent_at: datetime | None
    paper: Paper


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A document as a file: the same bytes whenever it is asked for."""

    body: bytes
    sha256: str
