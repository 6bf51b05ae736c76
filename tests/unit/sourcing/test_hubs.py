"""Consolidation in plans: at which hub parts are gathered, why there, and what it comes to."""

import json
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from oms.sourcing.messages import kept, kept_nodes, read_kept, read_rules
from oms.sourcing.model import BadRules, Candidate, Consolidation, Demand, InTime, Plan, outcome_of
from oms.sourcing.rules import plan
from tests.unit.sourcing.plans import AT, a_candidate, a_demand, some_rules

IN_TIME = AT + timedelta(hours=48)


def network(**facts: dict[str, Any]) -> list[Candidate]:
    """Return two stores, each with what the other lacks, and a center that has nothing."""
    return [
        a_candidate("A", stock={"PEN": 2, "INK": 0}, **facts.get("A", {})),
        a_candidate("B", stock={"PEN": 0, "INK": 2}, transit_days=1, **facts.get("B", {})),
        a_candidate(
            "DC", stock={"PEN": 0, "INK": 0}, kind="dc", lead_time_hours=6, **facts.get("DC", {})
        ),
    ]


def planned(
    *at: str, demand: Demand | None = None, candidates: list[Candidate] | None = None,
    parts_min: int = 2, **split: Any,
) -> Plan:  # fmt: skip
    hubs = Consolidation(at=at or ("DC",), parts_min=parts_min)
    rules = some_rules(parts_max=3, consolidate=hubs, **split)
    return plan(demand or a_demand(2, 2), candidates or network(), rules)


class TestWhere:
    def test_parts_are_gathered_and_every_location_is_told(self) -> None:
        made = planned()
        assert made.hub == "DC"
        assert made.hub_reason == (
            "2 parts are gathered by way of DC and leave together: all consolidates from 2 on"
        )
        assert {each.code: each.reason for each in made.verdicts} == {
            "A": "any: supplies 2 of 4, first by priority (10 km); sends it to DC",
            "B": "any: supplies 2 of 4, first by priority (10 km); sends it to DC",
            "DC": "any: has none of it; gathers the parts",
        }

    def test_a_hub_that_supplies_a_part_itself_keeps_it(self) -> None:
        made = planned("A")
        assert made.hub == "A"
        assert [each.reason for each in made.verdicts][:2] == [
            "any: supplies 2 of 4, first by priority (10 km); gathers the parts",
            "any: supplies 2 of 4, first by priority (10 km); sends it to A",
        ]

    def test_one_part_goes_by_itself_unless_one_is_enough(self) -> None:
        one = a_demand(2)
        assert (planned(demand=one).hub, planned(demand=one).hub_reason) == (None, None)
        by_way = planned(demand=one, parts_min=1)
        assert (by_way.hub, str(by_way.hub_reason)[:35]) == (
            "DC", "1 part is sent by way of DC and lea",
        )  # fmt: skip
        at_a_hub = planned("DC", "A", demand=one, parts_min=1)
        assert (at_a_hub.hub, at_a_hub.hub_reason) == (None, None)

    def test_nothing_given_out_is_gathered_nowhere(self) -> None:
        assert planned(demand=a_demand(9), candidates=[a_candidate("DC", stock={})]).hub is None

    @pytest.mark.parametrize(
        ("facts", "reason"),
        [
            ({"is_enabled": False}, "DC is disabled"),
            ({"has_rejected": True}, "DC has rejected this order before"),
            ({"capacity_left": 0}, "DC has no capacity left today"),
        ],
    )
    def test_the_next_hub_is_taken_where_the_first_cannot(
        self, facts: dict[str, Any], reason: str
    ) -> None:
        candidates = network(DC=facts)
        second = planned("DC", "B", candidates=candidates)
        assert (second.hub, str(second.hub_reason).endswith(f"; {reason}")) == ("B", True)
        none = planned("DC", candidates=candidates)
        assert (none.hub, none.hub_reason) == (None, f"sent apart: {reason}")

    def test_a_location_of_another_network_is_none(self) -> None:
        assert planned("XX").hub_reason == "sent apart: XX does not supply this channel"

    def test_a_promise_weighs_more_where_it_weighs_at_all(self) -> None:
        late = network(B={"ready_at": AT + timedelta(hours=20)})  # a day's way, then six hours
        assert planned(candidates=late, in_time=InTime.PREFER).hub_reason == (
            "sent apart: DC would have all of it ready 2026-01-07 14:00 UTC,"
            " promised was 2026-01-07 12:00 UTC"
        )
        anyway = planned(candidates=late)
        assert anyway.hub == "DC"
        assert "late: ready 2026-01-07 14:00 UTC" in str(anyway.hub_reason)

    def test_what_comes_later_goes_to_where_the_rest_waits(self) -> None:
        """Whatever the rules say by now, and if it is a single part."""
        rules = some_rules()
        waiting = a_demand(2, hub="DC")
        made = plan(waiting, network(DC={"has_rejected": True}), rules)
        assert (made.hub, made.hub_reason) == ("DC", "gathered at DC, where the rest of it waits")
        gone = plan(waiting, network()[:1], rules)
        assert (gone.hub, str(gone.hub_reason)[:10]) == (None, "sent apart")


