"""Cases of customer service over HTTP, and an order in brief for the tools that keep them."""

from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from oms.kernel.limits import CASES_MAX
from oms.settings import Settings
from tests.api.conftest import House
from tests.api.wire import a_line, an_order
from tests.ledger.finding import indexed

NUMBER = "R100000001"
PATH = f"/v1/orders/{NUMBER}/cases"
CASE: dict[str, Any] = {
    "tool": "salesforce", "case_id": "5003000000D8cuI",
    "url": "https://shop.my.salesforce.example/5003000000D8cuI",
}  # fmt: skip


def link(house: House, key: str = "agent", **said: Any) -> httpx.Response:
    """Link a case to the order."""
    return house.post(PATH, CASE | said, key)


def told(house: House) -> list[tuple[str, Any]]:
    """Return what the story of the order says of cases."""
    events = house.get(f"/v1/orders/{NUMBER}").json()["events"]
    return [(each["type"], each["data"]) for each in events if "case" in each["type"]]


@pytest.fixture
def bought(stocked: House) -> House:
    """An order of the web shop."""
    stocked.order(an_order())
    return stocked


class TestLink:
    def test_is_shown_and_told_once(self, bought: House) -> None:
        answers = [link(bought) for _ in range(3)]
        assert [each.status_code for each in answers] == [200] * 3
        (case,) = bought.get(PATH).json()
        assert case == answers[0].json() == answers[2].json()
        assert (case["state"], case["linked_by"], case["url"]) == ("open", "agent", CASE["url"])
        assert bought.get(f"/v1/orders/{NUMBER}").json()["cases"] == [case]
        said = {"tool": CASE["tool"], "case_id": CASE["case_id"], "state": "open"}
        assert told(bought) == [("order.case_linked", said)]

    def test_goes_out_as_an_event(self, bought: House) -> None:
        link(bought)
        events = bought.get("/v1/events").json()["items"]
        (event,) = [each for each in events if each["type"] == "order.case_linked"]
        assert event["data"]["change"]["case_id"] == CASE["case_id"]

    def test_says_how_it_stands_now(self, bought: House) -> None:
        link(bought)
        case = link(bought, "finance", state="closed").json()
        assert (case["state"], case["linked_by"], case["changed_by"]) == (
            "closed", "agent", "finance",
        )  # fmt: skip
        moved = link(bought, state="closed", url="https://other.example/1").json()
        assert moved["url"] == "https://other.example/1"
        assert [data["state"] for _, data in told(bought)] == ["open", "closed", "closed"]
        assert len(bought.get(PATH).json()) == 1

    def test_finds_its_order(self, bought: House) -> None:
        link(bought, case_id="CASE-00012345")
        indexed(bought.shop.ledger)
        for words in ("case-00012345", "CASE-000123", "00012345"):
            found = bought.get(f"/v1/orders?q={words}").json()["items"]
            assert [each["order_number"] for each in found] == [NUMBER], words
        bought.delete(f"{PATH}/salesforce/CASE-00012345")
        indexed(bought.shop.ledger)
        assert bought.get("/v1/orders?q=CASE-00012345").json()["items"] == []

    def test_is_for_who_reads_internal_notes(self, bought: House) -> None:
        link(bought)
        assert link(bought, "web").status_code == 403
        assert bought.get(f"/v1/orders/{NUMBER}", "web").json()["cases"] == []
        assert bought.get(f"/v1/orders/{NUMBER}/summary", "web").json()["cases"] == []

    @pytest.mark.parametrize(
        "said",
        [
            {"tool": ""}, {"tool": "Sales Force"}, {"tool": "x" * 41}, {"tool": "-x"},
            {"case_id": ""}, {"case_id": "a b"}, {"case_id": "x" * 101}, {"case_id": "a/b"},
            {"case_id": ".."}, {"case_id": "é"}, {"url": ""}, {"url": "http://crm.example/1"},
            {"url": "javascript:alert(1)"}, {"url": "https://"}, {"url": "https:///1"},
            {"url": "https://a@crm.example/1"}, {"url": "https://crm.example/a b"},
            {"url": "https://crm.example/\u0627"}, {"url": "https://crm.example:0/1"},
            {"url": "https://[::1/1"}, {"url": "https://crm.example/)x](http://bad.example"},
            {"url": 'https://crm.example/"onclick='}, {"url": f"https://crm.example/{'x' * 1000}"},
            {"state": "lost"}, {"title": "x"},
        ],
    )  # fmt: skip
    def test_that_cannot_be_one_is_refused(self, bought: House, said: dict[str, Any]) -> None:
        assert link(bought, **said).status_code == 422
        assert bought.count("order_cases") == 0

    def test_more_than_there_may_be_are_refused(self, bought: House) -> None:
        for number in range(CASES_MAX):
            assert link(bought, case_id=str(number)).status_code == 200
        answer = link(bought, case_id="more")
        assert (answer.status_code, answer.json()["code"]) == (409, "TOO_MANY_CASES")
        assert link(bought, case_id="0", state="closed").status_code == 200

    def test_of_an_order_that_is_not_there_or_anothers_is_none(self, bought: House) -> None:
        for number, key in (("R9", "agent"), (NUMBER, "market")):
            answer = bought.get(f"/v1/orders/{number}/cases", key)
            assert answer.status_code in {403, 404}
        assert bought.post("/v1/orders/R9/cases", CASE).json()["code"] == "ORDER_NOT_FOUND"


