"""Payment services: the same contract of each adapter, over real HTTP on this machine."""

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from stripe import WebhookSignature

from oms.adapters.psp.adyen import AdyenPsp
from oms.adapters.psp.stripe import StripePsp
from oms.adapters.psp.stripe_events import DECIMALS
from oms.kernel import clock
from oms.payments.model import TransactionState, TransactionType
from oms.payments.port import Answer, Asked, NoAnswer, NotOurs, Psp
from tests import adyens, stripes
from tests.payers import paying

S, T = TransactionState, TransactionType
_numbers = itertools.count(900_000_001)


@dataclass(frozen=True, slots=True)
class Service:
    """A service and its adapter: what a test may ask of either."""

    psp: Psp
    good: str
    declined: str
    done: Callable[[], dict[str, int]]  # money by what was done with it
    loses: Callable[[float], None]  # of so many it does what it is asked, and does not answer
    has_partial_voids: bool = True
    captures_once: bool = False
    switch: Callable[..., None] | None = None
    # What it tells later of what it has only received; None: it has done it by then.
    tells: Callable[[str], bytes] | None = None

    def do(self, wish: Asked) -> Answer:
        """Have something done, and return what became of it."""
        told = self.psp.execute(wish)
        if told.state is not S.PENDING or self.tells is None:
            return told
        (notice,) = self.psp.read({}, self.tells(wish.reference), at=clock.now())
        assert (notice.type, notice.reference) == (wish.type, wish.reference)
        assert notice.answer.psp_reference == told.psp_reference
        return notice.answer


def asked(kind: TransactionType, amount: int, *, on: str | None = None, **more: Any) -> Asked:
    number = next(_numbers)
    return Asked(**{
        "key": f"key-{number}", "type": kind, "amount_minor": amount, "currency": "EUR",
        "reference": f"X{number}", "parent_reference": on, **more,
    })  # fmt: skip


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with paying(tmp_path_factory.mktemp("sandbox"), timeout_seconds=5) as payer:

        def done() -> dict[str, int]:
            sums: dict[str, int] = {}
            for each in payer.record():
                if each.state == "succeeded":
                    sums[each.type] = sums.get(each.type, 0) + each.amount_minor
            return sums

        yield Service(
            psp=payer.psp, good="tok_visa", declined="tok_declined", done=done,
            loses=lambda ratio: payer.behaves(lost_answer_ratio=ratio), switch=payer.behaves,
        )  # fmt: skip


@pytest.fixture(scope="module")
def local() -> Iterator[stripes.Local]:
    with stripes.charging() as local:
        yield local


@pytest.fixture(scope="module")
def stripe(local: stripes.Local) -> Iterator[Service]:
    psp = StripePsp(stripes.KEY, stripes.WEBHOOK_SECRET, url=local.url)
    yield Service(
        psp=psp, good="pm_card_visa", declined="pm_card_chargeCustomerFail", done=local.done,
        loses=local.loses, has_partial_voids=False, captures_once=True,
    )  # fmt: skip
    psp.close()


@pytest.fixture(scope="module")
def adyen() -> Iterator[Service]:
    with adyens.charging() as local:
        psp = AdyenPsp(
            f"http://127.0.0.1:{local.port}/v71",
            adyens.KEY,
            account=adyens.ACCOUNT,
            hmac_key=adyens.HMAC_KEY,
        )
        yield Service(
            psp=psp, good="shopper:1:stored", declined="shopper:declined", done=local.done,
            loses=local.loses, has_partial_voids=False, tells=local.batch, captures_once=True,
            switch=local.behaves,
        )  # fmt: skip
        psp.close()


@pytest.fixture
def sandbox_once(sandbox: Service) -> Iterator[Service]:
    """Have the sandbox let go of what its first capture leaves."""
    assert sandbox.switch is not None
    sandbox.switch(captures_once=True)
    yield replace(sandbox, captures_once=True, has_partial_voids=True)
    sandbox.switch(captures_once=False)


