"""Documents as EN 16931 in the syntax of UBL 2.1: what is exchanged where CII is not taken."""

import xml.etree.ElementTree as ET
from typing import Final

from oms.adapters.documents import cii
from oms.adapters.documents.words import REMARKS, WORDS, title_of_line
from oms.billing.model import BilledLine, Category, DocumentType, Paper, Party, TaxGroup

_NAMES: Final = "urn:oasis:names:specification:ubl:schema:xsd:"
CBC: Final = f"{_NAMES}CommonBasicComponents-2"
CAC: Final = f"{_NAMES}CommonAggregateComponents-2"
# Of each type: its root, what its type code and its lines are called.
_TYPES: Final = {
    DocumentType.INVOICE: ("Invoice", "InvoiceTypeCode", "InvoiceLine", "InvoicedQuantity"),
    DocumentType.CREDIT_NOTE: (
        "CreditNote", "CreditNoteTypeCode", "CreditNoteLine", "CreditedQuantity"),
}  # fmt: skip


class _Writer:
    """Writes one element after the other: what has a text is basic, what has parts is none."""

    def __init__(self, at: ET.Element, paper: Paper) -> None:
        self.at, self.paper = at, paper

    def put(self, path: str, text: str | None = None, **attributes: str) -> "_Writer":
        """Add an element under those above it that its path names."""
        *above, last = path.split("/")
        at = self.at
        for name in above:
            at = ET.SubElement(at, f"{{{CAC}}}{name}")
        at = ET.SubElement(at, f"{{{CAC if text is None else CBC}}}{last}")
        at.text = text
        at.attrib |= attributes
        return _Writer(at, self.paper)

    def put_known(self, path: str, text: str | None, **attributes: str) -> None:
        """Add an element where there is something to say."""
        if text:
            self.put(path, text, **attributes)

    def money(self, path: str, minor: int) -> None:
        """Add an amount."""
        self.put(path, cii.amount(self.paper, minor), currencyID=self.paper.currency)


def write(paper: Paper) -> bytes:
    """Return a document as UBL 2.1."""
    root_name, code_name, line_name, quantity_name = _TYPES[paper.type]
    ET.register_namespace("cbc", CBC)
    ET.register_namespace("cac", CAC)
    ET.register_namespace("", f"{_NAMES}{root_name}-2")
    root = ET.Element(f"{{{_NAMES}{root_name}-2}}{root_name}")
    top = _Writer(root, paper)
    top.put("CustomizationID", cii.GUIDELINE)
    top.put("ID", paper.number)
    top.put("IssueDate", paper.issued_on.isoformat())
    top.put(code_name, cii.TYPE_CODES[paper.type])
    notes = [paper.reason, *(REMARKS[paper.language][each] for each in paper.remarks)]
    # UBL has one note: several are paragraphs of it.
    top.put_known("Note", "\n".join(each for each in notes if each))
    top.put("DocumentCurrencyCode", paper.currency)
    order = top.put("OrderReference")
    order.put("ID", paper.external_number or paper.order_number)
    order.put("SalesOrderID", paper.order_number)
    if paper.preceding is not None:
        before = top.put("BillingReference/InvoiceDocumentReference")
        before.put("ID", paper.preceding.number)
        before.put("IssueDate", paper.preceding.issued_on.isoformat())
    _party(top.put("AccountingSupplierParty/Party"), paper.seller)
    _party(top.put("AccountingCustomerParty/Party"), paper.buyer)
    _delivery(top)
    _terms(top)
    for line in cii.charges_of(paper):
        _charge(top, line)
    _taxes(top)
    _totals(top)
    for position, line in enumerate(cii.goods_of(paper), start=1):
        _line(top.put(line_name), line, position, quantity_name)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _party(at: _Writer, party: Party) -> None:
    at.put_known("EndpointID", party.email, schemeID="EM")
    _address(at.put("PostalAddress"), party)
    if party.vat_id:
        tax = at.put("PartyTaxScheme")
        tax.put("CompanyID", party.vat_id)
        tax.put("TaxScheme/ID", "VAT")
    legal = at.put("PartyLegalEntity")
    legal.put("RegistrationName", party.name)
    legal.put_known("CompanyID", party.registration_id)


