"""Refunds in bulk over HTTP: put together in three ways, let go by somebody else, taken away."""

import csv
import io
from typing import Any

import pytest

from oms.worker import chores
from tests.api.conftest import House
from tests.api.test_payments import posted
from tests.api.test_refunds import bought

__all__ = ["bought", "posted"]  # fixtures of theirs

PATH = "/v1/refund-batches"
ROW: dict[str, Any] = {
    "order_number": "R100000001", "kind": "goodwill", "reason": "late",
    "amount": {"amount": "3.00", "currency": "EUR"},
}  # fmt: skip
LINES = "order_number,kind,amount,currency,reason\n"


def made(house: House, key: str = "agent", **said: Any) -> Any:
    body = {"name": "storm"} | (said or {"rows": [ROW]})
    answer = house.post(PATH, body, key, once="k")
    assert answer.status_code == 201, answer.text
    return answer.json()


def act(house: House, batch: Any, action: str, key: str = "agent", **said: Any) -> Any:
    seen = house.get(f"{PATH}/{batch['batch_number']}").json()
    body = {"action": action} | said
    once = f"{action}-{key}-{seen['version']}-{len(str(said))}"
    return house.post(
        f"{PATH}/{batch['batch_number']}/actions", body, key, once=once,
        headers={"If-Match": str(seen["version"])},
    )  # fmt: skip


def go(house: House) -> None:
    """Let the worker do all there is to do for batches."""
    (chore,) = (each for each in chores(house.system) if each.name == "refund batches")
    while chore.step():
        pass


def rows(house: House, batch: Any, query: str = "") -> Any:
    return house.get(f"{PATH}/{batch['batch_number']}/rows{query}").json()


def submitted(house: House, **said: Any) -> Any:
    batch = made(house, **said)
    act(house, batch, "validate")
    go(house)
    answer = act(house, batch, "submit")
    assert answer.status_code == 200, answer.text
    return answer.json()


class TestMade:
    def test_of_rows_is_looked_at_and_adds_up(self, bought: House) -> None:
        batch = submitted(bought, rows=[ROW, ROW | {"order_number": "r2"}])
        assert (batch["state"], batch["rows_count"]) == ("awaiting_approval", 2)
        first, second = rows(bought, batch)["items"]
        assert first["eligible"]["maximum"] == {"amount": "10.00", "currency": "EUR"}
        assert [each["amount"]["amount"] for each in first["eligible"]["tenders"]] == ["3.00"]
        assert (second["order_number"], second["state"], second["code"]) == (
            "R2", "refused", "ORDER_NOT_FOUND",
        )  # fmt: skip
        amounts = {each["state"]: each["amount"]["amount"] for each in batch["totals"]}
        assert amounts == {"eligible": "3.00", "refused": "3.00"}
        assert rows(bought, batch, "?state=refused")["items"] == [second]
        page = rows(bought, batch, "?limit=1")
        assert rows(bought, batch, f"?after={page['next_after']}")["items"] == [second]

    def test_of_a_file_is_the_same_rows(self, bought: House) -> None:
        text = "\ufeff" + LINES + 'R100000001,goodwill,3.00,EUR,"late, and\nwet"\n\nR2,,,,\n'
        batch = made(bought, csv=text)
        found = [(r["order_number"], r["kind"], r["amount"], r["reason"])
                 for r in rows(bought, batch)["items"]]  # fmt: skip
        assert found == [
            ("R100000001", "goodwill", ROW["amount"], "late, and\nwet"), ("R2", "owed", None, ""),
        ]  # fmt: skip

    def test_of_a_file_says_of_every_line_what_is_wrong(self, bought: House) -> None:
        text = LINES + "".join(
            f"{line}\n" for line in (
                "R1,goodwill,1e5,EUR,x", "R1,goodwill,1.005,EUR,x", "R1,goodwill,0,EUR,x",
                "R1,goodwill,1,XXX,x", "R1,goodwill,1.00,EUR,", "R1,gift,1.00,EUR,x",
                ",owed,,,", "R1,owed,1.00,,", "R1,owed", "R1,goodwill,=1+1,EUR,x",
            )
        )  # fmt: skip
        answer = bought.post(PATH, {"name": "n", "csv": text}, once="k")
        assert answer.status_code == 422
        assert [e["pointer"] for e in answer.json()["errors"]] == [
            f"/csv/{n}" for n in range(2, 12)
        ]
        assert all(each["detail"] for each in answer.json()["errors"])
        assert bought.count("refund_batches") == 0

    def test_of_a_search_is_what_is_owed_of_its_orders_as_they_are(self, bought: House) -> None:
        assert bought.post(
            PATH, {"name": "n", "orders": {"channel": ["market"]}}, once="none"
        ).json()["code"] == "TOO_MANY_ROWS"  # fmt: skip
        batch = made(bought, orders={"channel": ["web"]}, reason="storm")
        found = [(r["order_number"], r["kind"], r["reason"]) for r in rows(bought, batch)["items"]]
        assert found == [("R100000001", "owed", "storm")]

    @pytest.mark.parametrize(
        "said",
        [
            {}, {"rows": []}, {"rows": [ROW], "csv": "order_number\nR1"}, {"csv": ""},
            {"csv": "order_number"}, {"csv": "number\nR1"}, {"csv": 'order_number\n"R1'},
            {"csv": "order_number,order_number\nR1,R2"}, {"rows": [ROW | {"amount": None}]},
            {"rows": [ROW | {"reason": " "}]}, {"orders": {"colour": "red"}},
            {"rows": [ROW | {"amount": {"amount": "1.005", "currency": "EUR"}}]},
        ],
    )  # fmt: skip
    def test_of_what_is_none_is_not(self, bought: House, said: dict[str, Any]) -> None:
        answer = bought.post(PATH, {"name": "n"} | said, once="k")
        assert (answer.status_code, bought.count("refund_batches")) == (422, 0)

    def test_the_same_again_is_the_same(self, bought: House) -> None:
        assert made(bought) == made(bought)
        assert bought.count("refund_batches") == 1

    def test_may_be_changed_by_who_has_seen_it(self, bought: House) -> None:
        batch = submitted(bought)
        path = f"{PATH}/{batch['batch_number']}/rows"
        body = {"rows": [ROW | {"row_no": 1, "reason": "wet"}, ROW | {"order_number": "R2"}]}
        late = bought.post(path, body, once="a", headers={"If-Match": "1"})
        assert late.status_code == 412
        headers = {"If-Match": str(batch["version"])}
        changed = bought.post(path, body, once="b", headers=headers).json()
        assert (changed["state"], changed["rows_count"]) == ("draft", 2)
        assert (changed["digest"], changed["edited_by"]) == (None, "admin")
        headers = {"If-Match": str(changed["version"])}
        twice = {"rows": [ROW | {"row_no": 1}] * 2}
        assert bought.post(path, twice, once="c", headers=headers).status_code == 422
        gone = bought.post(path, {"remove": [7]}, once="d", headers=headers)
        assert (gone.status_code, gone.json()["code"]) == (409, "ROW_NOT_OPEN")


