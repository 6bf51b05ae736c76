"""The worker: the chores nobody waits for, each over and over in a thread of its own."""

import logging
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import count
from pathlib import Path
from typing import Protocol

from oms import bootstrap
from oms.billing import operations as billing
from oms.change_orders import operations as change_orders
from oms.credits import operations as store_credit
from oms.customers import operations as customers
from oms.feeds import operations as feeds
from oms.feeds import queries as feed_queries
from oms.feeds.model import RECOMPUTED_SKUS_MAX
from oms.kernel import clock
from oms.kernel.errors import Unavailable, VersionConflict
from oms.ledger.database import Ledger, Tx
from oms.ledger.followers import Stop, follow
from oms.orders import indexing
from oms.payments import leases
from oms.settings import Settings
from oms.settlements import operations as settled
from oms.workflows import (
    exchange_sending,
    fulfillment,
    ingest,
    mailing,
    notices,
    parcels,
    payments,
    points,
    refund_batches,
    returns,
    settlements,
    stock_holds,
)
from oms.workflows.telling import Dispatcher

log = logging.getLogger("oms.worker")

IDLE_SECONDS = 0.2
AWAY_SECONDS = 2.0
# Changes whose order came by another worker at the same moment are looked for this often.
ORPHANS_EVERY_ROUNDS = 25
# Working out availability rests so many times as long as it took, but not for long: shops wait
# for it. Amid a bulk load, which changes as much as is worked out at once, it takes a tenth.
REST_FACTOR = 4.0
REST_SECONDS_MAX = 0.6
REST_AMID_MUCH_FACTOR = 9.0
REST_AMID_MUCH_SECONDS_MAX = 4.0
RECONCILING_EVERY_SECONDS = 60.0
# Points close for days, not for minutes; a label is not made before its point was asked anyway.
POINTS_EVERY_SECONDS = 60.0
# How often it is looked for payments that notices came before.
NOTICES_EVERY_SECONDS = 2.0
# How often it is looked for what no settlement report has told of.
MISSING_EVERY_SECONDS = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Chore:
    """Something to do again and again: a step tells whether there was anything to do."""

    name: str
    step: Callable[[], bool]
    close: Callable[[], None] = lambda: None


class Step(Protocol):
    """What a follower does with what was written from one transaction up to another."""

    def __call__(self, tx: Tx, after: int, upto: int, *, at: datetime) -> bool:
        """Take it in; tell whether there was any."""
        ...


class Due(Protocol):
    """What is done by the clock, one thing at a time."""

    def __call__(self, tx: Tx, *, at: datetime) -> bool:
        """Do one; tell whether there was any."""
        ...


def chores(system: bootstrap.System) -> list[Chore]:
    """Return what a worker does for a system."""
    telling = Dispatcher(system.ledger, system.tellers)
    return [
        Chore(name="inbox", step=inbox(system.intake)),
        Chore(
            name="customers",
            step=following(
                system, customers.FOLLOWER, customers.assign_changed, stop=customers.stop
            ),
        ),
        Chore(name="order search", step=partial(index_orders, system.ledger)),
        Chore(name="erasures", step=partial(search_for_erased, system.ledger)),
        Chore(name="routing", step=routing(system)),
        Chore(name="stock holds", step=partial(expire_holds, system.ledger)),
        Chore(name="carriers", step=partial(parcels.ask, system.ledger, system.carriers)),
        Chore(name="pick-up points", step=watching(system)),
        Chore(name="change orders", step=partial(expire_changes, system.ledger)),
        Chore(
            name="money follows",
            step=following(system, payments.FOLLOWER, payments.follow_orders, stop=payments.stop),
        ),
        Chore(name="payments", step=asking(system)),
        Chore(
            name="parked notices",
            step=now_and_then(
                due(system.ledger, notices.apply_parked), every_seconds=NOTICES_EVERY_SECONDS
            ),
        ),
        Chore(name="refund batches", step=due(system.ledger, refund_batches.go_on)),
        Chore(name="settlements", step=settling(system)),
        Chore(name="store credit", step=due(system.ledger, store_credit.expire_due)),
        Chore(name="voids", step=partial(parcels.tell_voids, system.ledger, system.carriers)),
        Chore(name="exchanges", step=due(system.ledger, exchange_sending.send_paid)),
        Chore(name="unaccepted", step=due(system.ledger, fulfillment.let_off_unaccepted)),
        Chore(name="uncollected", step=due(system.ledger, fulfillment.let_go_uncollected)),
        Chore(
            name="billing",
            step=following(system, billing.FOLLOWER, billing.bill_changed, stop=billing.stop),
        ),
        Chore(
            name="mails",
            step=partial(mailing.send_due, system.ledger, system.mailer, system.renderer),
        ),
        Chore(name="returns", step=partial(expire_returns, system.ledger)),
        Chore(name="availability", step=availability(system.ledger)),
        Chore(name="telling", step=telling.step, close=telling.close),
    ]