@pytest.fixture
def adyen_parts(adyen: Service) -> Iterator[Service]:
    """Have an account with multiple partial captures."""
    assert isinstance(adyen.psp, AdyenPsp)
    assert adyen.switch is not None
    adyen.switch(is_multicapture=True)
    adyen.psp.captures_once = False
    yield replace(adyen, captures_once=False)
    adyen.switch(is_multicapture=False)
    adyen.psp.captures_once = True


@pytest.fixture
def stripe_parts(local: stripes.Local) -> Iterator[Service]:
    """Have an account with multicapture, and a card that can."""
    psp = StripePsp(stripes.KEY, stripes.WEBHOOK_SECRET, url=local.url, is_multicapture=True)
    yield Service(
        psp=psp, good="pm_card_visa", declined="pm_card_chargeCustomerFail", done=local.done,
        loses=local.loses, has_partial_voids=False,
    )  # fmt: skip
    psp.close()


@pytest.fixture(
    params=["sandbox", "sandbox_once", "stripe", "stripe_parts", "adyen", "adyen_parts"]
)
def service(request: pytest.FixtureRequest) -> Iterator[Service]:
    found: Service = request.getfixturevalue(request.param)
    found.loses(0)
    yield found
    found.loses(0)


def held(service: Service, amount: int = 2000, **more: Any) -> str:
    told = service.psp.execute(asked(T.AUTHORIZE, amount, token=service.good, **more))
    assert told.state is S.SUCCEEDED
    assert told.psp_reference is not None
    return told.psp_reference


class Money:
    """What a service has done since: money by what was done with it."""

    def __init__(self, service: Service) -> None:
        self._service, self._before = service, service.done()

    def moved(self) -> dict[str, int]:
        now = self._service.done()
        more = {kind: sum_ - self._before.get(kind, 0) for kind, sum_ in now.items()}
        return {kind: sum_ for kind, sum_ in more.items() if sum_}


