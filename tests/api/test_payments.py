"""Payments over HTTP: told with orders, begun, taken at tills, told of by payment services."""

import json
from typing import Any

import pytest

from oms.kernel import clock
from oms.webhooks.messages import headers
from oms.workflows import notices
from tests.api.conftest import House
from tests.api.wire import an_order

CARD = {
    "external_ref": "p-1", "tender": "card", "psp": "sandbox", "token": "tok_visa",
    "last4": "4242", "amount": {"amount": "10.00", "currency": "EUR"},
}  # fmt: skip
CASH = {
    "external_ref": "till-1", "tender": "cash", "location_code": "AMS",
    "amount": {"amount": "10.00", "currency": "EUR"},
}  # fmt: skip
TOLD = {
    "ref": "1", "tender": "card", "amount": "10.00", "authorized": "10.00", "psp": "sandbox",
    "psp_reference": "pay_1", "managed_by": "oms", "last4": "4242",
}  # fmt: skip
PATH = "/v1/orders/R100000001/payments"


def posted(house: House, *payments: dict[str, Any], **fields: Any) -> Any:
    return house.post("/v1/orders", an_order(payments=list(payments), **fields), once="o")


def seen(payment: Any) -> dict[str, str]:
    return {"If-Match": str(payment["version"])}


def paid(house: House) -> Any:
    return house.get("/v1/orders/R100000001").json()["payments"]


class TestTold:
    def test_with_an_order_are_its_payments(self, stocked: House) -> None:
        assert posted(stocked, TOLD).status_code == 201
        found = paid(stocked)
        assert (found["payment_state"], found["balance"]["amount"]) == ("authorized", "10.00")
        (payment,) = found["payments"]
        assert (payment["state"], payment["capturable"]["amount"]) == ("authorized", "10.00")
        assert found == stocked.get(PATH).json()

    def test_again_adds_what_was_done_since(self, stocked: House) -> None:
        theirs = TOLD | {"managed_by": "channel"}
        posted(stocked, theirs)
        for number, more in enumerate(({"captured": "4.00"}, {"captured": "10.00"}, {})):
            document = an_order(payments=[theirs | more], version=number + 2)
            assert stocked.post("/v1/orders", document, once=f"v{number}").status_code == 200
        (payment,) = paid(stocked)["payments"]
        assert [(t["type"], t["amount"]["amount"]) for t in payment["transactions"]] == [
            ("authorize", "10.00"), ("capture", "4.00"), ("capture", "6.00"),
        ]  # fmt: skip
        assert paid(stocked)["payment_state"] == "paid"

    def test_that_nothing_was_done_with_are_awaited(self, stocked: House) -> None:
        posted(stocked, {"ref": "1", "tender": "cash", "amount": "10.00"})
        assert paid(stocked)["payment_state"] == "awaiting"

    def test_none_is_not_the_same(self, stocked: House) -> None:
        posted(stocked)
        assert paid(stocked) | {"payments": 0} == {
            "payment_state": "none", "due": {"amount": "10.00", "currency": "EUR"},
            "authorized": {"amount": "0.00", "currency": "EUR"},
            "captured": {"amount": "0.00", "currency": "EUR"},
            "refunded": {"amount": "0.00", "currency": "EUR"},
            "balance": {"amount": "10.00", "currency": "EUR"}, "payments": 0,
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("payments", "pointer"),
        [
            ([TOLD | {"amount": "0"}], "/payments/0/amount"),
            ([TOLD | {"amount": "1.001"}], "/payments/0/amount"),
            ([TOLD | {"psp_reference": None}], "/payments/0/psp_reference"),
            ([TOLD, TOLD], "/payments/1/ref"),
            ([TOLD | {"last4": "4242424242424242"}], "/payments/0/last4"),
            ([TOLD | {"number": "4242424242424242"}], "/payments/0/number"),
        ],
    )
    def test_that_cannot_be_are_refused(
        self, stocked: House, payments: list[Any], pointer: str
    ) -> None:
        answer = posted(stocked, *payments)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == pointer

    def test_with_the_id_of_another_payment_refuses_the_order(self, stocked: House) -> None:
        posted(stocked, TOLD)
        other = stocked.post("/v1/orders", an_order("W-2", payments=[TOLD]), once="2")
        assert (other.status_code, other.json()["code"]) == (409, "PAYMENT_REFERENCE_IN_USE")
        assert stocked.get("/v1/orders?q=W-2").json()["items"] == []


