"""Telling: events of orders and changes of stock go to whoever subscribed to them.

Each subscription is served by one thread at a time, in turns of a few seconds: the lock of its
number is held by the connection that writes what was sent, so whoever lost it writes nothing.
An attempt is written down before the call. What was sent and not written down is sent again.
"""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Final

from oms.channels import queries as channels
from oms.events import queries as events
from oms.events.model import OrderEvent, Position, Vocabulary, document, view_of
from oms.feeds import queries as feeds
from oms.kernel import clock
from oms.kernel.errors import Unavailable
from oms.ledger.database import Claim, Ledger, Tx
from oms.webhooks import messages, operations, queries
from oms.webhooks.model import Answer, Sending, Subscription, Transport
from oms.webhooks.operations import Message
from oms.webhooks.port import Tellers
from oms.workflows import pushing

# Advisory locks share one space of numbers: this one's upper half says "told".
LOCK_SPACE: Final = 0x701D << 48
# After so long a subscription lets others have its thread.
TURN_SECONDS: Final = 5.0
LAID_DOWN_EVENTS_MAX: Final = 100
# In one transaction; where few events are a subscription's, the next turn goes on.
STRETCHES_MAX: Final = 10
THREADS_MAX: Final = 16
FAULT_SECONDS: Final = 30.0

log = logging.getLogger("oms.telling")

Call = Callable[[Sending], Answer]


class Dispatcher:
    """Gives every subscription that has something to be told a thread of a bounded pool."""

    def __init__(self, ledger: Ledger, tellers: Tellers, *, threads_max: int = THREADS_MAX) -> None:
        """Begin without anybody being served."""
        self._ledger, self._tellers = ledger, tellers
        self._pool = ThreadPoolExecutor(threads_max, thread_name_prefix="telling")
        self._served: dict[int, Future[bool]] = {}
        self._rests: dict[int, float] = {}

    def step(self) -> bool:
        """Serve who is due and is not being served; tell whether there was anybody.

        Raises LedgerAway.
        """
        self._end_turns()
        with self._ledger.snapshot() as tx:
            due = due_now(tx, at=clock.now())
        now = time.monotonic()
        new = [each for each in due if each not in self._served and self._rests.get(each, 0) <= now]
        for each in new:
            self._served[each] = self._pool.submit(serve, self._ledger, self._tellers, each)
        return bool(new)

    def _end_turns(self) -> None:
        """Forget the turns that have ended; one that ended by a fault is not tried at once."""
        for subscription_id, future in list(self._served.items()):
            if not future.done():
                continue
            del self._served[subscription_id]
            error = future.exception()
            if error is not None and not isinstance(error, Unavailable):
                log.error("subscription %s: failed", subscription_id, exc_info=error)
                self._rests[subscription_id] = time.monotonic() + FAULT_SECONDS

    def close(self) -> None:
        """Wait for the turns that are being taken; begin none."""
        self._pool.shutdown(cancel_futures=True)


def due_now(tx: Tx, *, at: datetime) -> list[int]:
    """Return the subscriptions that have anything to be told now."""
    return sorted({*queries.due(tx, at=at), *feeds.due(tx, at=at)})


def serve(
    ledger: Ledger, tellers: Tellers, subscription_id: int, *, seconds_max: float = TURN_SECONDS
) -> bool:
    """Take one turn of a subscription; tell whether anything was sent.

    False, too, while another process serves it. Raises LedgerAway.
    """
    until = time.monotonic() + seconds_max
    with ledger.claim(LOCK_SPACE + subscription_id) as claim:
        if claim is None:
            return False
        with claim.transaction() as tx:
            operations.end_interrupted(tx, subscription_id, at=clock.now())
            subscription = queries.subscription(tx, subscription_id)
        if subscription.state != "enabled":
            return False
        call = tellers[Transport(subscription.transport)].tell
        count = _tell_of_orders(claim, subscription, call, until=until)
        count += pushing.push(claim, subscription, call, until=until)
    return count > 0


def _tell_of_orders(claim: Claim, subscription: Subscription, call: Call, *, until: float) -> int:
    sending = claim.run(lambda tx: _next(tx, subscription))
    count = 0
    while sending is not None:
        answer = call(sending)
        count += 1
        is_over = time.monotonic() >= until
        sending = claim.run(partial(_go_on, subscription, sending, answer, is_over=is_over))
    return count


def _go_on(
    subscription: Subscription, sending: Sending, answer: Answer, tx: Tx, *, is_over: bool
) -> Sending | None:
    operations.conclude(tx, sending, answer, at=clock.now())
    return None if is_over else _next(tx, subscription)


def _next(tx: Tx, subscription: Subscription) -> Sending | None:
    """Begin the next attempt; where nothing waits, lay down what happened since."""
    number, at = subscription.subscription_id, clock.now()
    sending = operations.begin_next(tx, number, at=at)
    if sending is not None or not subscription.tells_of_orders:
        return sending
    if not queries.is_callable(tx, number, at=at):
        return None
    for _ in range(STRETCHES_MAX):
        has_more = _lay_down(tx, subscription, at=at)
        sending = operations.begin_next(tx, number, at=at)
        if sending is not None or not has_more:
            break
    return sending


def _lay_down(tx: Tx, subscription: Subscription, *, at: datetime) -> bool:
    """Lay down the next events after a subscription's cursor; tell whether more wait."""
    number = subscription.subscription_id
    after = Position(*queries.cursor(tx, number))
    found, upto, has_more = events.page(
        tx, after, limit=LAID_DOWN_EVENTS_MAX, channel_codes=subscription.channel_codes,
        has_history=False,
    )  # fmt: skip
    words = channels.vocabulary(tx, subscription.channel_code)
    wanted = [
        _message(event, subscription, words) for event in found if subscription.tells(event.type)
    ]
    if wanted:
        operations.lay_down(tx, number, wanted, at=at)
    if upto != after:
        operations.advance(tx, number, xid=upto.xid, order_id=upto.order_id, seq=upto.seq)
    return has_more


def _message(event: OrderEvent, subscription: Subscription, words: Vocabulary) -> Message:
    view = view_of(
        channel_code=event.channel_code, reader_code=subscription.channel_code,
        reader_kind=subscription.channel_kind,
    )  # fmt: skip
    return Message(
        message_id=event.event_id, topic=event.type, order_id=event.order_id, seq=event.seq,
        body=messages.encoded(document(event, view, words)),
    )  # fmt: skip
