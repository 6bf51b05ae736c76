"""Platforms: a channel's own API is told, by whoever speaks it."""

from collections.abc import Mapping

from oms.webhooks.model import Answer, Endpoint, Sending
from oms.webhooks.port import Teller


class PlatformTeller:
    """Hands messages to the teller of the platform the channel runs on."""

    def __init__(self, platforms: Mapping[str, Teller]) -> None:
        """Take the tellers by the adapter of the channels they tell."""
        self._platforms = platforms

    def problem(self, endpoint: Endpoint) -> str | None:
        """Return why the platform cannot be told."""
        teller = self._platforms.get(endpoint.adapter or "")
        if teller is None:
            known = ", ".join(sorted(self._platforms))
            return f"the channel runs on no platform that can be told; these can: {known}"
        return teller.problem(endpoint)

    def tell(self, sending: Sending) -> Answer:
        """Tell the platform of the channel whose endpoint it is."""
        teller = self._platforms.get(sending.endpoint.adapter or "")
        if teller is None:  # the channel was given another adapter since
            return Answer(error_kind="platform")
        return teller.tell(sending)
