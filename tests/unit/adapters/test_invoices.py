"""Documents as files: what they say, that they are valid EN 16931, and always the same."""

import io
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any, Final

import facturx
import pypdf
import pypdfium2
import pytest

from oms.adapters.documents.cii import RAM
from oms.adapters.documents.invoices import InvoiceRenderer
from oms.adapters.documents.words import REMARKS, WORDS, unit_price
from oms.billing import rules
from oms.billing.model import (
    BilledLine,
    Category,
    DocumentType,
    FileKind,
    Paper,
    Party,
    Reference,
    Remark,
)
from oms.kernel.writing import amount
from tests.en16931 import CII, UBL, Check, rules_of

SELLER: Final = Party(
    name="Penshop B.V.", street="Keizersgracht 1", postcode="1015 CJ", city="Amsterdam",
    country_code="NL", vat_id="NL123456789B01", registration_id="33012345",
    email="invoices@example.org",
)  # fmt: skip
BUYER: Final = Party(
    name="Ada Pen", street="Laan 1", postcode="3511 AA", city="Utrecht", country_code="NL",
)  # fmt: skip
RENDERER: Final = InvoiceRenderer()


def a_line(line_no: int = 1, **columns: Any) -> BilledLine:
    return BilledLine(**{
        "line_no": line_no, "sku": f"SKU-{line_no}", "title": f"Pen {line_no}", "quantity": 3,
        "counted": 3, "discount_minor": 100, "net_minor": 2479, "tax_minor": 521,
        "rate_ppm": 210_000, "category": Category.STANDARD, **columns,
    })  # fmt: skip


def a_paper(*lines: BilledLine, **columns: Any) -> Paper:
    lines = lines or (a_line(), a_line(0, sku="", title="", quantity=1, discount_minor=0,
                                       net_minor=413, tax_minor=87))  # fmt: skip
    net, tax = sum(each.net_minor for each in lines), sum(each.tax_minor for each in lines)
    return Paper(**{
        "type": DocumentType.INVOICE, "number": "NL-I2026-000001", "issued_on": date(2026, 1, 5),
        "supplied_on": date(2026, 1, 4), "order_number": "R100000001", "external_number": "#W-1",
        "channel_code": "web", "placed_on": date(2026, 1, 3), "currency": "EUR",
        "language": "en", "seller": SELLER, "buyer": BUYER, "ship_to": None,
        "iban": "NL91ABNA0417164300", "bic": "ABNANL2A", "payment_terms": "Paid when ordered.",
        "preceding": None, "reason": None, "lines": lines, "groups": rules.groups_of(lines),
        "remarks": (), "net_minor": net, "tax_minor": tax, "total_minor": net + tax,
        "rounding_minor": 0, **columns,
    })  # fmt: skip


CREDIT: Final = {
    "type": DocumentType.CREDIT_NOTE,
    "number": "NL-C2026-000001",
    "reason": "too blue",
    "preceding": Reference(number="NL-I2026-000001", issued_on=date(2026, 1, 5)),
}
FOREIGN: Final = replace(BUYER, country_code="DE", vat_id="DE123456789", city="Berlin")


def untaxed(category: Category) -> BilledLine:
    return a_line(tax_minor=0, rate_ppm=0, category=category)


