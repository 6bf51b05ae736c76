"""Rule sets as written: each mistake is named with its place."""

from typing import Any

import pytest

from oms.sourcing.messages import read_rules, rules_values
from oms.sourcing.model import BadRules

GOOD: dict[str, Any] = {
    "name": "near", "groups": [{"name": "all", "rules": [{"name": "any", "sort": ["distance"]}]}],
}  # fmt: skip


def with_rule(**facts: Any) -> dict[str, Any]:
    return {"name": "x", "groups": [{"name": "all", "rules": [{"name": "any", **facts}]}]}


class TestReading:
    def test_what_is_read_is_kept_as_it_was(self) -> None:
        rules = read_rules(GOOD)
        assert read_rules(rules_values(rules)) == rules

    @pytest.mark.parametrize(
        ("content", "path", "said"),
        [
            (None, "", "must be a mapping"),
            ({"groups": []}, "/name", "is missing"),
            ({"name": "x", "groups": []}, "/groups", "at least one group"),
            ({"name": "x", "groups": [{"name": "g", "rules": []}]}, "/groups/0/rules", "at least"),
            ({**GOOD, "promise_hours": 0}, "/promise_hours", "more than 0"),
            ({**GOOD, "groups": GOOD["groups"] * 2}, "/groups", "2 of the name 'all'"),
            (with_rule(srot=[]), "/groups/0/rules/0/srot", "no such key"),
            (with_rule(sort=["near"]), "/groups/0/rules/0/sort/0", "must be one of 'distance'"),
            (with_rule(kinds=["shop"]), "/groups/0/rules/0/kinds/0", "must be one of dc"),
            (with_rule(stock_buffer=-1), "/groups/0/rules/0/stock_buffer", "0 or more"),
            (with_rule(stock_buffer="many"), "/groups/0/rules/0/stock_buffer", "a whole number"),
            (with_rule(in_groups=["x"]), "/groups/0/rules/0/in_groups/0", "location_groups: none"),
            ({"location_groups": {"city": ["A"]}, **with_rule(but_groups=["far"])},
             "/groups/0/rules/0/but_groups/0", "location_groups: city"),
            ({**GOOD, "location_groups": {"city": []}}, "/location_groups/city", "at least one"),
            ({**GOOD, "location_groups": {"city": "AMS"}}, "/location_groups/city", "a list"),
            ({"name": "x", "groups": [{"name": "g", "rules": [{"name": "r"}],
                                       "split": {"in_time": "maybe"}}]},
             "/groups/0/split/in_time", "must be one of 'ignore'"),
            (with_rule(distance_km_max=0), "/groups/0/rules/0/distance_km_max", "more than 0"),
        ],
    )  # fmt: skip
    def test_what_is_wrong_is_named_with_its_place(
        self, content: Any, path: str, said: str
    ) -> None:
        with pytest.raises(BadRules) as refused:
            read_rules(content)
        assert any(p == path and said in s for p, s in refused.value.problems), (
            refused.value.problems
        )
