"""The ids by which web shops and kiosks tell an order."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oms.simulator.model import Order


def shop_id(order: Order) -> int:
    """Say a web shop's id of an order."""
    return 5_000_000_000_000 + order.channel.number * 100_000_000_000 + order.number


def kiosk_ref(order: Order) -> str:
    """Say the kiosks' id of an order."""
    return f"K-{order.number}"


def ref_of(order: Order) -> str:
    """Say the id by which an order is told that may be collected."""
    return str(shop_id(order)) if order.channel.adapter == "shopify" else kiosk_ref(order)