class TestEveryService:
    def test_holds_takes_and_gives_back(self, service: Service) -> None:
        money = Money(service)
        payment = held(service)
        taken = service.do(asked(T.CAPTURE, 2000, on=payment))
        back = service.do(asked(T.REFUND, 500, on=payment))
        assert (taken.state, back.state) == (S.SUCCEEDED, S.SUCCEEDED)
        assert back.psp_reference not in {None, payment, taken.psp_reference}
        assert money.moved() == {"authorize": 2000, "capture": 2000, "refund": 500}

    def test_takes_a_part_and_no_more_than_is_held(self, service: Service) -> None:
        payment = held(service)
        money = Money(service)
        assert service.do(asked(T.CAPTURE, 1500, on=payment)).state is S.SUCCEEDED
        more = service.do(asked(T.CAPTURE, 501, on=payment))
        assert (more.state, bool(more.failure)) == (S.FAILED, True)
        assert money.moved()["capture"] == 1500

    def test_captures_in_parts_or_says_that_it_does_not(self, service: Service) -> None:
        held_ = service.psp.execute(asked(T.AUTHORIZE, 2000, token=service.good))
        payment, money = held_.psp_reference, Money(service)
        first = service.do(asked(T.CAPTURE, 500, on=payment))
        second = service.do(asked(T.CAPTURE, 700, on=payment))
        assert first.state is S.SUCCEEDED
        assert (second.state is S.FAILED) is service.captures_once
        assert money.moved()["capture"] == (500 if service.captures_once else 1200)
        said = [each.captures_once for each in (held_, first) if each.captures_once is not None]
        assert {*said, service.captures_once} == {service.captures_once}
        assert said or service.psp.captures_once is service.captures_once

    def test_gives_up_what_is_held(self, service: Service) -> None:
        payment = held(service)
        money = Money(service)
        assert service.do(asked(T.VOID, 2000, on=payment)).state is S.SUCCEEDED
        assert money.moved() == {"void": 2000}
        assert service.do(asked(T.CAPTURE, 2000, on=payment)).state is S.FAILED

    def test_gives_up_a_part_or_says_that_it_cannot(self, service: Service) -> None:
        payment = held(service)
        money = Money(service)
        told = service.do(asked(T.VOID, 500, on=payment, held_minor=2000))
        assert told.state is (S.SUCCEEDED if service.has_partial_voids else S.FAILED)
        assert money.moved() == ({"void": 500} if service.has_partial_voids else {})

    def test_says_who_was_declined(self, service: Service) -> None:
        money = Money(service)
        told = service.do(asked(T.AUTHORIZE, 2000, token=service.declined))
        assert (told.state, bool(told.failure)) == (S.FAILED, True)
        assert money.moved() == {}

    def test_refuses_what_is_of_no_payment(self, service: Service) -> None:
        for kind in (T.CAPTURE, T.REFUND):
            told = service.do(asked(kind, 100, on="pi_nobody"))
            assert (told.state, bool(told.failure)) == (S.FAILED, True)

    def test_does_the_same_key_once(self, service: Service) -> None:
        money = Money(service)
        wish = asked(T.AUTHORIZE, 2000, token=service.good)
        first, again = service.psp.execute(wish), service.psp.execute(wish)
        assert first.psp_reference == again.psp_reference
        refund = asked(T.REFUND, 300, on=first.psp_reference)
        service.do(asked(T.CAPTURE, 2000, on=first.psp_reference))
        once, twice = service.do(refund), service.do(refund)
        assert once.psp_reference == twice.psp_reference
        assert money.moved() == {"authorize": 2000, "capture": 2000, "refund": 300}

    @pytest.mark.parametrize("kind", [T.AUTHORIZE, T.CAPTURE, T.VOID, T.REFUND])
    def test_is_asked_what_became_of_what_it_did_not_answer(
        self, service: Service, kind: TransactionType
    ) -> None:
        payment = None if kind is T.AUTHORIZE else held(service)
        if kind is T.REFUND:
            service.do(asked(T.CAPTURE, 2000, on=payment))
        wish = asked(kind, 2000, on=payment, token=service.good)
        assert service.psp.find(wish) is None
        money = Money(service)
        service.loses(1)
        with pytest.raises(NoAnswer):
            service.psp.execute(wish)
        service.loses(0)
        found = service.psp.find(wish)
        if found is None:
            assert service.tells is not None, "only who tells later may not know"
            found = service.do(wish)
        assert found.state is S.SUCCEEDED
        assert service.psp.find(asked(kind, 2000, on=payment, token=service.good)) is None or (
            kind is T.VOID  # there is nothing left to give up, whoever did
        )
        assert money.moved() == {kind.value: 2000}

    @pytest.mark.parametrize(("currency", "minor"), [("JPY", 2000), ("KWD", 12_340), ("EUR", 1)])
    def test_counts_in_the_currencys_own_decimals(
        self, service: Service, currency: str, minor: int
    ) -> None:
        money = Money(service)
        payment = held(service, minor, currency=currency)
        taken = service.do(asked(T.CAPTURE, minor, on=payment, currency=currency))
        assert taken.state is S.SUCCEEDED
        assert money.moved()["capture"] == minor

    def test_is_believed_only_when_it_has_signed(self, service: Service) -> None:
        for headers in (
            {},
            {"stripe-signature": "t=1,v1=00"},
            {"stripe-signature": "x"},
            {"webhook-id": "1", "webhook-timestamp": "1", "webhook-signature": "v1,x"},
        ):
            for body in (b"{}", b"", b"\xff", b"[]"):
                with pytest.raises(NotOurs):
                    service.psp.read(headers, body, at=clock.now())


class TestHeld:
    def test_is_known_until_when(self, stripe: Service) -> None:
        """With the answer, and where it was lost."""
        wish = asked(T.AUTHORIZE, 2000, token=stripe.good)
        for told in (stripe.psp.execute(wish), stripe.psp.find(wish)):
            assert told is not None
            assert told.authorized_until_at is not None
            assert told.authorized_until_at.timestamp() == stripes.CAPTURE_BEFORE


