"""Settlement reports over HTTP: taken in once, looked at, exported, differences resolved."""

import csv
import io
from typing import Any

import pytest

from tests.api.conftest import House
from tests.api.test_attention import matters
from tests.settling import a_row, balanced, written

PATH = "/v1/settlements"
# Nothing of it is ours, and one payout says a cent more than its rows.
TOLD = [
    a_row(entry_id="e1", operation_id="=1+1", gross="10.00", fee="0.14"),
    a_row(entry_id="e2", type="refund", gross="-4.00"),
    a_row(entry_id="e3", payout_id="short", type="fee", gross="-1.00"),
    a_row(entry_id="e4", payout_id="short", type="payout", gross="1.01"),
]


def post(house: House, content: bytes, query: str = "psp=sandbox", key: str = "finance") -> Any:
    return house._ask("POST", f"{PATH}?{query}", key, content=content)


@pytest.fixture
def number(stocked: House) -> str:
    answer = post(stocked, written(balanced(TOLD[:3]) + TOLD[3:]), "psp=sandbox&name=day.csv")
    assert answer.status_code == 201, answer.text
    return str(answer.json()["report_number"])


def differences(house: House, query: str = "") -> list[Any]:
    found: list[Any] = house.get(f"/v1/settlement-differences{query}", "finance").json()["items"]
    return found


class TestTaken:
    def test_is_listed_with_its_totals_and_payouts(self, stocked: House, number: str) -> None:
        (report,) = stocked.get(PATH, "finance").json()["items"]
        assert (report["name"], report["rows_count"], report["open_count"]) == ("day.csv", 6, 3)
        detail = stocked.get(f"{PATH}/{number}", "finance").json()
        assert {key: detail[key] for key in report} == report
        totals = {(t["type"], t["finding"]): t["amount"]["amount"] for t in detail["totals"]}
        assert totals[("capture", "unknown")] == "10.00"
        assert totals[("payout", "payout_total")] == "1.00"
        short = next(each for each in detail["payouts"] if each["payout_ref"] == "short")
        assert (short["rows_total"]["amount"], short["paid"]["amount"]) == ("-1.00", "-2.01")

    def test_again_is_the_same(self, stocked: House, number: str) -> None:
        again = post(stocked, written(balanced(TOLD[:3]) + TOLD[3:]))
        assert (again.status_code, again.json()["report_number"]) == (200, number)
        assert stocked.count("settlement_reports") == 1

    def test_is_given_back_as_it_came(self, stocked: House, number: str) -> None:
        answer = stocked.get(f"{PATH}/{number}/file", "finance")
        assert answer.content == written(balanced(TOLD[:3]) + TOLD[3:])

    def test_has_rows_by_finding(self, stocked: House, number: str) -> None:
        found = stocked.get(f"{PATH}/{number}/rows?finding=unknown&limit=1", "finance").json()
        assert [row["entry_ref"] for row in found["items"]] == ["e1"]
        path = f"{PATH}/{number}/rows?finding=unknown&after={found['next_after']}"
        rest = stocked.get(path, "finance").json()
        assert ([row["entry_ref"] for row in rest["items"]], rest["next_after"]) == (["e2"], None)

    def test_is_exported_without_formulas(self, stocked: House, number: str) -> None:
        answer = stocked.get(f"{PATH}/{number}/export", "finance")
        lines = [line for line in answer.text.splitlines() if not line.startswith(("#", "\ufeff"))]
        first = next(csv.DictReader(io.StringIO("\n".join(lines))))
        assert (first["Finding"], first["Its operation"], first["Net"].rstrip("0")) == (
            "unknown", "'=1+1", "9.86",
        )  # fmt: skip


class TestRefused:
    def test_is_what_cannot_be_read_and_says_where(self, stocked: House) -> None:
        rows = [TOLD[0], TOLD[1] | {"gross": "1,00"}, TOLD[2] | {"currency": "XYZ"}]
        answer = post(stocked, written(rows))
        assert (answer.status_code, answer.json()["code"]) == (422, "SETTLEMENT_UNREADABLE")
        assert [(each["row"], each["column"]) for each in answer.json()["problems"]] == [
            (2, "gross"), (3, "currency"),
        ]  # fmt: skip
        assert stocked.count("settlement_reports") == 0

    @pytest.mark.parametrize("content", [b"", b"\x00", b"\xff\xfe", b"a,b\n1,2\n", b"{}"])
    def test_is_what_is_no_report(self, stocked: House, content: bytes) -> None:
        assert post(stocked, content).json()["code"] == "SETTLEMENT_UNREADABLE"

    def test_is_a_layout_nobody_reads(self, stocked: House) -> None:
        assert post(stocked, b"x", "psp=acme").json()["code"] == "UNKNOWN_LAYOUT"
        assert post(stocked, written(TOLD), "psp=acme&layout=sandbox").status_code == 201

    def test_is_a_key_of_some_channels(self, stocked: House, number: str) -> None:
        """A service settles for all of them."""
        answer = post(stocked, written(TOLD), key="web admin")
        assert (answer.status_code, answer.json()["code"]) == (403, "EVERY_CHANNEL_NEEDED")
        for path in ("", "/rows", "/export", "/file"):
            assert stocked.get(f"{PATH}/{number}{path}", "web admin").status_code == 404
        for path in (PATH, "/v1/settlement-differences"):
            assert stocked.get(path, "web admin").json()["items"] == []
        assert ("SETTLEMENT_DIFFERS", "unknown") not in matters(stocked, "web admin")


class TestDifferences:
    def test_wait_for_somebody_to_say_what_explains_them(self, stocked: House, number: str) -> None:
        assert matters(stocked, "finance")["SETTLEMENT_DIFFERS", "unknown"] == 2
        first, *_ = differences(stocked, f"?state=open&finding=unknown&report={number}")
        path = f"/v1/settlement-differences/{first['difference_number']}/resolve"
        seen = {"If-Match": str(first["version"])}
        body = {"reason": "another shop's"}
        agent = stocked.post(path, body, "agent", once="a", headers=seen)
        assert agent.json()["code"] == "SCOPE_MISSING"
        foreign = stocked.post(path, body, "web admin", once="b", headers=seen)
        assert foreign.json()["code"] == "DIFFERENCE_NOT_FOUND"
        done = stocked.post(path, body, "finance", once="c", headers=seen).json()
        assert (done["state"], done["resolved_by"], done["reason"]) == (
            "resolved", "finance", "another shop's",
        )  # fmt: skip
        late = stocked.post(path, body, "finance", once="d", headers=seen)
        assert late.status_code == 412
        assert matters(stocked, "finance")["SETTLEMENT_DIFFERS", "unknown"] == 1
        assert stocked.get(f"{PATH}/{number}", "finance").json()["open_count"] == 2
        assert len(differences(stocked, "?state=resolved")) == 1
        assert differences(stocked, "?psp=acme") == []
