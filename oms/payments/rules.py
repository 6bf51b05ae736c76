"""What an order owes and how it is paid: pure functions of its lines and its payments."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from oms.kernel.money import round_half_up, share_of_units
from oms.payments.model import OrderPaymentState, PaymentState, Sums, total

# What cash ends in, in minor units, by country and currency: elsewhere there are coins for all.
COINS: Final[Mapping[tuple[str, str], int]] = {
    (country, currency): int(minor)
    for currency, minor, countries in (
        ("EUR", 5, "BE EE FI IE IT LT NL SK"), ("CHF", 5, "CH LI"), ("DKK", 50, "DK"),
        ("SEK", 100, "SE"), ("NOK", 100, "NO"), ("CZK", 100, "CZ"), ("HUF", 500, "HU"),
        ("AUD", 5, "AU"), ("CAD", 5, "CA"), ("NZD", 10, "NZ"),
    )
    for country in countries.split()
}  # fmt: skip


def coins_rounding_minor(amount_minor: int, *, country: str | None, currency: str) -> int:
    """Return what is given beyond an amount, or less, where it is given in the coins there are."""
    coin = COINS.get((country or "", currency), 1)
    return round_half_up(Fraction(amount_minor, coin)) * coin - amount_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a payment is, and whether it is ours to move."""

    state: PaymentState
    sums: Sums
    is_ours_to_move: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LineMoney:
    """What of a line's money and units decides what is owed."""

    quantity: int
    canceled: int
    gone: int  # shipped, or returned without having been told to be shipped
    there: int  # neither canceled nor come back
    there_minor: int  # what those are worth, with tax


@dataclass(frozen=True, slots=True, kw_only=True)
class Dues:
    """What an order comes to, in minor units with tax."""

    payable_minor: int  # what was not canceled, with shipping
    returned_minor: int  # of that, what came back
    open_minor: int  # of that, what has not left

    @property
    def due_minor(self) -> int:
        """What is to be paid for it after all that was canceled and returned."""
        return self.payable_minor - self.returned_minor

    @property
    def earned_minor(self) -> int:
        """What may be captured: the goods that have left."""
        return self.payable_minor - self.open_minor

    def kept_minor(self, captured_minor: int) -> int:
        """Return what stays with us of what was captured, and of what has left.

        What is paid for goods that are still to leave stays, what came back does not wait for
        them.
        """
        paid = max(self.earned_minor, min(captured_minor, self.payable_minor))
        return paid - self.returned_minor


def dues(
    lines: Iterable[LineMoney], *, total_minor: int, canceled_minor: int, returned_minor: int
) -> Dues:
    """Return what an order comes to.

    `total_minor` is all of it as ordered, items and shipping; what was canceled and returned are
    sums of its line events, both positive. Shipping is earned with the first goods that leave,
    and an order that is canceled whole costs none.
    """
    known = list(lines)
    ordered = sum(line.quantity for line in known)
    if known and sum(line.canceled for line in known) >= ordered:
        return Dues(payable_minor=0, returned_minor=0, open_minor=0)
    payable = total_minor - canceled_minor
    still = sum(_open_minor(line) for line in known)
    if not any(line.gone for line in known):
        still = payable
    return Dues(
        payable_minor=payable, returned_minor=returned_minor, open_minor=min(payable, still)
    )


def _open_minor(line: LineMoney) -> int:
    """Return what the units that have not left are worth: the last ones of those still there."""
    left = line.quantity - line.canceled - line.gone
    if left <= 0:
        return 0
    return share_of_units(line.there_minor, line.there, line.there - left, left)


def wanted_minor(due: Dues, sums: Sums, back_minor: int) -> int:
    """Return what has left and is neither paid nor asked for; below zero: more is paid.

    What was paid ahead of goods that were then canceled went back: it pays for nothing else.
    """
    ahead = max(0, back_minor - due.returned_minor)
    return due.earned_minor - sums.captured - sums.capturing + ahead


def is_settled(due: Dues, payments: Sequence[Standing]) -> bool:
    """Tell whether nothing is to be asked for or followed up of an order as it is paid.

    Where it is not certain it is to be looked at: what comes of that is the same as before.
    """
    sums = total(each.sums for each in payments)
    if sums.refunded or sums.refunding:
        return False
    ours = [each for each in payments if each.is_ours_to_move]
    if not ours:
        return True
    is_earned = due.earned_minor > sums.captured + sums.capturing
    is_movable = any(each.sums.capturable for each in ours)
    is_owed_back = sums.captured - sums.charged_back > due.kept_minor(sums.captured)
    return not is_owed_back and not is_earned and (bool(due.open_minor) or not is_movable)


def payment_state_of(sums: Sums, *, has_failed: bool) -> PaymentState:
    """Return how far a payment is."""
    if sums.charged_back:
        return PaymentState.CHARGED_BACK
    if sums.refunded:
        is_all = sums.refunded >= sums.captured
        return PaymentState.REFUNDED if is_all else PaymentState.PARTIALLY_REFUNDED
    if sums.captured:
        is_all = sums.captured + sums.voided >= max(sums.authorized, sums.captured)
        return PaymentState.CAPTURED if is_all else PaymentState.PARTIALLY_CAPTURED
    if sums.authorized:
        is_void = sums.voided >= sums.authorized
        return PaymentState.VOIDED if is_void else PaymentState.AUTHORIZED
    return PaymentState.FAILED if has_failed else PaymentState.CREATED


def order_payment_state_of(due: Dues, payments: Sequence[Standing]) -> OrderPaymentState:
    """Return how an order is paid: what is kept of it beside what is due."""
    if not payments:
        return OrderPaymentState.NONE
    sums = total(each.sums for each in payments)
    if sums.charged_back:
        return OrderPaymentState.CHARGEBACK
    if sums.captured:
        return _of_captured(due, sums)
    held = sums.authorized - sums.voided
    if held > 0:
        is_all = held >= due.due_minor
        return OrderPaymentState.AUTHORIZED if is_all else OrderPaymentState.PARTIALLY_AUTHORIZED
    if sums.authorized:
        return OrderPaymentState.VOIDED
    return OrderPaymentState.AWAITING if due.due_minor > 0 else OrderPaymentState.NONE


def _of_captured(due: Dues, sums: Sums) -> OrderPaymentState:
    kept = sums.captured - sums.refunded
    if kept > due.due_minor:
        return OrderPaymentState.OVERPAID
    if sums.refunded:
        return OrderPaymentState.PARTIALLY_REFUNDED if kept else OrderPaymentState.REFUNDED
    return OrderPaymentState.PAID if kept == due.due_minor else OrderPaymentState.PARTIALLY_PAID