class TestCards:
    def test_that_cannot_be_captured_in_parts_say_so(self, stripe_parts: Service) -> None:
        """Which can is its network's matter: Stripe was asked for it and says."""
        told = stripe_parts.psp.execute(
            asked(T.AUTHORIZE, 2000, currency="JPY", token=stripe_parts.good)
        )
        assert told.captures_once is True
        wish = asked(T.CAPTURE, 500, on=told.psp_reference, currency="JPY")
        assert stripe_parts.psp.execute(wish).captures_once is True
        again = asked(T.CAPTURE, 500, on=told.psp_reference, currency="JPY")
        assert stripe_parts.psp.execute(again).state is S.FAILED


class TestAway:
    def test_is_no_answer_and_no_failure(self, tmp_path: Path) -> None:
        """Nobody listens on the port any more."""
        with stripes.charging() as gone:
            url = gone.url
        psp = StripePsp(stripes.KEY, stripes.WEBHOOK_SECRET, url=url)
        wish = asked(T.AUTHORIZE, 100, token="pm_card_visa")
        for ask in (psp.execute, psp.find):
            with pytest.raises(NoAnswer):
                ask(wish)
        psp.close()

    @pytest.mark.parametrize("status", [401, 403, 409, 429, 500, 503])
    def test_is_every_status_that_does_not_say_what_was_done(
        self, local: stripes.Local, stripe: Service, status: int
    ) -> None:
        local.status = status
        try:
            for ask in (stripe.psp.execute, stripe.psp.find):
                with pytest.raises(NoAnswer):
                    ask(asked(T.AUTHORIZE, 100, token="pm_card_visa"))
        finally:
            local.status = None


def event(
    kind: str, told: dict[str, Any], *, at: float | None = None, is_live: bool = False
) -> tuple[dict[str, str], str]:
    """Return an event of Stripe's, with the header it is signed by."""
    created = int(clock.now().timestamp() if at is None else at)
    body = json.dumps({
        "id": "evt_1", "object": "event", "type": kind, "created": created, "livemode": is_live,
        "data": {"object": told},
    })  # fmt: skip
    header = WebhookSignature.generate_signature_header(body, stripes.WEBHOOK_SECRET, created)
    return {"stripe-signature": header}, body


INTENT: dict[str, Any] = {
    "id": "pi_1", "object": "payment_intent", "amount": 2000, "amount_received": 0,
    "currency": "eur", "status": "requires_capture", "latest_charge": "ch_1",
    "metadata": {"oms_transaction": "X1"},
}  # fmt: skip
REFUND: dict[str, Any] = {
    "id": "re_1", "object": "refund", "amount": 500, "currency": "eur", "status": "succeeded",
    "payment_intent": "pi_1", "metadata": {"oms_transaction": "X2"},
}  # fmt: skip
DISPUTE: dict[str, Any] = {
    "id": "dp_1", "object": "dispute", "amount": 2000, "currency": "eur", "payment_intent": "pi_1",
}  # fmt: skip


