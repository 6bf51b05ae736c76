"""Reads of returns: one, those of an order, a page of them, what came and is nobody's."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from oms.ledger.database import Tx
from oms.ledger.rows import asked, by_name
from oms.returns import store
from oms.returns.model import (
    NOT_KEPT,
    RECEIVABLE,
    Condition,
    Decision,
    Disposition,
    Inspected,
    Kind,
    Method,
    ReceiptRow,
    Resolution,
    Return,
    ReturnLine,
    ReturnNotFound,
    ReturnReason,
    ReturnState,
    Row,
    Told,
    Unidentified,
    Verdict,
)
from oms.returns.rules import USUAL, LineFacts
from oms.stock.model import UnknownLocation

CANDIDATES_MAX: Final = 5

_HEADER: Final = """
    select
        r.return_id, r.return_number, r.order_id, o.order_number, c.channel_code, o.currency,
        r.kind, r.state, r.method, x.location_code, r.requested_by, r.carrier, r.tracking_number,
        r.label_ref, r.note, r.reason, r.override_reason, r.is_after_expiry, r.expires_at,
        r.created_at, r.changed_at, r.version, w.order_number as exchange_order_number,
        h.is_paid_here, not h.is_paid_here or exists (
            select from refunds u where u.order_id = r.order_id and u.kind = 'owed'
                and (u.state in ('rejected', 'canceled') or exists (
                    select from refund_tenders t
                    where t.refund_id = u.refund_id and t.ended = 'given_up'))) as is_ended_by_hand
    from returns r
    cross join lateral (
        select exists (
            select from payments p where p.order_id = r.order_id and p.managed_by = 'oms'
                and p.psp_reference is not null) as is_paid_here) h
    join orders o using (order_id)
    join channels c using (channel_id)
    left join locations x on x.location_id = r.location_id
    left join exchanges e using (return_id)
    left join orders w on w.order_id = e.order_id
"""
_LINES: Final = text("""
    select l.return_id, l.line_no, l.product_id, k.sku, k.title, l.expected, l.received, l.missing,
        l.inspected, l.accepted, l.rejected, l.reason, l.resolution
    from return_lines l
    join returns r using (return_id)
    join order_lines k on k.order_id = r.order_id and k.line_no = l.line_no
    where l.return_id = any (cast(:ids as bigint[]))
    order by l.return_id, l.line_no
""")
_ROWS: Final = text("""
    select l.return_id, l.row_id, t.receipt_id, t.location_id, x.location_code, t.received_at,
        l.state, l.line_no, l.sku, l.quantity, l.inspected, l.condition, l.disposition
    from return_receipt_lines l
    join return_receipts t using (receipt_no)
    join locations x using (location_id)
    where l.return_id = any (cast(:ids as bigint[]))
    order by l.return_id, l.row_id
""")
_INSPECTIONS: Final = text("""
    select return_id, line_no, condition, disposition, sum(quantity)::bigint as quantity
    from return_inspections
    where return_id = any (cast(:ids as bigint[]))
    group by return_id, line_no, condition, disposition
    order by return_id, line_no, condition, disposition
""")
_DECISIONS: Final = text("""
    select return_id, line_no, verdict, quantity, told_before, change_ref, goods_net_minor,
        goods_tax_minor, shipping_net_minor, shipping_tax_minor, fee_minor, reason
    from return_decisions
    where return_id = any (cast(:ids as bigint[]))
    order by return_id, act, line_no
