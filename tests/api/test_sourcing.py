"""Sourcing over HTTP: rules in versions, mistakes by their place, decisions with their reasons."""

import itertools
from typing import Any

import pytest

from tests.api.conftest import House
from tests.api.wire import a_line, an_order
from tests.ledger.routing import settle_places, stocked

RULES: dict[str, Any] = {
    "name": "near", "groups": [{"name": "all", "rules": [{"name": "any", "sort": ["priority"]}]}],
}  # fmt: skip
_once = itertools.count(1)


def drafted(house: House, rules: Any = RULES) -> Any:
    return house.post("/v1/sourcing/rules", {"rules": rules}, once=f"rules-{next(_once)}")


class TestRules:
    def test_a_draft_becomes_active_and_then_archived(self, house: House) -> None:
        first, second = drafted(house).json(), drafted(house).json()
        assert (first["state"], first["created_by"]) == ("draft", "admin")
        for made in (first, second):
            done = house.post(f"/v1/sourcing/rules/{made['version']}/activate")
            assert (done.status_code, done.json()["state"]) == (200, "active")
        found = house.get("/v1/sourcing/rules").json()["items"]
        assert [(each["version"], each["state"]) for each in found] == [
            (second["version"], "active"), (first["version"], "archived"),
        ]  # fmt: skip
        again = house.post(f"/v1/sourcing/rules/{first['version']}/activate")
        assert (again.status_code, again.json()["code"]) == (409, "RULES_NOT_DRAFT")
        assert house.get("/v1/sourcing/rules/999999").status_code == 404

    def test_what_is_wrong_is_named_by_its_place(self, house: House) -> None:
        wrong = {"name": "x", "groups": [{"name": "a", "rules": [{"name": "r", "sort": ["far"]}]}]}
        refused = drafted(house, wrong)
        assert refused.status_code == 422
        (fault,) = refused.json()["errors"]
        assert fault["pointer"] == "/rules/groups/0/rules/0/sort/0"
        assert "'distance'" in fault["detail"]
        assert house.get("/v1/sourcing/rules").json()["items"] == []


class TestDecisions:
    def test_an_order_shows_why_it_is_supplied_from_where_it_is(self, routed: House) -> None:
        version = drafted(routed).json()["version"]
        routed.post(f"/v1/sourcing/rules/{version}/activate")
        number = routed.routed_order(an_order(lines=[a_line(quantity=2)]))["order_number"]
        (made,) = routed.get(f"/v1/orders/{number}/sourcing").json()["items"]
        assert (made["version"], made["rule_group"], made["left"]) == (version, "all", {})
        assert made["parts"] == [{"location_code": "DC", "rule": "any", "quantities": {"1": 2}}]
        told = {each["location_code"]: each["reason"] for each in made["candidates"]}
        assert told == {
            "AMS": "any: has none of it", "UTR": "any: has none of it",
            "DC": "any: supplies all of it, first by priority",
        }  # fmt: skip
        assert routed.get(f"/v1/orders/{number}/sourcing", "market").status_code == 404

    def test_coordinates_of_an_address_or_a_pick_up_point_say_how_far_it_is(
        self, routed: House
    ) -> None:
        settle_places(routed.shop)
        stocked(routed.shop, AMS=9, UTR=9)
        near = {
            **RULES,
            "groups": [{"name": "all", "rules": [{"name": "n", "sort": ["distance"]}]}],
        }
        version = drafted(routed, near).json()["version"]
        routed.post(f"/v1/sourcing/rules/{version}/activate")
        utrecht, amsterdam = {"latitude": 52.1, "longitude": 5}, {"latitude": 52.4, "longitude": 5}
        point = {"provider": "P", "point_id": "1", **amsterdam}
        groups = [{"method": "pickup_point", "line_refs": ["PEN"], "pickup_point": point}]
        found = []
        for number, facts in enumerate((
            {"ship_to": utrecht}, {"ship_to": amsterdam}, {"ship_to": utrecht, "groups": groups},
            {"ship_to": {"city": "X"}},
        )):  # fmt: skip
            made = routed.routed_order(an_order(f"W-{number}", **facts))
            (told,) = routed.get(f"/v1/orders/{made['order_number']}/sourcing").json()["items"]
            far = {each["location_code"]: each["scores"]["distance"] for each in told["candidates"]}
            (part,) = told["parts"]
            found.append((part["location_code"], far[part["location_code"]]))
        assert found == [("UTR", 8.3), ("AMS", 7.6), ("AMS", 7.6), ("DC", None)]

    def test_all_of_them_are_listed_and_rehearsed(
        self, routed: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        version = drafted(routed).json()["version"]
        routed.post(f"/v1/sourcing/rules/{version}/activate")
        numbers = [routed.routed_order(an_order(f"W-{at}"))["order_number"] for at in range(3)]
        page = routed.get("/v1/sourcing/decisions?limit=2").json()
        rest = routed.get(f"/v1/sourcing/decisions?limit=2&after={page['next_after']}").json()
        found = [each["order_number"] for each in page["items"] + rest["items"]]
        assert found == numbers[::-1]
        for query, key, count in (
            ("?location=DC", "admin", 3), ("?location=AMS", "admin", 0),
            ("?only_left=true", "admin", 0), ("", "market", 0),
        ):  # fmt: skip
            answer = routed.get(f"/v1/sourcing/decisions{query}", key).json()
            assert len(answer["items"]) == count, query
        time = {"from_at": "2026-01-01T00:00:00Z", "to_at": "2026-02-01T00:00:00Z"}
        other = {
            "name": "none",
            "groups": [{"name": "a", "rules": [{"name": "s", "kinds": ["store"]}]}],
        }
        same = routed.post("/v1/sourcing/rules:replay", {"rules": RULES, **time}).json()
        assert (same["count"], same["changed_count"], same["is_complete"]) == (3, 0, True)
        assert same["recorded"] == same["drafted"]
        really = {**same["recorded"], "late_parts": same["happened"]["late_parts"]}
        assert (same["happened"], same["group_count"], same["rejection_count"]) == (really, 3, 0)
        draft = routed.post("/v1/sourcing/rules:replay", {"rules": other, **time}).json()
        assert (draft["changed_count"], draft["drafted"]["left_units"]) == (3, 3)
        assert len(routed.get("/v1/sourcing/rules").json()["items"]) == 1
        monkeypatch.setattr("api.routers.sourcing.REPLAYED_MAX", 2)
        paged = {"rules": RULES, **time}
        first = routed.post("/v1/sourcing/rules:replay", paged).json()
        last = routed.post("/v1/sourcing/rules:replay",
                           {**paged, "after": first["next_after"]}).json()  # fmt: skip
        assert [(each["count"], each["left_count"], each["is_complete"]) for each in (first, last)
                ] == [(2, 1, False), (1, 0, True)]  # fmt: skip
        assert last["next_after"] is None
        for side in ("recorded", "drafted", "happened"):
            added = {name: first[side][name] + last[side][name] for name in same[side]}
            assert added == same[side], side
        bad = routed.post("/v1/sourcing/rules:replay", {**paged, "after": "x"})
        assert bad.status_code == 422
        wrong = routed.post("/v1/sourcing/rules:replay", {"rules": {"name": "x"}, **time})
        assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/rules/groups")
