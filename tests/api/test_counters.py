"""Money over the counter by HTTP: given once per key, by who may, with one receipt."""

from typing import Any

import pytest

from oms.refunds.rules import Rules
from tests.api.conftest import House
from tests.api.returning import a_basket, hand_over, sent
from tests.api.test_papers import words
from tests.builders import a_line as line_of
from tests.builders import a_movement, a_receipt
from tests.ledger.issuing import register
from tests.ledger.test_payments import a_told
from tests.policies import set_rules

PATH = "/v1/stores/AMS/refunds"


@pytest.fixture
def sold(stocked: House) -> House:
    """A till's receipt of two pens for 20.04 in cash, of which one is owed back: 10.02."""
    stocked.shop.take(a_movement(9, location="AMS", ref="m-ams"))
    receipt = a_receipt(lines=[line_of(quantity=2, total=2004)])
    told = a_told(receipt, captured=2004, tender="cash", amount_minor=2004, location_code="AMS")
    stocked.shop.take(told, channel="till")
    return stocked


def number(house: House, ref: str = "T-1") -> str:
    return house.shop.order(ref).summary.order_number


def bring(house: House, key: str = "store", *, once: str = "visit", **said: Any) -> Any:
    body = {"returns": [a_basket(number(house))], "back_in": "cash", **said}
    return house.post("/v1/stores/AMS/returns", body, key, once=once)


class TestReturn:
    def test_is_paid_back_in_the_same_step(self, sold: House) -> None:
        answer = bring(sold)
        assert answer.status_code == 201, answer.text
        visit, (made,) = answer.json()["visit"], answer.json()["returns"]
        assert (visit["state"], made["state"]) == ("done", "completed")
        assert visit["cash"] == {"amount": "10.00", "currency": "EUR"}
        assert visit["rounding"] == {"amount": "-0.02", "currency": "EUR"}
        assert visit["refunds"][0]["visit_number"] == visit["visit_number"]
        again = bring(sold)
        assert (again.json()["visit"], again.headers["Idempotency-Replayed"]) == (visit, "true")
        assert sold.count("refunds") == 1

    def test_is_not_paid_back_by_a_till_that_was_not_asked(self, sold: House) -> None:
        answer = hand_over(sold, a_basket(number(sold)))
        assert (answer.status_code, answer.json()["visit"]) == (201, None)
        assert sold.count("refunds") == 0

    def test_is_all_or_nothing_with_its_money(self, sold: House) -> None:
        other = sent(sold, "W-9", quantity=1)
        sold.shop.ledger.run(lambda tx: set_rules(tx, None, Rules(cash_limits={})))
        baskets = [a_basket(number(sold)), a_basket(other)]
        # Nothing was paid for the second one, so nothing is owed: it comes back all the same.
        answer = bring(sold, returns=baskets)
        assert (answer.status_code, len(answer.json()["visit"]["refunds"])) == (201, 1)
        refused = bring(sold, once="x", returns=[a_basket(number(sold)), a_basket("R999")])
        assert refused.status_code == 404
        assert (sold.count("returns"), sold.count("till_visits")) == (2, 1)

    def test_of_what_nothing_is_paid_back_for_has_no_visit(self, sold: House) -> None:
        """Its channel gives the money back, and nobody is told that it was given here."""
        answer = bring(sold, returns=[a_basket(sent(sold, "W-9", quantity=1))])
        assert (answer.status_code, answer.json()["visit"]) == (201, None)
        assert sold.count("till_visits") == 0


