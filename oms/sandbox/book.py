"""The sandbox PSP's own record: every operation it did, by key, in a file of its own."""

import json
import secrets
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

_TABLES: Final = """
create table if not exists operations (
    operation_id integer primary key,
    id text not null unique,
    key text not null unique,
    digest text not null,
    type text not null,
    payment_id text not null,
    reference text not null,
    amount_minor integer not null,
    currency text not null,
    state text not null,
    failure text,
    changed_at text not null,
    is_external integer not null default 0
);
create index if not exists operations_of_payment on operations (payment_id, type, state);
create table if not exists notices (
    notice_id integer primary key,
    ref text not null,
    body text not null,
    due_at text not null,
    attempts integer not null default 0,
    sent_at text
);
create table if not exists switches (name text primary key, value text not null);
"""
# How the sandbox behaves until it is told otherwise. Ratios are of operations, picked by key.
SWITCHES: Final[dict[str, Any]] = {
    "decline_ratio": 0.0, "pending_ratio": 0.0, "lost_answer_ratio": 0.0, "away_ratio": 0.0,
    "fails_later_ratio": 0.0, "delay_ms": 0, "pending_ms": 500, "notice_copies": 1,
    "notice_delay_ms": 0, "notify_url": "", "secret": "whsec_c2FuZGJveCBzZWNyZXQ=",
    "fee_ppm": 14_000, "captures_once": False, "authorized_hours": 0,
}  # fmt: skip


class KeyReused(Exception):
    """The key was used for another operation."""


class NotPossible(Exception):
    """The operation is not possible: its code says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """An operation as the sandbox has it."""

    id: str
    key: str
    type: str
    payment_id: str
    reference: str
    amount_minor: int
    currency: str
    state: str
    failure: str | None
    changed_at: str

    def document(self) -> dict[str, Any]:
        """Return it as it is answered."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants done."""

    key: str
    digest: str
    type: str
    payment_id: str | None
    reference: str
    amount_minor: int
    currency: str
    state: str
    failure: str | None
    captures_once: bool = False  # a capture lets go of the rest


