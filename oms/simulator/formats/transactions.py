"""What was done with the payments of a web shop's order, as the shop lists its transactions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oms.simulator.formats.texts import amount, local
from oms.simulator.refs import shop_id
from oms.simulator.tenders import payments_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from typing import Any

    from oms.simulator.model import Order
    from oms.simulator.snapshot import Snapshot
    from oms.simulator.tenders import Paid

# What the shop calls the ways to pay.
GATEWAYS = {
    "card": "shopify_payments", "wallet": "paypal", "bank": "bank_transfer",
    "gift_card": "gift_card",
}  # fmt: skip
TENDERS = {gateway: tender for tender, gateway in GATEWAYS.items()}


def transactions(snapshot: Snapshot) -> list[dict[str, Any]]:
    """List the sales, the refunds and what failed, oldest payment first."""
    return [each for paid in payments_of(snapshot) for each in _of(snapshot.order, paid)]


def transaction_id(order: Order, paid: Paid) -> int:
    """Say the shop's id of the sale a payment begins with."""
    return (shop_id(order) * 10 + paid.no) * 100


def _of(order: Order, paid: Paid) -> Iterator[dict[str, Any]]:
    first = transaction_id(order, paid)
    sale = {"id": first, "kind": "sale", **_written(order, paid, paid.at, paid.amount)}
    if paid.fails_first:
        yield sale | {"id": first + 1, "status": "failure"}
    yield sale
    for number, (change, minor) in enumerate(paid.refunds, 2):
        refund = _written(order, paid, change.at, minor)
        yield {"id": first + number, "parent_id": first, "kind": "refund", **refund}


def _written(order: Order, paid: Paid, at: datetime, minor: int) -> dict[str, Any]:
    written: dict[str, Any] = {
        "status": "success", "gateway": GATEWAYS[paid.tender],
        "amount": amount(minor), "currency": order.currency,
        "processed_at": local(at, order.channel.time_zone),
    }  # fmt: skip
    if paid.last4:
        written["payment_details"] = {
            "credit_card_company": paid.brand,
            "credit_card_number": f"•••• •••• •••• {paid.last4}",
        }
    return written
