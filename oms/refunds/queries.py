"""Reads of refunds: one, those of an order, the queue; and of batches of them."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text

from oms.ledger.database import Tx
from oms.ledger.rows import asked, by_name
from oms.payments.model import TransactionState
from oms.refunds.batches import Batch, BatchNotFound, BatchState, Row, RowState, Seen, Total
from oms.refunds.model import (
    POLICIES,
    LineValue,
    Mode,
    Policy,
    Refund,
    RefundKind,
    RefundNotFound,
    RefundState,
    TenderShare,
)
from oms.refunds.store import BATCHES, SQL

_REFUNDS: Final = """
    select r.refund_id, r.refund_number, r.order_id, o.order_number, c.channel_code, r.kind,
        r.state, r.amount_minor, r.currency, r.reason, r.requested_by, r.decided_by, r.created_at,
        r.changed_at, r.version
    from refunds r
    join orders o using (order_id)
    join channels c using (channel_id)
"""
_TENDERS: Final = text("""
    select t.refund_id, p.payment_number, t.amount_minor, t.attempt, x.state, x.failure
    from refund_tenders t
    join payments p using (payment_id)
    join refunds r using (refund_id)
    left join payment_transactions x on x.payment_id = t.payment_id and x.type = 'refund'
        and x.cause = r.refund_number || '.' || t.attempt
    where t.refund_id = any (cast(:ids as bigint[]))
    order by t.refund_id, t.payment_id
""")
_BATCHES: Final = """
    select batch_id, batch_number, name, state, channel_codes, digest, created_by, edited_by,
        submitted_by, approved_by, created_at, changed_at, version
    from refund_batches
"""
_ROWS: Final = """
    select r.row_no, r.order_number, r.kind, r.amount_minor, r.currency, r.reason, r.state,
        r.code, r.seen, r.refund_number, u.state as refund_state, exists (
            select from refund_batch_rows other where other.batch_id = r.batch_id
                and other.order_number = r.order_number and other.row_no <> r.row_no) as is_twice
    from refund_batch_rows r
    left join refunds u using (refund_number)
    where r.batch_id = :batch_id and r.row_no > :after
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Which refunds to list; None: all."""

    states: tuple[RefundState, ...] | None = None
    channel_codes: tuple[str, ...] | None = None
    kind: RefundKind | None = None
    order_number: str | None = None


def refund(tx: Tx, number: str) -> Refund:
    """Return a refund by its number. Raises RefundNotFound."""
    found = _read(tx, ["r.refund_number = :number"], {"number": number.upper()})
    if not found:
        raise RefundNotFound
    return found[0]


def line_values(tx: Tx, order_id: int) -> list[LineValue]:
    """Return what the lines of an order come to now, shipping first."""
    return [LineValue(**by_name(row)) for row in SQL.run(tx, "line_values", order_id=order_id)]


def order_of(tx: Tx, number: str) -> int:
    """Return the order a refund is of. Raises RefundNotFound."""
    found: int | None = SQL.run(tx, "order_of", number=number.upper()).scalar()
    if found is None:
        raise RefundNotFound
    return found


def page(tx: Tx, sought: Sought, *, after: int, limit: int) -> tuple[list[Refund], int | None]:
    """Return refunds, oldest first, and where the next page begins."""
    number = sought.order_number
    conditions, named = asked(
        ("after", after, "r.refund_id > :after"),
        ("states", sought.states, "r.state = any (:states)"),
        ("channels", sought.channel_codes, "c.channel_code = any (:channels)"),
        ("kind", sought.kind, "r.kind = :kind"),
        ("order_number", number and number.upper(), "o.order_number = :order_number"),
    )
    named["limit"] = limit + 1
    found = _read(tx, conditions, named, rest="limit :limit")
    return found[:limit], found[limit - 1].refund_id if len(found) > limit else None


def of_order(tx: Tx, order_id: int) -> list[Refund]:
    """Return the refunds of an order, in the order they were asked for in."""
    return _read(tx, ["r.order_id = :order_id"], {"order_id": order_id})


def followed(tx: Tx, order_id: int) -> list[Refund]:
    """Return the refunds of an order that payments were asked for."""
    return [
        refund(tx, number)
        for number in SQL.run(tx, "open_of_order", order_id=order_id).scalars().all()
    ]


def of_cause(tx: Tx, order_id: int, cause: str) -> Refund | None:
    """Return the refund of an order that has a cause, if there is one."""
    found = _read(
        tx, ["r.order_id = :order_id", "r.cause = :cause"], {"order_id": order_id, "cause": cause}
    )
    return found[0] if found else None


def count_of(tx: Tx, order_id: int) -> int:
    """Return how many refunds an order has had."""
    query = text("select count(*) from refunds where order_id = :order_id")
    return int(tx.execute(query, {"order_id": order_id}).scalar_one())


def waiting_minor(tx: Tx, order_id: int) -> int:
    """Return what of an order is kept for refunds that wait for somebody's leave."""
    return int(SQL.run(tx, "waiting", order_id=order_id).scalar_one())


