"""What tells endpoints: HTTP for the retailer's, files, platforms, something simple for tests."""

from collections.abc import Mapping
from typing import Protocol

from oms.webhooks.model import Answer, Endpoint, Sending, Transport


class Teller(Protocol):
    """Tells endpoints of one transport."""

    def problem(self, endpoint: Endpoint) -> str | None:
        """Return why nothing can be told there, as far as it can be known beforehand."""
        ...

    def tell(self, sending: Sending) -> Answer:
        """Send one message and return what came back; whatever goes wrong is an answer, too."""
        ...


Tellers = Mapping[Transport, Teller]


class Exchange(Protocol):
    """Calls a URL over HTTP and hands over what came back."""

    def exchange(self, url: str, headers: Mapping[str, str], body: bytes) -> tuple[Answer, bytes]:
        """Post a body; return the answer and its own body, cut where it is too long."""
        ...

    def problem(self, url: str) -> str | None:
        """Return why a URL cannot be called."""
        ...