""")
_UNIDENTIFIED: Final = text("""
    select l.row_id, t.receipt_id, x.location_code, t.received_at, l.sku, l.quantity, l.condition,
        l.return_ref, l.order_ref, l.tracking_number, l.reason,
        array(
            select r.return_number
            from returns r
            join return_lines n using (return_id)
            join products p using (product_id)
            join orders o using (order_id)
            join channels c using (channel_id)
            where r.state = any (:receivable) and p.sku = l.sku
              and (cast(:channels as text[]) is null or c.channel_code = any (:channels))
            group by r.return_id
            order by r.tracking_number is distinct from l.tracking_number,
                r.location_id is distinct from t.location_id, r.return_id
            limit :candidates
        ) as candidates
    from return_receipt_lines l
    join return_receipts t using (receipt_no)
    join locations x using (location_id)
    where l.state = 'unidentified' and l.row_id > :after
      and (cast(:codes as text[]) is null or x.location_code = any (:codes))
    order by l.row_id
    limit :limit
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Which returns to list; what is left out does not matter."""

    states: tuple[str, ...] = ()
    location_codes: tuple[str, ...] | None = None
    channel_codes: tuple[str, ...] | None = None
    created_before: datetime | None = None


def return_of(tx: Tx, number: str) -> Return:
    """Return a return by its number. Raises ReturnNotFound."""
    found = _read(tx, ["r.return_number = :number"], {"number": number.upper()})
    if not found:
        raise ReturnNotFound
    return found[0]


def of_order(tx: Tx, order_id: int) -> list[Return]:
    """Return the returns of an order, oldest first."""
    return _read(tx, ["r.order_id = :order_id"], {"order_id": order_id})


def page(tx: Tx, sought: Sought, *, after: int, limit: int) -> tuple[list[Return], int | None]:
    """Return returns, oldest first, and where the next page begins."""
    conditions, values = asked(
        ("after", after, "r.return_id > :after"),
        ("states", sought.states or None, "r.state = any (:states)"),
        ("codes", sought.location_codes, "x.location_code = any (:codes)"),
        ("channels", sought.channel_codes, "c.channel_code = any (:channels)"),
        ("before", sought.created_before, "r.created_at < :before"),
    )
    values["limit"] = limit + 1
    found = _read(tx, conditions, values, rest="limit :limit")
    return found[:limit], found[limit - 1].return_id if len(found) > limit else None


def unidentified(
    tx: Tx, *, location_codes: Sequence[str] | None, channel_codes: Sequence[str] | None,
    after: int, limit: int,
) -> tuple[list[Unidentified], int | None]:  # fmt: skip
    """Return what came and is nobody's, oldest first, and where the next page begins."""
    rows = tx.execute(
        _UNIDENTIFIED,
        {
            "codes": _list(location_codes), "channels": _list(channel_codes), "after": after,
            "limit": limit + 1, "receivable": sorted(RECEIVABLE), "candidates": CANDIDATES_MAX,
        },
    ).all()  # fmt: skip
    found = [
        Unidentified(
            **{**by_name(row), "candidates": tuple(row.candidates),
               "condition": _condition(row.condition)}
        )
        for row in rows
    ]  # fmt: skip
    return found[:limit], found[limit - 1].row_id if len(found) > limit else None


def facts(tx: Tx, order_id: int, *, at: datetime) -> list[LineFacts]:
    """Return what is known of the lines of an order, for who wants to give some of it back."""
    rows = store.SQL.run(tx, "facts", order_id=order_id, at=at)
    return [LineFacts(**by_name(row)) for row in rows]


def told_by_channel(tx: Tx, return_id: int) -> dict[int, int]:
    """Return how much of each line its channel told of before we took it in."""
    rows = store.SQL.run(tx, "told_by_channel", return_id=return_id)
    return {row.line_no: row.quantity for row in rows}


def place_of(tx: Tx, channel_id: int, location_code: str | None) -> str | None:
    """Return where a channel's goods come back to. Raises UnknownLocation for one there is not."""
    found: str | None = store.SQL.run(
        tx, "place_of", channel_id=channel_id, location_code=location_code
    ).scalar()
    if location_code is not None and found is None:
        raise UnknownLocation(f"there is no location {location_code[:60]!r}")
    return found


def is_shipping_owed(tx: Tx, order_id: int) -> bool:
    """Tell whether an order's shipping is owed already."""
    return bool(store.SQL.run(tx, "shipping_owed", order_id=order_id).scalar())


def due(tx: Tx, *, at: datetime) -> str | None:
    """Return a return whose time is over; None when there is none."""
    found: str | None = store.SQL.run(tx, "due", at=at).scalar()
    return found


def paid_by_channel(tx: Tx) -> str | None:
    """Return a return whose channel has told of all that we accepted; None when there is none."""
    found: str | None = store.SQL.run(tx, "paid_by_channel").scalar()
    return found


