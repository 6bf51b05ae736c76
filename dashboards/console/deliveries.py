"""Deliveries to channels: who is told what, what failed, and what each channel may sell."""

from dashboards.api_client import Client
from dashboards.panels import delivery_parts, feed_parts, frame
from dashboards.widgets import choice

_SHOWN = {"messages": "Messages", "stock": "Stock of channels"}


@frame.console("Deliveries to channels", "What goes out, what did not arrive, what is held back.")
def render(client: Client) -> None:
    """Draw the page."""
    if choice.segments("Shown", "outward", _SHOWN, "messages") == "stock":
        feed_parts.feeds(client)
        return
    subscriptions = client.get("/v1/webhooks")
    if not subscriptions:
        delivery_parts.nobody()
        return
    delivery_parts.overview(subscriptions)
    subscription = delivery_parts.chosen(subscriptions)
    delivery_parts.switches(client, subscription)
    delivery_parts.deliveries(client, subscription)
