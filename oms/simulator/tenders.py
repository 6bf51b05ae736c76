"""What orders are paid with: drawn from an order's number, so that it disturbs no other chance.

Everybody captures as they sell, but for businesses that call: some of them pay an invoice weeks
after their goods came. What is canceled or returned is given back to what it was paid with, the
newest first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from oms.simulator.snapshot import Snapshot
from oms.simulator.streams import Wheel, scatter, wheel

if TYPE_CHECKING:
    from datetime import datetime

    from oms.simulator.model import Change, Order

# Per kind of channel, how often what is paid with; "split" is a gift card and a card.
WHEELS: Final[dict[str, Wheel[str]]] = {
    "webshop": wheel({"card": 52, "wallet": 27, "bank": 14, "split": 4, "gift_card": 3}),
    "kiosk": wheel({"card": 100}),
    "pos": wheel({"card": 61, "cash": 32, "split": 4, "gift_card": 3}),
    "marketplace": wheel({"wallet": 100}),  # the buyer pays the marketplace, and that pays us
    "phone": wheel({"card": 58, "invoice": 42}),  # by a link, or when the goods have come
}
# Who settles what was paid, by kind of channel and tender.
SERVICES: Final[dict[tuple[str, str], str]] = {
    ("webshop", "card"): "shopify_payments", ("pos", "card"): "terminal",
    ("marketplace", "wallet"): "marketpay", ("phone", "card"): "paylink",
}  # fmt: skip
INVOICE: Final = "invoice"
_BRANDS: Final = ("visa", "mastercard", "maestro")
_GIFTS: Final = (1000, 2500, 5000)
FAILS_FIRST_PERCENT: Final = 3
_SALT: Final = 41
_GONE: Final = frozenset({"cancel", "return"})


class Paid(NamedTuple):
    """One payment of an order as it is at a moment."""

    no: int  # from 1 within the order
    tender: str
    brand: str
    last4: str
    at: datetime
    amount: int
    captured: int  # all of it, unless it is invoiced
    fails_first: bool  # it was tried once before, in vain
    refunds: tuple[tuple[Change, int], ...]  # what went back, and with which change

    @property
    def refunded(self) -> int:
        """Add up what went back."""
        return sum(amount for _, amount in self.refunds)


def payments_of(snapshot: Snapshot) -> list[Paid]:
    """Say how an order is paid by now: what was added later has a payment of its own."""
    order = snapshot.order
    chosen = _tenders(order)
    if not chosen:
        return []
    rest = _first_total(order)
    paid: list[Paid] = []
    bits = scatter(_SALT + 1, order.number * 10 + order.channel.number)
    for index, tender in enumerate(chosen):
        is_last = index == len(chosen) - 1
        amount = rest if is_last else min(_GIFTS[bits % len(_GIFTS)], rest // 2)
        paid.append(_paid(index + 1, tender, amount, order.placed_at, bits))
        rest -= amount
    if chosen == (INVOICE,):
        return [_invoiced(snapshot, each) for each in paid if each.amount > 0]
    for change in snapshot.changes:
        if change.kind == "add":
            more = sum(part.total for part in change.parts)
            paid.append(_paid(len(paid) + 1, chosen[-1], more, change.at, 0))
    return _with_refunds(snapshot, [each for each in paid if each.amount > 0])


def service_of(order: Order, paid: Paid) -> str | None:
    """Say who settles a payment: nobody what lies in a drawer."""
    return SERVICES.get((order.channel.kind, paid.tender))


def is_invoiced(order: Order) -> bool:
    """Tell whether it is paid when the goods have come."""
    return _tenders(order) == (INVOICE,)


def _tenders(order: Order) -> tuple[str, ...]:
    """Draw what it is paid with: nothing yet for what is paid in the store."""
    kinds = WHEELS.get(order.channel.kind)
    if kinds is None or order.method == "reserve":
        return ()
    bits = scatter(_SALT, order.number * 10 + order.channel.number)
    tender = kinds.at(bits % 1000 / 1000)
    return ("gift_card", "card") if tender == "split" else (tender,)


def _first_total(order: Order) -> int:
    """Say what was to be paid as it was placed."""
    return Snapshot(order, 0).total


def _paid(no: int, tender: str, amount: int, at: datetime, bits: int) -> Paid:
    is_card = tender == "card"
    return Paid(
        no=no, tender=tender, brand=_BRANDS[bits % len(_BRANDS)] if is_card else "",
        last4=f"{bits % 10_000:04d}" if is_card else "", at=at, amount=amount, captured=amount,
        fails_first=is_card and bits % 100 < FAILS_FIRST_PERCENT, refunds=(),
    )  # fmt: skip


def _with_refunds(snapshot: Snapshot, paid: list[Paid]) -> list[Paid]:
    """Give back what is canceled or returned, of the newest payment first.

    What is canceled whole has its shipping back, too.
    """
    left = [each.amount for each in paid]
    refunds: list[list[tuple[Change, int]]] = [[] for _ in paid]
    for change in snapshot.changes:
        if change.kind not in _GONE:
            continue
        back = _back(snapshot.order, change)
        for index in reversed(range(len(paid))):
            amount = min(back, left[index])
            if amount:
                refunds[index].append((change, amount))
                left[index] -= amount
                back -= amount
    return [each._replace(refunds=tuple(r)) for each, r in zip(paid, refunds, strict=True)]


def _invoiced(snapshot: Snapshot, paid: Paid) -> Paid:
    """Let what is left of an order be paid once its invoice is, and what goes then come back."""
    left, captured, refunds = paid.amount, 0, []
    for change in snapshot.changes:
        if change.kind == "pay":
            captured = left
        elif change.kind in _GONE:
            back = min(left, _back(snapshot.order, change))
            left -= back
            if captured and back:
                refunds.append((change, back))
    return paid._replace(captured=captured, refunds=tuple(refunds))


def _back(order: Order, change: Change) -> int:
    """Say what is due back for a change, with tax; with the shipping where all is canceled."""
    with_tax = order.channel.prices_include_tax
    back = sum(part.total + (0 if with_tax else part.tax) for part in change.parts)
    if change.closes:
        back += order.shipping + (0 if with_tax else order.shipping_tax)
    return back
