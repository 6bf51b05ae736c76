"""Reads of refunds: one, those of an order, the queue; and of batches of them."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from oms.ledger.database import Tx
from oms.ledger.rows import asked, by_name
from oms.payments.model import TransactionState
from oms.refunds import rules
from oms.refunds.batches import Batch, BatchNotFound, BatchState, Row, RowState, Seen, Total
from oms.refunds.model import (
    BackIn,
    Given,
    Occasion,
    PaidAs,
    Reduction,
    Refund,
    RefundKind,
    RefundNotFound,
    RefundState,
    TenderShare,
    Visit,
    VisitNotFound,
)
from oms.refunds.rules import LineValue, Rules, Version
from oms.refunds.store import BATCHES, SQL

_REFUNDS: Final = """
    select r.refund_id, r.refund_number, r.order_id, o.order_number, c.channel_code, r.kind,
        r.state, r.amount_minor, r.currency, r.reason, r.requested_by, r.decided_by, r.created_at,
        r.changed_at, r.version, r.paid_as, r.credit_account_id,
        k.account_number as credit_number, v.visit_number, r.occasion
    from refunds r
    left join till_visits v using (visit_id)
    join orders o using (order_id)
    join channels c using (channel_id)
    left join credit_accounts k on k.account_id = r.credit_account_id
"""
_TENDERS: Final = text("""
    select t.refund_id, p.payment_number, t.amount_minor, t.attempt, t.state, t.failure,
        t.is_reversed is true as is_reversed, t.ended = 'given_up' as is_given_up
    from refund_parts t
    join payments p using (payment_id)
    where t.refund_id = any (cast(:ids as bigint[])) and t.ended is distinct from 'replaced'
    order by t.refund_id, t.payment_id, t.attempt
""")
_CHEAPER: Final = text("""
    select refund_id, line_no, net_minor, tax_minor from refund_lines
    where refund_id = any (cast(:ids as bigint[])) order by refund_id, line_no
""")
_VISIT: Final = text("""
    select v.visit_number, x.location_code, v.back_in, v.override_reason, v.given_by, v.given_at
    from till_visits v
    join locations x using (location_id)
    where v.visit_id = :visit_id
""")
_BATCHES: Final = """
    select batch_id, batch_number, name, state, channel_codes, digest, created_by, edited_by,
        submitted_by, approved_by, approved_role, created_at, changed_at, version
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


def line_values(tx: Tx, order_id: int, *, except_for: int | None = None) -> list[LineValue]:
    """Return what the lines of an order come to now, shipping first.

    What waits is that of every refund but one, by its id.
    """
    rows = SQL.run(tx, "line_values", order_id=order_id, except_for=except_for)
    return [LineValue(**by_name(row)) for row in rows]


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
    """Return what of an order's money is kept for refunds that wait for somebody."""
    return int(SQL.run(tx, "waiting", order_id=order_id).scalar_one())


def owed_waiting_minor(tx: Tx, order_id: int) -> int:
    """Return what of what an order owes back waits for somebody already."""
    return int(SQL.run(tx, "owed_waiting", order_id=order_id).scalar_one())


def credit_owed_minor(tx: Tx, order_id: int) -> int:
    """Return what of an order its returns give in store credit and no refund has given so far."""
    return int(SQL.run(tx, "credit_owed", order_id=order_id).scalar_one())


def decided_against_minor(tx: Tx, order_id: int) -> int:
    """Return what was owed for an order and somebody decided not to give back by itself."""
    return int(SQL.run(tx, "decided_against", order_id=order_id).scalar_one())


def rules_of(tx: Tx, channel_id: int | None) -> list[Rules]:
    """Return what is said of a channel, then what is said of all."""
    return [Rules.of(kept) for kept in SQL.run(tx, "rules", channel_id=channel_id).scalars()]


def by_occasion(tx: Tx, order_id: int, amount_minor: int) -> list[tuple[Occasion, int]]:
    """Say what an amount is owed for, what made the order cheaper last first."""
    cheaper = [
        (rules.occasion_of(row.kind, row.reason), row.minor)
        for row in SQL.run(tx, "cheaper", order_id=order_id)
    ]
    begun = {row.occasion: row.minor for row in SQL.run(tx, "begun", order_id=order_id)}
    return rules.by_occasion(amount_minor, cheaper, begun)


def released_minor(
    tx: Tx, order_id: int, person: str, currency: str, *, since: datetime
) -> tuple[int, int]:
    """Return what somebody has let go: of an order, and since a moment."""
    row = SQL.run(
        tx, "released", order_id=order_id, person=person, currency=currency, since=since
    ).one()  # fmt: skip
    return row.of_order_minor, row.of_day_minor


def versions(tx: Tx, channel_id: int | None, *, limit: int) -> list[Version]:
    """Return the rules of a channel, or those of all, as they were set, the last ones first."""
    return [
        Version(**{**by_name(row), "rules": Rules.of(row.rules)})
        for row in SQL.run(tx, "versions", channel_id=channel_id, limit=limit)
    ]


def visit(tx: Tx, number: str) -> Visit:
    """Return what somebody got back at a till. Raises VisitNotFound."""
    query = text("select visit_id from till_visits where visit_number = :number")
    found = tx.execute(query, {"number": number.upper()}).scalar()
    if found is None:
        raise VisitNotFound
    return visit_of(tx, found)


def visit_of(tx: Tx, visit_id: int) -> Visit:
    """Return what somebody got back at a till, by the visit's id."""
    row = tx.execute(_VISIT, {"visit_id": visit_id}).one()
    return Visit(
        **{**by_name(row), "back_in": BackIn(row.back_in)}, cash=tuple(cash_of(tx, visit_id)),
        refunds=tuple(_read(tx, ["r.visit_id = :visit_id"], {"visit_id": visit_id})),
    )  # fmt: skip


def cash_of(tx: Tx, visit_id: int) -> list[Given]:
    """Return what came out of the drawer in a visit."""
    return [Given(**by_name(row)) for row in SQL.run(tx, "cash_of", visit_id=visit_id)]


def _read(
    tx: Tx, conditions: Sequence[str], values: dict[str, Any], *, rest: str = ""
) -> list[Refund]:
    where = " and ".join(conditions)
    rows = tx.execute(text(f"{_REFUNDS} where {where} order by r.refund_id {rest}"), values).all()
    ids = {"ids": [row.refund_id for row in rows]}
    cheaper: dict[int, list[Reduction]] = defaultdict(list)
    for row in tx.execute(_CHEAPER, ids):
        facts = by_name(row)
        cheaper[facts.pop("refund_id")].append(Reduction(**facts))
    tenders: dict[int, list[TenderShare]] = defaultdict(list)
    for row in tx.execute(_TENDERS, ids):
        facts = by_name(row)
        facts["state"] = None if row.state is None else TransactionState(row.state)
        facts["is_given_up"] = bool(row.is_given_up)
        tenders[facts.pop("refund_id")].append(TenderShare(**facts))
    return [
        Refund(
            **{
                **by_name(row),
                "kind": RefundKind(row.kind),
                "state": RefundState(row.state),
                "paid_as": PaidAs(row.paid_as),
                "occasion": None if row.occasion is None else Occasion(row.occasion),
            },
            tenders=tuple(tenders[row.refund_id]), cheaper=tuple(cheaper[row.refund_id]),
        )
        for row in rows
    ]  # fmt: skip


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
