"""Documents as EN 16931 in the Cross Industry Invoice syntax: what Factur-X embeds."""

import xml.etree.ElementTree as ET
from datetime import date
from decimal import Decimal
from typing import Final

from oms.adapters.documents.words import REMARKS, WORDS, title_of_line
from oms.billing.model import (
    SHIPPING_LINE_NO,
    BilledLine,
    Category,
    DocumentType,
    Paper,
    Party,
    Remark,
    TaxGroup,
)
from oms.kernel.money import exponent_of, text_from_minor

RSM: Final = "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
RAM: Final = "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"
UDT: Final = "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100"
QDT: Final = "urn:un:unece:uncefact:data:standard:QualifiedDataType:100"
_PREFIXES: Final = {"rsm": RSM, "ram": RAM, "udt": UDT, "qdt": QDT}
GUIDELINE: Final = "urn:cen.eu:en16931:2017"
TYPE_CODES: Final = {DocumentType.INVOICE: "380", DocumentType.CREDIT_NOTE: "381"}
PIECES: Final = "H87"
CREDIT_TRANSFER: Final = "58"
DISCOUNT: Final = "95"
FREIGHT: Final = "FC"
EXEMPT: Final = {
    Category.REVERSE_CHARGE: ("VATEX-EU-AE", Remark.REVERSE_CHARGE),
    Category.INTRA_COMMUNITY: ("VATEX-EU-IC", Remark.INTRA_COMMUNITY),
    Category.EXPORT: ("VATEX-EU-G", Remark.EXPORT),
}
# Beyond this many decimals nobody's price goes.
PRICE_DECIMALS: Final = 6


class Writer:
    """Writes one element after the other under a parent, by paths such as Agreement/Name."""

    def __init__(self, parent: ET.Element) -> None:
        """Begin under an element."""
        self.parent = parent

    def put(self, path: str, text: str | None = None, **attributes: str) -> "Writer":
        """Add an element, and those above it that its path names; nothing for no text."""
        at = self.parent
        for name in path.split("/"):
            prefix, _, local = name.rpartition(":")
            at = ET.SubElement(at, f"{{{_PREFIXES[prefix or 'ram']}}}{local}")
        at.attrib |= attributes
        at.text = text
        return Writer(at)

    def put_known(self, path: str, text: str | None, **attributes: str) -> None:
        """Add an element where there is something to say."""
        if text:
            self.put(path, text, **attributes)


def write(paper: Paper) -> bytes:
    """Return a document as CII."""
    for prefix, name in _PREFIXES.items():
        ET.register_namespace(prefix, name)
    root = ET.Element(f"{{{RSM}}}CrossIndustryInvoice")
    top = Writer(root)
    top.put("rsm:ExchangedDocumentContext/GuidelineSpecifiedDocumentContextParameter/ID", GUIDELINE)
    head = top.put("rsm:ExchangedDocument")
    head.put("ID", paper.number)
    head.put("TypeCode", TYPE_CODES[paper.type])
    _day(head, "IssueDateTime", paper.issued_on)
    for note in (paper.reason, *(REMARKS[paper.language][each] for each in paper.remarks)):
        head.put_known("IncludedNote/Content", note)
    trade = top.put("rsm:SupplyChainTradeTransaction")
    for position, line in enumerate(goods_of(paper), start=1):
        _line(trade, paper, line, position)
    _agreement(trade, paper)
    _delivery(trade, paper)
    _settlement(trade, paper)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def goods_of(paper: Paper) -> list[BilledLine]:
    """Return the lines; where only shipping is billed it is one, as there must be any."""
    goods = [line for line in paper.lines if line.line_no != SHIPPING_LINE_NO]
    return goods or list(paper.lines)


def charges_of(paper: Paper) -> list[BilledLine]:
    """Return what is charged beside the lines."""
    goods = goods_of(paper)
    return [line for line in paper.lines if line not in goods]


def _day(at: Writer, path: str, on: date, *, prefix: str = "udt") -> None:
    at.put(f"{path}/{prefix}:DateTimeString", on.strftime("%Y%m%d"), format="102")


def _line(trade: Writer, paper: Paper, line: BilledLine, position: int) -> None:
    item = trade.put("IncludedSupplyChainTradeLineItem")
    item.put("AssociatedDocumentLineDocument/LineID", str(position))
    product = item.put("SpecifiedTradeProduct")
    product.put_known("SellerAssignedID", line.sku)
    product.put("Name", title_of_line(line, paper.language))
    list_minor = line.net_minor + line.discount_minor
    quantity = line.quantity or 1
    item.put(
        "SpecifiedLineTradeAgreement/NetPriceProductTradePrice/ChargeAmount",
        price(list_minor, quantity, paper.currency),
    )
    item.put("SpecifiedLineTradeDelivery/BilledQuantity", str(quantity), unitCode=PIECES)
    settled = item.put("SpecifiedLineTradeSettlement")
    _tax(settled.put("ApplicableTradeTax"), line)
    if line.discount_minor:
        allowance = settled.put("SpecifiedTradeAllowanceCharge")
        allowance.put("ChargeIndicator/udt:Indicator", "false")
        allowance.put("ActualAmount", amount(paper, line.discount_minor))
        allowance.put("ReasonCode", DISCOUNT)
        allowance.put("Reason", WORDS[paper.language]["discount"])
    settled.put(
        "SpecifiedTradeSettlementLineMonetarySummation/LineTotalAmount",
        amount(paper, line.net_minor),
    )


