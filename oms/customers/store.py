"""Customers in the database: a batch of orders assigned, secrets kept, events written."""

import json
import secrets
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import text

from oms.customers.model import CustomerNotFound, Family
from oms.customers.tables import BATCH
from oms.ledger.database import Tx
from oms.ledger.scratch import Scratch
from oms.ledger.statements import Statements

SQL: Final = Statements(Path(__file__).with_name("assign.sql"))
ERASE: Final = Statements(Path(__file__).with_name("erase.sql"))
READ: Final = Statements(Path(__file__).with_name("read.sql"))
ANALYZE_ROWS_MIN: Final = 200

_SCRATCH: Final = Scratch(BATCH)


def family(tx: Tx, customer_id: int) -> Family:
    """Return who is one person with a customer; raises CustomerNotFound."""
    row = READ.run(tx, "family", customer_id=customer_id).one()
    if row.root_id is None:
        raise CustomerNotFound
    return Family(root_id=row.root_id, customer_ids=tuple(row.customer_ids))


def assign(tx: Tx, take: str, *, at: datetime, **parameters: Any) -> int:
    """Assign the orders a statement takes to their customers; return how many it took.

    Whoever calls holds the lock of assignment.
    """
    _SCRATCH.clear(tx)
    taken = SQL.run(tx, take, **parameters).rowcount
    if not taken:
        return 0
    if taken > ANALYZE_ROWS_MIN:
        tx.execute(text("analyze customer_batch"))
    SQL.run(tx, "match")
    if SQL.run(tx, "open_customers", at=at).rowcount:
        SQL.run(tx, "match")
    SQL.run(tx, "note_identifiers", at=at)
    SQL.run(tx, "link")
    SQL.run(tx, "unlink")
    return taken


def lock(tx: Tx) -> None:
    """Let nobody else assign orders until the transaction ends."""
    SQL.run(tx, "lock")


def note(
    tx: Tx, customer_id: int, type_: str, *, by: str, at: datetime, reason: str | None = None,
    **data: Any,
) -> None:  # fmt: skip
    """Write down what somebody did to a customer. Data names nobody."""
    tx.execute(
        text(
            "insert into customer_events (customer_id, type, occurred_at, actor, reason, data)"
            " values (:customer_id, :type, :at, :by, :reason, cast(:data as jsonb))"
        ),
        {
            "customer_id": customer_id, "type": type_, "at": at, "by": by, "reason": reason,
            "data": json.dumps(data),
        },
    )  # fmt: skip


def known_secret(tx: Tx, name: str) -> bytes | None:
    """Return a secret of this ledger, or None where it was never needed."""
    found = tx.execute(text("select value from secrets where name = :name"), {"name": name})
    value = found.scalar()
    return None if value is None else bytes(value)


def secret(tx: Tx, name: str) -> bytes:
    """Return a secret of this ledger, made at its first use."""
    tx.execute(
        text("insert into secrets (name, value) values (:name, :value) on conflict do nothing"),
        {"name": name, "value": secrets.token_bytes(32)},
    )
    found = known_secret(tx, name)
    assert found is not None, "it was made just now, or before"
    return found
