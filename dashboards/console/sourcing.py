"""Sourcing: who was to supply what and why, and the rules that decide it, tried before used."""

from dashboards.api_client import Client
from dashboards.panels import decision_parts, frame, rule_parts
from dashboards.widgets import choice

_SHOWN = {"decisions": "Decisions", "rules": "Rules", "draft": "Write and try a draft"}


@frame.console("Sourcing", "Which location supplies what, why, and what other rules would do.")
def render(client: Client) -> None:
    """Draw the page."""
    shown = choice.segments("Shown", "sourcing_shown", _SHOWN, "decisions")
    if shown == "rules":
        rule_parts.versions(client)
    elif shown == "draft":
        rule_parts.draft(client)
    else:
        decision_parts.listed(client)
