"""Tools of customer service: whom they act for is who did it."""

from typing import Any

import httpx
import pytest

from tests.api.conftest import House
from tests.api.test_refunds import SOME, bought
from tests.api.wire import an_order

__all__ = ["bought"]

NUMBER = "R100000001"
ADA = "ada@shop.example"
BEA = "bea@shop.example"


class Tool:
    """A tool with a key of its own."""

    def __init__(self, house: House, role: str, name: str = "CRM") -> None:
        """Have a key made."""
        self.house = house
        made = house.post("/v1/keys", {"name": name, "role": role, "is_tool": True})
        assert made.status_code == 201, made.text
        self._key = made.json()["key"]

    def ask(
        self, method: str, path: str, body: Any = None, *, person: Any = None, **headers: str
    ) -> httpx.Response:
        """Ask for something, for a person or for several."""
        sent = [("Authorization", f"Bearer {self._key}"), *headers.items()]
        persons = [] if person is None else [person] if isinstance(person, str | bytes) else person
        sent += [("OMS-On-Behalf-Of", each) for each in persons]
        return self.house.client.request(method, path, json=body, headers=sent)

    def refund(self, person: str | None) -> Any:
        """Ask for a refund that somebody else is to let go."""
        answer = self.ask(
            "POST", f"/v1/orders/{NUMBER}/refunds", SOME, person=person, **{"Idempotency-Key": "k"}
        )
        assert answer.status_code == 201, answer.text
        return answer.json()

    def approve(self, refund: Any, person: str | None) -> httpx.Response:
        """Let a refund go."""
        path = f"/v1/refunds/{refund['refund_number']}/actions"
        headers = {"If-Match": str(refund["version"]), "Idempotency-Key": f"a{person}"}
        return self.ask("POST", path, {"action": "approve"}, person=person, **headers)


def note(tool: Tool, person: Any, once: str = "n") -> httpx.Response:
    """Add a note."""
    path = f"/v1/orders/{NUMBER}/notes"
    return tool.ask("POST", path, {"body": "Called."}, person=person, **{"Idempotency-Key": once})


@pytest.fixture
def tool(stocked: House) -> Tool:
    """A tool of agents, and an order."""
    stocked.order(an_order())
    return Tool(stocked, "agent")


class TestPerson:
    def test_is_who_did_it_with_the_tool(self, tool: Tool) -> None:
        assert note(tool, ADA).json()["author"] == f"{ADA} via CRM"
        events = tool.house.get(f"/v1/orders/{NUMBER}").json()["events"]
        assert events[-1]["actor"] == f"{ADA} via CRM"

    def test_is_told_whose_word_it_is(self, tool: Tool) -> None:
        me = tool.ask("GET", "/v1/me", person=ADA).json()
        assert (me["name"], me["on_behalf_of"], me["is_tool"]) == (f"{ADA} via CRM", ADA, True)

    def test_is_nobody_when_none_is_named(self, tool: Tool) -> None:
        assert note(tool, None).json()["author"] == "CRM"

    def test_means_what_they_mean(self, tool: Tool) -> None:
        """One key for repetitions of two people is two intentions, and refused."""
        assert note(tool, ADA).status_code == 201
        assert note(tool, ADA).headers["idempotency-replayed"] == "true"
        answer = note(tool, BEA)
        assert (answer.status_code, answer.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")

    def test_may_no_more_than_the_tool(self, tool: Tool) -> None:
        assert tool.ask("GET", "/v1/keys", person="admin").status_code == 403

    @pytest.mark.parametrize(
        "named",
        [
            "", " ", "a b", "ada via CRM", "x" * 101, b"a\x00b", b"a\x1fb", "é".encode(),
            [ADA, BEA], [ADA, ADA],
        ],
    )  # fmt: skip
    def test_is_one_word(self, tool: Tool, named: Any) -> None:
        answer = note(tool, named)
        assert (answer.status_code, answer.json()["code"]) == (400, "ON_BEHALF_OF_INVALID")
        assert tool.house.count("notes") == 0

    def test_is_as_long_as_may_be(self, tool: Tool) -> None:
        assert note(tool, "x" * 100).status_code == 201

    @pytest.mark.parametrize("key", ["admin", "agent", "web"])
    def test_is_named_by_tools_only(self, tool: Tool, key: str) -> None:
        answer = tool.house.get("/v1/me", key, headers={"OMS-On-Behalf-Of": ADA})
        assert (answer.status_code, answer.json()["code"]) == (403, "NO_TOOL")

    def test_is_named_with_a_token_too(self, tool: Tool) -> None:
        answer = tool.house.client.post(
            "/v1/oauth/token", data={
                "grant_type": "client_credentials", "client_secret": tool._key,
                "client_id": tool._key.split("_")[1],
            },
        )  # fmt: skip
        headers = {
            "Authorization": f"Bearer {answer.json()['access_token']}", "OMS-On-Behalf-Of": ADA
        }  # fmt: skip
        assert tool.house.client.get("/v1/me", headers=headers).json()["on_behalf_of"] == ADA


class TestKey:
    @pytest.mark.parametrize("role", ["admin", "channel", "store", "engineer"])
    def test_of_a_tool_is_that_of_who_works_with_people(self, house: House, role: str) -> None:
        answer = house.post("/v1/keys", {"name": "n", "role": role, "is_tool": True})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/is_tool"

    def test_is_not_named_as_somebody_with_a_tool(self, house: House) -> None:
        answer = house.post("/v1/keys", {"name": "ada via CRM", "role": "agent"})
        assert answer.json()["errors"][0]["pointer"] == "/name"

    def test_says_what_it_is(self, house: House) -> None:
        Tool(house, "agent")
        listed = house.get("/v1/keys").json()
        assert {each["name"]: each["is_tool"] for each in listed}["CRM"] is True
        assert {each["name"]: each["is_tool"] for each in listed}["agent"] is False


class TestFourEyes:
    """A refund above the limit is let go by somebody else, whatever they use."""

    @pytest.mark.parametrize(
        ("asked", "decided", "status"),
        [
            (ADA, BEA, 200), (ADA, ADA, 403), (ADA, ADA.upper(), 403), (None, None, 403),
            (ADA, None, 403), (None, ADA, 403),
        ],
    )  # fmt: skip
    def test_are_of_people(
        self, bought: House, asked: str | None, decided: str | None, status: int
    ) -> None:
        tool = Tool(bought, "finance")
        answer = tool.approve(tool.refund(asked), decided)
        assert answer.status_code == status, answer.text
        if status == 403:
            assert answer.json()["code"] == "SAME_PERSON"
        else:
            assert answer.json()["decided_by"] == f"{BEA} via CRM"
            assert answer.json()["requested_by"] == f"{ADA} via CRM"

    @pytest.mark.parametrize(("person", "status"), [("finance", 403), (ADA, 200)])
    def test_are_the_same_in_the_console(self, bought: House, person: str, status: int) -> None:
        refund = Tool(bought, "agent").refund(person)
        answer = bought.post(
            f"/v1/refunds/{refund['refund_number']}/actions", {"action": "approve"}, "finance",
            once="a", headers={"If-Match": str(refund["version"])},
        )  # fmt: skip
        assert answer.status_code == status

    def test_are_of_two_tools(self, bought: House) -> None:
        refund = Tool(bought, "agent").refund(ADA)
        other = Tool(bought, "finance", "Desk")
        assert other.approve(refund, ADA).status_code == 403
        assert other.approve(refund, None).status_code == 200
