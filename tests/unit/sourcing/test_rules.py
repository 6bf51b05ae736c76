"""Plans: by rules, with reasons, never more than there is, whatever order things are said in."""

import random
from collections import Counter
from datetime import timedelta
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oms.sourcing.model import Candidate, InTime, Lines, Match, Plan, Rules, Sort
from oms.sourcing.rules import plan
from tests.builders import EFFORT
from tests.unit.sourcing.plans import AT, a_candidate, a_demand, a_rule, some_rules


def taken(made: Plan) -> dict[str, dict[int, int]]:
    return {part.code: dict(part.quantities) for part in made.parts}


def said(made: Plan) -> dict[str, str]:
    return {each.code: each.reason for each in made.verdicts}


class TestGroups:
    @pytest.mark.parametrize(
        ("when", "is_met"),
        [
            (Match(channels=("web",), methods=("ship_home",), countries=("NL",)), True),
            (Match(channels=("till",)), False),
            (Match(methods=("ship_parcel",)), False),
            (Match(countries=("BE", "DE")), False),
            (Match(product_types=("office",)), True),
            (Match(categories=("office",)), False),
            (Match(currencies=("USD",)), False),
            (Match(value_from_minor=5000, value_below_minor=5001), True),
            (Match(value_from_minor=5001), False),
            (Match(value_below_minor=5000), False),
            (Match(skus=("PEN", "NIB"), brands=("Acme",)), True),
            (Match(skus=("NIB",)), False),
            (Match(brands=("Bic",)), False),
            (Match(has_account=False), True),
            (Match(has_account=True), False),
        ],
    )
    def test_a_group_is_for_what_it_matches(self, when: Match, *, is_met: bool) -> None:
        made = plan(a_demand(), [a_candidate("A")], some_rules(when=when))
        assert (made.group == "all", bool(made.parts)) == (is_met, is_met)

    @pytest.mark.parametrize(
        ("lines", "skus", "is_met"),
        [("all", ("PEN",), False), ("any", ("PEN",), True), ("any", ("NIB",), False),
         ("all", ("PEN", "INK"), True), ("any", (), True)],
    )  # fmt: skip
    def test_articles_are_of_each_line_or_of_one(
        self, lines: str, skus: tuple[str, ...], *, is_met: bool
    ) -> None:
        rules = some_rules(when=Match(skus=skus, lines=Lines(lines)))
        assert (plan(a_demand(1, 1), [a_candidate("A")], rules).group == "all") is is_met

    def test_the_first_that_matches_decides(self) -> None:
        one, two = some_rules(a_rule("first")), some_rules(a_rule("second"))
        both = Rules(name="both", groups=(*one.groups, *two.groups))
        assert plan(a_demand(), [a_candidate("A")], both).parts[0].rule == "first"


class TestFilters:
    @pytest.mark.parametrize(
        ("rule", "facts", "reason"),
        [
            ({}, {"is_enabled": False}, "any: is disabled"),
            ({}, {"has_rejected": True}, "any: has rejected this order before"),
            ({"only_open": True}, {"is_open": False}, "any: is closed at this time"),
            ({"only_before_cut_off": True}, {"is_before_cut_off": False},
             "any: is past its cut-off"),
            ({}, {"capacity_left": 0}, "any: has no capacity left today"),
            ({"distance_km_max": 9.5}, {}, "any: is 10 km away, more than 9.5"),
            ({"distance_km_max": 9.5}, {"distance_km": None},
             "any: is at a distance nobody knows"),
            ({"kinds": ("dc",)}, {}, "is of no rule's locations"),
            ({"locations": ("B",)}, {}, "is of no rule's locations"),
            ({"but_locations": ("A",)}, {}, "is of no rule's locations"),
            ({}, {"shipping_buffer": 9}, "any: has none of it beyond its buffer of 9"),
            ({"stock_buffer": 8}, {},
             "any: has 1 of 2 beyond its buffer of 8, and it is not to be split"),
        ],
    )  # fmt: skip
    def test_who_may_not_is_passed_over_and_told_why(
        self, rule: dict[str, Any], facts: dict[str, Any], reason: str
    ) -> None:
        made = plan(a_demand(), [a_candidate("A", **facts)], some_rules(a_rule(**rule)))
        assert (made.parts, said(made)) == ((), {"A": reason})
        assert made.left == {1: 2}

    @pytest.mark.parametrize(
        ("rule", "asked"),
        [
            ({"in_groups": ("city",)}, ["A", "B"]),
            ({"in_groups": ("city", "far")}, ["A", "B", "C"]),
            ({"in_groups": ("far",), "locations": ("A",)}, ["A", "C"]),
            ({"but_groups": ("city",)}, ["C"]),
            ({"in_groups": ("city",), "but_groups": ("first",)}, ["B"]),
        ],
    )
    def test_locations_are_named_by_their_groups(
        self, rule: dict[str, Any], asked: list[str]
    ) -> None:
        rules = some_rules(
            a_rule(**rule), in_groups={"city": ("A", "B"), "far": ("C",), "first": ("A",)}
        )
        found = said(plan(a_demand(), [a_candidate(code) for code in "ABC"], rules))
        assert [code for code in "ABC" if found[code] != "is of no rule's locations"] == asked

    def test_an_unknown_distance_is_far_unless_it_is_allowed(self) -> None:
        known = [a_candidate("A", distance_km=None)]
        near = a_rule(distance_km_max=5)
        assert taken(plan(a_demand(), known, some_rules(near))) == {}
        allowed = a_rule(distance_km_max=5, allows_unknown_distance=True)
        assert taken(plan(a_demand(), known, some_rules(allowed))) == {"A": {1: 2}}

    def test_at_a_peak_capacity_may_be_passed_by(self) -> None:
        rules = some_rules(a_rule(only_with_capacity=False))
        assert taken(plan(a_demand(), [a_candidate("A", capacity_left=0)], rules)) == {"A": {1: 2}}