PAPERS: Final = {
    "an invoice": a_paper(),
    "a credit note": a_paper(**CREDIT),
    "two rates": a_paper(a_line(), a_line(2, net_minor=1000, tax_minor=90, rate_ppm=90_000)),
    "a correction of money": a_paper(a_line(quantity=0, counted=0, discount_minor=0)),
    "shipping alone": a_paper(a_line(0, sku="", title="", quantity=1, discount_minor=0)),
    "a gift": a_paper(a_line(), a_line(2, net_minor=0, tax_minor=0, discount_minor=1000)),
    "nothing to pay": a_paper(a_line(net_minor=0, tax_minor=0)),
    "a line by line rounded tax": a_paper(
        *(a_line(n, net_minor=83, tax_minor=17, discount_minor=0) for n in range(1, 21))
    ),
    "reverse charge": a_paper(
        untaxed(Category.REVERSE_CHARGE), remarks=(Remark.REVERSE_CHARGE,),
        buyer=replace(BUYER, vat_id="NL987654321B01"),
    ),
    "intra-community": a_paper(
        untaxed(Category.INTRA_COMMUNITY), remarks=(Remark.INTRA_COMMUNITY,), buyer=FOREIGN,
        language="de",
    ),
    "export": a_paper(
        untaxed(Category.EXPORT), remarks=(Remark.EXPORT,), language="fr",
        buyer=replace(BUYER, country_code="US"), ship_to=replace(BUYER, country_code="US"),
    ),
    "one stop shop": a_paper(
        a_line(net_minor=10_000, tax_minor=1900, rate_ppm=190_000), language="nl",
        remarks=(Remark.ONE_STOP_SHOP,), buyer=replace(BUYER, country_code="DE"),
    ),
    "yen": a_paper(a_line(net_minor=1000, tax_minor=100, rate_ppm=100_000), currency="JPY"),
    "rounded to coins": a_paper(rounding_minor=-2),
    "markup": a_paper(a_line(title='<b>&amp; #strong[x] $x$ \\ " ]]>'), buyer=replace(
        BUYER, name='Pen & <Co> #import "x"')),
    "the fee of a return": a_paper(
        a_line(-1, sku="", quantity=1, counted=1, discount_minor=0, net_minor=79, tax_minor=16)
    ),
    "goodwill": a_paper(
        a_line(quantity=0, counted=0, discount_minor=0, net_minor=126, tax_minor=27),
        a_line(2, quantity=0, counted=0, discount_minor=0, net_minor=77, tax_minor=7,
               rate_ppm=90_000),
        a_line(0, sku="", title="", quantity=0, counted=0, discount_minor=0, net_minor=31,
               tax_minor=6),
        **CREDIT,
    ),
    "shipping given back": a_paper(
        a_line(0, sku="", title="", quantity=1, discount_minor=0), **CREDIT
    ),
    "nobody": a_paper(buyer=Party(name="—")),
}  # fmt: skip


@pytest.fixture(scope="module")
def schematron() -> Iterator[Check]:
    """Give the rules of EN 16931 for CII, compiled once."""
    with rules_of(CII) as check:
        yield check


@pytest.fixture(scope="module")
def ubl_rules() -> Iterator[Check]:
    """Give the rules of EN 16931 for UBL, compiled once."""
    with rules_of(UBL) as check:
        yield check


