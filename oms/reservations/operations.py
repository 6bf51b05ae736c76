"""Writes on reservations: how long they are kept, the sales they became, how many there may be."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from oms.fulfillment.model import FulfillmentOrder
from oms.kernel.limits import RESERVE_DAYS_MAX
from oms.ledger.database import Tx
from oms.locations.hours import closes_after
from oms.reservations import store
from oms.reservations.model import (
    CustomerNeeded,
    ExtensionTooLong,
    LimitExceeded,
    ReceiptUsed,
)


def date(tx: Tx, fulfillment_ids: Sequence[int], *, at: datetime) -> None:
    """Say how long those of these fulfillment orders are kept that are reservations."""
    if not fulfillment_ids:
        return
    rows = store.SQL.run(tx, "undated", fulfillment_ids=list(fulfillment_ids)).all()
    _keep(tx, {row.fulfillment_id: _closes(row, at, row.reserve_days) for row in rows}, step=0)


def kept_until(tx: Tx, of: FulfillmentOrder, *, at: datetime) -> datetime:
    """Return how long a reservation is kept that is found now: never shorter than before."""
    row = _facts(tx, of)
    found = _closes(row, at, row.reserve_days)
    return found if row.collect_by is None else max(found, row.collect_by)


def extend(tx: Tx, of: FulfillmentOrder, *, days: int, at: datetime) -> datetime:
    """Keep a reservation for so many opening days from now, never shorter; return until when.

    Raises ExtensionTooLong with how long it can be kept.
    """
    row = _facts(tx, of)
    until, latest = _closes(row, at, days), _closes(row, row.created_at, RESERVE_DAYS_MAX)
    if until > latest:
        raise ExtensionTooLong(expires_at_max=latest)
    if row.collect_by is not None and until <= row.collect_by:
        kept: datetime = row.collect_by
        return kept
    _keep(tx, {of.fulfillment_id: until}, step=1)
    return until


def link(
    tx: Tx, of: FulfillmentOrder, quantities: Mapping[str, int], *, sale_order_id: int, by: str,
    at: datetime,
) -> None:  # fmt: skip
    """Note the order that units of a reservation were sold by.

    Raises ReceiptUsed for one that has another reservation in it.
    """
    linked = store.SQL.run(
        tx, "link", sale_order_id=sale_order_id, fulfillment_id=of.fulfillment_id,
        order_id=of.order_id, quantities=json.dumps(dict(quantities)), by=by, at=at,
    )  # fmt: skip
    if linked.one_or_none() is None:
        raise ReceiptUsed


def refuse_many(
    tx: Tx, *, channel_id: int, limit: int, email: str | None, external_ref: str
) -> None:
    """Refuse one reservation more than a customer may have open in a channel.

    Until the transaction ends nobody else counts them. Raises CustomerNeeded, LimitExceeded.
    """
    if email is None:
        raise CustomerNeeded
    store.SQL.run(tx, "count_one_by_one", channel_id=channel_id, email=email)
    count = store.SQL.run(
        tx, "open_count", channel_id=channel_id, email=email, external_ref=external_ref
    ).scalar_one()
    if count >= limit:
        raise LimitExceeded(max=limit)


def _facts(tx: Tx, of: FulfillmentOrder) -> Any:
    return store.SQL.run(tx, "undated", fulfillment_ids=[of.fulfillment_id]).one()


def _closes(row: Any, at: datetime, days: int) -> datetime:
    return closes_after(row.opening_hours, row.time_zone, at, days)


def _keep(tx: Tx, until: Mapping[int, datetime], *, step: int) -> None:
    if until:
        kept = [{"fulfillment_id": no, "collect_by": at.isoformat()} for no, at in until.items()]
        store.SQL.run(tx, "keep_until", kept=json.dumps(kept), version_step=step)