def price(minor: int, quantity: int, currency: str) -> str:
    """Return what a unit costs, as exactly as it can be said."""
    each = Decimal(minor).scaleb(-exponent_of(currency)) / quantity
    return f"{round(each, PRICE_DECIMALS):f}"


def percent(rate_ppm: int) -> str:
    """Write a rate."""
    return f"{Decimal(rate_ppm) / 10_000:.2f}"


def _tax(at: Writer, of: BilledLine | TaxGroup) -> None:
    at.put("TypeCode", "VAT")
    at.put("CategoryCode", of.category)
    at.put("RateApplicablePercent", percent(of.rate_ppm))


def _agreement(trade: Writer, paper: Paper) -> None:
    agreement = trade.put("ApplicableHeaderTradeAgreement")
    _party(agreement.put("SellerTradeParty"), paper.seller, paper)
    _party(agreement.put("BuyerTradeParty"), paper.buyer, paper)
    agreement.put("SellerOrderReferencedDocument/IssuerAssignedID", paper.order_number)
    if paper.external_number:
        agreement.put("BuyerOrderReferencedDocument/IssuerAssignedID", paper.external_number)


def _party(at: Writer, party: Party, paper: Paper, *, is_taxed: bool = True) -> None:
    at.put("Name", party.name)
    at.put_known("SpecifiedLegalOrganization/ID", party.registration_id)
    address = at.put("PostalTradeAddress")
    address.put_known("PostcodeCode", party.postcode)
    address.put_known("LineOne", party.street)
    address.put_known("CityName", party.city)
    address.put("CountryID", party.country_code or paper.seller.country_code)
    if is_taxed:
        at.put_known("URIUniversalCommunication/URIID", party.email, schemeID="EM")
        at.put_known("SpecifiedTaxRegistration/ID", party.vat_id, schemeID="VA")


def _delivery(trade: Writer, paper: Paper) -> None:
    delivery = trade.put("ApplicableHeaderTradeDelivery")
    if paper.ship_to is not None:
        _party(delivery.put("ShipToTradeParty"), paper.ship_to, paper, is_taxed=False)
    elif any(group.category is Category.INTRA_COMMUNITY for group in paper.groups):
        _party(delivery.put("ShipToTradeParty"), paper.buyer, paper, is_taxed=False)
    _day(delivery, "ActualDeliverySupplyChainEvent/OccurrenceDateTime", paper.supplied_on)


def _settlement(trade: Writer, paper: Paper) -> None:
    settled = trade.put("ApplicableHeaderTradeSettlement")
    settled.put("InvoiceCurrencyCode", paper.currency)
    if paper.iban:
        means = settled.put("SpecifiedTradeSettlementPaymentMeans")
        means.put("TypeCode", CREDIT_TRANSFER)
        means.put("PayeePartyCreditorFinancialAccount/IBANID", paper.iban)
        means.put_known("PayeeSpecifiedCreditorFinancialInstitution/BICID", paper.bic)
    for group in paper.groups:
        _group(settled, paper, group)
    for line in charges_of(paper):
        charge = settled.put("SpecifiedTradeAllowanceCharge")
        charge.put("ChargeIndicator/udt:Indicator", "true")
        charge.put("ActualAmount", amount(paper, line.net_minor))
        charge.put("ReasonCode", FREIGHT)
        charge.put("Reason", WORDS[paper.language]["shipping"])
        _tax(charge.put("CategoryTradeTax"), line)
    settled.put("SpecifiedTradePaymentTerms/Description", paper.payment_terms)
    _totals(settled, paper)
    if paper.preceding is not None:
        before = settled.put("InvoiceReferencedDocument")
        before.put("IssuerAssignedID", paper.preceding.number)
        _day(before, "FormattedIssueDateTime", paper.preceding.issued_on, prefix="qdt")


def _group(settled: Writer, paper: Paper, group: TaxGroup) -> None:
    tax = settled.put("ApplicableTradeTax")
    tax.put("CalculatedAmount", amount(paper, group.tax_minor))
    tax.put("TypeCode", "VAT")
    code, remark = EXEMPT.get(group.category, (None, None))
    if remark is not None:
        tax.put("ExemptionReason", REMARKS[paper.language][remark])
    tax.put("BasisAmount", amount(paper, group.net_minor))
    tax.put("CategoryCode", group.category)
    tax.put_known("ExemptionReasonCode", code)
    tax.put("RateApplicablePercent", percent(group.rate_ppm))


def _totals(settled: Writer, paper: Paper) -> None:
    charged = sum(line.net_minor for line in charges_of(paper))
    sums = settled.put("SpecifiedTradeSettlementHeaderMonetarySummation")
    sums.put("LineTotalAmount", amount(paper, paper.net_minor - charged))
    sums.put("ChargeTotalAmount", amount(paper, charged))
    sums.put("AllowanceTotalAmount", amount(paper, 0))
    sums.put("TaxBasisTotalAmount", amount(paper, paper.net_minor))
    sums.put("TaxTotalAmount", amount(paper, paper.tax_minor), currencyID=paper.currency)
    if paper.rounding_minor:
        sums.put("RoundingAmount", amount(paper, paper.rounding_minor))
    sums.put("GrandTotalAmount", amount(paper, paper.total_minor))
    sums.put("DuePayableAmount", amount(paper, paper.payable_minor))


def amount(paper: Paper, minor: int) -> str:
    """Write an amount as a decimal text of the document's currency."""
    return text_from_minor(minor, paper.currency)
