"""Writes on webhooks: subscriptions made and moved, messages laid down, sent and settled."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from oms.kernel.limits import DELIVERY_DAYS_MAX, REMOVED_ROWS_MAX
from oms.ledger.database import Tx
from oms.webhooks import queries, store
from oms.webhooks.messages import new_secret
from oms.webhooks.model import (
    ENDPOINT_PAUSES_SECONDS,
    GIVE_UP_AFTER,
    MESSAGE_PAUSES_SECONDS,
    RETRY_AFTER_SECONDS_MAX,
    Answer,
    NotRedeliverable,
    Sending,
    SubscriptionDraft,
    TargetRefused,
    Verdict,
    is_over_the_message,
    pause_seconds,
)
from oms.webhooks.port import Tellers
from oms.webhooks.store import SQL


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message about an order's event, to be laid down."""

    message_id: str
    topic: str
    body: bytes
    order_id: int
    seq: int


def subscribe(
    tx: Tx, draft: SubscriptionDraft, *, by: str, tellers: Tellers, at: datetime
) -> tuple[int, str]:
    """Make a subscription; return its number and its secret.

    Raises TargetRefused when nothing can be told there.
    """
    secret = new_secret()
    codes = draft.channel_codes
    subscription_id = SQL.run(
        tx, "subscribe", transport=draft.transport, url=draft.url, file_format=draft.file_format,
        description=draft.description, topics=list(draft.topics),
        channel=draft.channel_code, channels=None if codes is None else list(codes),
        secret=secret, batch_seconds=draft.batch_seconds, by=by, at=at,
    ).scalar_one()  # fmt: skip
    problem = tellers[draft.transport].problem(queries.endpoint(tx, subscription_id))
    if problem is not None:
        raise TargetRefused(problem)
    return int(subscription_id), secret


def change_state(
    tx: Tx, subscription_id: int, state: str, *, reason: str | None, at: datetime
) -> None:
    """Enable, pause or disable a subscription."""
    SQL.run(tx, "change_state", subscription_id=subscription_id, state=state, reason=reason, at=at)


def rotate(tx: Tx, subscription_id: int, *, overlap: timedelta, at: datetime) -> str:
    """Give a subscription a new secret and return it; both are good for a while."""
    secret = new_secret()
    SQL.run(tx, "rotate", subscription_id=subscription_id, secret=secret, until=at + overlap, at=at)
    return secret


def redeliver(tx: Tx, subscription_id: int, delivery_id: int) -> None:
    """Send a message again that was delivered or parked; raises NotRedeliverable."""
    done = SQL.run(tx, "redeliver", subscription_id=subscription_id, delivery_id=delivery_id)
    if done.rowcount != 1:
        raise NotRedeliverable


def lay_down(tx: Tx, subscription_id: int, messages: Sequence[Message], *, at: datetime) -> None:
    """Lay down messages to be sent, in this order."""
    SQL.run(
        tx, "lay_down", subscription_id=subscription_id, at=at,
        message_ids=[each.message_id for each in messages],
        topics=[each.topic for each in messages], orders=[each.order_id for each in messages],
        seqs=[each.seq for each in messages], bodies=[each.body for each in messages],
    )  # fmt: skip


def advance(tx: Tx, subscription_id: int, *, xid: int, order_id: int, seq: int) -> None:
    """Move a subscription on in the events of orders."""
    SQL.run(tx, "advance", subscription_id=subscription_id, xid=xid, order_id=order_id, seq=seq)


def begin_next(tx: Tx, subscription_id: int, *, at: datetime) -> Sending | None:
    """Write down the next attempt of a subscription and return it; None when nothing is due."""
    if not queries.is_callable(tx, subscription_id, at=at):
        return None
    delivery_id = SQL.run(tx, "next", subscription_id=subscription_id, at=at).scalar()
    if delivery_id is None:
        return None
    return store.sending(SQL.run(tx, "begin", delivery_id=delivery_id, at=at).one())


def begin_stock(
    tx: Tx, subscription_id: int, *, message_id: str, topic: str, body: bytes, at: datetime
) -> Sending:
    """Write down an attempt to tell a subscription of stock, and return it."""
    delivery_id = SQL.run(
        tx, "lay_down_stock", subscription_id=subscription_id, message_id=message_id, topic=topic,
        body=body, at=at,
    ).scalar_one()  # fmt: skip
    return store.sending(SQL.run(tx, "begin", delivery_id=delivery_id, at=at).one())