def said(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    found = "\n".join(page.get_textpage().get_text_range() for page in document)
    document.close()
    return found.replace("\r\n", "\n")


class TestXml:
    @pytest.mark.parametrize("name", PAPERS)
    def test_is_valid_by_schema_and_rules(self, schematron: Check, name: str) -> None:
        xml = RENDERER.render(PAPERS[name], FileKind.XML)
        assert facturx.xml_check_xsd(xml, flavor="factur-x", level="en16931")
        assert schematron(xml) == []

    def test_that_does_not_add_up_is_found(self, schematron: Check) -> None:
        """Or the rules above would say nothing."""
        wrong = replace(a_paper(), net_minor=1)
        found = " ".join(schematron(RENDERER.render(wrong, FileKind.XML)))
        assert "BR-CO-15" in found
        lonely = replace(a_paper(**CREDIT), seller=replace(SELLER, vat_id=None))
        assert "BR-S-02" in " ".join(schematron(RENDERER.render(lonely, FileKind.XML)))

    def test_of_a_credit_note_names_its_invoice(self) -> None:
        root = ET.fromstring(RENDERER.render(PAPERS["a credit note"], FileKind.XML))
        before = root.find(f".//{{{RAM}}}InvoiceReferencedDocument")
        assert before is not None
        assert [each.strip() for each in before.itertext()] == ["NL-I2026-000001", "20260105"]

    def test_says_what_the_document_says(self) -> None:
        paper = PAPERS["two rates"]
        root = ET.fromstring(RENDERER.render(paper, FileKind.XML))
        totals = {
            name: root.findtext(f".//{{{RAM}}}{name}")
            for name in ("TaxBasisTotalAmount", "TaxTotalAmount", "GrandTotalAmount")
        }
        assert totals == {
            "TaxBasisTotalAmount": "34.79", "TaxTotalAmount": "6.11", "GrandTotalAmount": "40.90",
        }  # fmt: skip


class TestUbl:
    @pytest.mark.parametrize("name", PAPERS)
    def test_is_valid_by_schema_and_rules(self, ubl_rules: Check, name: str) -> None:
        xml = RENDERER.render(PAPERS[name], FileKind.UBL)
        is_credit = PAPERS[name].type is DocumentType.CREDIT_NOTE
        flavor = "ubl-2.1-creditnote" if is_credit else "ubl-2.1-invoice"
        assert facturx.xml_check_xsd(xml, flavor=flavor)
        assert ubl_rules(xml) == []

    def test_that_does_not_add_up_is_found(self, ubl_rules: Check) -> None:
        wrong = replace(a_paper(), net_minor=1)
        assert "BR-CO-15" in " ".join(ubl_rules(RENDERER.render(wrong, FileKind.UBL)))

    @pytest.mark.parametrize("name", PAPERS)
    def test_says_what_the_cii_says(self, name: str) -> None:
        """Each sum, each rate and each line: one document in two syntaxes."""
        cii_ = ET.fromstring(RENDERER.render(PAPERS[name], FileKind.XML))
        ubl_ = ET.fromstring(RENDERER.render(PAPERS[name], FileKind.UBL))
        for theirs, ours in (
            ("DuePayableAmount", "PayableAmount"), ("GrandTotalAmount", "TaxInclusiveAmount"),
            ("TaxBasisTotalAmount", "TaxExclusiveAmount"), ("BasisAmount", "TaxableAmount"),
            ("RoundingAmount", "PayableRoundingAmount"), ("ChargeAmount", "PriceAmount"),
            ("IBANID", "PayeeFinancialAccount/ID"), ("LineID", "Line/ID"),
        ):  # fmt: skip
            said = [each.text for each in cii_.iter(f"{{{RAM}}}{theirs}")]
            assert said == told(ubl_, ours), (theirs, ours)


def told(root: ET.Element, path: str) -> list[str | None]:
    """Return what a UBL document says at the end of a path, wherever that is."""
    *above, last = path.split("/")
    return [
        child.text for parent in root.iter() for child in parent
        if child.tag.endswith(f"}}{last}") and all(parent.tag.endswith(each) for each in above)
    ]  # fmt: skip


class TestPdf:
    @pytest.mark.parametrize("name", PAPERS)
    def test_is_the_same_again_and_has_the_xml_inside(self, name: str) -> None:
        pdf = RENDERER.render(PAPERS[name], FileKind.PDF)
        assert pdf == RENDERER.render(PAPERS[name], FileKind.PDF)
        file, inside = facturx.get_xml_from_pdf(pdf, check_xsd=False)
        assert (file, inside) == ("factur-x.xml", RENDERER.render(PAPERS[name], FileKind.XML))

    def test_says_that_it_is_pdf_a_3_and_factur_x(self) -> None:
        reader = pypdf.PdfReader(io.BytesIO(RENDERER.render(a_paper(), FileKind.PDF)), strict=True)
        metadata = reader.trailer["/Root"]["/Metadata"].get_data().decode()
        for part in (
            "<pdfaid:part>3<", "<pdfaid:conformance>B<", "<fx:ConformanceLevel>EN 16931<",
            "<fx:DocumentFileName>factur-x.xml<",
            "<pdfaSchema:prefix>fx<",
        ):  # fmt: skip
            assert part in metadata
        ET.fromstring(metadata)
        (attached,) = reader.trailer["/Root"]["/AF"]
        assert attached.get_object()["/AFRelationship"] == "/Alternative"

    def test_says_what_is_on_it(self) -> None:
        words = said(RENDERER.render(a_paper(), FileKind.PDF))
        for word in ("Invoice", "NL-I2026-000001", "Penshop B.V.", "NL123456789B01", "Ada Pen",
                     "Utrecht", "05/01/2026", "R100000001", "#W-1", "SKU-1", "Pen 1", "24.79",
                     "-1.00", "21%", "28.92 EUR", "6.08 EUR", "35.00 EUR", "Shipping",
                     "Paid when ordered.", "NL-I2026-000001 · Page 1 / 1"):  # fmt: skip
            assert word in words, word

    @pytest.mark.parametrize("language", WORDS)
    def test_speaks_the_language_of_who_issues_it(self, language: str) -> None:
        paper = a_paper(**CREDIT, language=language, remarks=tuple(Remark))
        words = " ".join(said(RENDERER.render(paper, FileKind.PDF)).split())
        for word in (WORDS[language]["credit_note"], WORDS[language]["total"], "too blue",
                     WORDS[language]["corrects"], REMARKS[language][Remark.INTRA_COMMUNITY][:20],
                     amount(2892, "EUR", language)):  # fmt: skip
            assert word in words, word

    def test_of_a_long_order_repeats_its_head_and_counts_its_pages(self) -> None:
        lines = [a_line(n) for n in range(1, 131)]
        document = pypdfium2.PdfDocument(RENDERER.render(a_paper(*lines), FileKind.PDF))
        pages = [page.get_textpage().get_text_range() for page in document]
        assert len(pages) == 4
        for number, page in enumerate(pages, start=1):
            assert "Article" in page
            assert f"Page {number} / 4" in page
        assert "3,222.70 EUR" in pages[-1]
        assert "3,222.70 EUR" not in pages[0]

    @pytest.mark.parametrize("name", [
        "Łódź Ærøskøbing", "Москва", "Αθήνα", "山田 太郎", "김철수", "Nguyễn Thị Ánh", "हिन्दी",
    ])  # fmt: skip
    def test_writes_names_of_other_letters(self, name: str) -> None:
        paper = a_paper(buyer=replace(BUYER, name=name))
        assert name in said(RENDERER.render(paper, FileKind.PDF))

    @pytest.mark.parametrize("name", [
        "مرحبا", "שלום", "😀", "\u0301", "e\u0301\u0302", "\u200f\u202e", "\ue000", "a\u093e",
        "\U0010ffff", "क्\u200dष", "x" * 500, "\u0e01\u0e34", "　",
    ])  # fmt: skip
    def test_is_made_whatever_a_name_is(self, name: str) -> None:
        paper = a_paper(a_line(title=name), buyer=replace(BUYER, name=name, city=name))
        assert "35.00" in said(RENDERER.render(replace(paper, total_minor=3500), FileKind.PDF))

    def test_takes_markup_as_text(self) -> None:
        words = said(RENDERER.render(PAPERS["markup"], FileKind.PDF))
        assert '#import "x"' in words
        assert "#strong[x] $x$ \\" in words

    def test_of_a_receipt_or_in_dinars_has_no_xml(self) -> None:
        for paper in (a_paper(type=DocumentType.RECEIPT), a_paper(currency="KWD")):
            pdf = RENDERER.render(paper, FileKind.PDF)
            assert pypdf.PdfReader(io.BytesIO(pdf)).attachments == {}
        assert "3.500 KWD" in said(pdf)


class TestWords:
    def test_have_the_same_in_each_language(self) -> None:
        assert len({frozenset(each) for each in WORDS.values()}) == 1
        assert all(set(each) == set(Remark) for each in REMARKS.values())

    def test_write_numbers_as_a_language_does(self) -> None:
        assert amount(-123_456, "EUR", "de") == "-1.234,56"
        assert amount(1_234_567, "JPY", "en") == "1,234,567"
        assert amount(1_234_567, "KWD", "nl") == "1.234,567"
        assert unit_price(1000, 3, "EUR", "en") == "3.3333"
        assert unit_price(999, 3, "EUR", "en") == "3.33"


class TestPaper:
    @pytest.mark.parametrize("name", PAPERS)
    def test_is_what_was_kept_of_it(self, name: str) -> None:
        assert Paper.of_json(PAPERS[name].to_json()) == PAPERS[name]