class TestMoney:
    def test_is_what_is_owed_and_seen_again(self, sold: House) -> None:
        assert hand_over(sold, a_basket(number(sold))).status_code == 201
        body = {"back_in": "original", "refunds": [{"order_number": number(sold)}]}
        answer = sold.post(PATH, body, "store", once="k")
        assert answer.status_code == 201, answer.text
        assert sold.get(answer.headers["Location"], "store").json() == answer.json()
        receipt = sold.get(f"{answer.headers['Location']}/receipt", "store")
        assert receipt.headers["content-type"] == "application/pdf"
        told = words(receipt)
        for word in ("what was owed", "10.02 EUR", "given back", "05/01/2026 13:00"):
            assert word in told, word
        assert "UTC" not in told
        again = sold.post(PATH, body, "store", once="other")
        assert (again.status_code, again.json()["code"]) == (409, "REFUND_EXCEEDED")

    def test_is_told_in_the_language_of_the_channel(self, sold: House) -> None:
        register(sold.shop, language="de")
        visit = bring(sold).json()["visit"]["visit_number"]
        told = words(sold.get(f"/v1/stores/AMS/visits/{visit}/receipt", "store"))
        for word in ("Erstattungsbeleg", "05.01.2026 13:00", "offener Betrag", "10,02 EUR",
                     "erstattet", "-0,02 EUR", "10,00 EUR"):  # fmt: skip
            assert word in told, word
        assert "Refund" not in told

    def test_is_off_the_line_that_is_named(self, sold: House) -> None:
        off = [{"line_no": 1, "amount": {"amount": "1.00", "currency": "EUR"}}]
        said = {"kind": "goodwill", "reason": "r", "lines": off}
        body: Any = {"back_in": "cash", "refunds": [{"order_number": number(sold), **said}],
                     "override_reason": "a good customer"}  # fmt: skip
        answer = sold.post(PATH, body, "manager", once="k")
        assert answer.status_code == 201, answer.text
        (refund,) = answer.json()["refunds"]
        assert (refund["amount"]["amount"], [e["line_no"] for e in refund["cheaper"]]) == (
            "1.00", [1],
        )  # fmt: skip

    def test_is_nobodys_at_another_place(self, sold: House) -> None:
        assert hand_over(sold, a_basket(number(sold))).status_code == 201
        body = {"back_in": "cash", "refunds": [{"order_number": number(sold)}]}
        refused = sold.post(PATH, body, "DC", once="k")
        assert (refused.status_code, refused.json()["code"]) == (403, "OTHER_LOCATION")
        visit = sold.post(PATH, body, "store", once="k").json()
        for path, key in (
            (f"/v1/stores/AMS/visits/{visit['visit_number']}", "DC"),
            (f"/v1/stores/UTR/visits/{visit['visit_number']}", "store"),
            ("/v1/stores/AMS/visits/V1", "store"),
        ):
            assert sold.get(path, key).json()["code"] == "VISIT_NOT_FOUND"

    def test_beyond_limits_is_a_managers_to_give(self, sold: House) -> None:
        said = {"kind": "goodwill", "amount": {"amount": "3.00", "currency": "EUR"}, "reason": "r"}
        body: Any = {"back_in": "cash", "refunds": [{"order_number": number(sold), **said}]}
        refused = sold.post(PATH, body, "store", once="a")
        assert (refused.status_code, refused.json()["code"]) == (409, "APPROVAL_NEEDED")
        body["override_reason"] = "a good customer"
        refused = sold.post(PATH, body, "store", once="b")
        assert (refused.status_code, refused.json()["scope"]) == (403, "refunds:override")
        given = sold.post(PATH, body, "manager", once="c").json()
        assert (given["state"], given["override_reason"]) == ("done", "a good customer")

    @pytest.mark.parametrize(
        ("said", "status", "code"),
        [
            ({"amount": {"amount": "1", "currency": "JPY"}}, 422, "CURRENCY_MISMATCH"),
            ({"amount": {"amount": "0", "currency": "EUR"}}, 422, "VALIDATION"),
            ({"amount": {"amount": "10.03", "currency": "EUR"}}, 409, "REFUND_EXCEEDED"),
            ({"order_number": "R1"}, 404, "ORDER_NOT_FOUND"),
        ],
    )
    def test_that_cannot_be_is_not(
        self, sold: House, said: dict[str, Any], status: int, code: str
    ) -> None:
        assert hand_over(sold, a_basket(number(sold))).status_code == 201
        body = {"back_in": "cash", "refunds": [{"order_number": number(sold)} | said]}
        answer = sold.post(PATH, body, "store", once="k")
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
        assert sold.count("refunds") == 0
