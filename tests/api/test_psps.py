"""Payment services of others over HTTP: asked by the worker, told of by their notifications."""

from collections.abc import Iterator
from typing import Any

import pytest

from oms.adapters.psp.adyen import AdyenPsp
from oms.workflows import payments
from tests import adyens
from tests.api.conftest import House
from tests.api.test_attention import matters
from tests.api.test_payments import posted, seen
from tests.ledger.test_payments import tables_with

CARD = {
    "external_ref": "p-1", "tender": "card", "psp": "adyen", "token": "shopper:stored",
    "amount": {"amount": "10.00", "currency": "EUR"},
}  # fmt: skip
NOTICES = "/v1/psps/adyen/notices"


@pytest.fixture(scope="module")
def local() -> Iterator[adyens.Local]:
    with adyens.charging() as local:
        yield local


@pytest.fixture
def adyen(stocked: House, local: adyens.Local) -> Iterator[House]:
    """Have the system use Adyen."""
    psp = AdyenPsp(
        f"http://127.0.0.1:{local.port}/v71",
        adyens.KEY,
        account=adyens.ACCOUNT,
        hmac_key=adyens.HMAC_KEY,
    )
    stocked.system.psps["adyen"] = psp
    local.items.clear()
    local.kept.clear()
    posted(stocked)
    yield stocked
    del stocked.system.psps["adyen"]
    psp.close()


def work(house: House) -> None:
    """Let the worker ask for what is due, whenever that is."""
    with house.system.ledger.transaction() as tx:
        tx.exec_driver_sql(
            "update payment_transactions set next_try_at = '2000-01-01'"
            " where next_try_at is not null"
        )
    payments.execute_due(house.system.ledger, house.system.psps)


def tell(house: House, body: bytes) -> Any:
    return house.client.post(NOTICES, content=body)


def begun(house: House) -> Any:
    house.post("/v1/orders/R100000001/payments", CARD, once="p")
    work(house)
    return house.get("/v1/payments/Y800000001").json()


class TestAdyen:
    def test_holds_and_takes_as_it_tells(self, adyen: House, local: adyens.Local) -> None:
        payment = begun(adyen)
        assert payment["state"] == "authorized"
        path = f"/v1/payments/{payment['payment_number']}"
        adyen.post(f"{path}/actions", {"action": "capture"}, once="c", headers=seen(payment))
        for _ in range(2):  # what is only received is asked for again by the same key: once done
            work(adyen)
        capture = adyen.get(path).json()["transactions"][1]
        assert (capture["state"], local.done()["capture"]) == ("pending", 1000)
        body = local.batch(*local.items)
        for _ in range(2):
            answer = tell(adyen, body)
            assert (answer.status_code, answer.text) == (200, "[accepted]")
        found = adyen.get(path).json()
        assert found["state"] == "captured"
        assert [each["state"] for each in found["transactions"]] == ["succeeded", "succeeded"]

    def test_that_a_capture_failed_after_all_is_the_last_word(
        self, adyen: House, local: adyens.Local
    ) -> None:
        payment = begun(adyen)
        path = f"/v1/payments/{payment['payment_number']}"
        adyen.post(f"{path}/actions", {"action": "capture"}, once="c", headers=seen(payment))
        work(adyen)
        tell(adyen, local.batch(*local.items))
        done = list(local.items.values())[1]
        late = adyens.an_item(**done | {"eventCode": "CAPTURE_FAILED", "reason": "Insufficient"})
        assert tell(adyen, adyens.batch([late])).text == "[accepted]"
        work(adyen)
        found = adyen.get(path).json()["transactions"][1]
        assert (found["state"], found["failure"]) == ("failed", "Insufficient")
        assert matters(adyen)["CAPTURE_FAILED", "adyen"] == 1
        (listed,) = adyen.get("/v1/transactions?state=failed&psp=adyen").json()["items"]
        assert (listed["type"], listed["order_number"]) == ("capture", "R100000001")
        assert adyen.get("/v1/transactions").json()["items"] == []
        tell(adyen, local.batch(*local.items))  # the first ones again
        assert adyen.get(path).json()["transactions"][1]["state"] == "failed"

    @pytest.mark.parametrize("token", ["shopper:stored-one", "shopper:declined"])
    def test_its_instrument_is_kept_nowhere_once_it_has_answered(
        self, adyen: House, local: adyens.Local, token: str
    ) -> None:
        """Neither with the payment nor with the request that began it."""
        adyen.post("/v1/orders/R100000001/payments", CARD | {"token": token}, once="p")
        assert tables_with(adyen.shop, token) == ["payments"]
        work(adyen)
        assert tables_with(adyen.shop, token) == []

    def test_is_not_believed_unless_it_has_signed(self, adyen: House, local: adyens.Local) -> None:
        begun(adyen)
        item = adyens.an_item() | {"success": "false"}
        for body in (adyens.batch([item]), b"{}", b"", b"[]", b"\xff"):
            assert tell(adyen, body).status_code == 401
        assert adyen.count("psp_notices") == 0
