"""Adyen: what it answers, how it counts, and its notifications, which are its last word."""

import base64
import hmac
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from oms.adapters.psp.adyen import AdyenPsp
from oms.kernel import clock
from oms.payments.model import TransactionState, TransactionType
from oms.payments.port import Answer, NoAnswer, NotOurs
from tests import adyens
from tests.channels.test_psps import Money, Service, adyen, asked, held

__all__ = ["adyen"]  # a fixture of theirs

S, T = TransactionState, TransactionType


def adyen_local(adyen: Service) -> adyens.Local:
    local: adyens.Local = adyen.loses.__self__
    return local


class TestAdyenAmounts:
    def test_are_counted_as_adyen_does(self, adyen: Service) -> None:
        """It has decimals of Chilean pesos, and tells of them in the same way."""
        money = Money(adyen)
        wish = asked(T.AUTHORIZE, 700, currency="CLP", token=adyen.good)
        payment = adyen.psp.execute(wish).psp_reference
        assert adyen.tells is not None
        (told,) = adyen.psp.read({}, adyen.tells(wish.reference), at=clock.now())
        assert (told.amount_minor, told.currency) == (700, "CLP")
        for kind, minor in ((T.CAPTURE, 300), (T.REFUND, 100)):
            wish = asked(kind, minor, on=payment, currency="CLP")
            adyen.psp.execute(wish)
            (told,) = adyen.psp.read({}, adyen.tells(wish.reference), at=clock.now())
            assert (told.amount_minor, told.currency) == (minor, "CLP")
        assert money.moved() == {"authorize": 70_000, "capture": 30_000, "refund": 10_000}


class TestAdyenAnswers:
    @pytest.fixture
    def saying(self, adyen: Service) -> Iterator[Callable[..., Answer]]:
        """Ask for an authorization and have this answered."""
        local = adyen_local(adyen)

        def ask(**answer: Any) -> Answer:
            for name, value in answer.items():
                setattr(local, name, value)
            return adyen.psp.execute(asked(T.AUTHORIZE, 100, token=adyen.good))

        yield ask
        local.status, local.error, local.headers, local.result = None, "000", {}, None

    @pytest.mark.parametrize(
        ("result", "state"),
        [("Authorised", S.SUCCEEDED), ("Refused", S.FAILED), ("Error", S.FAILED),
         ("Cancelled", S.FAILED), ("Received", S.PENDING), ("Pending", S.PENDING),
         ("RedirectShopper", S.PENDING), ("ChallengeShopper", S.PENDING), ("New", S.UNKNOWN)],
    )  # fmt: skip
    def test_are_no_success_but_one(
        self, saying: Callable[..., Answer], result: str, state: TransactionState
    ) -> None:
        assert saying(result=result).state is state

    @pytest.mark.parametrize("status", [401, 403, 409, 429, 500, 503])
    def test_that_do_not_say_what_was_done_are_none(
        self, saying: Callable[..., Answer], status: int
    ) -> None:
        with pytest.raises(NoAnswer):
            saying(status=status)

    def test_that_it_is_at_it_or_will_be_able_are_none_that_it_cannot_is_one(
        self, saying: Callable[..., Answer]
    ) -> None:
        for more in ({"error": "704"}, {"error": "000", "headers": {"transient-error": "true"}}):
            with pytest.raises(NoAnswer):
                saying(status=422, **more)
        told = saying(status=422, error="130", headers={})
        assert (told.state, told.failure) == (S.FAILED, "130")

    def test_is_asked_to_hold_and_not_to_take(self, adyen: Service) -> None:
        held(adyen)
        wish = adyen_local(adyen).wishes[-1]
        assert wish["additionalData"] == {"manualCapture": "true"}


