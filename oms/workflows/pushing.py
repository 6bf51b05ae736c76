"""Pushing: what a channel may sell goes to its subscribers, only the latest value of each SKU.

Nothing is queued: a subscription knows up to which version it was told, and what changed since
is read when it is sent. So a value that changed ten times is sent once, an endpoint that was
down is sent where it is now, and a value that is refused holds up nobody else's.
"""

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, Final

from oms.events.model import instant
from oms.feeds import operations, queries
from oms.feeds.model import BATCH_ITEMS_MAX, Availability, Target, isolate
from oms.kernel import clock
from oms.ledger.database import Claim, Tx
from oms.webhooks import messages
from oms.webhooks import operations as webhooks
from oms.webhooks import queries as subscriptions
from oms.webhooks.model import STOCK_TOPIC, Answer, Sending, Subscription, Verdict

RETRIED_ITEMS_MAX: Final = 20
# An endpoint that breaks so often in a row may do so over one item: the batch is taken apart.
FAILURES_BEFORE_BISECTING: Final = 3

Call = Callable[[Sending], Answer]


def push(claim: Claim, subscription: Subscription, call: Call, *, until: float) -> int:
    """Tell a subscription what changed of stock; return how many calls that took."""
    if STOCK_TOPIC not in subscription.topics:
        return 0
    with claim.transaction() as tx:
        targets = queries.targets(tx, subscription.subscription_id)
    is_broken = subscription.failures_count >= FAILURES_BEFORE_BISECTING
    return sum(_Push(claim, target, call, until, is_broken=is_broken).run() for target in targets)


class _Push:
    """One channel's changes on their way to one subscription."""

    def __init__(
        self, claim: Claim, target: Target, call: Call, until: float, *, is_broken: bool
    ) -> None:
        """Begin after what was told already."""
        self._claim, self._target, self._call, self._until = claim, target, call, until
        self._is_broken = is_broken
        self._refusal: Answer | None = None
        self._calls = 0

    def run(self) -> int:
        """Tell what changed, batch by batch; then try once more what was refused."""
        is_open = True
        while is_open and time.monotonic() < self._until:
            batch, version = self._claim.run(self._batch)
            if version == self._target.version:
                break
            is_open = self._tell(batch, version)
        if is_open and time.monotonic() < self._until:
            self._retry()
        return self._calls

    def _batch(self, tx: Tx) -> tuple[list[Availability], int]:
        """Return what changed next but for what is refused, and up to which version that is."""
        target = self._target
        if not queries.is_open(tx, target.channel_id):
            return [], target.version
        found = queries.after(tx, target.channel_id, target.version, limit=BATCH_ITEMS_MAX)
        refused = queries.refused_products(tx, target)
        kept = [item for item in found if item.product_id not in refused]
        return kept, found[-1].version if found else target.version

    def _tell(self, batch: list[Availability], version: int) -> bool:
        """Send a batch; note how far it got. Tell whether the endpoint may be called again."""
        ended = isolate(batch, self._send)

        def note(tx: Tx) -> None:
            at = clock.now()
            for item in ended.refused:
                self._note_refused(tx, item, at=at)
            if ended.is_done:
                operations.note_told(tx, self._target, version, at=at)
            elif ended.is_refusing:  # everything: it is the endpoint, not the items
                assert self._refusal is not None, "something was refused"
                webhooks.hold_back(tx, self._target.subscription_id, self._refusal, at=at)

        self._claim.run(note)
        if ended.is_done:
            self._target = replace(self._target, version=version)
        return ended.is_done

    def _retry(self) -> None:
        items = self._claim.run(
            lambda tx: queries.refused_due(
                tx, self._target, limit=RETRIED_ITEMS_MAX, at=clock.now()
            )
        )
        for item in items:
            is_taken = self._send([item])
            if is_taken is None:
                return
            self._claim.run(partial(self._note_retried, item, is_taken=is_taken))

    def _note_retried(self, item: Availability, tx: Tx, *, is_taken: bool) -> None:
        if is_taken:
            operations.note_taken(tx, self._target, item)
        else:
            self._note_refused(tx, item, at=clock.now())

    def _note_refused(self, tx: Tx, item: Availability, *, at: datetime) -> None:
        status = None if self._refusal is None else self._refusal.status_code
        operations.note_refused(tx, self._target, item, status_code=status, at=at)

    def _send(self, items: Sequence[Availability]) -> bool | None:
        """Call the endpoint: True when it took the items, False when it refused them."""
        sending = self._claim.run(lambda tx: self._begin(tx, items))
        if sending is None:
            return None
        answer = self._call(sending)
        self._calls += 1
        verdict = self._claim.run(
            lambda tx: webhooks.conclude(
                tx, sending, answer, at=clock.now(), is_failing_refusing=self._is_broken
            )
        )
        if verdict is Verdict.REFUSED:
            self._refusal = answer
        return {Verdict.DELIVERED: True, Verdict.REFUSED: False}.get(verdict)

    def _begin(self, tx: Tx, items: Sequence[Availability]) -> Sending | None:
        number, at = self._target.subscription_id, clock.now()
        if not subscriptions.is_callable(tx, number, at=at):
            return None
        return webhooks.begin_stock(
            tx, number, message_id=f"stk_{secrets.token_hex(12)}", topic=STOCK_TOPIC,
            body=messages.encoded(document(self._target.channel_code, items, at=at)), at=at,
        )  # fmt: skip


def document(channel_code: str, items: Sequence[Availability], *, at: datetime) -> dict[str, Any]:
    """Return what a channel may sell, as it goes out."""
    return {
        "type": STOCK_TOPIC, "channel_code": channel_code, "sent_at": instant(at),
        "data": {
            "items": [
                {
                    "sku": item.sku, "available_to_sell": item.available_to_sell,
                    "version": item.version, "computed_at": instant(item.computed_at),
                }
                for item in items
            ]
        },
    }  # fmt: skip