class Book:
    """The record: safe for several threads, and there again after a kill."""

    def __init__(self, path: Path) -> None:
        """Open or make the file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        with self._opened() as file:
            file.executescript(_TABLES)

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        file = sqlite3.connect(self._path, timeout=30, isolation_level=None)
        file.row_factory = sqlite3.Row
        try:
            file.execute("pragma journal_mode = wal")
            file.execute("pragma synchronous = full")
            yield file
        finally:
            file.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._opened() as file:
            file.execute("begin immediate")
            try:
                yield file
            except BaseException:
                file.execute("rollback")
                raise
            file.execute("commit")

    def switches(self) -> dict[str, Any]:
        """Return how the sandbox behaves."""
        with self._opened() as file:
            told = {row["name"]: json.loads(row["value"]) for row in file.execute(
                "select name, value from switches")}  # fmt: skip
        return SWITCHES | told

    def switch(self, told: Mapping[str, Any]) -> None:
        """Have it behave otherwise. Raises KeyError for a switch there is not."""
        for name in told:
            SWITCHES[name]
        with self._writing() as file:
            file.executemany(
                "insert into switches values (?, ?)"
                " on conflict do update set value = excluded.value",
                [(name, json.dumps(value)) for name, value in told.items()],
            )

    def found(self, key: str) -> Operation | None:
        """Return what was done by a key."""
        with self._opened() as file:
            row = file.execute("select * from operations where key = ?", (key,)).fetchone()
        return None if row is None else _operation(row)

    def do(self, wish: Wish, *, at: datetime) -> Operation:
        """Do an operation, once per key. Raises KeyReused, NotPossible."""
        with self._writing() as file:
            row = file.execute("select * from operations where key = ?", (wish.key,)).fetchone()
            if row is not None:
                if row["digest"] != wish.digest:
                    raise KeyReused
                return _operation(row)
            if wish.state != "failed":
                _refuse_too_much(file, wish)
            made_id = f"{wish.type[:3]}_{secrets.token_hex(10)}"
            payment_id = wish.payment_id or f"pay_{secrets.token_hex(10)}"
            file.execute(
                "insert into operations (id, key, digest, type, payment_id, reference,"
                " amount_minor, currency, state, failure, changed_at)"
                " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (made_id, wish.key, wish.digest, wish.type, payment_id, wish.reference,
                 wish.amount_minor, wish.currency, wish.state, wish.failure, at.isoformat()),
            )  # fmt: skip
            made = file.execute("select * from operations where key = ?", (wish.key,)).fetchone()
            return _operation(made)

    def become(self, key: str, state: str, failure: str | None, *, at: datetime) -> Operation:
        """Let an operation have become something else."""
        with self._writing() as file:
            file.execute(
                "update operations set state = ?, failure = ?, changed_at = ? where key = ?",
                (state, failure, at.isoformat(), key),
            )
            row = file.execute("select * from operations where key = ?", (key,)).fetchone()
        return _operation(row)

    def pending(self) -> list[Operation]:
        """Return what is not over."""
        return self._all("where state = 'pending'")

    def all(self, *, after: int = 0, limit: int = 100_000) -> list[Operation]:
        """Return every operation, oldest first: what is compared with the ledger of others."""
        return self._all(f"where operation_id > {after:d} order by operation_id limit {limit:d}")

    def _all(self, rest: str) -> list[Operation]:
        with self._opened() as file:
            rows = file.execute(f"select * from operations {rest}").fetchall()  # noqa: S608 - ours
        return [_operation(row) for row in rows]

    def queue(self, ref: str, body: str, *, copies: int, due_at: datetime) -> None:
        """Keep a notification to be sent, as many times as told."""
        with self._writing() as file:
            file.executemany(
                "insert into notices (ref, body, due_at) values (?, ?, ?)",
                [(ref, body, due_at.isoformat())] * copies,
            )

    def due_notices(self, *, at: datetime) -> list[tuple[int, str, str]]:
        """Return what is to be told now: number, ref, body."""
        with self._opened() as file:
            rows = file.execute(
                "select notice_id, ref, body from notices where sent_at is null and due_at <= ?"
                " and attempts < 50 order by notice_id limit 100",
                (at.isoformat(),),
            ).fetchall()
        return [(row["notice_id"], row["ref"], row["body"]) for row in rows]

    def told(self, notice_id: int, *, is_taken: bool, at: datetime, again_at: datetime) -> None:
        """Note that a notification was sent, and whether it was taken."""
        with self._writing() as file:
            file.execute(
                "update notices set attempts = attempts + 1, sent_at = ?, due_at = ?"
                " where notice_id = ?",
                (at.isoformat() if is_taken else None, again_at.isoformat(), notice_id),
            )


def _refuse_too_much(file: sqlite3.Connection, wish: Wish) -> None:
    """Refuse more than a payment has left. Raises NotPossible."""
    if wish.type == "authorize":
        return
    sums = dict.fromkeys(("authorize", "capture", "void", "refund"), 0)
    currency = None
    for row in file.execute(
        "select type, currency, sum(amount_minor) as amount_minor from operations"
        " where payment_id = ? and state <> 'failed' group by type, currency",
        (wish.payment_id,),
    ):
        sums[row["type"]] = sums.get(row["type"], 0) + row["amount_minor"]
        currency = row["currency"]
    if currency is None:
        raise NotPossible("payment_unknown")
    if currency != wish.currency:
        raise NotPossible("currency_differs")
    left = {
        "capture": sums["authorize"] - sums["capture"] - sums["void"],
        "void": sums["authorize"] - sums["capture"] - sums["void"],
        "refund": sums["capture"] - sums["refund"],
    }[wish.type]
    if wish.captures_once and sums["capture"] and wish.type != "refund":
        raise NotPossible("already_captured")
    if wish.amount_minor > left:
        raise NotPossible("amount_exceeded")


def _operation(row: sqlite3.Row) -> Operation:
    return Operation(**{name: row[name] for name in Operation.__slots__})
