"""Return slips: what lies in a box that comes back, where it goes, and a code of whose it is."""

from collections.abc import Mapping
from typing import Final

from oms.billing import queries as billing
from oms.channels import queries as channels
from oms.kernel.writing import by_language, day
from oms.ledger.database import Tx
from oms.locations import queries as locations
from oms.orders import queries as orders
from oms.returns.model import Return, ReturnReason
from oms.workflows.papers import Column, Paper

_NAMES: Final = (
    "title", "order", "placed", "until", "to", "parcel", "sku", "article", "units", "reason",
    "remark",
)  # fmt: skip
_WORDS: Final[Mapping[str, str]] = {
    "en": "Return slip|Order|Ordered on|Send it by|Send it to|Parcel|SKU|Article|Units|Reason|"
          "Put this slip into the box: by its code we know that it is yours.",
    "nl": "Retourbon|Bestelling|Besteld op|Terugsturen voor|Terugsturen naar|Pakket|Artikelnr.|"
          "Artikel|Aantal|Reden|Leg deze bon in de doos: aan de code zien we dat het van u is.",
    "de": "Rücksendeschein|Bestellung|Bestellt am|Zurücksenden bis|Zurücksenden an|Paket|"
          "Artikelnr.|Artikel|Menge|Grund|Bitte legen Sie diesen Schein in das Paket: am Code"
          " erkennen wir, dass es von Ihnen ist.",
    "fr": "Bon de retour|Commande|Commandé le|À renvoyer avant le|À renvoyer à|Colis|Référence|"
          "Article|Quantité|Motif|Joignez ce bon au colis : son code nous dit qu'il est de vous.",
}  # fmt: skip
WORDS: Final = by_language(_NAMES, _WORDS)
_REASON_NAMES: Final = (
    ReturnReason.DAMAGED_IN_SHIPPING, ReturnReason.DEFECTIVE, ReturnReason.WRONG_ITEM,
    ReturnReason.NOT_AS_EXPECTED, ReturnReason.WRONG_SIZE, ReturnReason.TOO_SMALL,
    ReturnReason.TOO_LARGE, ReturnReason.DUPLICATE, ReturnReason.GIFT, ReturnReason.LATE,
    ReturnReason.DID_NOT_WANT, ReturnReason.BETTER_PRICE, ReturnReason.POOR_SERVICE,
    ReturnReason.UNLIKE_PHOTO, ReturnReason.REFUSED, ReturnReason.UNKNOWN,
)  # fmt: skip
_REASONS: Final[Mapping[str, str]] = {
    "en": "damaged on its way|defective|another article|not as expected|wrong size|too small|"
          "too large|ordered twice|a gift|came late|not wanted|found for less|poor service|"
          "unlike its picture|refused|—",
    "nl": "onderweg beschadigd|defect|ander artikel|niet zoals verwacht|verkeerde maat|te klein|"
          "te groot|dubbel besteld|een cadeau|te laat|niet gewenst|elders goedkoper|"
          "slechte service|anders dan op de foto|geweigerd|—",
    "de": "unterwegs beschädigt|defekt|falscher Artikel|nicht wie erwartet|falsche Größe|zu klein|"
          "zu groß|doppelt bestellt|ein Geschenk|zu spät|nicht gewünscht|günstiger gefunden|"
          "schlechter Service|anders als abgebildet|nicht angenommen|—",
    "fr": "endommagé en route|défectueux|autre article|pas comme prévu|mauvaise taille|"
          "trop petit|trop grand|commandé deux fois|un cadeau|en retard|non souhaité|"
          "trouvé moins cher|mauvais service|différent de la photo|refusé|—",
}  # fmt: skip
REASONS: Final = by_language(_REASON_NAMES, _REASONS)
assert set(_REASON_NAMES) == set(ReturnReason)


def return_slip(tx: Tx, of: Return) -> Paper:
    """Return the slip of a return, in the language its channel's documents are in: no prices.

    Its number stands on it as a code to be scanned where it comes.
    """
    channel = channels.channel(tx, of.channel_code)
    language = billing.language_of(tx, channel.channel_id)
    said, reasons = WORDS[language], REASONS[language]
    order = orders.order(tx, of.order_number).summary
    facts = [
        (said["order"], order.external_number or of.order_number),
        (said["placed"], day(order.placed_on, language)),
    ]  # fmt: skip
    if of.expires_at is not None:
        facts.append((said["until"], day(of.expires_at.date(), language)))
    if of.location_code is not None:
        facts.append((said["to"], _address(tx, of.location_code)))
    if of.tracking_number is not None:
        facts.append((said["parcel"], f"{of.carrier or ''} {of.tracking_number}".strip()))
    return Paper(
        title=said["title"], number=of.return_number, made_at=of.created_at, facts=tuple(facts),
        code=of.return_number, remark=said["remark"],
        columns=(
            Column(name=said["sku"], share=3), Column(name=said["article"], share=7),
            Column(name=said["units"], share=2, is_number=True),
            Column(name=said["reason"], share=4),
        ),
        rows=tuple(
            (line.sku, line.title, str(line.expected), reasons[line.reason]) for line in of.lines
        ),
    )  # fmt: skip


def _address(tx: Tx, code: str) -> str:
    every = locations.places(tx, channel_codes=None)
    place = next(each.location for each in every if each.location.code == code)
    city = " ".join(each for each in (place.postcode, place.city) if each)
    return ", ".join(each for each in (place.name, place.street, city, place.country_code) if each)
