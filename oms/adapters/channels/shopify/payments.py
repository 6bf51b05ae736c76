"""The transactions of a Shopify order as draft rows of payments: totals so far of each."""

import re
from dataclasses import dataclass
from typing import Any, Final

from oms.adapters.channels.shopify.options import Options
from oms.adapters.channels.shopify.reading import Reader
from oms.payments.model import Tender

# Whose payouts name the transaction a payment began with (`source_order_transaction_id`).
NAMES_TRANSACTIONS: Final = "shopify_payments"
# What begins a payment; what follows on one names it as its parent.
BEGINS: Final = frozenset({"authorization", "sale"})
_SHOWN: Final = re.compile(r"([0-9]{4})\s*$")


@dataclass(slots=True, kw_only=True)
class _Payment:
    """A payment, summed up from its transactions."""

    begun: Reader
    gateway: str
    authorized: int = 0
    captured: int = 0
    refunded: int = 0


def payment_rows(
    position: int, reader: Reader, currency: str, options: Options, *, location_code: str | None
) -> list[list[Any]]:
    """Return the payments of an order whose document has its transactions.

    The shop captures and refunds by itself. What failed or is pending has moved nothing, and what
    is in another currency than the order is not told here.
    """
    found: dict[str, _Payment] = {}
    root: dict[str, str] = {}  # of each transaction the one its payment began with
    for each in reader.each("transactions"):
        is_done = each.text("status") == "success"
        if not is_done or (each.text("currency") or currency) != currency:
            continue
        ref, kind = each.ref("id") or "", each.text("kind")
        parent = each.ref("parent_id", is_needed=False)
        root[ref] = root.get(parent or "", ref)
        if kind in BEGINS:
            found[ref] = _Payment(begun=each, gateway=each.text("gateway") or "")
        if root[ref] in found:
            _add(found[root[ref]], kind, each.amount("amount", currency))
    return [
        _row(position, ref, payment, options, location_code)
        for ref, payment in found.items() if payment.authorized > 0
    ]  # fmt: skip


def _add(payment: _Payment, kind: str | None, amount_minor: int) -> None:
    match kind:
        case "authorization":
            payment.authorized += amount_minor
        case "sale":
            payment.authorized += amount_minor
            payment.captured += amount_minor
        case "capture":
            payment.captured += amount_minor
        case "refund":
            payment.refunded += amount_minor
        case _:  # a void, or what is only announced
            return


def _row(
    position: int, ref: str, payment: _Payment, options: Options, location_code: str | None
) -> list[Any]:
    begun = payment.begun
    details = begun.inside("payment_details")
    shown = _SHOWN.search(details.text("credit_card_number") or "") if details else None
    return [
        position, ref, options.tenders.get(payment.gateway, Tender.CARD).value,
        payment.gateway or None, ref if payment.gateway == NAMES_TRANSACTIONS else None, "channel",
        details.text("credit_card_company") if details else None, shown[1] if shown else None,
        max(payment.authorized, payment.captured), payment.authorized, payment.captured,
        payment.refunded, begun.instant("authorization_expires_at", is_needed=False),
        location_code, None,
    ]  # fmt: skip