def receivable_of(tx: Tx, order_ids: Sequence[int], skus: Sequence[str]) -> list[str]:
    """Return the returns of orders that wait for one of these SKUs, the oldest first."""
    rows = store.SQL.run(
        tx, "open_with_sku", order_ids=list(order_ids), skus=list(skus), states=sorted(RECEIVABLE)
    )
    return list(rows.scalars())


def receivable_by(tx: Tx, tracking_number: str) -> list[str]:
    """Return the returns that are to come under a carrier's number."""
    rows = store.SQL.run(
        tx, "by_tracking", tracking_number=tracking_number, states=sorted(RECEIVABLE)
    )
    return list(rows.scalars())


def orders_by_tracking(tx: Tx, tracking_numbers: Sequence[str]) -> frozenset[int]:
    """Return the orders of the returns that are to come under carriers' numbers."""
    rows = store.SQL.run(
        tx, "orders_by_tracking", tracking_numbers=list(tracking_numbers), states=sorted(RECEIVABLE)
    )
    return frozenset(rows.scalars())


@dataclass(frozen=True, slots=True, kw_only=True)
class Goods:
    """What of stock may change when goods of orders come back."""

    came: frozenset[tuple[int, int]]  # products, and where they came to
    product_ids: tuple[int, ...]
    location_ids: tuple[int, ...]


def goods(tx: Tx, order_ids: Sequence[int], told: Sequence[tuple[str, Told]]) -> Goods:
    """Return what may change when units (where they came, and what) of orders come back."""
    listed = [
        {"location_code": code, "sku": each.sku, "line_no": each.line_no}
        for code, each in told
        if each.condition is not None
        and (each.disposition or USUAL[each.condition]) not in NOT_KEPT
    ]
    ids = list(order_ids)
    codes = sorted({code for code, _ in told})
    found = store.SQL.run(tx, "goods", order_ids=ids, location_codes=codes).one()
    came = store.SQL.run(tx, "came", order_ids=ids, told=json.dumps(listed))
    return Goods(
        came=frozenset((row.product_id, row.location_id) for row in came),
        product_ids=tuple(found.product_ids),
        location_ids=tuple(each for each in found.location_ids if each is not None),
    )


def orders_by(tx: Tx, order_ref: str) -> list[tuple[int, str, str]]:
    """Return id, number and channel of the orders a text names, two at most."""
    rows = store.SQL.run(tx, "orders_of", order_ref=order_ref)
    return [(row.order_id, row.order_number, row.channel_code) for row in rows]


def _list(codes: Sequence[str] | None) -> list[str] | None:
    return None if codes is None else list(codes)


def _condition(written: str | None) -> Condition | None:
    return None if written is None else Condition(written)


def _read(
    tx: Tx, conditions: Sequence[str], values: dict[str, Any], *, rest: str = ""
) -> list[Return]:
    where = " and ".join(conditions)
    headers = tx.execute(text(f"{_HEADER} where {where} order by r.return_id {rest}"), values).all()
    ids = {"ids": [header.return_id for header in headers]}
    parts: dict[str, Mapping[int, list[Any]]] = {
        "lines": _by_return(
            tx, ReturnLine, _LINES, ids, reason=ReturnReason, resolution=Resolution
        ),
        "rows": _by_return(
            tx, ReceiptRow, _ROWS, ids, state=Row, condition=_condition,
            disposition=lambda each: each and Disposition(each),
        ),
        "inspections": _by_return(
            tx, Inspected, _INSPECTIONS, ids, condition=Condition, disposition=Disposition
        ),
        "decisions": _by_return(tx, Decision, _DECISIONS, ids, verdict=Verdict),
    }  # fmt: skip
    return [
        Return(
            **{
                **by_name(header), "state": ReturnState(header.state), "kind": Kind(header.kind),
                "method": Method(header.method),
                **{name: tuple(found[header.return_id]) for name, found in parts.items()},
            }
        )
        for header in headers
    ]  # fmt: skip


def _by_return(
    tx: Tx, kind: type, query: Any, ids: Mapping[str, Any], **words: Any
) -> Mapping[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for row in tx.execute(query, ids):
        values = by_name(row)
        values |= {name: word(values[name]) for name, word in words.items()}
        found[values.pop("return_id")].append(kind(**values))
    return found
