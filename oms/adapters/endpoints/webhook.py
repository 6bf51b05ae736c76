"""Webhooks: each message a POST, signed by the Standard Webhooks."""

from oms.adapters.endpoints.sender import HttpSender
from oms.kernel import clock
from oms.webhooks import messages
from oms.webhooks.model import Answer, Endpoint, Sending


class WebhookTeller:
    """Posts signed messages to the URLs of subscribers."""

    def __init__(self, sender: HttpSender) -> None:
        """Take what calls them."""
        self._sender = sender

    def problem(self, endpoint: Endpoint) -> str | None:
        """Return why the URL cannot be sent to."""
        return self._sender.problem(endpoint.url or "")

    def tell(self, sending: Sending) -> Answer:
        """Sign a message with every secret that is good now, and post it."""
        headers = messages.headers(
            sending.secrets, sending.message_id, sending.body, at=clock.now()
        )
        return self._sender.post(sending.endpoint.url or "", headers, sending.body)
