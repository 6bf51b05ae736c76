"""The sandbox PSP behind real HTTP on this machine, on a record of its own."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from oms.adapters.psp.sandbox import SandboxPsp
from oms.sandbox.book import Operation
from oms.sandbox.psp import Service, create_app

SECRET = "whsec_dGVzdHM="


@dataclass(frozen=True, slots=True)
class Payer:
    """A running sandbox, and its client."""

    service: Service
    psp: SandboxPsp
    port: int

    def behaves(self, **switches: Any) -> None:
        """Have it behave otherwise."""
        self.service.book.switch(switches)

    def record(self) -> list[Operation]:
        """Return what it has done by its own record."""
        return self.service.book.all()

    def done(self) -> list[tuple[str, int, str]]:
        """Return what it has done: type, amount, state."""
        return [(each.type, each.amount_minor, each.state) for each in self.record()]

    def turn(self) -> None:
        """Let a round of its time pass."""
        with httpx.Client(timeout=5) as client:
            self.service.round(client)


@contextmanager
def paying(folder: Path, *, timeout_seconds: float = 5.0) -> Iterator[Payer]:
    """Run a sandbox on a port of its own."""
    app = create_app(folder / "psp.sqlite")
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            thread.join(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        psp = SandboxPsp(f"http://127.0.0.1:{port}", SECRET, timeout_seconds=timeout_seconds)
        app.state.service.book.switch({"secret": SECRET})
        yield Payer(service=app.state.service, psp=psp, port=port)
        psp.close()
    finally:
        server.should_exit = True
        thread.join()
