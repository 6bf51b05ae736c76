"""Refunds over HTTP: looked at, made, and let go by somebody else."""

from typing import Any

import pytest

from tests.api.conftest import House
from tests.api.test_payments import TOLD, posted
from tests.api.wire import an_order

PATH = "/v1/orders/R100000001/refunds"
SOME: dict[str, Any] = {
    "kind": "goodwill", "amount": {"amount": "3.00", "currency": "EUR"}, "reason": "late",
}  # fmt: skip
OFF: dict[str, Any] = {"line_no": 1, "amount": {"amount": "1.00", "currency": "EUR"}}


@pytest.fixture
def bought(stocked: House) -> House:
    """An order of 10.00 that is paid: authorized as told, captured as its service says."""
    posted(stocked, TOLD)
    with stocked.system.ledger.transaction() as tx:
        tx.exec_driver_sql(
            "insert into payment_transactions (payment_id, order_id, type, state, amount_minor,"
            " currency, source, cause, idempotency_key, requested_at) select payment_id, order_id,"
            " 'capture', 'succeeded', 1000, 'EUR', 'psp', 'x', 'x', now() from payments"
        )
        tx.exec_driver_sql("update payments set captured_minor = 1000")
    return stocked


def made(house: House, key: str = "agent", **said: Any) -> Any:
    answer = house.post(PATH, SOME | said, key, once="k")
    assert answer.status_code == 201, answer.text
    return answer.json()


def act(house: House, refund: Any, action: str, key: str) -> Any:
    path = f"/v1/refunds/{refund['refund_number']}/actions"
    headers = {"If-Match": str(refund["version"])}
    return house.post(path, {"action": action}, key, once=f"{action}{key}", headers=headers)


class TestMade:
    def test_is_as_it_was_looked_at(self, bought: House) -> None:
        seen = bought.post(f"{PATH}:preview", SOME, "agent").json()
        refund = made(bought)
        assert refund["state"] == "awaiting_approval"
        assert (seen["amount"], seen["maximum"]["amount"]) == (refund["amount"], "10.00")
        parts = [(t["payment_number"], t["amount"]) for t in refund["tenders"]]
        assert parts == [(t["payment_number"], t["amount"]) for t in seen["tenders"]]
        assert bought.get("/v1/refunds?state=awaiting_approval").json()["items"] == [refund]
        assert bought.get("/v1/refunds?state=failed").json()["items"] == []

    def test_is_listed_by_its_order_and_kind(self, bought: House) -> None:
        refund = made(bought)
        for query, found in (
            ("order=R100000001", [refund]), ("order=r100000001&kind=goodwill", [refund]),
            ("kind=owed", []),
        ):  # fmt: skip
            assert bought.get(f"/v1/refunds?{query}").json()["items"] == found
        other = bought.post("/v1/orders", an_order("W-2"), once="2").json()["order_number"]
        assert bought.get(f"/v1/refunds?order={other}").json()["items"] == []
        assert bought.get("/v1/refunds?order=R9").json()["items"] == []

    def test_the_same_again_is_the_same(self, bought: House) -> None:
        assert made(bought) == made(bought)
        assert bought.count("refunds") == 1

    def test_off_a_line_is_said_before_it_waits_and_after(self, bought: House) -> None:
        off = [{"line_no": 1, "amount": {"amount": "3.00", "currency": "EUR"}}]
        seen = bought.post(f"{PATH}:preview", SOME | {"lines": off}, "agent").json()
        refund = made(bought, lines=off, amount=None)
        eur = {"currency": "EUR"}
        less = [{"line_no": 1, "net": {"amount": "2.48", **eur}, "tax": {"amount": "0.52", **eur}}]
        assert seen["cheaper"] == refund["cheaper"] == less
        assert (seen["stays"]["amount"], seen["owed_after"]["amount"]) == ("7.00", "0.00")
        unnamed = bought.post(PATH, SOME, "agent", once="other").json()
        assert unnamed["cheaper"] == []
        assert act(bought, refund, "reject", "finance").json()["cheaper"] == []

    @pytest.mark.parametrize(
        ("said", "status", "code"),
        [
            ({"lines": [OFF, OFF], "amount": None}, 422, "WRONG_LINES"),
            ({"lines": [OFF | {"line_no": 2}], "amount": None}, 422, "WRONG_LINES"),
            ({"lines": [OFF | {"line_no": 0}], "amount": None}, 422, "VALIDATION"),
            ({"lines": [OFF]}, 422, "WRONG_LINES"),
            ({"amount": None}, 422, "AMOUNT_NEEDED"),
            ({"lines": [OFF], "kind": "owed", "amount": None}, 422, "WRONG_LINES"),
            ({"amount": {"amount": "10.01", "currency": "EUR"}}, 409, "REFUND_EXCEEDED"),
            ({"amount": {"amount": "1", "currency": "JPY"}}, 422, "CURRENCY_MISMATCH"),
            ({"amount": {"amount": "0", "currency": "EUR"}}, 422, "VALIDATION"),
            ({"reason": " "}, 422, "REASON_NEEDED"),
            ({"kind": "owed", "amount": None}, 409, "REFUND_EXCEEDED"),
            ({"already_refunded": {"amount": "1.00", "currency": "EUR"}}, 409, "STALE_PREVIEW"),
        ],
    )
    def test_what_cannot_be_is_not(
        self, bought: House, said: dict[str, Any], status: int, code: str
    ) -> None:
        answer = bought.post(PATH, SOME | said, "agent", once="k")
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert bought.count("refunds") == 0


class TestDecided:
    def test_by_who_may_and_did_not_ask(self, bought: House) -> None:
        refund = made(bought)
        assert act(bought, refund, "approve", "agent").json()["code"] == "SCOPE_MISSING"
        answer = act(bought, refund, "approve", "finance")
        assert (answer.status_code, answer.json()["state"]) == (200, "requested")
        assert act(bought, refund, "reject", "finance").status_code == 412

    def test_not_by_who_asked(self, bought: House) -> None:
        refund = made(bought, "finance")
        answer = act(bought, refund, "approve", "finance")
        assert (answer.status_code, answer.json()["code"]) == (403, "SAME_PERSON")