class TestOutcome:
    def test_it_leaves_as_one_and_who_sends_to_the_hub_costs_too(self) -> None:
        found = outcome_of(planned(), tuple(network()), IN_TIME)
        assert (found.parts, found.transfers, found.cost_minor) == (1, 2, 300)
        assert (found.distance_km, found.late_parts, found.left_units) == (10.0, 0, 0)
        own = outcome_of(planned("A"), tuple(network()), IN_TIME)
        assert (own.parts, own.transfers, own.cost_minor) == (1, 1, 200)

    def test_it_is_late_when_the_last_part_came_late(self) -> None:
        made, ready_at = planned(), AT + timedelta(hours=4 + 24 + 6)
        outcomes = [
            outcome_of(made, tuple(network()), ready_at - timedelta(minutes=minute)).late_parts
            for minute in (0, 1)
        ]
        assert outcomes == [0, 1]

    def test_it_is_kept_with_its_decision(self) -> None:
        demand, candidates, made = a_demand(2, 2), tuple(network()), planned()
        outcome = outcome_of(made, candidates, IN_TIME)
        columns = ("demand", "candidates", "plan", "outcome")
        row = dict(zip(columns, kept(demand, candidates, made, outcome), strict=True))
        values = {name: json.loads(each) for name, each in row.items()}
        nodes = json.loads(kept_nodes(each.node for each in candidates))
        again = read_kept(SimpleNamespace(**values, nodes=nodes))
        assert (again["plan"], again["outcome"], again["candidates"]) == (made, outcome, candidates)


class TestWritten:
    def test_rules_say_it(self) -> None:
        said = {"parts_max": 2, "consolidate": {"at": ["DC"]}}
        content = {"name": "t", "groups": [{"name": "a", "rules": [{"name": "r"}], "split": said}]}
        assert read_rules(content).groups[0].split.consolidate == Consolidation(at=("DC",))

    @pytest.mark.parametrize(
        ("said", "problem"),
        [
            ({"at": []}, ("/at", "must name at least one location")),
            ({"at": [" "]}, ("/at", "must name at least one location")),
            ({"at": ["DC"], "parts_min": 0}, ("/parts_min", "must be 1 or more")),
            ({}, ("/at", "is missing")),
            ({"at": ["DC"], "hub": "X"}, ("/hub", "there is no such key here")),
        ],
    )
    def test_what_is_wrong_is_named_by_its_place(
        self, said: dict[str, Any], problem: tuple[str, str]
    ) -> None:
        split = {"consolidate": said}
        content = {"name": "t", "groups": [{"name": "a", "rules": [{"name": "r"}], "split": split}]}
        with pytest.raises(BadRules) as refused:
            read_rules(content)
        assert refused.value.problems == ((f"/groups/0/split/consolidate{problem[0]}", problem[1]),)