class TestSorting:
    @pytest.mark.parametrize(
        ("sort", "better", "worse"),
        [
            (Sort.DISTANCE, {"distance_km": 1.0}, {"distance_km": None}),
            (Sort.STOCK_LEFT, {"stock": {"PEN": 10}}, {}),
            (Sort.CAPACITY_LEFT, {"capacity_left": None}, {"capacity_left": 50}),
            (Sort.CAPACITY_LEFT, {"capacity_left": 50}, {"capacity_left": 3}),
            (Sort.PRIORITY, {"priority": 0}, {}),
            (Sort.NODE_COST, {"node_cost_minor": 99}, {}),
            (Sort.READY_AT, {"ready_at": AT}, {}),
        ],
    )
    def test_the_better_one_comes_first(
        self, sort: Sort, better: dict[str, Any], worse: dict[str, Any]
    ) -> None:
        known = [a_candidate("A", **worse), a_candidate("B", **better)]
        made = plan(a_demand(), known, some_rules(a_rule(sort=(sort,))))
        assert taken(made) == {"B": {1: 2}}
        assert said(made)["A"] == "any: has 2 of 2; others come first"

    def test_rules_are_asked_in_turn(self) -> None:
        known = [a_candidate("S", priority=0), a_candidate("D", kind="dc", priority=9)]
        rules = some_rules(a_rule("dc first", kinds=("dc",)), a_rule("stores"))
        assert plan(a_demand(), known, rules).parts[0].code == "D"


class TestSplitting:
    known = (a_candidate("A", 3), a_candidate("B", 2), a_candidate("C", 4, priority=2))

    def test_whole_comes_before_near(self) -> None:
        assert taken(plan(a_demand(4), self.known, some_rules(parts_max=3))) == {"C": {1: 4}}

    def test_near_comes_first_where_that_is_asked(self) -> None:
        rules = some_rules(parts_max=3, whole_first=False)
        assert taken(plan(a_demand(4), self.known, rules)) == {"A": {1: 3}, "B": {1: 1}}

    def test_no_more_parts_than_allowed(self) -> None:
        made = plan(a_demand(9), self.known, some_rules(parts_max=2))
        assert (taken(made), made.left) == ({"A": {1: 3}, "B": {1: 2}}, {1: 4})
        assert said(made)["C"] == "any: has 4 of 9; it is spread over as many as it may be"

    def test_what_is_worth_little_is_not_split(self) -> None:
        rules = some_rules(parts_max=3, no_split_below_minor=5001)
        made = plan(a_demand(9), self.known, rules)
        assert (made.parts, made.left) == ((), {1: 9})
        assert said(made)["A"] == "any: has 3 of 9, and it is not to be split"

    def test_lines_of_one_article_share_its_stock(self) -> None:
        known = [a_candidate("A", 3, stock={"PEN": 3, "INK": 1, "LAMP": 1})]
        made = plan(a_demand(2, 1, 1, 2), known, some_rules(parts_max=2))
        assert (taken(made), made.left) == ({"A": {1: 2, 2: 1, 3: 1, 4: 1}}, {4: 1})