def asking(system: bootstrap.System) -> Callable[[], bool]:
    """Return the step that asks payment services, and remembers which one does not answer."""
    return partial(payments.execute_due, system.ledger, system.psps, leases.Silences())


def following(
    system: bootstrap.System, follower: str, step: Step, *, stop: Stop | None = None
) -> Callable[[], bool]:
    """Return the step that lets a follower take in what the journal has for it."""

    def work(tx: Tx, after: int, upto: int) -> bool:
        return step(tx, after, upto, at=clock.now())

    return lambda: follow(system.ledger, follower, work, stop=stop)


def routing(system: bootstrap.System) -> Callable[[], bool]:
    """Return the step that gives what is kept for orders to its locations."""
    take_in = following(system, "routing", fulfillment.route)
    open_due = partial(system.ledger.run, lambda tx: fulfillment.open_due(tx, at=clock.now()))
    return lambda: take_in() or open_due()


def now_and_then(step: Callable[[], bool], *, every_seconds: float) -> Callable[[], bool]:
    """Return a step that is done only so often, as long as there is nothing to do."""
    rests_until = 0.0

    def seldom() -> bool:
        nonlocal rests_until
        if time.monotonic() < rests_until:
            return False
        if step():
            return True
        rests_until = time.monotonic() + every_seconds
        return False

    return seldom


def watching(system: bootstrap.System) -> Callable[[], bool]:
    """Return the step that asks carriers about the points of orders now and then."""
    asks_at = 0.0

    def step() -> bool:
        nonlocal asks_at
        if time.monotonic() < asks_at:
            return False
        points.watch(system.ledger, system.carriers)
        asks_at = time.monotonic() + POINTS_EVERY_SECONDS
        return False

    return step


def settling(system: bootstrap.System) -> Callable[[], bool]:
    """Return the step that takes settlement reports in, and at times looks for what none has."""
    looks_at = 0.0

    def step() -> bool:
        nonlocal looks_at
        taken = settlements.take_dropped(
            system.ledger, system.layouts, system.settings.settlements_dir, at=clock.now()
        )
        if time.monotonic() >= looks_at:
            system.ledger.run(lambda tx: settled.look_for_missing(tx, at=clock.now()))
            looks_at = time.monotonic() + MISSING_EVERY_SECONDS
        return taken

    return step


def index_orders(ledger: Ledger) -> bool:
    """Index anew what orders are searched by where they changed."""
    return follow(ledger, indexing.FOLLOWER, indexing.index_changes, stop=indexing.stop)


def search_for_erased(ledger: Ledger) -> bool:
    """Search some of the inbox and the quarantine for who was erased."""
    return ledger.run(partial(customers.search_on, at=clock.now()))


def due(ledger: Ledger, work: Due) -> Callable[[], bool]:
    """Return the step that does one thing of which the time has come."""

    def step() -> bool:
        try:
            return ledger.run(partial(work, at=clock.now()))
        except VersionConflict:  # somebody came just now
            return True

    return step


def expire_changes(ledger: Ledger) -> bool:
    """End some of the change orders nobody has decided in time."""
    return ledger.run(partial(change_orders.expire, at=clock.now()))


