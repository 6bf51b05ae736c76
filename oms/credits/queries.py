"""Reads of store credit: an account by its number or code, pages of them, their entries."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from oms.credits.model import Account, CreditNotFound, Entry, EntryKind, read_code
from oms.credits.store import SQL
from oms.ledger.database import Tx
from oms.ledger.rows import asked, by_name

_ACCOUNTS: Final = """
    select k.account_id, k.account_number, k.code, k.order_id, o.order_number, c.channel_code,
        k.pays_order_id, k.currency, k.balance_minor, k.expires_at, k.created_at, k.changed_at,
        k.version
    from credit_accounts k
    join orders o using (order_id)
    join channels c using (channel_id)
"""
_ENTRIES: Final = text("""
    select e.entry_no, e.kind, e.amount_minor, e.balance_minor, e.cause, o.order_number, e.reason,
        e.recorded_by, e.recorded_at
    from credit_entries e
    left join orders o using (order_id)
    where e.account_id = :account_id and e.entry_no > :after
    order by e.entry_no
    limit :limit
""")


def account(tx: Tx, number: str) -> Account:
    """Return an account by its number. Raises CreditNotFound."""
    return _one(tx, "k.account_number = :number", {"number": number.upper()})


def account_by_id(tx: Tx, account_id: int) -> Account:
    """Return an account by its id. Raises CreditNotFound."""
    return _one(tx, "k.account_id = :account_id", {"account_id": account_id})


def account_by_code(tx: Tx, code: str) -> Account:
    """Return the account of a code, however it is written. Raises CreditNotFound."""
    return _one(tx, "k.code = :code", {"code": read_code(code)})


def of_order(tx: Tx, order_id: int, *, at: datetime) -> Account | None:
    """Return the account an order's refunds are paid to, if there is one that is not over."""
    number = SQL.run(tx, "of_order", order_id=order_id, at=at).scalar()
    return None if number is None else account(tx, number)


def of_exchange(tx: Tx, order_id: int) -> Account | None:
    """Return the account that pays for an exchange's order alone, if there is one."""
    number = SQL.run(tx, "of_exchange", order_id=order_id).scalar()
    return None if number is None else account(tx, number)


def unused(tx: Tx, order_id: int) -> list[int]:
    """Return the accounts of an order's exchanges that have something their orders do not need."""
    return list(SQL.run(tx, "unused", order_id=order_id).scalars())


def page(
    tx: Tx, *, order_number: str | None, customer_ids: Sequence[int] | None,
    channel_codes: Sequence[str] | None, after: int | None, limit: int,
) -> tuple[list[Account], int | None]:  # fmt: skip
    """Return accounts, the newest first, and where the next page begins.

    A customer's are those that were given for orders of theirs.
    """
    conditions, values = asked(
        ("order_number", order_number, "o.order_number = upper(:order_number)"),
        ("customer_ids", customer_ids, "exists (select from customer_orders u"
         " where u.order_id = k.order_id and u.customer_id = any (:customer_ids))"),
        ("channel_codes", channel_codes, "c.channel_code = any (:channel_codes)"),
        ("after", after, "k.account_id < :after"),
    )  # fmt: skip
    where, values["limit"] = " and ".join(["true", *conditions]), limit + 1
    found = _read(tx, where, values, rest="desc limit :limit")
    return found[:limit], found[limit - 1].account_id if len(found) > limit else None


def entries(
    tx: Tx, account_id: int, *, after: int = 0, limit: int
) -> tuple[list[Entry], int | None]:
    """Return what changed an account, in order, and where the next page begins."""
    named = {"account_id": account_id, "after": after, "limit": limit + 1}
    rows = tx.execute(_ENTRIES, named)
    found = [Entry(**{**by_name(row), "kind": EntryKind(row.kind)}) for row in rows]
    return found[:limit], found[limit - 1].entry_no if len(found) > limit else None


def _one(tx: Tx, condition: str, values: dict[str, Any]) -> Account:
    found = _read(tx, condition, values)
    if not found:
        raise CreditNotFound
    return found[0]


def _read(tx: Tx, condition: str, values: dict[str, Any], *, rest: str = "") -> list[Account]:
    query = text(f"{_ACCOUNTS} where {condition} order by k.account_id {rest}")
    return [Account(**by_name(row)) for row in tx.execute(query, values)]