class TestBegun:
    def test_at_a_service_says_how_far_it_is(self, stocked: House) -> None:
        posted(stocked)
        answer = stocked.post(PATH, CARD, once="k")
        assert (answer.status_code, answer.json()["state"]) == (201, "created")
        (asked,) = answer.json()["transactions"]
        assert (asked["type"], asked["state"]) == ("authorize", "requested")
        assert stocked.get(answer.headers["Location"]).json() == answer.json()
        assert stocked.post(PATH, CARD, once="other").json() == answer.json()

    def test_is_listed_until_it_is_over(self, stocked: House) -> None:
        posted(stocked)
        (asked,) = stocked.post(PATH, CARD, once="k").json()["transactions"]
        (found,) = stocked.get("/v1/transactions?state=requested&psp=sandbox").json()["items"]
        assert found.items() >= asked.items()
        assert (found["order_number"], found["channel_code"]) == ("R100000001", "web")
        for query in ("state=unknown", "psp=other", "channel=till"):
            assert stocked.get(f"/v1/transactions?{query}").json()["items"] == []
        assert stocked.get("/v1/transactions?state=succeeded").status_code == 422
        stocked.post(PATH, CARD | {"external_ref": "p-2"}, once="l")
        page = stocked.get("/v1/transactions?limit=1").json()
        assert [each["transaction_number"] for each in page["items"]] == [
            asked["transaction_number"]
        ]
        rest = stocked.get(f"/v1/transactions?after={page['next_after']}").json()
        assert (len(rest["items"]), rest["next_after"]) == (1, None)

    def test_needs_a_key_of_its_own(self, stocked: House) -> None:
        posted(stocked)
        assert stocked.post(PATH, CARD).status_code == 400

    def test_at_a_till_is_done(self, stocked: House) -> None:
        posted(stocked)
        answer = stocked.post(PATH, CASH, once="k")
        assert (answer.status_code, answer.json()["state"]) == (201, "captured")
        assert paid(stocked)["payment_state"] == "paid"

    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            (CARD | {"psp": "other"}, 422, "UNKNOWN_PSP"),
            (CARD | {"token": None}, 422, "VALIDATION"),
            (CARD | {"amount": {"amount": "1e9", "currency": "EUR"}}, 422, "VALIDATION"),
            (CARD | {"amount": {"amount": "1.001", "currency": "EUR"}}, 422, "VALIDATION"),
            (CARD | {"amount": {"amount": "0.00", "currency": "EUR"}}, 422, "VALIDATION"),
            (CARD | {"amount": {"amount": "1", "currency": "JPY"}}, 422, "CURRENCY_MISMATCH"),
            (CASH | {"location_code": None}, 403, "LOCATION_NEEDED"),
        ],
    )
    def test_is_refused_where_it_cannot_be(
        self, stocked: House, body: dict[str, Any], status: int, code: str
    ) -> None:
        posted(stocked)
        answer = stocked.post(PATH, body, once="k")
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert paid(stocked)["payments"] == []


class TestActions:
    def test_of_elsewhere_are_nothing_to_a_store(self, stocked: House) -> None:
        posted(stocked, TOLD)
        (payment,) = paid(stocked)["payments"]
        path = f"/v1/payments/{payment['payment_number']}/actions"
        seen = {"If-Match": str(payment["version"])}
        answer = stocked.post(path, {"action": "void"}, "DC", once="v", headers=seen)
        assert (answer.status_code, answer.json()["code"]) == (403, "OTHER_LOCATION")
        assert paid(stocked)["payment_state"] == "authorized"

    def test_give_up_what_is_authorized(self, stocked: House) -> None:
        posted(stocked, TOLD)
        (payment,) = paid(stocked)["payments"]
        path = f"/v1/payments/{payment['payment_number']}/actions"
        answer = stocked.post(path, {"action": "void"}, once="k", headers=seen(payment))
        assert (answer.status_code, answer.json()["capturable"]["amount"]) == (200, "0.00")
        again = stocked.post(path, {"action": "void"}, once="l", headers=seen(payment))
        assert again.status_code == 412

    def test_refuse_more_than_there_is_and_what_is_the_channels(self, stocked: House) -> None:
        posted(stocked, TOLD, TOLD | {"ref": "2", "psp_reference": "pay_2",
                                      "managed_by": "channel"})  # fmt: skip
        more = {"action": "capture", "amount": {"amount": "10.01", "currency": "EUR"}}
        ours, theirs = paid(stocked)["payments"]
        for payment, body, code in (
            (ours, more, "PAYMENT_EXCEEDED"), (theirs, {"action": "void"}, "PAYMENT_NOT_MANAGED"),
        ):  # fmt: skip
            path = f"/v1/payments/{payment['payment_number']}/actions"
            answer = stocked.post(path, body, once=code, headers=seen(payment))
            assert (answer.status_code, answer.json()["code"]) == (409, code)


