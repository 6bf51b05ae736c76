"""Capture: a slice of documents becomes products, orders and stock in one transaction."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from oms.catalog import operations as catalog
from oms.channels.model import Channel
from oms.fulfillment import operations as fulfillment
from oms.ledger.database import Tx, correlate
from oms.orders import operations as orders
from oms.orders.model import Captured, Outcome
from oms.payments import operations as payments
from oms.stock import operations as stock
from oms.transfers import operations as transfers
from oms.workflows.documents import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of a slice: each order document, and what was refused of any document."""

    orders: tuple[Captured, ...]
    problems: Mapping[int, tuple[Problem, ...]]  # by position
    products_changed: int
    stock_changed: int

    def counts(self) -> dict[str, int]:
        """Return how many order documents ended how."""
        return {outcome.value: 0 for outcome in Outcome} | Counter(
            captured.outcome.value for captured in self.orders
        )


def capture(
    tx: Tx, drafts: Mapping[str, bytes], *, channel: Channel, actor_type: str, actor: str,
    at: datetime, inbox_id: int | None = None, refuse_shortage: bool = False,
    hold_ref: str | None = None,
) -> Result:  # fmt: skip
    """Capture a slice of one channel's documents: catalog first, then orders, then stock.

    What a channel has sold is a fact: it is captured whatever the stock says, and what nobody
    can supply is backordered. With `refuse_shortage` it is a question instead: InsufficientStock
    is raised, and nothing is written, when the channel may not sell that much. The units of a
    hold, where one is named, become the order's in the same moment; StockHoldNotFound,
    StockHoldExpired or StockHoldEnded is raised when there is none.
    """
    if inbox_id is not None:
        correlate(tx, f"inbox-{inbox_id}")
    problems: dict[int, list[Problem]] = defaultdict(list)
    products_changed, refused = catalog.record(tx, drafts, at=at)
    _note(problems, refused)
    captured: tuple[Captured, ...] = ()
    if drafts.get("orders"):
        is_paid = bool(drafts.get("payments"))
        if is_paid:
            payments.load(tx, drafts["payments"])
        captured = tuple(
            orders.capture(
                tx, drafts, channel_id=channel.channel_id, currencies=channel.currencies,
                time_zone=channel.time_zone, inbox_id=inbox_id, actor_type=actor_type,
                actor=actor, at=at,
                unusable=partial(payments.unusable, channel_id=channel.channel_id)
                if is_paid else None,
            )
        )  # fmt: skip
        if is_paid:
            payments.record(tx, actor=actor, at=at)
        _settle(tx, channel, refuse_shortage=refuse_shortage, hold_ref=hold_ref, at=at)
    stock_changed = 0
    if drafts.get("counts") or drafts.get("movements"):
        recorded = stock.record(tx, drafts, at=at)
        _note(problems, recorded.problems)
        stock_changed = recorded.changed_count
        filled = stock.fill_backorders(tx, recorded.risen, at=at)
        orders.record_backorders(tx, filled, at=at)
    for document in captured:
        _note(problems, ((document.position, *problem) for problem in document.problems))
    return Result(
        orders=captured,
        problems={position: tuple(found) for position, found in problems.items()},
        products_changed=products_changed,
        stock_changed=stock_changed,
    )


def _settle(
    tx: Tx, channel: Channel, *, refuse_shortage: bool, hold_ref: str | None, at: datetime
) -> None:
    settled = stock.settle(
        tx, demand=orders.OPEN_LINES, goods=orders.GOODS_MOVED, channel_id=channel.channel_id,
        refuse_shortage_of=channel.code if refuse_shortage else None, at=at,
        hold_ref=hold_ref,
    )  # fmt: skip
    orders.record_backorders(tx, settled.queued, at=at)
    orders.record_oversold(tx, settled.oversold, at=at)
    fit(tx, orders.known_of_batch(tx), at=at)


def fit(tx: Tx, known: Sequence[int], *, at: datetime) -> None:
    """Let whoever picks for these orders know what is no longer wanted."""
    with_work = fulfillment.orders_with_work(tx, known) if known else []
    if with_work:
        fulfillment.fit(tx, with_work, at=at)
        steps = [
            (
                sent.order_id,
                "transfer.canceled" if sent.state == "canceled" else "transfer.reduced",
                {"transfer": sent.transfer_number},
            )
            for sent in transfers.fit(tx, with_work, at=at)
        ]
        orders.tell(tx, steps, actor_type="system", actor="routing", at=at)
        # What waited for units that are no longer wanted has all it needs.
        fulfillment.stop_waiting(tx, with_work, at=at)


def _note(problems: dict[int, list[Problem]], found: Iterable[tuple[int, str, str, str]]) -> None:
    for position, field, code, detail in found:
        problems[position].append(Problem(field=field, code=code, detail=detail))
