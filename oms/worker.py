"""The worker: it takes what waits in the inbox through capture, one payload after another."""

import logging
import signal
import sys
import threading
from pathlib import Path

from oms import bootstrap
from oms.kernel.errors import Unavailable
from oms.settings import Settings
from oms.workflows import ingest

log = logging.getLogger("oms.worker")

IDLE_SECONDS = 0.2
AWAY_SECONDS = 2.0
# Changes whose order came by another worker at the same moment are looked for this often.
ORPHANS_EVERY_ROUNDS = 25


def work(intake: ingest.Intake, stop: threading.Event) -> None:
    """Process the inbox until told to stop; waits out an absent database."""
    is_away, rounds = False, 0
    while not stop.is_set():
        try:
            taken = ingest.process_waiting(intake, limit=20)
            rounds += 1
            if taken or rounds % ORPHANS_EVERY_ROUNDS == 0:
                ingest.replay_orphans(intake)
            if is_away:
                log.info("the ledger is back")
            is_away = False
            if not taken:
                stop.wait(IDLE_SECONDS)
        except Unavailable:
            if not is_away:
                log.warning("the ledger is away; waiting for it")
            is_away = True
            stop.wait(AWAY_SECONDS)


def main() -> None:
    """Run a worker until SIGTERM or SIGINT."""
    logging.basicConfig(
        level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(levelname)s %(message)s"
    )
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    system = bootstrap.build(Settings(), connections_max=5)
    log.info("worker started on %s", Path(system.settings.root).name)
    try:
        work(system.intake, stop)
    finally:
        system.close()


if __name__ == "__main__":
    main()
