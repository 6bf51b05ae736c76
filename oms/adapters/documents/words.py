"""What stands on documents, in the language of who issues them."""

from collections.abc import Mapping
from typing import Final

from oms.billing.model import SHIPPING_LINE_NO, BilledLine, DocumentType, Remark
from oms.kernel.money import exponent_of
from oms.kernel.writing import amount, by_language, number

_NAMES: Final = (
    "invoice", "credit_note", "receipt", "number", "date", "supplied", "order", "your_order",
    "corrects", "of", "reason", "buyer", "ship_to", "vat_id", "registration", "sku", "article",
    "units", "price", "discount", "rate", "net", "shipping", "vat", "total_net", "total",
    "rounding", "payable", "page", "correction", "iban", "basis", "fee",
)  # fmt: skip
_WORDS: Final[Mapping[str, str]] = {
    "en": (
        "Invoice|Credit note|Receipt|Number|Date|Supplied|Order|Your order|Corrects invoice|of|"
        "Reason|Bill to|Delivered to|VAT no.|Reg. no.|SKU|Article|Units|Price|Discount|VAT|Net|"
        "Shipping|VAT|Total excl. VAT|Total incl. VAT|Rounding|To pay|Page|Correction|IBAN|On|"
        "Fee for the return"
    ),
    "nl": (
        "Factuur|Creditnota|Kassabon|Nummer|Datum|Geleverd op|Order|Uw bestelling|"
        "Correctie op factuur|van|Reden|Factuuradres|Afleveradres|Btw-nr.|KvK|Artikelnr.|Artikel|"
        "Aantal|Prijs|Korting|Btw|Netto|Verzendkosten|Btw|Totaal excl. btw|Totaal incl. btw|"
        "Afronding|Te betalen|Pagina|Correctie|IBAN|Over|Retourkosten"
    ),
    "de": (
        "Rechnung|Rechnungskorrektur|Kassenbeleg|Nummer|Datum|Lieferdatum|Auftrag|Ihre Bestellung|"
        "Korrigiert Rechnung|vom|Grund|Rechnungsadresse|Lieferadresse|USt-IdNr.|HRB|Artikelnr.|"
        "Artikel|Menge|Preis|Rabatt|USt.|Netto|Versand|USt.|Summe netto|Summe brutto|Rundung|"
        "Zu zahlen|Seite|Korrektur|IBAN|Auf|Rücksendegebühr"
    ),
    "fr": (
        "Facture|Avoir|Reçu|Numéro|Date|Livré le|Commande|Votre commande|Rectifie la facture|du|"
        "Motif|Adresse de facturation|Adresse de livraison|N° TVA|RCS|Référence|Article|Quantité|"
        "Prix|Remise|TVA|Net|Frais de port|TVA|Total HT|Total TTC|Arrondi|À payer|Page|"
        "Correction|IBAN|Sur|Frais de retour"
    ),
}  # fmt: skip
WORDS: Final[Mapping[str, Mapping[str, str]]] = by_language(_NAMES, _WORDS)
REMARKS: Final[Mapping[str, Mapping[Remark, str]]] = {
    "en": {
        Remark.REVERSE_CHARGE: "Reverse charge: VAT is accounted for by the customer.",
        Remark.INTRA_COMMUNITY: "Intra-Community supply, exempt under Article 138 of Directive"
        " 2006/112/EC.",
        Remark.EXPORT: "Export outside the EU, exempt under Article 146 of Directive 2006/112/EC.",
        Remark.ONE_STOP_SHOP: "VAT of the country of delivery, declared through the One Stop Shop.",
    },
    "nl": {
        Remark.REVERSE_CHARGE: "Btw verlegd.",
        Remark.INTRA_COMMUNITY: "Intracommunautaire levering, vrijgesteld op grond van artikel 138"
        " van Richtlijn 2006/112/EG.",
        Remark.EXPORT: "Uitvoer buiten de EU, vrijgesteld op grond van artikel 146 van Richtlijn"
        " 2006/112/EG.",
        Remark.ONE_STOP_SHOP: "Btw van het land van aflevering, aangegeven via het"
        " éénloketsysteem.",
    },
    "de": {
        Remark.REVERSE_CHARGE: "Steuerschuldnerschaft des Leistungsempfängers.",
        Remark.INTRA_COMMUNITY: "Steuerfreie innergemeinschaftliche Lieferung (Artikel 138 der"
        " Richtlinie 2006/112/EG).",
        Remark.EXPORT: "Steuerfreie Ausfuhrlieferung (Artikel 146 der Richtlinie 2006/112/EG).",
        Remark.ONE_STOP_SHOP: "Umsatzsteuer des Bestimmungslandes, gemeldet im"
        " One-Stop-Shop-Verfahren.",
    },
    "fr": {
        Remark.REVERSE_CHARGE: "Autoliquidation.",
        Remark.INTRA_COMMUNITY: "Livraison intracommunautaire exonérée (article 138 de la directive"
        " 2006/112/CE).",
        Remark.EXPORT: "Exportation exonérée (article 146 de la directive 2006/112/CE).",
        Remark.ONE_STOP_SHOP: "TVA du pays de livraison, déclarée au guichet unique (OSS).",
    },
}  # fmt: skip


def title_of(kind: DocumentType, language: str) -> str:
    """Return what a document is called."""
    return WORDS[language][kind.value]


def title_of_line(line: BilledLine, language: str) -> str:
    """Return what a line is of: an article, shipping, or the fee for having taken one back."""
    said = WORDS[language]
    if line.line_no < SHIPPING_LINE_NO:
        return f"{said['fee']}: {line.title}"
    return line.title or said["shipping"]


def rate(rate_ppm: int, language: str) -> str:
    """Write a rate in percent."""
    text = f"{rate_ppm / 10_000:.2f}".rstrip("0").rstrip(".")
    return f"{number(text, language)}%"


def unit_price(net_minor: int, quantity: int, currency: str, language: str) -> str:
    """Write the price of a unit, with two decimals more where it does not come out even."""
    if net_minor % quantity == 0:
        return amount(net_minor // quantity, currency, language)
    exponent = exponent_of(currency)
    minor = round(net_minor * 100 / quantity)
    return number(f"{minor // 10**(exponent + 2)}.{minor % 10**(exponent + 2):0{exponent + 2}}",
                  language)  # fmt: skip