class TestAdyenNotifications:
    def read(self, adyen: Service, *items: dict[str, Any]) -> Any:
        return adyen.psp.read({}, adyens.batch(list(items)), at=clock.now())

    def test_are_read_as_a_batch(self, adyen: Service) -> None:
        later = {"originalReference": "P1", "pspReference": "P2"}
        found = self.read(
            adyen, adyens.an_item(), adyens.an_item(eventCode="CAPTURE_FAILED", **later),
            adyens.an_item(eventCode="REPORT_AVAILABLE"),
            adyens.an_item(eventCode="CHARGEBACK", **later),
            adyens.an_item(eventCode="REFUND", success="false", reason="no", **later),
        )  # fmt: skip
        assert [(n.type, n.answer.state, n.parent_reference, n.is_last_word) for n in found] == [
            (T.AUTHORIZE, S.SUCCEEDED, "P1", True), (T.CAPTURE, S.FAILED, "P1", True),
            (T.CHARGEBACK, S.SUCCEEDED, "P1", False), (T.REFUND, S.FAILED, "P1", True),
        ]  # fmt: skip
        assert len({n.ref for n in found}) == 4

    def test_are_what_became_of_it_in_its_own_currency(self, adyen: Service) -> None:
        yen = {"value": 500, "currency": "JPY"}
        found = self.read(adyen, *(
            adyens.an_item(eventCode=kind, originalReference="P1", pspReference="P2", amount=yen,
                           eventDate=f"2026-01-0{day}T12:00:00+01:00")
            for day, kind in enumerate((
                "REFUND", "REFUND_FAILED", "REFUNDED_REVERSED", "CHARGEBACK", "CHARGEBACK_REVERSED",
                "SECOND_CHARGEBACK", "CANCELLATION",
            ), start=1)
        ))  # fmt: skip
        assert [(n.type, n.answer.state) for n in found] == [
            (T.REFUND, S.SUCCEEDED), (T.REFUND, S.FAILED), (T.REFUND_REVERSAL, S.SUCCEEDED),
            (T.CHARGEBACK, S.SUCCEEDED), (T.CHARGEBACK_REVERSAL, S.SUCCEEDED),
            (T.CHARGEBACK, S.SUCCEEDED), (T.VOID, S.SUCCEEDED),
        ]  # fmt: skip
        assert {(n.amount_minor, n.currency) for n in found} == {(500, "JPY")}
        assert len({n.ref for n in found}) == 7
        # What came back is known by the refund it is of; each of a dispute's is one of its own.
        assert {n.answer.psp_reference for n in found[:3]} == {"P2"}
        assert len({n.answer.psp_reference for n in found[3:6]}) == 3

    @pytest.mark.parametrize("reference", ["a:b", "a\\b", "a\\:b", "X1"])
    def test_are_signed_with_their_references_escaped_or_not(
        self, adyen: Service, reference: str
    ) -> None:
        item = adyens.an_item(merchantReference=reference)
        for is_escaped in (True, False):
            signed = adyens.signature(adyens.HMAC_KEY, item, is_escaped=is_escaped)
            item["additionalData"] = {"hmacSignature": signed}
            (found,) = self.read(adyen, item)
            assert found.reference == reference

    def test_are_signed_as_it_is_documented(self) -> None:
        """The fields in their order, joined by colons; an empty one is nothing."""
        item = adyens.an_item(merchantReference="a:b")
        text = f"P1::{adyens.ACCOUNT}:a\\:b:1000:EUR:AUTHORISATION:true"
        made = hmac.new(bytes.fromhex(adyens.HMAC_KEY), text.encode(), "sha256").digest()
        assert base64.b64encode(made).decode() == adyens.signature(adyens.HMAC_KEY, item)

    @pytest.mark.parametrize(
        "change",
        [{"success": "false"}, {"amount": {"value": 1001, "currency": "EUR"}},
         {"merchantReference": "X2"}, {"eventCode": "CAPTURE"}, {"pspReference": "P9"},
         {"additionalData": {}}, {"additionalData": {"hmacSignature": "é"}}],
    )  # fmt: skip
    def test_are_not_believed_when_one_of_the_batch_was_changed(
        self, adyen: Service, change: dict[str, Any]
    ) -> None:
        with pytest.raises(NotOurs):
            self.read(adyen, adyens.an_item(), adyens.an_item() | change)

    @pytest.mark.parametrize("is_live", [True, False])
    def test_are_of_the_mode_of_the_address(self, *, is_live: bool) -> None:
        body = adyens.batch([adyens.an_item()], is_live=is_live)
        for url, is_ours in (
            ("https://checkout-test.example.com/v71", not is_live),
            ("https://0f-Shop-checkout-live.example.com/checkout/v71", is_live),
        ):
            psp = AdyenPsp(url, "k", account=adyens.ACCOUNT, hmac_key=adyens.HMAC_KEY)
            if is_ours:
                assert len(psp.read({}, body, at=clock.now())) == 1
            else:
                with pytest.raises(NotOurs):
                    psp.read({}, body, at=clock.now())
            psp.close()

    def test_are_not_believed_of_another_account_or_without_a_key(self, adyen: Service) -> None:
        with pytest.raises(NotOurs):
            self.read(adyen, adyens.an_item(merchantAccountCode="Other"))
        unkeyed = AdyenPsp("http://127.0.0.1:1", "k", account=adyens.ACCOUNT, hmac_key="")
        item = adyens.an_item()
        signed = adyens.signature("", item)  # as anybody can who has no key either
        item["additionalData"] = {"hmacSignature": signed}
        with pytest.raises(NotOurs):
            unkeyed.read({}, adyens.batch([item]), at=clock.now())
        unkeyed.close()

    def test_are_asked_for_again_only_as_long_as_the_key_is_known(self, adyen: Service) -> None:
        young = asked(T.REFUND, 100, on="P1", requested_at=clock.now() - timedelta(days=5))
        assert adyen.psp.find(young) is None
        with pytest.raises(NoAnswer):
            adyen.psp.find(replace(young, requested_at=clock.now() - timedelta(days=7)))