def end_interrupted(tx: Tx, subscription_id: int, *, at: datetime) -> None:
    """Close the attempts of a process that died amid them."""
    SQL.run(tx, "end_interrupted", subscription_id=subscription_id, at=at)


def conclude(
    tx: Tx, sending: Sending, answer: Answer, *, at: datetime, is_failing_refusing: bool = False
) -> Verdict:
    """Write down what came back, and what follows: for the message and for the endpoint.

    Whoever looks for what of a batch an endpoint breaks over takes its failing for a refusal.
    """
    SQL.run(
        tx, "end_attempt", attempt_id=sending.attempt_id, at=at, duration_ms=answer.duration_ms,
        status_code=answer.status_code, error_kind=answer.error_kind,
    )  # fmt: skip
    verdict = answer.verdict
    if verdict is Verdict.FAILED and is_failing_refusing:
        verdict = Verdict.REFUSED
    _settle(tx, sending, verdict, at=at)
    if verdict is Verdict.DELIVERED:
        before = SQL.run(tx, "note_success", subscription_id=sending.subscription_id, at=at)
        if before.scalar_one() > 1:
            SQL.run(tx, "hurry", subscription_id=sending.subscription_id)
    elif verdict is Verdict.GONE:
        change_state(tx, sending.subscription_id, "disabled", reason="it answered 410", at=at)
    elif verdict is not Verdict.REFUSED:
        hold_back(tx, sending.subscription_id, answer, at=at)
    return verdict


def _settle(tx: Tx, sending: Sending, verdict: Verdict, *, at: datetime) -> None:
    state, next_at, refusals = "pending", None, sending.refusals_count
    if verdict is Verdict.DELIVERED:
        state = "delivered"
    elif sending.is_of_stock:
        state = "superseded"
    elif is_over_the_message(sending, verdict):
        refusals += 1
        if refusals > len(MESSAGE_PAUSES_SECONDS):
            state = "parked"
        else:
            next_at = at + _pause(refusals, MESSAGE_PAUSES_SECONDS)
    SQL.run(
        tx, "settle", delivery_id=sending.delivery_id, state=state, next_at=next_at, at=at,
        refusals_count=refusals,
    )  # fmt: skip


def hold_back(tx: Tx, subscription_id: int, answer: Answer, *, at: datetime) -> None:
    """Leave an endpoint in peace for a while, or for good when it has failed for too long.

    One failure over one message says nothing of the endpoint: the next message will.
    """
    failing = SQL.run(tx, "note_failure", subscription_id=subscription_id, at=at).one()
    if at - failing.failing_since_at >= GIVE_UP_AFTER:
        hours = int(GIVE_UP_AFTER.total_seconds() // 3600)
        reason = f"nothing but failures for {hours} hours"
        change_state(tx, subscription_id, "disabled", reason=reason, at=at)
        return
    if answer.verdict is Verdict.FAILED and failing.failures_count == 1:
        return
    pause = _pause(failing.failures_count, ENDPOINT_PAUSES_SECONDS)
    if answer.retry_after_seconds is not None:
        asked = min(answer.retry_after_seconds, RETRY_AFTER_SECONDS_MAX)
        pause = timedelta(seconds=asked)
    SQL.run(tx, "wait", subscription_id=subscription_id, next_at=at + pause)


def _pause(failures: int, pauses: tuple[int, ...]) -> timedelta:
    dice = random.random()  # noqa: S311 - spreads retries
    return timedelta(seconds=pause_seconds(failures, pauses, dice=dice))


def forget_deliveries(tx: Tx, *, at: datetime, rows_max: int = REMOVED_ROWS_MAX) -> int:
    """Remove messages that are over longer than their days; return how many, a part at a time."""
    before = at - timedelta(days=DELIVERY_DAYS_MAX)
    return SQL.run(tx, "forget", before=before, rows_max=rows_max).rowcount


def erase(tx: Tx, order_ids: Sequence[int], *, fields: Sequence[str]) -> None:
    """Take fields of orders out of the messages that speak of them, whether sent or not."""
    SQL.run(tx, "erase", orders=list(order_ids), fields=list(fields))