class TestStripeEvents:
    @pytest.mark.parametrize(
        ("kind", "told", "expected"),
        [
            ("payment_intent.amount_capturable_updated", INTENT,
             (T.AUTHORIZE, S.SUCCEEDED, 2000, "X1", "pi_1")),
            ("payment_intent.payment_failed",
             INTENT | {"status": "requires_payment_method",
                       "last_payment_error": {"decline_code": "insufficient_funds"}},
             (T.AUTHORIZE, S.FAILED, 2000, "X1", "pi_1")),
            ("payment_intent.canceled",
             INTENT | {"status": "canceled", "metadata": {"oms_void": "X3"}},
             (T.VOID, S.SUCCEEDED, 2000, "X3", "pi_1")),
            ("payment_intent.canceled", INTENT | {"status": "canceled", "latest_charge": None},
             (T.AUTHORIZE, S.FAILED, 2000, "X1", "pi_1")),
            ("payment_intent.succeeded",
             INTENT | {"status": "succeeded", "amount_received": 1500},
             (T.CAPTURE, S.SUCCEEDED, 1500, None, "ch_1")),
            ("refund.updated", REFUND, (T.REFUND, S.SUCCEEDED, 500, "X2", "re_1")),
            ("refund.updated", REFUND | {"status": "canceled"},
             (T.REFUND, S.FAILED, 500, "X2", "re_1")),
            ("refund.updated", REFUND | {"status": "pending"},
             (T.REFUND, S.PENDING, 500, "X2", "re_1")),
            ("refund.updated", REFUND | {"status": "requires_action"},
             (T.REFUND, S.PENDING, 500, "X2", "re_1")),
            ("payment_intent.amount_capturable_updated", INTENT | {"status": "processing"},
             (T.AUTHORIZE, S.PENDING, 2000, "X1", "pi_1")),
            ("payment_intent.amount_capturable_updated", INTENT | {"status": "requires_action"},
             (T.AUTHORIZE, S.PENDING, 2000, "X1", "pi_1")),
            ("refund.failed", REFUND | {"status": "failed", "failure_reason": "lost_card"},
             (T.REFUND, S.FAILED, 500, "X2", "re_1")),
            ("charge.dispute.funds_withdrawn", DISPUTE,
             (T.CHARGEBACK, S.SUCCEEDED, 2000, None, "dp_1")),
            ("charge.dispute.funds_reinstated", DISPUTE,
             (T.CHARGEBACK_REVERSAL, S.SUCCEEDED, 2000, None, "dp_1")),
            ("refund.created", REFUND | {"currency": "jpy"},
             (T.REFUND, S.SUCCEEDED, 500, "X2", "re_1")),
            ("refund.created", REFUND | {"currency": "isk"},
             (T.REFUND, S.SUCCEEDED, 5, "X2", "re_1")),
        ],
    )  # fmt: skip
    def test_are_notices(
        self, stripe: Service, kind: str, told: dict[str, Any], expected: tuple[Any, ...]
    ) -> None:
        headers, body = event(kind, told)
        (found,) = stripe.psp.read(headers, body.encode(), at=clock.now())
        assert expected == (
            found.type, found.answer.state, found.amount_minor, found.reference,
            found.answer.psp_reference,
        )  # fmt: skip
        assert (found.parent_reference, found.ref) == ("pi_1", "evt_1")
        assert found.currency == told["currency"].upper()
        assert bool(found.answer.failure) == (found.answer.state is S.FAILED)

    @pytest.mark.parametrize(
        ("kind", "told"),
        [
            ("customer.created", {"id": "cus_1", "object": "customer"}),
            ("payment_intent.succeeded",
             INTENT | {"status": "succeeded", "metadata": {"oms_capture_X9": "1500"}}),
        ],
    )  # fmt: skip
    def test_are_none_of_what_is_no_money_or_was_asked_by_us(
        self, stripe: Service, kind: str, told: dict[str, Any]
    ) -> None:
        headers, body = event(kind, told)
        assert stripe.psp.read(headers, body.encode(), at=clock.now()) == []

    @pytest.mark.parametrize("seconds", [-301, 301])
    def test_are_not_believed_when_they_are_old_or_of_tomorrow(
        self, stripe: Service, seconds: int
    ) -> None:
        headers, body = event("refund.updated", REFUND, at=clock.now().timestamp() + seconds)
        with pytest.raises(NotOurs):
            stripe.psp.read(headers, body.encode(), at=clock.now())

    @pytest.mark.parametrize("is_live", [True, False])
    def test_are_of_the_mode_of_the_key(self, local: stripes.Local, *, is_live: bool) -> None:
        for key, is_ours in (("sk_test_x", not is_live), ("rk_live_x", is_live)):
            psp = StripePsp(key, stripes.WEBHOOK_SECRET, url=local.url)
            headers, body = event("refund.updated", REFUND, is_live=is_live)
            if is_ours:
                assert len(psp.read(headers, body.encode(), at=clock.now())) == 1
            else:
                with pytest.raises(NotOurs):
                    psp.read(headers, body.encode(), at=clock.now())
            psp.close()

    def test_are_not_believed_when_a_letter_was_changed(self, stripe: Service) -> None:
        headers, body = event("refund.updated", REFUND)
        with pytest.raises(NotOurs):
            stripe.psp.read(headers, body.replace("500", "501").encode(), at=clock.now())