def _address(at: _Writer, party: Party) -> None:
    at.put_known("StreetName", party.street)
    at.put_known("CityName", party.city)
    at.put_known("PostalZone", party.postcode)
    country = party.country_code or at.paper.seller.country_code
    at.put("Country/IdentificationCode", country or "")


def _delivery(top: _Writer) -> None:
    paper = top.paper
    delivery = top.put("Delivery")
    delivery.put("ActualDeliveryDate", paper.supplied_on.isoformat())
    is_abroad = any(each.category is Category.INTRA_COMMUNITY for each in paper.groups)
    to = paper.ship_to or (paper.buyer if is_abroad else None)
    if to is not None:
        _address(delivery.put("DeliveryLocation/Address"), to)
        delivery.put("DeliveryParty/PartyName/Name", to.name)


def _terms(top: _Writer) -> None:
    paper = top.paper
    if paper.iban:
        means = top.put("PaymentMeans")
        means.put("PaymentMeansCode", cii.CREDIT_TRANSFER)
        account = means.put("PayeeFinancialAccount")
        account.put("ID", paper.iban)
        account.put_known("FinancialInstitutionBranch/ID", paper.bic)
    top.put("PaymentTerms/Note", paper.payment_terms)


def _charge(top: _Writer, line: BilledLine) -> None:
    charge = top.put("AllowanceCharge")
    charge.put("ChargeIndicator", "true")
    charge.put("AllowanceChargeReasonCode", cii.FREIGHT)
    charge.put("AllowanceChargeReason", WORDS[top.paper.language]["shipping"])
    charge.money("Amount", line.net_minor)
    _tax(charge.put("TaxCategory"), line)


def _tax(at: _Writer, of: BilledLine | TaxGroup, *, says_why: bool = False) -> None:
    at.put("ID", of.category)
    at.put("Percent", cii.percent(of.rate_ppm))
    code, remark = cii.EXEMPT.get(of.category, (None, None))
    if says_why and remark is not None:
        at.put_known("TaxExemptionReasonCode", code)
        at.put("TaxExemptionReason", REMARKS[at.paper.language][remark])
    at.put("TaxScheme/ID", "VAT")


def _taxes(top: _Writer) -> None:
    tax = top.put("TaxTotal")
    tax.money("TaxAmount", top.paper.tax_minor)
    for group in top.paper.groups:
        part = tax.put("TaxSubtotal")
        part.money("TaxableAmount", group.net_minor)
        part.money("TaxAmount", group.tax_minor)
        _tax(part.put("TaxCategory"), group, says_why=True)


def _totals(top: _Writer) -> None:
    paper = top.paper
    charged = sum(line.net_minor for line in cii.charges_of(paper))
    sums = top.put("LegalMonetaryTotal")
    sums.money("LineExtensionAmount", paper.net_minor - charged)
    sums.money("TaxExclusiveAmount", paper.net_minor)
    sums.money("TaxInclusiveAmount", paper.total_minor)
    sums.money("ChargeTotalAmount", charged)
    if paper.rounding_minor:
        sums.money("PayableRoundingAmount", paper.rounding_minor)
    sums.money("PayableAmount", paper.payable_minor)


def _line(at: _Writer, line: BilledLine, position: int, quantity_name: str) -> None:
    quantity = line.quantity or 1
    at.put("ID", str(position))
    at.put(quantity_name, str(quantity), unitCode=cii.PIECES)
    at.money("LineExtensionAmount", line.net_minor)
    if line.discount_minor:
        allowance = at.put("AllowanceCharge")
        allowance.put("ChargeIndicator", "false")
        allowance.put("AllowanceChargeReasonCode", cii.DISCOUNT)
        allowance.put("AllowanceChargeReason", WORDS[at.paper.language]["discount"])
        allowance.money("Amount", line.discount_minor)
    item = at.put("Item")
    item.put("Name", title_of_line(line, at.paper.language))
    item.put_known("SellersItemIdentification/ID", line.sku)
    _tax(item.put("ClassifiedTaxCategory"), line)
    price = cii.price(line.net_minor + line.discount_minor, quantity, at.paper.currency)
    at.put("Price/PriceAmount", price, currencyID=at.paper.currency)
