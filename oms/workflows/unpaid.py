"""Orders whose goods left and whose money nobody is asked for: shown to a person."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from oms.ledger.database import Tx
from oms.orders import operations as orders
from oms.payments.model import Payment, Tender

EXPIRED: Final = "AUTHORIZATION_EXPIRED"
MISSING: Final = "PAYMENT_MISSING"
CODES: Final = (EXPIRED, MISSING)


def tell_expired(
    tx: Tx, order_id: int, ours: Sequence[Payment], missing_minor: int, *, at: datetime
) -> None:
    """Show an order whose goods left after the authorization of their payment had ended."""
    expired = [each for each in ours if each.sums.capturable and not each.capturable_minor(at=at)]
    if missing_minor <= 0 or not expired:
        orders.unflag(tx, order_id, EXPIRED, at=at)
        return
    data = {
        "payment": expired[0].payment_number, "amount_minor": missing_minor,
        "currency": expired[0].currency,
    }  # fmt: skip
    if orders.flag(tx, order_id, EXPIRED, data, at=at):
        orders.tell(
            tx, [(order_id, "payment.authorization_expired", data)],
            actor_type="system", actor="payments", at=at,
        )  # fmt: skip


def tell_missing(
    tx: Tx, order_id: int, known: Sequence[Payment], missing_minor: int, *, at: datetime
) -> None:
    """Show an order whose goods left and whose payments are not asked for all of them.

    Nobody is asked here for what others capture or is paid by invoice; what has ended has been
    shown as that.
    """
    ours = [each for each in known if each.is_ours_to_move]
    is_told = any(each.sums.capturable and not each.capturable_minor(at=at) for each in ours)
    is_invoiced = any(each.tender is Tender.INVOICE for each in known)
    if missing_minor <= 0 or not ours or is_told or is_invoiced:
        orders.unflag(tx, order_id, MISSING, at=at)
        return
    data = {"amount_minor": missing_minor, "currency": ours[0].currency}
    if orders.flag(tx, order_id, MISSING, data, at=at):
        orders.tell(
            tx, [(order_id, "payment.missing", data)], actor_type="system", actor="payments",
            at=at,
        )  # fmt: skip
