"""What customers bring back to a store of what they paid through us: soon, and with a reason."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from sqlalchemy import text

from oms.returns.model import Condition, Resolution, ReturnReason
from oms.simulator.network import TILL_STORES
from oms.simulator.streams import stream, wheel
from oms.workflows import return_receipts
from oms.workflows.return_receipts import Basket, Handed

if TYPE_CHECKING:
    from datetime import datetime

    from oms.ledger.database import Tx

RATIO: Final = 0.2  # of the orders of which something has left
HOURS_MAX: Final = 30
COUNTER: Final = "Service counter"
_REASONS: Final = wheel({
    ReturnReason.TOO_SMALL: 34, ReturnReason.NOT_AS_EXPECTED: 26, ReturnReason.DID_NOT_WANT: 24,
    ReturnReason.DEFECTIVE: 16,
})  # fmt: skip
_CONDITIONS: Final = wheel({
    Condition.NEW: 70, Condition.OPENED: 18, Condition.USED: 7, Condition.DAMAGED: 5,
})  # fmt: skip
_LEFT: Final = text("""
    select o.order_number, o.external_ref, l.line_no, (l.shipped - l.returned)::int as units,
        max(e.occurred_at) as left_at
    from orders o
    join order_lines l using (order_id)
    join line_events e on e.order_id = l.order_id and e.line_no = l.line_no and e.kind = 'ship'
    where l.shipped > l.returned and not o.is_test
      and exists (
        select from payments p
        where p.order_id = o.order_id and p.managed_by = 'oms' and p.captured_minor > 0)
      and not exists (select from returns r where r.order_id = o.order_id)
    group by o.order_id, o.order_number, o.external_ref, l.line_no, l.shipped, l.returned
    order by o.order_id desc, l.line_no
    limit :lines_max
""")
# Most keep what they have for good: looked at from the oldest on, they would hide whoever does not.
LINES_MAX: Final = 2_000


class Left(NamedTuple):
    """Units of a line that are at their customer, paid through us."""

    order_number: str
    ref: str
    line_no: int
    units: int
    left_at: datetime


class Regret(NamedTuple):
    """What somebody does who does not want to keep them."""

    place: str  # the store they are brought to, which need not be the one that sold them
    hours: int
    reason: ReturnReason
    condition: Condition


def left(tx: Tx) -> list[Left]:
    """Return what customers have of orders that nothing was returned of, the newest first."""
    return [
        Left(row.order_number, row.external_ref, row.line_no, row.units, row.left_at)
        for row in tx.execute(_LEFT, {"lines_max": LINES_MAX})
    ]


def regret_of(seed: int, what: Left) -> Regret | None:
    """Draw whether somebody brings something back, and how; of an order one line."""
    rng = stream(seed, "regret", what.ref)
    if rng.random() >= RATIO:
        return None
    return Regret(
        place=rng.choice(TILL_STORES).code, hours=rng.randint(1, HOURS_MAX),
        reason=_REASONS.spin(rng), condition=_CONDITIONS.spin(rng),
    )  # fmt: skip


def is_due(what: Left, regret: Regret, at: datetime) -> bool:
    """Tell whether somebody has come by a moment."""
    return what.left_at + timedelta(hours=regret.hours) <= at


def bring(tx: Tx, *, what: Left, regret: Regret, at: datetime) -> None:
    """Hand units over the counter: they are accepted, and what is owed goes back by itself."""
    handed = Handed(
        line_no=what.line_no, quantity=what.units, reason=regret.reason,
        resolution=Resolution.REFUND, condition=regret.condition, disposition=None,
    )  # fmt: skip
    basket = Basket(order_number=what.order_number, lines=(handed,))
    return_receipts.take_at_store(tx, regret.place, [basket], by=COUNTER, at=at)
