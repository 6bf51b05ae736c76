"""What has to exist before the first document can be captured, as plain data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from oms.simulator.backoffice import announced_on
from oms.simulator.catalogue import catalogue
from oms.simulator.formats import canonical
from oms.simulator.formats.shopify import LOCATION_IDS, METHODS, PICKUP_ATTRIBUTE, POINT_ATTRIBUTE
from oms.simulator.formats.transactions import TENDERS
from oms.simulator.network import (
    BACKOFFICE,
    CHANNELS,
    DC,
    KIOSK,
    PLACES,
    POS,
    ROUTED,
    SHOP_STORES,
    TILL_STORES,
    WEBSHOP_EU,
    WEBSHOP_UK,
)
from oms.simulator.shop import ACCESS_TOKEN

if TYPE_CHECKING:
    from datetime import date

    from oms.simulator.model import Channel, Place

MAPPINGS = Path(__file__).parent / "mappings"
WEBHOOK_SECRET = "simulated-webhook-secret"  # noqa: S105  # of a shop that does not exist

# Where a channel's orders may be supplied from, best first.
NETWORKS: dict[str, tuple[Place, ...]] = {
    WEBSHOP_EU.code: (DC, *TILL_STORES),
    WEBSHOP_UK.code: (DC, *SHOP_STORES),
    POS.code: (DC, *TILL_STORES),
    KIOSK.code: (DC, *TILL_STORES),
}


def locations() -> list[dict[str, Any]]:
    """List the DC, the stores and the pick-up points."""
    return [
        {
            "code": place.code,
            "name": place.name,
            "kind": place.kind,
            "street": place.street,
            "postcode": place.postcode,
            "city": place.city,
            "region": place.region,
            "country_code": place.country_code,
            "latitude": place.latitude,
            "longitude": place.longitude,
            "time_zone": place.time_zone,
            "opening_hours": {
                day: [list(span) for span in spans] for day, spans in place.hours.items()
            },
        }
        for place in PLACES
    ]


def channels(*, shop_url: str = "", is_routed: bool = False) -> list[dict[str, Any]]:
    """List the six channels that sell, and the back office that feeds catalogue and stock.

    Until the present the channels tell what they have sent; then it is for us to have it sent.
    The address is that of the shop (oms.simulator.shop) from which one of them is pulled.
    """
    return [
        {
            "code": channel.code,
            "name": channel.name,
            "kind": channel.kind,
            "currency": channel.currency,
            "currencies": (channel.currency,),
            "prices_include_tax": channel.prices_include_tax,
            "time_zone": channel.time_zone,
            "adapter": channel.adapter,
            "adapter_options": adapter_options(channel, shop_url=shop_url),
            "network": tuple(place.code for place in NETWORKS.get(channel.code, (DC,))),
            "threshold": 1 if channel.kind == "marketplace" else 0,
            "is_routed": is_routed and channel.code in ROUTED,
            "collect_supply": "any" if channel.code in ROUTED else "store",
        }
        for channel in (*CHANNELS, BACKOFFICE)
    ]


def legal_entity() -> dict[str, Any]:
    """Say whose the sales are; the marketplace invoices by itself, tills give receipts."""
    policies = {
        channel.code: "on_request" if channel.kind in {"pos", "kiosk"} else "on_shipment"
        for channel in CHANNELS
        if channel.kind != "marketplace"
    }
    return {
        "code": "retail-nl", "name": "Noordkade Retail B.V.", "street": DC.street,
        "postcode": DC.postcode, "city": DC.city, "country_code": DC.country_code,
        "vat_id": "NL000099998B57", "registration_id": "99000001", "series_prefix": "NK",
        "payment_terms": "Paid when ordered.", "language": "en", "time_zone": DC.time_zone,
        "email": "invoices@example.com", "iban": "NL91ABNA0417164300", "bic": "ABNANL2A",
        "channels": policies,
    }  # fmt: skip


def adapter_options(channel: Channel, *, shop_url: str) -> dict[str, Any]:
    """Say what a channel's adapter must know."""
    if channel.adapter == "tabular":
        return {"mappings": {"orders": str(MAPPINGS / f"{channel.code}.yaml")}}
    if channel.adapter != "shopify":
        return {}
    options: dict[str, Any] = {
        "locations": LOCATION_IDS, "methods": METHODS, "pickup_attribute": PICKUP_ATTRIBUTE,
        "point_attribute": POINT_ATTRIBUTE, "tenders": TENDERS,
    }  # fmt: skip
    if channel.transport == "pull":
        return {**options, "url": shop_url, "token": ACCESS_TOKEN}
    return {**options, "secret": WEBHOOK_SECRET}


def products(seed: int, first: date) -> list[bytes]:
    """List the catalogue of a story's first day, as canonical product documents."""
    return [
        canonical.product(product, product.title, product.product_type)
        for product in catalogue(seed, first)
        if announced_on(product, first) == first
    ]