def decided_against_minor(tx: Tx, order_id: int) -> int:
    """Return what was owed for an order and somebody decided not to give back by itself."""
    return int(SQL.run(tx, "decided_against", order_id=order_id).scalar_one())


def policy_of(tx: Tx, channel_id: int, kind: RefundKind) -> Policy:
    """Return how a channel lets a kind of refund go."""
    row = SQL.run(tx, "policy", channel_id=channel_id, kind=kind.value).one_or_none()
    if row is None:
        return POLICIES[kind]
    return Policy(mode=Mode(row.mode), limit_minor=row.limit_minor)


def _read(
    tx: Tx, conditions: Sequence[str], values: dict[str, Any], *, rest: str = ""
) -> list[Refund]:
    where = " and ".join(conditions)
    rows = tx.execute(text(f"{_REFUNDS} where {where} order by r.refund_id {rest}"), values).all()
    tenders: dict[int, list[TenderShare]] = defaultdict(list)
    for row in tx.execute(_TENDERS, {"ids": [row.refund_id for row in rows]}):
        facts = by_name(row)
        facts["state"] = None if row.state is None else TransactionState(row.state)
        tenders[facts.pop("refund_id")].append(TenderShare(**facts))
    return [
        Refund(
            **{**by_name(row), "kind": RefundKind(row.kind), "state": RefundState(row.state)},
            tenders=tuple(tenders[row.refund_id]),
        )
        for row in rows
    ]


def batch(tx: Tx, number: str) -> Batch:
    """Return a batch by its number. Raises BatchNotFound."""
    query = text(f"{_BATCHES} where batch_number = :number")
    row = tx.execute(query, {"number": number.upper()}).one_or_none()
    if row is None:
        raise BatchNotFound
    return _batch(row)


def batches(
    tx: Tx, *, channel_codes: Collection[str] | None, states: Collection[BatchState] | None = None,
    after: int | None, limit: int,
) -> tuple[list[Batch], int | None]:  # fmt: skip
    """Return the batches that speak of no other channels, newest first, and where to go on."""
    query = text(
        f"{_BATCHES} where (cast(:after as bigint) is null or batch_id < :after)"
        " and (cast(:codes as text[]) is null or channel_codes <@ cast(:codes as text[]))"
        " and (cast(:states as text[]) is null or state = any (cast(:states as text[])))"
        " order by batch_id desc limit :limit"
    )
    named = {
        "after": after, "limit": limit + 1,
        "codes": None if channel_codes is None else sorted(channel_codes),
        "states": None if states is None else sorted(states),
    }  # fmt: skip
    found = [_batch(row) for row in tx.execute(query, named)]
    return found[:limit], found[limit - 1].batch_id if len(found) > limit else None


def rows(
    tx: Tx, batch_id: int, *, states: Collection[RowState] | None = None, after: int = 0,
    limit: int,
) -> tuple[list[Row], int | None]:  # fmt: skip
    """Return rows of a batch in their order, and where the next page begins."""
    named: dict[str, Any] = {"batch_id": batch_id, "after": after, "limit": limit + 1}
    condition = ""
    if states is not None:
        condition, named["states"] = "and r.state = any (:states)", sorted(states)
    query = text(f"{_ROWS} {condition} order by r.row_no limit :limit")
    found = [_row(row) for row in tx.execute(query, named)]
    return found[:limit], found[limit - 1].row_no if len(found) > limit else None


def size_of(tx: Tx, batch_id: int) -> tuple[int, int]:
    """Return how many rows a batch has, and the last number of one."""
    found = BATCHES.run(tx, "size", batch_id=batch_id).one()
    return found.rows_count, found.last_no


def digest_of(tx: Tx, batch_id: int) -> str:
    """Return what stands for everything a dry run has found."""
    return str(BATCHES.run(tx, "digest", batch_id=batch_id).scalar_one())


def totals(tx: Tx, batch_id: int) -> list[Total]:
    """Return the rows of a batch added up by kind, currency and fate."""
    return [
        Total(**{
            **by_name(row), "kind": RefundKind(row.kind), "state": RowState(row.state),
            "refund_state": None if row.refund_state is None else RefundState(row.refund_state),
        })
        for row in BATCHES.run(tx, "totals", batch_id=batch_id)
    ]  # fmt: skip


def told(tx: Tx, batch_id: int) -> list[dict[str, Any]]:
    """Return what finance is told of a batch: a line per row or payment."""
    return [by_name(row) for row in BATCHES.run(tx, "told", batch_id=batch_id)]


def _batch(row: Any) -> Batch:
    facts = by_name(row)
    codes = facts["channel_codes"]
    facts["channel_codes"] = None if codes is None else tuple(codes)
    return Batch(**{**facts, "state": BatchState(row.state)})


def _row(row: Any) -> Row:
    return Row(**{
        **by_name(row), "kind": RefundKind(row.kind), "state": RowState(row.state),
        "seen": Seen.of(row.seen),
        "refund_state": None if row.refund_state is None else RefundState(row.refund_state),
    })  # fmt: skip
