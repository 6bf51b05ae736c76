"""Writes on store credit: accounts opened, and every entry under the lock of its account.

Whoever has an order's business here holds the order first, then the account.
"""

from collections.abc import Sequence
from datetime import datetime

from oms.credits import queries
from oms.credits.model import (
    GRACE,
    Account,
    Change,
    EntryKind,
    NotLowered,
    new_code,
)
from oms.credits.store import SQL
from oms.kernel.errors import VersionConflict
from oms.ledger.database import Tx


def open_account(
    tx: Tx, order_id: int, currency: str, *, at: datetime, expires_at: datetime | None = None,
    pays_order_id: int | None = None,
) -> Account:  # fmt: skip
    """Open an account for what an order that is held gives back."""
    number = SQL.run(
        tx, "open", code=new_code(), order_id=order_id, pays_order_id=pays_order_id,
        currency=currency, expires_at=expires_at, at=at,
    ).scalar_one()  # fmt: skip
    return queries.account(tx, number)


def hold(tx: Tx, account_id: int) -> Account:
    """Hold an account until the transaction ends, and return it."""
    SQL.run(tx, "hold", account_id=account_id)
    return queries.account_by_id(tx, account_id)


def enter(tx: Tx, account_id: int, change: Change, *, at: datetime) -> bool:
    """Change the balance of an account; False when it was changed for this cause before.

    What is to be paid with it is refused first (`Account.refuse`), by who holds it.
    """
    hold(tx, account_id)
    if SQL.run(tx, "has_cause", account_id=account_id, cause=change.cause).scalar():
        return False
    made = SQL.run(
        tx, "enter", account_id=account_id, kind=change.kind.value, cause=change.cause,
        amount_minor=change.amount_minor, order_id=change.order_id, reason=change.reason,
        by=change.by, at=at, until=at + GRACE if change.kind is EntryKind.RESTORED else None,
    )  # fmt: skip
    assert made.rowcount == 1, "who holds an account has seen what it has"
    return True


def lower(
    tx: Tx, number: str, balance_minor: int, *, reason: str, version: int, by: str, at: datetime
) -> Account:
    """Correct a balance to less than it is. Raises CreditNotFound, VersionConflict, NotLowered."""
    held = hold(tx, queries.account(tx, number).account_id)
    if held.version != version:
        raise VersionConflict(version=held.version)
    if balance_minor >= held.balance_minor:
        raise NotLowered(max_minor=held.balance_minor, currency=held.currency)
    less = balance_minor - held.balance_minor
    change = Change(
        kind=EntryKind.CORRECTED, amount_minor=less, cause=f"by hand:{version}", order_id=None,
        by=by, reason=reason,
    )  # fmt: skip
    enter(tx, held.account_id, change, at=at)
    return queries.account_by_id(tx, held.account_id)


def expire_due(tx: Tx, *, at: datetime) -> bool:
    """End one account whose time is over; tell whether there was any."""
    account_id = SQL.run(tx, "due", at=at).scalar()
    if account_id is None:
        return False
    held = hold(tx, account_id)
    is_over = held.expires_at is not None and held.expires_at <= at
    if is_over and held.balance_minor:
        change = Change(
            kind=EntryKind.EXPIRED, amount_minor=-held.balance_minor,
            cause=f"expired:{held.version}", order_id=None, by="store credit",
        )  # fmt: skip
        enter(tx, account_id, change, at=at)
    return True


def erase(tx: Tx, order_ids: Sequence[int]) -> None:
    """Remove what was remarked on store credit given for orders."""
    SQL.run(tx, "erase", order_ids=list(order_ids))
