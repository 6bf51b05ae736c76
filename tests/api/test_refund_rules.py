"""How money is given back by HTTP: seen, said anew under the version that was seen, and kept."""

from typing import Any

import pytest

from tests.api.conftest import House

PATH = "/v1/refund-rules"
EUR = "EUR"


def say(house: House, key: str = "finance", version: int = 0, **said: Any) -> Any:
    body = {"reason": "as agreed", **said}
    headers = {"If-Match": str(version)}
    once = f"{key.replace(' ', '-')}-{version}-{said.get('channel')}"
    return house.post(PATH, body, key, once=once, headers=headers)


def policy(subject: str, mode: str, limit: str | None = None, **said: Any) -> Any:
    limits = [] if limit is None else [{"amount": limit, "currency": EUR}]
    return {"subject": subject, "mode": mode, "limits": limits, **said}


def in_force(house: House, channel: str) -> dict[str, tuple[str, list[str], int | None]]:
    found = house.get(f"{PATH}?channel={channel}", "agent").json()["in_force"]
    return {
        each["subject"]: (each["mode"], [sum_["amount"] for sum_ in each["limits"]],
                          each["otherwise_minor"])
        for each in found
    }  # fmt: skip


class TestRules:
    def test_are_there_before_anybody_has_said_any(self, house: House) -> None:
        answer = house.get(f"{PATH}?channel=web", "agent")
        assert (answer.headers["etag"], answer.json()["said"]) == ('"0"', None)
        assert in_force(house, "web")["return_accepted"] == ("auto", [], 50_000)
        assert in_force(house, "web")["goodwill"] == ("approve", [], 0)

    def test_of_a_channel_go_before_those_of_all(self, house: House) -> None:
        assert say(house, policies=[
            policy("owed", "auto", "100.00"), policy("cancellation", "manual", "5"),
        ]).status_code == 201  # fmt: skip
        assert say(house, channel="web", policies=[policy("owed", "approve")]).status_code == 201
        assert in_force(house, "market")["return_accepted"] == ("auto", ["100.00"], 0)
        assert in_force(house, "market")["cancellation"] == ("manual", ["5.00"], 0)
        assert in_force(house, "web")["cancellation"] == ("approve", [], 0)

    def test_say_of_which_payments_money_is_taken_first(self, house: House) -> None:
        def order(channel: str) -> str:
            return str(house.get(f"{PATH}?channel={channel}", "agent").json()["tender_order"])

        assert order("web") == "as_paid"
        say(house, tender_order="card_first")
        assert say(house, channel="web", tender_order="proportional").status_code == 201
        assert (order("web"), order("market")) == ("proportional", "card_first")
        said = house.get(f"{PATH}?channel=web", "agent").json()["said"]
        assert said["tender_order"] == "proportional"

    def test_keep_every_version_with_who_and_why(self, house: House) -> None:
        roles = [{"role": "agent", "day": {"amount": "90.00", "currency": EUR}},
                 {"role": "agent", "refund": {"amount": "900", "currency": "JPY"}}]  # fmt: skip
        first = say(house, channel="web", roles=roles)
        assert (first.status_code, first.headers["etag"]) == (201, '"1"'), first.text
        say(house, version=1, channel="web", cash_limits=[{"amount": "50", "currency": EUR}])
        found = house.get(f"{PATH}/versions?channel=web", "agent").json()
        assert [(each["version"], each["set_by"], each["reason"]) for each in found] == [
            (2, "finance", "as agreed"), (1, "finance", "as agreed"),
        ]  # fmt: skip
        assert found[0]["cash_limits"] == [{"amount": "50.00", "currency": EUR}]
        assert [(each["currency"], each["day"], each["refund"]) for each in found[1]["roles"]] == [
            ("EUR", {"amount": "90.00", "currency": EUR}, None),
            ("JPY", None, {"amount": "900", "currency": "JPY"}),
        ]

    def test_are_said_of_what_was_seen(self, house: House) -> None:
        assert say(house, channel="web").status_code == 201
        late = say(house, key="admin", channel="web")
        assert (late.status_code, late.json()["version"]) == (412, 1)
        assert say(house, channel="web").headers["Idempotency-Replayed"] == "true"
        assert house.count("refund_rules") == 1

    def test_are_of_those_who_may_know_of_the_channel(self, house: House) -> None:
        assert house.get(f"{PATH}?channel=till", "web admin").json()["code"] == "UNKNOWN_CHANNEL"
        assert say(house, key="web admin", channel="till").status_code == 404
        of_all = say(house, key="web admin")
        assert (of_all.status_code, of_all.json()["code"]) == (403, "BOUND_TO_CHANNELS")
        assert say(house, key="agent").json()["code"] == "SCOPE_MISSING"

    @pytest.mark.parametrize(
        "said",
        [
            {"policies": [policy("owed", "auto"), policy("owed", "manual")]},
            {"policies": [policy("owed", "sometimes")]}, {"policies": [policy("luck", "auto")]},
            {"policies": [policy("owed", "auto", "1.001")]}, {"reason": ""},
            {"policies": [policy("owed", "auto", otherwise_minor=-1)]},
            {"roles": [{"role": "king", "day": {"amount": "1", "currency": EUR}}]},
            {"cash_limits": [{"amount": "1", "currency": "XXX"}]},
        ],
    )  # fmt: skip
    def test_that_cannot_be_are_refused(self, house: House, said: Any) -> None:
        answer = say(house, channel="web", **said)
        assert answer.status_code == 422, answer.text
        assert house.count("refund_rules") == 0
