"""What calls endpoints: HTTP for the retailer's, something simple for tests."""

from collections.abc import Mapping
from typing import Protocol

from oms.webhooks.model import Answer


class Sender(Protocol):
    """Sends one message to one endpoint."""

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Post a body and return what came back; whatever goes wrong is an answer, too."""
        ...