class TestPromises:
    """Late is who is ready three days after an order that is promised in two."""

    late: Final = AT + timedelta(days=3)

    def made(self, in_time: str, *known: Candidate, parts_max: int = 2) -> Plan:
        rules = some_rules(parts_max=parts_max, in_time=InTime(in_time))
        return plan(a_demand(4), known, rules)

    @pytest.mark.parametrize(
        ("in_time", "expected"),
        [("ignore", {"A": {1: 4}}), ("prefer", {"B": {1: 4}}), ("require", {"B": {1: 4}})],
    )
    def test_who_is_in_time_comes_before_who_is_better_placed(
        self, in_time: str, expected: dict[str, dict[int, int]]
    ) -> None:
        known = a_candidate("A", priority=0, ready_at=self.late), a_candidate("B")
        assert taken(self.made(in_time, *known)) == expected

    def test_rather_split_than_late_and_rather_late_than_not_at_all(self) -> None:
        late = a_candidate("A", ready_at=self.late)
        both = late, a_candidate("B", 2), a_candidate("C", 2)
        assert taken(self.made("prefer", *both)) == {"B": {1: 2}, "C": {1: 2}}
        alone = self.made("prefer", *both, parts_max=1)
        assert taken(alone) == {"A": {1: 4}}
        assert said(alone)["A"] == (
            "any: supplies all of it, first by priority (10 km);"
            " late: ready 2026-01-08 12:00 UTC, promised 2026-01-07 12:00 UTC"
        )

    def test_where_it_is_required_who_is_late_is_told_so(self) -> None:
        made = self.made("require", a_candidate("A", ready_at=self.late), a_candidate("B", 3))
        assert (taken(made), made.left) == ({"B": {1: 3}}, {1: 1})
        assert said(made)["A"] == (
            "any: would be ready 2026-01-08 12:00 UTC, promised was 2026-01-07 12:00 UTC"
        )

    def test_ready_at_the_very_moment_is_in_time(self) -> None:
        just = a_candidate("A", ready_at=AT + timedelta(hours=48))
        assert taken(self.made("require", just)) == {"A": {1: 4}}


quantities = st.integers(0, 6)
candidates = st.lists(
    st.builds(
        lambda pens, ink, lamps, **facts: a_candidate(
            stock={"PEN": pens, "INK": ink, "LAMP": lamps}, **facts
        ),
        quantities, quantities, quantities, code=st.sampled_from("ABCDEFGH"),
        kind=st.sampled_from(["dc", "store"]), priority=st.integers(1, 3),
        is_enabled=st.booleans(), has_rejected=st.booleans(), is_open=st.booleans(),
        capacity_left=st.none() | st.integers(0, 2), shipping_buffer=st.integers(0, 2),
        distance_km=st.none() | st.floats(0, 90), node_cost_minor=st.integers(0, 3),
    ),
    max_size=8, unique_by=lambda each: each.node.code,
)  # fmt: skip
rules_drawn = st.builds(
    lambda sorts, kinds, **split: some_rules(
        a_rule("first", kinds=kinds, sort=tuple(sorts), only_open=True),
        a_rule("second", sort=tuple(sorts), distance_km_max=50.0), **split
    ),
    st.lists(st.sampled_from(Sort), max_size=3, unique=True),
    st.sampled_from([(), ("dc",), ("store",)]), parts_max=st.integers(1, 4),
    whole_first=st.booleans(), no_split_below_minor=st.sampled_from([0, 9000]),
)  # fmt: skip
demands = st.lists(st.integers(1, 5), min_size=1, max_size=4).map(lambda each: a_demand(*each))


class TestAlways:
    @settings(max_examples=200 * EFFORT, deadline=None)
    @given(demands, candidates, rules_drawn)
    def test_nobody_gives_what_is_not_there_and_nothing_is_lost(
        self, demand: Any, known: list[Candidate], rules: Rules
    ) -> None:
        made = plan(demand, known, rules)
        at = {each.node.code: each for each in known}
        given_out: Counter[int] = Counter()
        for part in made.parts:
            of_sku: Counter[str] = Counter()
            for line in demand.lines:
                of_sku[line.sku] += part.quantities.get(line.line_no, 0)
            giver = at[part.code]
            buffer = giver.node.shipping_buffer
            assert all(n + buffer <= giver.stock[sku] for sku, n in of_sku.items() if n)
            assert giver.node.is_enabled
            assert not giver.has_rejected
            assert giver.capacity_left != 0
            given_out.update(part.quantities)
        wanted = {line.line_no: line.quantity for line in demand.lines}
        assert given_out + Counter(made.left) == Counter(wanted)
        assert len({part.code for part in made.parts}) == len(made.parts)
        assert len(made.parts) <= rules.groups[0].split.parts_max
        assert [each.code for each in made.verdicts] == sorted(at)
        assert {each.code for each in made.verdicts if each.is_taken} == set(taken(made))

    @settings(max_examples=100 * EFFORT, deadline=None)
    @given(demands, candidates, rules_drawn, st.randoms(use_true_random=False))
    def test_the_order_things_are_said_in_changes_nothing(
        self, demand: Any, known: list[Candidate], rules: Rules, dice: random.Random
    ) -> None:
        shuffled = dice.sample(known, len(known))
        lines = tuple(dice.sample(demand.lines, len(demand.lines)))
        other = a_demand(value_minor=demand.value_minor, lines=lines)
        assert plan(other, shuffled, rules) == plan(demand, known, rules)