class TestStripeAmounts:
    @pytest.mark.parametrize(
        ("minor", "currency", "counted"),
        [(1999, "EUR", 1999), (500, "JPY", 500), (1230, "KWD", 1230), (5, "ISK", 500),
         (700, "UGX", 70_000), (1200, "MGA", 12)],
    )  # fmt: skip
    def test_are_counted_as_stripe_does(self, minor: int, currency: str, counted: int) -> None:
        assert DECIMALS.of_minor(minor, currency) == counted
        assert DECIMALS.minor(counted, currency) == minor

    def test_are_asked_for_as_stripe_counts_them(self, stripe: Service) -> None:
        money = Money(stripe)
        payment = held(stripe, 700, currency="UGX")
        stripe.psp.execute(asked(T.CAPTURE, 300, on=payment, currency="UGX"))
        stripe.psp.execute(asked(T.REFUND, 100, on=payment, currency="UGX"))
        assert money.moved() == {"authorize": 70_000, "capture": 30_000, "refund": 10_000}

    def test_are_in_the_currency_that_is_asked_for(self, stripe: Service) -> None:
        payment = held(stripe, 700, currency="UGX")
        assert stripes.resources.store[f"payment_intent:{payment}"].currency == "ugx"

    @pytest.mark.parametrize(("minor", "currency"), [(1234, "KWD"), (1250, "MGA")])
    def test_that_it_does_not_have_are_refused_and_not_rounded(
        self, stripe: Service, minor: int, currency: str
    ) -> None:
        told = stripe.psp.execute(
            asked(T.AUTHORIZE, minor, currency=currency, token="pm_card_visa")
        )
        assert (told.state, told.failure) == (S.FAILED, "amount_not_possible")


class TestKeys:
    """The key of an operation is sent with it, and the same again however often it is asked."""

    @pytest.mark.parametrize(
        ("kind", "path"),
        [(T.AUTHORIZE, "/v1/payment_intents"), (T.CAPTURE, "/capture"), (T.VOID, "/cancel"),
         (T.REFUND, "/v1/refunds")],
    )  # fmt: skip
    def test_are_sent_to_stripe(
        self, local: stripes.Local, stripe: Service, kind: TransactionType, path: str
    ) -> None:
        payment = None if kind is T.AUTHORIZE else held(stripe)
        if kind is T.REFUND:
            stripe.psp.execute(asked(T.CAPTURE, 2000, on=payment))
        wish = asked(kind, 2000, on=payment, token=stripe.good)
        local.asked.clear()
        stripe.psp.execute(wish)
        keys = [key for method, to, key in local.asked if method == "POST" and to.endswith(path)]
        assert keys == [wish.key]

    @pytest.mark.parametrize("kind", [T.AUTHORIZE, T.CAPTURE, T.VOID, T.REFUND])
    def test_are_one_answer(self, service: Service, kind: TransactionType) -> None:
        payment = None if kind is T.AUTHORIZE else held(service)
        if kind is T.REFUND:
            service.do(asked(T.CAPTURE, 2000, on=payment))
        money, wish = Money(service), asked(kind, 700 if kind is T.REFUND else 2000, on=payment,
                                            token=service.good)  # fmt: skip
        references = {service.psp.execute(wish).psp_reference for _ in range(3)}
        assert len(references) == 1
        assert money.moved() == {kind.value: wish.amount_minor}
