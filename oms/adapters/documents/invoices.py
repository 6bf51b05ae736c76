"""Invoices, credit notes and receipts as files: PDF/A-3 with EN 16931 inside, and that alone."""

import json
import unicodedata
from collections.abc import Callable
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

from oms.adapters.documents import cii, facturx, ubl, words
from oms.billing.model import BilledLine, FileKind, Paper, Party
from oms.kernel.writing import amount, day

TEMPLATE: Final = Path(__file__).with_name("invoice.typ")
FACES: Final = {
    "Noto Sans": ("fontpkg_noto_sans", "NotoSans["),
    "Noto Sans Arabic": ("fontpkg_noto_sans_arabic", "NotoSansArabic["),
    "Noto Sans CJK JP": ("noto_cjk_sans_jp_regular", "NotoSansCJKjp-Regular"),
}
STANDARD: Final = "a-3b"
# What stands for a character no face has.
LACKING: Final = "?"


class InvoiceRenderer:
    """Makes files of documents: the same document, the same bytes."""

    def render(self, paper: Paper, kind: FileKind) -> bytes:
        """Return a document as a file."""
        if kind is FileKind.XML:
            return cii.write(paper)
        if kind is FileKind.UBL:
            return ubl.write(paper)
        return _pdf(paper)


def _pdf(paper: Paper) -> bytes:
    # Heavy, and asked for by few.
    import typst

    xml = cii.write(paper) if paper.is_structured else None

    def compiled(shown: Callable[[str], str]) -> bytes:
        files = {
            "main.typ": TEMPLATE.read_bytes(),
            "paper.json": json.dumps(_mapped(_content(paper), shown)).encode(),
        }
        if xml is not None:
            files["factur-x.xml"] = xml
        made = typst.compile(
            files, format="pdf", pdf_standards=[STANDARD], font_paths=_faces(),
            ignore_system_fonts=True,
        )  # fmt: skip
        assert isinstance(made, bytes), "one document, one file"
        return made

    try:
        made = compiled(_shown)
    except typst.TypstError:
        # Characters that are there by themselves and cannot be set beside each other.
        made = compiled(_plain)
    return made if xml is None else facturx.marked(made)


@cache
def _faces() -> Any:
    """Return the faces' files, opened once."""
    import typst  # as above

    found = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False,
        font_paths=[str(file.parent) for file in _files()],
    )  # fmt: skip
    # Without a face it would set nothing, and say nothing.
    assert set(FACES) <= set(found.families()), f"there are only {found.families()}"
    return found


def _files() -> list[Path]:
    found = []
    for package, begin in FACES.values():
        folder = Path(str(resources.files(package)))
        files = sorted(folder.rglob("*"))
        found.append(next(each for each in files if each.name.startswith(begin)))
    return found


@cache
def _known() -> frozenset[int]:
    """Return every character some face has."""
    from fontTools.ttLib import TTFont  # type: ignore[import-untyped]  # as above

    found: set[int] = set()
    for file in _files():
        with TTFont(file, lazy=True) as face:
            found |= face.getBestCmap().keys()
    return frozenset(found)


def _shown(text: str) -> str:
    """Return a text of characters that can be set; the exact one is in the XML."""
    known = _known()
    normal = unicodedata.normalize("NFC", text)
    return "".join(
        each if ord(each) in known else LACKING
        for each in normal
        if unicodedata.category(each)[0] != "C"
    )


def _plain(text: str) -> str:
    """Return a text of letters that stand by themselves, as far as they do."""
    return "".join(each if unicodedata.category(each)[0] != "M" else "" for each in _shown(text))


