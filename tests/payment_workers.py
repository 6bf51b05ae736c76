"""Workers that ask a payment service, as processes of their own: to be killed as a power cut does.

They are forked from a process that has imported everything and started nothing, so that one is at
work a moment after it was begun, and is killed at its work rather than at its imports.
"""

import multiprocessing
import time
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Final, Self

from oms.adapters.psp.sandbox import SandboxPsp
from oms.ledger.database import Ledger
from oms.workflows import payments
from tests.payers import SECRET

COUNT: Final = 2
_FORKS: Final = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([__name__])


def work(url: str, port: int) -> None:
    """Ask what is due of the payment service until killed, as a worker does."""
    ledger = Ledger(url, connections_max=2)
    psp = SandboxPsp(f"http://127.0.0.1:{port}", SECRET)
    while True:
        if not payments.execute_due(ledger, {"sandbox": psp}):
            time.sleep(0.005)


@dataclass
class Workers:
    """Two of them, from when this is entered until it is left."""

    url: str
    port: int
    _running: list[BaseProcess] = field(default_factory=list)

    def __enter__(self) -> Self:
        """Start them."""
        for _ in range(COUNT):
            self._start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:  # fmt: skip
        """Kill them."""
        while self._running:
            self._kill()

    def replace(self) -> None:
        """Kill the older one, wherever it is just now, and start another."""
        self._kill()
        self._start()

    def wait(self, seconds: float) -> None:
        """Let them work."""
        self._running[0].join(seconds)
        assert self._running[0].is_alive(), "it ended by itself"

    def _start(self) -> None:
        made = _FORKS.Process(target=work, args=(self.url, self.port))
        made.start()
        self._running.append(made)

    def _kill(self) -> None:
        oldest = self._running.pop(0)
        oldest.kill()
        oldest.join()
