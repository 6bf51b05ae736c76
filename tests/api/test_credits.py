"""Store credit over HTTP: given by a refund, looked up, spent, corrected."""

from collections import Counter
from functools import partial
from typing import Any

import pytest

from tests.api.conftest import House
from tests.api.test_payments import TOLD, posted
from tests.api.test_races import at_once
from tests.api.wire import a_line, an_order

PATH = "/v1/orders/R100000001/refunds"
SOME: dict[str, Any] = {
    "kind": "goodwill", "amount": {"amount": "8.00", "currency": "EUR"}, "reason": "late",
    "paid_as": "store_credit",
}  # fmt: skip


@pytest.fixture
def given(stocked: House) -> House:
    """An order of 10.00 that is paid, of which 8.00 were given back in store credit."""
    posted(stocked, TOLD)
    with stocked.system.ledger.transaction() as tx:
        tx.exec_driver_sql(
            "insert into payment_transactions (payment_id, order_id, type, state, amount_minor,"
            " currency, psp, source, cause, idempotency_key, requested_at) select payment_id,"
            " order_id, 'capture', 'succeeded', 1000, 'EUR', psp, 'psp', 'x', 'x', now()"
            " from payments"
        )
        tx.exec_driver_sql("update payments set captured_minor = 1000")
    seen = stocked.post(f"{PATH}:preview", SOME, "agent").json()
    made = stocked.post(PATH, SOME, "agent", once="k").json()
    assert (seen["amount"], seen["paid_as"]) == (made["amount"], made["paid_as"])
    headers = {"If-Match": str(made["version"])}
    path = f"/v1/refunds/{made['refund_number']}/actions"
    done = stocked.post(path, {"action": "approve"}, "finance", once="a", headers=headers)
    assert (done.status_code, done.json()["state"]) == (200, "succeeded"), done.text
    assert done.json()["credit_number"] == "K660000001"
    return stocked


def credit(house: House, number: str = "K660000001", key: str = "agent") -> Any:
    answer = house.get(f"/v1/credits/{number}", key)
    assert answer.status_code == 200, answer.text
    return answer.json()


def pay(house: House, order: str, much: str = "5.00", **said: Any) -> Any:
    body = {
        "external_ref": "c-1", "tender": "store_credit", "credit_code": credit(house)["code"],
        "amount": {"amount": much, "currency": "EUR"},
    } | said  # fmt: skip
    once = f"{order}-{much}"
    return house.post(f"/v1/orders/{order}/payments", body, "agent", once=once)


def other(house: House, ref: str = "W-2", **said: Any) -> str:
    answer = house.order(an_order(ref, allow_backorder=True, **said))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["order_number"])


class TestLookedUp:
    def test_by_its_code_however_it_is_written(self, given: House) -> None:
        found = credit(given)
        assert (found["balance"]["amount"], found["order_number"]) == ("8.00", "R100000001")
        assert [each["kind"] for each in found["entries"]] == ["issued"]
        for code in (found["code"], found["code"].lower().replace("-", " ")):
            assert given.post("/v1/credits/lookup", {"code": code}, "agent").json() == found
        for nothing in ("ABCD-EFGH", "-", "*"):
            answer = given.post("/v1/credits/lookup", {"code": nothing}, "agent")
            assert (answer.status_code, answer.json()["code"]) == (404, "CREDIT_NOT_FOUND")

    def test_by_its_order_and_in_pages(self, given: House) -> None:
        for query, count in (("order=r100000001", 1), ("order=R1", 0), ("channel=market", 0)):
            found = given.get(f"/v1/credits?{query}", "agent").json()
            assert len(found["items"]) == count, query
        rows = given.get("/v1/credits/K660000001/entries?limit=1", "agent").json()
        assert ([each["entry_no"] for each in rows["items"]], rows["next_after"]) == ([1], None)

    def test_is_a_file(self, given: House) -> None:
        lines = given.get("/v1/credits/K660000001/export", "agent").text.splitlines()
        rows = [line.split(",") for line in lines if line.startswith("1,")]
        assert [(row[2], row[3], row[4]) for row in rows] == [('"issued"', "8.000", "8.000")]

    def test_of_no_customer_is_not_found(self, given: House) -> None:
        assert given.get("/v1/credits?customer=99", "agent").status_code == 404


class TestSpent:
    def test_pays_at_once_and_the_same_ref_once(self, given: House) -> None:
        order = other(given)
        paid = pay(given, order)
        assert (paid.status_code, paid.json()["state"]) == (201, "captured"), paid.text
        assert pay(given, order).content == paid.content
        assert credit(given)["balance"]["amount"] == "3.00"
        assert given.get(f"/v1/orders/{order}").json()["payments"]["captured"]["amount"] == "5.00"

    def test_is_refused_with_what_is_left(self, given: House) -> None:
        order = other(given, lines=[a_line(quantity=3)])
        answer = pay(given, order, "8.01")
        assert (answer.status_code, answer.json()["code"]) == (409, "CREDIT_EXCEEDED")
        assert answer.json()["max_minor"] == 800
        assert credit(given)["balance"]["amount"] == "8.00"

    @pytest.mark.parametrize(
        ("said", "status"),
        [
            ({"tender": "card"}, 422), ({"psp": "sandbox", "token": "t"}, 422),
            ({"credit_code": "NOPE"}, 404), ({"credit_code": ""}, 422),
            ({"amount": {"amount": "1.00", "currency": "SEK"}}, 422),
            ({"amount": {"amount": "0.00", "currency": "EUR"}}, 422),
        ],
    )  # fmt: skip
    def test_is_refused_where_it_makes_no_sense(
        self, given: House, said: dict[str, Any], status: int
    ) -> None:
        assert pay(given, other(given), **said).status_code == status
        assert credit(given)["balance"]["amount"] == "8.00"

    def test_of_fifty_at_once_as_many_as_fit(self, given: House) -> None:
        orders = [other(given, f"W-{n}0") for n in range(50)]
        code = credit(given)["code"]
        answers = at_once([partial(pay, given, to, "0.75", credit_code=code) for to in orders])
        assert Counter(each.status_code for each in answers) == {201: 10, 409: 40}
        assert credit(given)["balance"]["amount"] == "0.50"
        assert len(credit(given)["entries"]) == 11


class TestCorrected:
    def test_is_less_for_a_reason_by_who_may(self, given: House) -> None:
        body = {"balance": {"amount": "1.00", "currency": "EUR"}, "reason": "given twice"}
        path, seen = "/v1/credits/K660000001/corrections", {"If-Match": "1"}
        assert given.post(path, body, "agent", once="a", headers=seen).status_code == 403
        done = given.post(path, body, "finance", once="b", headers=seen)
        assert (done.status_code, done.json()["balance"]["amount"]) == (200, "1.00")
        assert given.post(path, body, "finance", once="c", headers=seen).status_code == 412
        more = body | {"balance": {"amount": "9.00", "currency": "EUR"}}
        answer = given.post(path, more, "finance", once="d", headers={"If-Match": "2"})
        assert (answer.status_code, answer.json()["code"]) == (422, "NOT_LOWERED")