def _mapped(value: Any, shown: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {name: _mapped(each, shown) for name, each in value.items()}
    if isinstance(value, list):
        return [_mapped(each, shown) for each in value]
    return shown(value) if isinstance(value, str) else value


def _content(paper: Paper) -> dict[str, Any]:
    """Return what the template sets, every number written."""
    language, said = paper.language, words.WORDS[paper.language]
    has_discount = any(line.discount_minor for line in paper.lines)
    rows = [_row(paper, line, has_discount=has_discount) for line in paper.lines]
    return {
        "title": words.title_of(paper.type, language), "number": paper.number,
        "language": language, "faces": list(FACES), "words": {"page": said["page"]},
        "made": [paper.issued_on.year, paper.issued_on.month, paper.issued_on.day],
        "xml": paper.is_structured, "seller": _seller(paper), "footer": _footer(paper),
        "addresses": _addresses(paper), "facts": _facts(paper),
        "columns": _columns(paper, has_discount=has_discount), "rows": rows,
        "totals": _totals(paper), "notes": _notes(paper),
    }  # fmt: skip


def _seller(paper: Paper) -> list[str]:
    seller, said = paper.seller, words.WORDS[paper.language]
    return [
        *_address(seller), *([seller.email] if seller.email else []),
        *([seller.phone] if seller.phone else []), f"{said['vat_id']} {seller.vat_id}",
    ]  # fmt: skip


def _address(party: Party) -> list[str]:
    city = " ".join(each for each in (party.postcode, party.city) if each)
    return [each for each in (party.name, party.street, city, party.country_code) if each]


def _addresses(paper: Paper) -> list[dict[str, Any]]:
    said = words.WORDS[paper.language]
    buyer = _address(paper.buyer)
    if paper.buyer.vat_id:
        buyer.append(f"{said['vat_id']} {paper.buyer.vat_id}")
    found = [{"name": said["buyer"], "lines": buyer}]
    if paper.ship_to is not None and _address(paper.ship_to) != _address(paper.buyer):
        found.append({"name": said["ship_to"], "lines": _address(paper.ship_to)})
    else:
        found.append({"name": "", "lines": [""]})
    return found


def _facts(paper: Paper) -> list[list[str]]:
    said, language = words.WORDS[paper.language], paper.language
    found = [
        [said["date"], day(paper.issued_on, language)],
        [said["supplied"], day(paper.supplied_on, language)],
        [said["order"], paper.order_number],
    ]
    if paper.external_number:
        found.append([said["your_order"], paper.external_number])
    return found


def _columns(paper: Paper, *, has_discount: bool) -> list[dict[str, Any]]:
    said = words.WORDS[paper.language]
    names = ["sku", "article", "units", "price", *(["discount"] if has_discount else []),
             "rate", "net"]  # fmt: skip
    return [
        {"name": said[name], "wide": name == "article", "right": name not in {"sku", "article"}}
        for name in names
    ]


def _row(paper: Paper, line: BilledLine, *, has_discount: bool) -> list[str]:
    said, language = words.WORDS[paper.language], paper.language
    title = words.title_of_line(line, language)
    if not line.quantity:
        title = f"{title} ({said['correction']})"
    price = words.unit_price(
        line.net_minor + line.discount_minor, line.quantity or 1, paper.currency, language
    )
    discount = amount(-line.discount_minor, paper.currency, language)
    return [
        line.sku, title, str(line.quantity or ""), price,
        *([discount if line.discount_minor else ""] if has_discount else []),
        words.rate(line.rate_ppm, language),
        amount(line.net_minor, paper.currency, language),
    ]  # fmt: skip


def _totals(paper: Paper) -> list[dict[str, Any]]:
    said, language = words.WORDS[paper.language], paper.language

    def row(name: str, minor: int, *, strong: bool = False) -> dict[str, Any]:
        value = f"{amount(minor, paper.currency, language)} {paper.currency}"
        return {"name": name, "value": value, "strong": strong}

    taxes = [
        row(
            f"{said['vat']} {words.rate(group.rate_ppm, language)} ({said['basis'].lower()}"
            f" {amount(group.net_minor, paper.currency, language)})", group.tax_minor,
        )
        for group in paper.groups
    ]  # fmt: skip
    total = [row(said["total"], paper.total_minor, strong=True)]
    if paper.rounding_minor:
        total += [row(said["rounding"], paper.rounding_minor),
                  row(said["payable"], paper.payable_minor, strong=True)]  # fmt: skip
    return [row(said["total_net"], paper.net_minor), *taxes, *total]


def _notes(paper: Paper) -> list[str]:
    said, language = words.WORDS[paper.language], paper.language
    found = []
    if paper.preceding is not None:
        on = day(paper.preceding.issued_on, language)
        found.append(f"{said['corrects']} {paper.preceding.number} {said['of']} {on}.")
    if paper.reason:
        found.append(f"{said['reason']}: {paper.reason}")
    found += [words.REMARKS[language][each] for each in paper.remarks]
    if paper.preceding is None:
        found.append(paper.payment_terms)
    return found


def _footer(paper: Paper) -> list[str]:
    said = words.WORDS[paper.language]
    found = [paper.seller.name]
    if paper.seller.registration_id:
        found.append(f"{said['registration']} {paper.seller.registration_id}")
    if paper.iban:
        found.append(f"{said['iban']} {paper.iban}")
    return found