class TestUnlink:
    def test_takes_it_off_once(self, bought: House) -> None:
        link(bought)
        link(bought, case_id="2")
        for _ in range(2):
            gone = bought.delete(f"{PATH}/salesforce/{CASE['case_id']}", "agent")
            assert gone.status_code == 204
        assert [each["case_id"] for each in bought.get(PATH).json()] == ["2"]
        assert [kind for kind, _ in told(bought)][-1] == "order.case_unlinked"
        assert len(told(bought)) == 3

    def test_may_be_linked_again(self, bought: House) -> None:
        link(bought)
        bought.delete(f"{PATH}/salesforce/{CASE['case_id']}")
        assert link(bought).status_code == 200
        assert len(bought.get(PATH).json()) == 1

    def test_of_what_has_no_such_name_is_refused(self, bought: House) -> None:
        assert bought.delete(f"{PATH}/Sales%20Force/1").status_code == 422


class TestCard:
    def test_says_what_is_asked_first(self, bought: House) -> None:
        link(bought)
        bought.post(f"/v1/orders/{NUMBER}/holds", {"type": "manual", "comment": "Ask."}, once="h")
        order = bought.get(f"/v1/orders/{NUMBER}", "agent")
        answer = bought.get(f"/v1/orders/{NUMBER}/summary", "agent")
        card, full = answer.json(), order.json()
        same = card.keys() & full.keys() - {"holds", "exceptions", "lines", "allowed_actions"}
        assert {"order_state", "total", "version", "cases", "tags", "parcels"} <= same
        assert {name: card[name] for name in same} == {name: full[name] for name in same}
        assert answer.headers["etag"] == order.headers["etag"]
        assert (card["holds"], card["exceptions"], card["payment_state"]) == (
            ["manual"],
            [],
            "none",
        )
        assert (card["units_count"], card["lines_count"]) == (1, 1)
        assert card["allowed_actions"] == sorted(
            {each["action"] for each in full["allowed_actions"] if each["is_allowed"]}
        )
        assert "release" in card["allowed_actions"]

    def test_says_no_more_than_the_caller_may(self, bought: House) -> None:
        agent, channel = (
            bought.get(f"/v1/orders/{NUMBER}/summary", key).json()["allowed_actions"]
            for key in ("agent", "web")
        )
        assert "cancel" in agent
        assert set(channel) < set(agent)
        assert bought.get(f"/v1/orders/{NUMBER}/summary", "market").status_code == 404

    def test_stays_small(self, stocked: House) -> None:
        lines = [a_line(line_ref=f"l-{at}") for at in range(30)]
        number = stocked.order(an_order(lines=lines, allow_backorder=True)).json()["order_number"]
        card = stocked.get(f"/v1/orders/{number}/summary").json()
        assert (len(card["lines"]), card["lines_count"], card["units_count"]) == (10, 30, 30)
        assert card["exceptions"] == ["BACKORDERED"]

    @pytest.mark.parametrize(
        ("told", "expected"),
        [
            (None, "http://127.0.0.1:8501"), ("https://oms.shop.example/", "https://oms.shop.example"),
            ("https://shop.example/oms", "https://shop.example/oms"),
        ],
    )  # fmt: skip
    def test_leads_to_the_console(
        self, bought: House, monkeypatch: pytest.MonkeyPatch, told: str | None, expected: str
    ) -> None:
        monkeypatch.setattr(bought.system, "settings", Settings(console_url=told))
        card = bought.get(f"/v1/orders/{NUMBER}/summary").json()
        assert card["console_url"] == f"{expected}/order?number={NUMBER}"

    @pytest.mark.parametrize(
        "told", ["shop.example", "javascript:x", "https://a?b=c", "https://a#b"]
    )
    def test_leads_nowhere_else(self, told: str) -> None:
        with pytest.raises(ValidationError):
            Settings(console_url=told)