class TestNotices:
    BODY = json.dumps({"operation": {
        "type": "refund", "state": "succeeded", "failure": None, "id": "r", "payment_id": "pay_1",
        "changed_at": "2026-01-05T12:00:00+00:00", "amount_minor": 100, "currency": "EUR",
        "reference": "",
    }}).encode()  # fmt: skip

    def tell(self, house: House, body: bytes, **extra: str) -> Any:
        secret = house.system.settings.sandbox_psp_secret.get_secret_value()
        sent = headers([secret], "n-1", self.BODY, at=clock.now()) | extra
        return house.client.post("/v1/psps/sandbox/notices", content=body, headers=sent)

    def test_that_are_signed_are_taken_once(self, stocked: House) -> None:
        posted(stocked, TOLD | {"captured": "10.00", "managed_by": "channel"})
        assert self.tell(stocked, self.BODY).json() == {"outcomes": ["external"]}
        assert self.tell(stocked, self.BODY).json() == {"outcomes": ["ignored"]}
        assert paid(stocked)["refunded"]["amount"] == "1.00"

    def test_of_no_payment_are_listed_to_who_sees_every_channel(self, stocked: House) -> None:
        assert self.tell(stocked, self.BODY).json() == {"outcomes": ["parked"]}
        (found,) = stocked.get("/v1/notices").json()["items"]
        assert found | {"received_at": ""} == {
            "psp": "sandbox", "ref": "n-1", "received_at": "", "waits": True, "type": "refund",
            "state": "succeeded", "amount": {"amount": "1.00", "currency": "EUR"},
            "payment_reference": "pay_1", "psp_reference": "r", "reference": None, "failure": None,
        }  # fmt: skip
        assert stocked.get("/v1/notices?psp=other").json()["items"] == []
        assert stocked.get("/v1/notices", "web admin").json()["items"] == []
        posted(stocked, TOLD | {"captured": "10.00", "managed_by": "channel"})
        assert stocked.system.ledger.run(lambda tx: notices.apply_parked(tx, at=clock.now()))
        assert stocked.get("/v1/notices").json()["items"] == []
        assert paid(stocked)["refunded"]["amount"] == "1.00"

    def test_that_are_not_are_refused(self, stocked: House) -> None:
        assert self.tell(stocked, self.BODY + b" ").status_code == 401
        assert self.tell(stocked, self.BODY, **{"webhook-signature": "v1,x"}).status_code == 401
        assert self.tell(stocked, b"x" * 300_000).status_code == 413
        sent = headers(["whsec_eA=="], "n", self.BODY, at=clock.now())
        other = stocked.client.post("/v1/psps/none/notices", content=self.BODY, headers=sent)
        assert other.status_code == 404


class TestHandOver:
    @pytest.mark.parametrize(
        ("payment", "status"),
        [
            ({"ref": "1", "tender": "bank", "amount": "10.00"}, 409),
            ({"ref": "1", "tender": "invoice", "amount": "10.00"}, 200),
            (TOLD, 200),
            (None, 200),
        ],
    )
    def test_to_a_carrier_waits_for_the_money(
        self, routed: House, payment: dict[str, Any] | None, status: int
    ) -> None:
        payments = [] if payment is None else [payment]
        (work,) = routed.routed_order(an_order("W-0", payments=payments))["fulfillments"]
        path = f"/v1/fulfillments/{work['fulfillment_number']}/actions"
        for action in ("accept", "start_pick", "pick", "pack"):
            headers = {"If-Match": str(work["version"])}
            work = routed.post(path, {"action": action}, once=action, headers=headers).json()
        body = {"action": "ship", "carrier": "dpd", "tracking_number": "05222222222222"}
        headers = {"If-Match": str(work["version"])}
        answer = routed.post(path, body, once="ship", headers=headers)
        assert answer.status_code == status, answer.text
        assert answer.is_success or answer.json()["code"] == "PAYMENT_DUE"