class TestApproved:
    def test_by_who_may_did_not_submit_and_has_seen_it(self, bought: House) -> None:
        batch = submitted(bought)
        seen = {"digest": batch["digest"]}
        assert act(bought, batch, "approve", **seen).json()["code"] == "SCOPE_MISSING"
        stale = act(bought, batch, "approve", "finance", digest="x")
        assert (stale.status_code, stale.json()["code"]) == (409, "STALE_PREVIEW")
        answer = act(bought, batch, "approve", "finance", **seen)
        assert (answer.status_code, answer.json()["state"]) == (200, "approved")

    def test_not_by_who_submitted(self, bought: House) -> None:
        batch = made(bought)
        act(bought, batch, "validate")
        go(bought)
        done = act(bought, batch, "submit", "finance").json()
        answer = act(bought, done, "approve", "finance", digest=done["digest"])
        assert (answer.status_code, answer.json()["code"]) == (403, "SAME_PERSON")


class TestSeen:
    def test_by_nobody_whose_channels_it_is_not_of(self, bought: House) -> None:
        batch = made(bought)
        path = f"{PATH}/{batch['batch_number']}"
        for asked in (path, f"{path}/rows", f"{path}/export"):
            assert bought.get(asked, "web admin").json()["code"] == "REFUND_BATCH_NOT_FOUND"
        assert bought.get(PATH, "web admin").json()["items"] == []
        answer = bought.post(PATH, {"name": "n", "rows": [ROW]}, "web admin", once="w")
        theirs = answer.json()["batch_number"]
        assert [b["batch_number"] for b in bought.get(PATH, "web admin").json()["items"]] == [
            theirs
        ]

    def test_by_finance_as_a_file_without_formulas(self, bought: House) -> None:
        batch = submitted(bought, rows=[ROW, ROW | {"order_number": "=1+1"}])
        act(bought, batch, "approve", "finance", digest=batch["digest"])
        go(bought)
        answer = bought.get(f"{PATH}/{batch['batch_number']}/export", "finance")
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        lines = [line for line in answer.text.splitlines() if not line.startswith(("#", "\ufeff"))]
        done, refused = csv.DictReader(io.StringIO("\n".join(lines)))
        assert (done["Order"], done["Refund"], done["Row state"]) == (
            "R100000001", "U600000001", "done",
        )  # fmt: skip
        assert (done["Amount"].rstrip("0"), done["Currency"], done["State"]) == (
            "3.", "EUR", "requested",
        )  # fmt: skip
        assert (refused["Order"], refused["Why not"]) == ("'=1+1", "ORDER_NOT_FOUND")
        assert (refused["Refund"], refused["Amount"]) == ("", "")
