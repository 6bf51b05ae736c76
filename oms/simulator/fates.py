"""What is decided by an order's own id: who comes for it, and how its goods are handled.

Whoever asks, whenever, gets the same answer: the world that thinks an order out, and the staff
that finds it in its queue.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from oms.simulator.network import ROUTED
from oms.simulator.streams import stream, wheel

if TYPE_CHECKING:
    import random
    from datetime import date

# So many days before the present orders are ours to send. Some stores began earlier with what is
# collected there: it lies for a week, and some of it so long that somebody did not come.
ROUTED_DAYS: Final = 2
PILOT_DAYS: Final = 11
PILOT_STORES: Final = frozenset({"S-UTRECHT", "S-GENT", "S-LONDON"})
COLLECTED: Final = frozenset({"collect_store", "reserve"})
NOT_COLLECTED_RATIO: Final = {"reserve": 0.34, "collect_store": 0.05}

REJECT_RATIO: Final = {"dc": 0.006, "store": 0.05}
SHORT_RATIO: Final = {"dc": 0.008, "store": 0.025}
LATE_RATIO: Final = 0.05
REPACK_RATIO: Final = 0.012
TWO_PARCELS_RATIO: Final = 0.12
CALLED_OFF_RATIO: Final = 0.012
HELD_RATIO: Final = 0.03
STILL_HELD_RATIO: Final = 0.35  # of those that were held, so many days later still

TRAVEL_HOURS: Final = (14, 26)

_REASONS: Final = wheel({"not_found": 46, "damaged": 22, "no_capacity": 24, "other": 8})
_SHORT_REASONS: Final = wheel({"not_found": 70, "damaged": 30})
_HOLDS: Final = wheel({
    "payment_review": 34, "fraud": 16, "address": 22, "customer_request": 18, "manual": 10,
})  # fmt: skip
_COME_HOURS: Final = wheel({4: 22, 20: 26, 28: 18, 46: 16, 70: 10, 96: 8})
_TROUBLES: Final = wheel({"": 91, "damaged": 3, "short": 4, "part": 2})


class WorkFate(NamedTuple):
    """How one piece of work at one location goes."""

    rejects: str  # the reason, or nothing
    short: str  # likewise, of one unit
    is_late: bool  # it lies for a day or two first
    is_repacked: bool
    is_two_parcels: bool
    accept_minutes: int
    pick_minutes: int
    pack_minutes: int
    leave_minutes: int

    def again(self) -> WorkFate:
        """Say how it goes with what is sent to the place because it was not there."""
        return self._replace(rejects="", short="")


class OrderFate(NamedTuple):
    """How an order as a whole goes on its way to the locations."""

    held: str  # the type of a hold, or nothing
    is_still_held: bool
    held_minutes: int
    is_called_off: bool
    called_off_minutes: int
    come_hours: int  # after it was ready, its customer comes


class TransferFate(NamedTuple):
    """How goods fare between two locations."""

    short: str  # the reason why one unit is not sent, or nothing
    trouble: str  # how they come: damaged, short, part; mostly well
    pick_minutes: int
    ship_minutes: int
    travel_hours: int


def is_ours(channel: str, method: str, place: str | None, on: date, until: date | None) -> bool:
    """Tell whether an order of a day, to be collected at a place or sent, is ours to handle."""
    if until is None or channel not in ROUTED or method == "carry_out":
        return False
    is_pilot = method in COLLECTED and place in PILOT_STORES
    return on >= until - timedelta(days=PILOT_DAYS if is_pilot else ROUTED_DAYS)


def comes(seed: int, ref: str, method: str) -> bool:
    """Tell whether somebody comes for what is ready."""
    return stream(seed, "comes", ref).random() >= NOT_COLLECTED_RATIO[method]


def of_order(seed: int, ref: str) -> OrderFate:
    """Draw how an order goes."""
    rng = stream(seed, "order", ref)
    is_held = rng.random() < HELD_RATIO
    return OrderFate(
        held=_HOLDS.spin(rng) if is_held else "",
        is_still_held=rng.random() < STILL_HELD_RATIO,
        held_minutes=rng.randint(50, 900),
        is_called_off=rng.random() < CALLED_OFF_RATIO,
        called_off_minutes=rng.randint(4, 40),
        come_hours=_COME_HOURS.spin(rng),
    )


def of_work(seed: int, ref: str, place: str, kind: str) -> WorkFate:
    """Draw how work goes at a location, a DC or a store."""
    rng = stream(seed, "work", ref, place)
    is_late = rng.random() < LATE_RATIO
    return WorkFate(
        rejects=_drawn(rng, REJECT_RATIO[kind], _REASONS.spin(rng)),
        short=_drawn(rng, SHORT_RATIO[kind], _SHORT_REASONS.spin(rng)),
        is_late=is_late,
        is_repacked=rng.random() < REPACK_RATIO,
        is_two_parcels=rng.random() < TWO_PARCELS_RATIO,
        accept_minutes=rng.randint(4, 55) + (rng.randint(700, 1500) if is_late else 0),
        pick_minutes=rng.randint(8, 70),
        pack_minutes=rng.randint(4, 30),
        leave_minutes=rng.randint(10, 120),
    )


def of_transfer(seed: int, ref: str, place: str) -> TransferFate:
    """Draw how goods for an order fare on their way from a location."""
    rng = stream(seed, "transfer", ref, place)
    return TransferFate(
        short=_drawn(rng, 0.02, _SHORT_REASONS.spin(rng)),
        trouble=_TROUBLES.spin(rng),
        pick_minutes=rng.randint(20, 200),
        ship_minutes=rng.randint(10, 90),
        travel_hours=rng.randint(*TRAVEL_HOURS),
    )


def _drawn(rng: random.Random, ratio: float, what: str) -> str:
    return what if rng.random() < ratio else ""
