"""Exchanges over HTTP: asked for once however often it is clicked, linked both ways, paid."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import pytest

from oms.kernel import clock
from oms.ledger.followers import follow
from oms.workflows import exchange_sending, payments
from tests.api.conftest import House
from tests.api.returning import a_receipt as a_notice
from tests.api.returning import act, notice, policy
from tests.api.test_payments import CASH, TOLD
from tests.api.test_races import at_once
from tests.api.wire import a_line, a_movement, an_order

ADDRESS: Final = {
    "name": "Ada", "street": "Laan 1", "postcode": "1011 AB", "city": "Utrecht",
    "country_code": "NL",
}  # fmt: skip
SENT: Final = {
    "kind": "ship", "change_ref": "s-1", "line_ref": "PEN", "quantity": 1,
    "occurred_at": "2026-01-05T12:00:00Z",
}  # fmt: skip
NUMBER: Final = "R100000001"


@pytest.fixture
def bought(stocked: House) -> House:
    """A pen for 10.00 that is sent and paid; ink is there to be had instead."""
    policy(stocked, approval="auto", inspection=[{"then": "accept", "conditions": ["A"]}])
    movement = a_movement(sku="INK", movement_ref="ink", quantity=5)
    assert stocked.post("/v1/stock/movements", {"movements": [movement]}, once="i").is_success
    made = stocked.order(
        an_order(payments=[TOLD], ship_to=ADDRESS, lines=[a_line()], changes=[SENT])
    )
    assert made.status_code == 201, made.text
    with stocked.system.ledger.transaction() as tx:
        tx.exec_driver_sql(
            "insert into payment_transactions (payment_id, order_id, type, state, amount_minor,"
            " currency, psp, source, cause, idempotency_key, requested_at, finished_at) select"
            " payment_id, order_id, 'capture', 'succeeded', 1000, 'EUR', psp, 'psp', 'x', 'x',"
            " now(), now() from payments"
        )
        tx.exec_driver_sql("update payments set captured_minor = 1000, state = 'captured'")
    get_on(stocked)
    return stocked


def get_on(house: House) -> None:
    """Let money follow, and what is paid be picked."""
    for _ in range(4):
        follow(house.system.ledger, payments.FOLLOWER, lambda tx, a, u: payments.follow_orders(
            tx, a, u, at=clock.now()))  # fmt: skip
    while house.system.ledger.run(partial(exchange_sending.send_paid, at=clock.now())):
        pass


def asking(house: House, once: str = "k", **line: Any) -> Callable[[], Any]:
    asked = {
        "line_no": 1, "quantity": 1, "reason": "too_small", "resolution": "exchange",
        "wanted": {"sku": "INK", "unit_price": "10.00", "tax": "1.74", "price_reason": "asked"},
    } | line  # fmt: skip
    path = f"/v1/orders/{NUMBER}/returns"
    return lambda: house.post(path, {"lines": [asked]}, "agent", once=once)


def order(house: House, number: str = NUMBER) -> Any:
    return house.get(f"/v1/orders/{number}").json()


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


class TestAsked:
    def test_is_one_however_often_it_is_clicked(self, bought: House) -> None:
        first = asking(bought)()
        assert first.status_code == 201, first.text
        assert asking(bought)().json() == first.json()
        assert (bought.count("returns"), bought.count("orders")) == (1, 2)
        assert bought.shop.shelf("DC", "INK").allocated == 1

    def test_by_many_at_once_is_one(self, bought: House) -> None:
        answers = at_once([asking(bought, f"k{n}") for n in range(6)])
        assert sorted(each.status_code for each in answers) == [201] + [409] * 5
        assert (bought.count("returns"), bought.count("orders")) == (1, 2)

    @pytest.mark.parametrize(
        ("line", "status", "code"),
        [
            ({"wanted": None}, 422, "WANTED_NEEDED"),
            ({"resolution": "refund"}, 422, "WANTED_NEEDED"),
            ({"wanted": {"sku": "INK", "unit_price": "1.00"}}, 422, "PRICE_REASON_NEEDED"),
            ({"wanted": {"sku": "NONE"}}, 404, "UNKNOWN_SKU"),
            ({"wanted": {"sku": "INK"}}, 409, "PRICE_UNKNOWN"),
            ({"wanted": {"sku": "INK", "quantity": 0}}, 422, "VALIDATION"),
            ({"wanted": {"sku": "INK", "unit_price": "1e9", "price_reason": "r"}}, 422,
             "VALIDATION"),
            ({"wanted": {"sku": "PEN", "quantity": 99, "unit_price": "1.00", "tax": "0.10",
                         "price_reason": "r"}}, 409, "INSUFFICIENT_STOCK"),
        ],
    )  # fmt: skip
    def test_wrong_is_refused_whole(
        self, bought: House, line: dict[str, Any], status: int, code: str
    ) -> None:
        answer = asking(bought, **line)()
        assert code_of(answer)[1] == code, answer.text
        assert answer.status_code == status
        assert (bought.count("returns"), bought.count("orders")) == (0, 1)


class TestLookedAt:
    @pytest.mark.parametrize(
        ("price", "direction", "balance"),
        [("10.00", "even", "0.00"), ("12.50", "up", "2.50"), ("7.00", "down", "-3.00")],
    )
    def test_is_what_it_comes_to_and_nothing_is_written(
        self, bought: House, price: str, direction: str, balance: str
    ) -> None:
        wanted = {"sku": "INK", "unit_price": price, "tax": "1.00", "price_reason": "asked"}
        line = {"line_no": 1, "quantity": 1, "reason": "late", "resolution": "exchange"}
        path = f"/v1/orders/{NUMBER}/returns:preview"
        found = bought.post(path, {"lines": [line | {"wanted": wanted}]}, "agent").json()
        assert (found["direction"], found["balance"]["amount"]) == (direction, balance)
        assert (found["exchanged"]["amount"], found["refund"]["amount"]) == ("10.00", "0.00")
        assert (bought.count("returns"), bought.count("orders")) == (0, 1)
        assert bought.shop.shelf("DC", "INK").allocated == 0
        made = asking(bought, wanted=wanted)().json()
        new = order(bought, made["exchange_order_number"])
        assert new["total"] == found["wanted"]

    def test_is_refused_as_the_return_would_be(self, bought: House) -> None:
        line = {"line_no": 1, "quantity": 2, "reason": "late", "resolution": "refund"}
        answer = bought.post(f"/v1/orders/{NUMBER}/returns:preview", {"lines": [line]}, "agent")
        assert code_of(answer) == (409, "QTY_EXCEEDS_RETURNABLE")


class TestLinked:
    def test_both_orders_and_the_return_name_each_other(self, bought: House) -> None:
        made = asking(bought)().json()
        new = made["exchange_order_number"]
        link = {
            "return_number": made["return_number"], "original_number": NUMBER,
            "order_number": new, "order_type": "exchange", "order_state": "placed",
        }  # fmt: skip
        assert (order(bought)["exchanges"], order(bought)["exchange_of"]) == ([link], None)
        assert (order(bought, new)["exchanges"], order(bought, new)["exchange_of"]) == ([], link)
        (hold,) = order(bought, new)["holds"]
        assert (hold["type"], hold["released_at"]) == ("exchange", None)


class TestPaid:
    def test_even_by_what_comes_back(self, bought: House) -> None:
        made = asking(bought)().json()
        notice(bought, a_notice(quantity=1, return_number=made["return_number"]))
        get_on(bought)
        new = order(bought, made["exchange_order_number"])
        assert (new["payments"]["payment_state"], new["is_on_hold"]) == ("paid", False)
        (paid,) = new["payments"]["payments"]
        assert (paid["tender"], paid["captured"]["amount"]) == ("store_credit", "10.00")
        old = order(bought)["payments"]
        assert (old["refunded"]["amount"], old["balance"]["amount"]) == ("10.00", "0.00")
        # Its credit is of this order only.
        (credit,) = bought.get("/v1/credits", "agent").json()["items"]
        assert (credit["is_of_exchange"], credit["balance"]["amount"]) == (True, "0.00")

    def test_up_waits_for_the_rest(self, bought: House) -> None:
        dear = {"sku": "INK", "unit_price": "12.50", "tax": "2.17", "price_reason": "asked"}
        made = asking(bought, wanted=dear)().json()
        notice(bought, a_notice(quantity=1, return_number=made["return_number"]))
        get_on(bought)
        number = made["exchange_order_number"]
        assert order(bought, number)["payments"]["balance"]["amount"] == "2.50"
        assert order(bought, number)["is_on_hold"] is True
        rest = CASH | {"amount": {"amount": "2.50", "currency": "EUR"}}
        path = f"/v1/orders/{number}/payments"
        assert bought.post(path, rest, "agent", once="p").status_code == 201
        get_on(bought)
        assert order(bought, number)["payments"]["payment_state"] == "paid"
        assert order(bought, number)["is_on_hold"] is False

    def test_never_when_nothing_comes(self, bought: House) -> None:
        made = asking(bought)().json()
        assert act(bought, made, "cancel").json()["state"] == "canceled"
        new = order(bought, made["exchange_order_number"])
        assert (new["order_state"], new["is_on_hold"]) == ("canceled", False)
        assert bought.shop.shelf("DC", "INK").allocated == 0
        assert bought.count("refunds") == 0
