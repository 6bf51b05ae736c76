"""Demands, candidates and rules for tests of plans, one sentence each."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from oms.sourcing.model import (
    Candidate,
    Demand,
    DemandLine,
    Group,
    Match,
    Node,
    Rule,
    Rules,
    Split,
)

AT: Final = datetime(2026, 1, 5, 12, tzinfo=UTC)


def a_demand(*quantities: int, value_minor: int = 5000, **facts: Any) -> Demand:
    """Return a delivery group of lines of pens, ink, lamps …, so many of each."""
    skus = ("PEN", "INK", "LAMP", "PEN")
    lines = tuple(
        DemandLine(
            line_no=no, sku=skus[no - 1], quantity=quantity, product_type="office", brand="Acme"
        )
        for no, quantity in enumerate(quantities or (2,), start=1)
    )
    return Demand(
        **{
            "order_id": 1, "group_no": 1, "channel_code": "web", "method": "ship_home",
            "country_code": "NL", "currency": "EUR", "value_minor": value_minor, "placed_at": AT,
            "lines": lines, **facts,
        }
    )  # fmt: skip


def a_candidate(code: str, pens: int = 9, **facts: Any) -> Candidate:
    """Return a store with nine pens, able to do anything, unless the test says more."""
    told = {
        "code": code, "kind": "store", "is_enabled": True, "is_open": True,
        "is_before_cut_off": True, "shipping_buffer": 0, "node_cost_minor": 100,
        "ready_at": AT + timedelta(hours=4), "priority": 1, "has_rejected": False,
        "capacity_left": None, "distance_km": 10.0, "stock": {"PEN": pens}, **facts,
    }  # fmt: skip
    of_node = {each.name: told.pop(each.name) for each in fields(Node) if each.name in told}
    return Candidate(node=Node(**of_node), **told)


def a_rule(name: str = "any", **facts: Any) -> Rule:
    """Return a rule for every location, by priority, unless the test says more."""
    return Rule(name=name, **facts)


def some_rules(
    *rules: Rule, when: Match | None = None, in_groups: dict[str, tuple[str, ...]] | None = None,
    **split: Any,
) -> Rules:  # fmt: skip
    """Return one group of rules."""
    group = Group(
        name="all", rules=rules or (a_rule(),), when=when or Match(), split=Split(**split)
    )
    return Rules(name="test", groups=(group,), location_groups=in_groups or {})
