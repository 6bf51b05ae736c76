"""What makes a PDF/A-3 with an invoice inside a Factur-X: its metadata say so."""

import re
from typing import Final

# The names of Factur-X, and for PDF/A what each of them means.
_PROPERTIES: Final = {
    "DocumentType": "INVOICE", "DocumentFileName": "factur-x.xml", "Version": "1.0",
    "ConformanceLevel": "EN 16931",
}  # fmt: skip
_NAMESPACE: Final = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
_SAYS: Final = (
    f'<rdf:Description rdf:about="" xmlns:fx="{_NAMESPACE}">'
    + "".join(f"<fx:{name}>{value}</fx:{name}>" for name, value in _PROPERTIES.items())
    + "</rdf:Description>"
)
_MEANS: Final = (
    '<rdf:li rdf:parseType="Resource">'
    "<pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>"
    f"<pdfaSchema:namespaceURI>{_NAMESPACE}</pdfaSchema:namespaceURI>"
    "<pdfaSchema:prefix>fx</pdfaSchema:prefix><pdfaSchema:property><rdf:Seq>"
    + "".join(
        '<rdf:li rdf:parseType="Resource"><pdfaProperty:category>external</pdfaProperty:category>'
        f"<pdfaProperty:description>{name} of the invoice inside</pdfaProperty:description>"
        f"<pdfaProperty:name>{name}</pdfaProperty:name>"
        "<pdfaProperty:valueType>Text</pdfaProperty:valueType></rdf:li>"
        for name in _PROPERTIES
    )
    + "</rdf:Seq></pdfaSchema:property></rdf:li>"
)
_METADATA: Final = re.compile(
    rb"<</Length (\d+)/Type/Metadata/Subtype/XML>>\nstream\n(.*?)\nendstream", re.DOTALL
)
_ENTRY: Final = re.compile(rb"^(\d{10}) (\d{5} n)", re.MULTILINE)
_START: Final = re.compile(rb"startxref\n(\d+)\n")


def marked(pdf: bytes) -> bytes:
    """Return a PDF whose metadata say that there is an EN 16931 invoice inside.

    What stands behind the metadata moves on by as much, and the table of where everything
    stands with it.
    """
    found = _METADATA.search(pdf)
    assert found is not None, "metadata stand in the file as they are"
    says = found[2]
    said = says.replace(b"<pdfaExtension:schemas><rdf:Bag>",
                        b"<pdfaExtension:schemas><rdf:Bag>" + _MEANS.encode(), 1)  # fmt: skip
    said = said.replace(b"</rdf:RDF>", _SAYS.encode() + b"</rdf:RDF>", 1)
    assert len(said) == len(says) + len(_MEANS) + len(_SAYS), "both have their place"
    stream = found[0].replace(says, said).replace(
        b"/Length %d/" % len(says), b"/Length %d/" % len(said), 1
    )  # fmt: skip
    shift = len(stream) - len(found[0])
    began = _START.search(pdf, found.end())
    assert began is not None, "a file ends with where its table begins"
    table = int(began[1])
    entries = _ENTRY.sub(
        lambda entry: b"%010d %s" % (
            int(entry[1]) + (shift if int(entry[1]) > found.start() else 0), entry[2]
        ),
        pdf[table : began.start()],
    )  # fmt: skip
    return b"".join((
        pdf[: found.start()], stream, pdf[found.end() : table], entries,
        b"startxref\n%d\n" % (table + shift), pdf[began.end() :],
    ))  # fmt: skip
