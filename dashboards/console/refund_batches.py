"""Refunds in bulk: drafts, what waits for approval, what is being paid, what is over."""

from dashboards.api_client import Client
from dashboards.panels import batch_parts, frame, lists
from dashboards.widgets import choice


@frame.console("Bulk refunds", "Many refunds at once: looked at first, approved by somebody else.")
def render(client: Client) -> None:
    """Draw the page."""
    queue = choice.segments("State", "batch_state", batch_parts.QUEUES, batch_parts.ANY)
    batch_parts.make(client)
    listing = batch_parts.listing(queue)
    answer = lists.page(client, listing)
    if not answer["items"]:
        batch_parts.nothing(queue)
        return
    lists.shown(client, listing, answer)
    batch_parts.one(client, answer["items"])