def expire_returns(ledger: Ledger) -> bool:
    """Let one return be over whose time is."""
    return ledger.run(partial(returns.expire_due, at=clock.now())) or ledger.run(
        partial(returns.complete_told, at=clock.now())
    )


def expire_holds(ledger: Ledger) -> bool:
    """End some of the holds of stock whose time is over."""
    return ledger.run(partial(stock_holds.expire, at=clock.now()))


def inbox(intake: ingest.Intake) -> Callable[[], bool]:
    """Return the step that takes what waits in the inbox through capture."""
    rounds = count(1)

    def step() -> bool:
        taken = ingest.process_waiting(intake, limit=20)
        if taken or next(rounds) % ORPHANS_EVERY_ROUNDS == 0:
            ingest.replay_orphans(intake)
        return bool(taken)

    return step


def availability(ledger: Ledger) -> Callable[[], bool]:
    """Return the step that keeps what each channel may sell in step with the stock."""
    rests_until = reconciles_at = 0.0

    def step() -> bool:
        nonlocal rests_until, reconciles_at
        begun = time.monotonic()
        if begun < rests_until:
            return False
        if begun >= reconciles_at:
            reconciles_at = begun + RECONCILING_EVERY_SECONDS
            ledger.run(lambda tx: feeds.reconcile_due(tx, at=clock.now()))
        follow(ledger, feeds.FOLLOWER, feeds.mark_changed)
        with ledger.snapshot() as tx:
            is_waiting = feed_queries.is_waiting(tx, at=clock.now())
        count = ledger.run(lambda tx: feeds.recompute(tx, at=clock.now())) if is_waiting else 0
        is_much = count >= RECOMPUTED_SKUS_MAX
        ended = time.monotonic()
        rests_until = ended + _rest_seconds(ended - begun, is_much=is_much)
        return False

    return step


def _rest_seconds(seconds: float, *, is_much: bool) -> float:
    if is_much:
        return min(seconds * REST_AMID_MUCH_FACTOR, REST_AMID_MUCH_SECONDS_MAX)
    return min(seconds * REST_FACTOR, REST_SECONDS_MAX)


def keep_doing(chore: Chore, stop: threading.Event) -> None:
    """Do a chore until told to stop; waits out an absent database, and does not end by a fault."""
    trouble: str | None = None
    while not stop.is_set():
        try:
            found = chore.step()
        except Unavailable:
            trouble = _complain(chore, trouble, "away", "the ledger is away; waiting for it")
            stop.wait(AWAY_SECONDS)
        except Exception as error:
            # Not anticipated: the other chores go on, and this one may do better with what comes.
            if trouble != type(error).__name__:
                log.exception("%s: failed", chore.name)
            trouble = type(error).__name__
            stop.wait(AWAY_SECONDS)
        else:
            if trouble is not None:
                log.info("%s: going on", chore.name)
            trouble = None
            if not found:
                stop.wait(IDLE_SECONDS)
    chore.close()


def _complain(chore: Chore, known: str | None, trouble: str, sentence: str) -> str:
    if known != trouble:
        log.warning("%s: %s", chore.name, sentence)
    return trouble


def work(system: bootstrap.System, stop: threading.Event) -> None:
    """Do every chore until told to stop."""
    once = {code: psp.captures_once for code, psp in system.psps.items()}
    system.ledger.run(lambda tx: leases.know_services(tx, once))
    threads = [
        threading.Thread(target=keep_doing, args=(chore, stop), name=chore.name)
        for chore in chores(system)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main() -> None:
    """Run a worker until SIGTERM or SIGINT."""
    logging.basicConfig(
        level=logging.INFO, stream=sys.stdout,
        format="%(asctime)s %(levelname)s %(threadName)s %(message)s",
    )  # fmt: skip
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    system = bootstrap.build(Settings(), connections_max=30)
    log.info("worker started on %s", Path(system.settings.root).name)
    try:
        work(system, stop)
    finally:
        system.close()


if __name__ == "__main__":
    main()
