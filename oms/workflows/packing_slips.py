"""Packing slips: what lies in a box, in the language of who bought it."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from oms.billing import queries as billing
from oms.channels import queries as channels
from oms.fulfillment import queries as fulfillments
from oms.kernel.writing import by_language, day
from oms.ledger.database import Tx
from oms.orders import queries as orders
from oms.shipments import queries as parcels
from oms.shipments.model import ParcelState
from oms.workflows.papers import Column, Paper

_NAMES: Final = ("title", "order", "placed", "from", "parcel", "point", "sku", "article", "units")
_WORDS: Final[Mapping[str, str]] = {
    "en": "Packing slip|Order|Placed on|From|Parcel|Pick-up point|SKU|Article|Units",
    "nl": "Pakbon|Bestelling|Besteld op|Van|Pakket|Afhaalpunt|Artikelnr.|Artikel|Aantal",
    "de": "Lieferschein|Bestellung|Bestellt am|Von|Paket|Abholstation|Artikelnr.|Artikel|Menge",
    "fr": "Bon de livraison|Commande|Commandé le|De|Colis|Point relais|Référence|Article|Quantité",
}
WORDS: Final = by_language(_NAMES, _WORDS)


def packing_slip(tx: Tx, number: str) -> Paper:
    """Return what goes into the box with a fulfillment order: no prices, nobody's address.

    It is in the language its channel's documents are in. Raises FulfillmentOrderNotFound.
    """
    of = fulfillments.fulfillment_order(tx, number)
    order = orders.order(tx, of.order_number).summary
    channel = channels.channel(tx, order.channel_code)
    language = billing.language_of(tx, channel.channel_id)
    said = WORDS[language]
    sent = [
        each for each in parcels.of_fulfillment(tx, of.fulfillment_id)
        if each.state is not ParcelState.VOIDED
    ]  # fmt: skip
    facts = [
        (said["order"], order.external_number or of.order_number),
        (said["placed"], day(order.placed_on, language)), (said["from"], of.location_code),
        *((f"{said['parcel']} {each.parcel_number}", f"{each.carrier} {each.tracking_number}")
          for each in sent),
        *_point(parcels.point_of(tx, of.fulfillment_id), said["point"]),
    ]  # fmt: skip
    lines = [(line, line.quantity - line.removed) for line in of.lines]
    return Paper(
        title=said["title"], number=of.fulfillment_number, made_at=of.changed_at,
        facts=tuple(facts),
        columns=(Column(name=said["sku"], share=3), Column(name=said["article"], share=8),
                 Column(name=said["units"], share=2, is_number=True)),
        rows=tuple((line.sku, line.title, str(units)) for line, units in lines if units),
    )  # fmt: skip


def _point(kept: Mapping[str, Any] | None, name: str) -> Iterator[tuple[str, str]]:
    """Give where the carrier takes it to: a pick-up point is nobody's address."""
    if kept is not None:
        known = [kept.get(each) for each in ("name", "street", "postcode", "city", "country_code")]
        yield name, ", ".join(each for each in (*known, kept["point_id"]) if each)
