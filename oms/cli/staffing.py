"""The simulated retailer's staff on a running system: the last days, then every few seconds."""

import threading
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

import yaml

from oms import bootstrap
from oms.channels import operations as channels
from oms.channels.model import ChannelDraft
from oms.cli.common import Progress
from oms.kernel import clock
from oms.kernel.errors import Unavailable
from oms.ledger.database import Tx
from oms.ledger.followers import follow
from oms.simulator import fates, past, setup
from oms.simulator.book import Worked
from oms.simulator.shift import Shift
from oms.simulator.staff import Staff
from oms.simulator.timeline import midnight
from oms.sourcing import messages, operations, queries

RULES: Final = Path(setup.__file__).parent / "rules"
PLANNER: Final = "Supply planning"
ROUTING: Final = "routing"
TRIES_MAX: Final = 100
ROUND_SECONDS: Final = 3.0


def staff_of(system: bootstrap.System, seed: int, book: Worked | None = None) -> Staff:
    """Return the people of a retailer."""
    return Staff(seed=seed, carriers=system.carriers, book=Worked() if book is None else book)


def work_through_past(
    system: bootstrap.System, stop: threading.Event, staff: Staff, until: date
) -> None:
    """Let orders be ours to send from now on, and those of the last days be worked on."""
    _begin_routing(system, stop, midnight(until) - timedelta(days=fates.PILOT_DAYS))
    with system.ledger.snapshot() as tx:
        left = len(past.wanted(tx, until))
    progress = Progress("orders handled by DC and stores", left)
    for still in past.play(system.ledger, staff, until, stop=stop.is_set):
        progress.step(left - still)
        left = still
    progress.end()


def keep_working(
    system: bootstrap.System, stop: threading.Event, staff: Staff, *, orders_per_day: int
) -> None:
    """Let staff do something every few seconds, until told to stop."""
    shift = Shift(system.ledger, staff, orders_per_day=orders_per_day)
    while not stop.wait(ROUND_SECONDS):
        try:
            shift.work(clock.now())
        except Unavailable:  # the ledger is away: so is the work
            stop.wait(ROUND_SECONDS)


def _begin_routing(system: bootstrap.System, stop: threading.Event, at: datetime) -> None:
    """Have channels' orders routed: those before are passed over, whoever follows the journal."""
    tries = 0
    while not follow(system.ledger, ROUTING, _pass_over) and tries < TRIES_MAX:
        tries += 1
        stop.wait(0.05)
    with system.ledger.transaction() as tx:
        for draft in setup.channels(is_routed=True):
            channels.register(tx, ChannelDraft(**draft), at=at)
        if queries.active(tx) is None:
            active = _load(tx, "active", at)
            operations.activate(tx, active, by=PLANNER, at=at)
            _load(tx, "draft", at)


def _load(tx: Tx, name: str, at: datetime) -> int:
    content = yaml.safe_load((RULES / f"{name}.yaml").read_text(encoding="utf-8"))
    return operations.draft(tx, messages.read_rules(content), by=PLANNER, at=at)


def _pass_over(_tx: Tx, _after: int, _upto: int) -> bool:
    return True
