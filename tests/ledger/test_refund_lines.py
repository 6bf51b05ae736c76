"""Goodwill off a line somebody names: no more than the line has left, by whatever waits."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from oms.kernel import clock
from oms.payments import queries as payment_queries
from oms.payments.model import NotManaged, Tender, TransactionState, TransactionType
from oms.payments.port import Answer, Notice
from oms.refunds.model import (
    Mode,
    Policy,
    Preview,
    Refund,
    RefundAction,
    RefundDraft,
    RefundExceeded,
    RefundKind,
    RefundState,
    TenderOrder,
    WrongLines,
)
from oms.refunds.rules import Rules
from oms.workflows import notices, payments, refund_previews
from tests.builders import a_change, a_line, a_movement, a_partial, an_order
from tests.ledger.shop import Shop
from tests.ledger.test_payments import CARD, balance, begin, follow_money, paid, payer, work
from tests.ledger.test_refunds import act, all_of, compose
from tests.payers import Payer
from tests.policies import set_policy, set_rules

__all__ = ["payer"]  # a fixture of theirs

K, S, A = RefundKind, RefundState, RefundAction


@pytest.fixture
def bought(shop: Shop, payer: Payer) -> str:
    """A pen of 10.00 at 21 % and ink of 10.90 at 9 %, shipped and paid."""
    number = ordered(shop)
    for sku in ("PEN", "INK"):
        shop.take(a_partial("W-1", a_change("ship", ref=f"ship-{sku}", line=sku)))
    work(shop, payer)
    assert balance(shop) == "paid"
    return number


def ordered(shop: Shop) -> str:
    """Order both, to be paid by card."""
    lines = [a_line(), a_line("INK", total=1090, tax=90)]
    shop.take(a_movement(9), a_movement(9, sku="INK", ref="ink"), an_order(lines=lines))
    follow_money(shop)
    number = shop.order().summary.order_number
    begin(shop, number, replace(CARD, amount_minor=2090))
    return number


def taken(shop: Shop) -> list[tuple[int, int, int]]:
    """Return what is off which line, by refunds that were let go."""
    return [tuple(row) for row in shop.rows(
        "select line_no, going_minor::int, going_tax_minor::int from price_reductions"
        " where going_minor > 0 order by line_no"
    )]  # fmt: skip


def let_go(shop: Shop) -> None:
    policy = Policy(mode=Mode.AUTO, limit_minor=None)
    shop.ledger.run(lambda tx: set_policy(tx, None, K.GOODWILL, policy))


def seen(shop: Shop, number: str, amount: int | None, lines: Mapping[int, int]) -> Preview:
    draft = RefundDraft(kind=K.GOODWILL, amount_minor=amount, lines=lines)
    with shop.ledger.snapshot() as tx:
        return refund_previews.preview(tx, number, draft)


def off(refund: Refund | Preview) -> list[tuple[int, int, int]]:
    return [(each.line_no, each.minor, each.tax_minor) for each in refund.cheaper]


class TestNamed:
    def test_is_off_that_line_with_its_tax(self, shop: Shop, bought: str) -> None:
        let_go(shop)
        found = seen(shop, bought, None, {2: 545})
        made = compose(shop, bought, K.GOODWILL, None, lines={2: 545})
        assert (found.amount_minor, made.amount_minor) == (545, 545)
        assert off(found) == off(made) == taken(shop) == [(2, 545, 45)]

    def test_waits_by_name_and_is_let_go_so(self, shop: Shop, bought: str) -> None:
        made = compose(shop, bought, K.GOODWILL, 800, lines={1: 500, 2: 300})
        assert (made.state, off(made)) == (S.AWAITING_APPROVAL, [(1, 500, 87), (2, 300, 25)])
        assert taken(shop) == []
        done = act(shop, made, A.APPROVE)
        assert off(done) == taken(shop) == [(1, 500, 87), (2, 300, 25)]

    def test_tells_what_stays(self, shop: Shop, bought: str) -> None:
        compose(shop, bought, K.GOODWILL, None, lines={1: 90})
        found = seen(shop, bought, None, {2: 500})
        assert (found.stays_minor, found.owed_after_minor) == (1500, 0)


class TestNoMoreThanItsLine:
    def test_has_left(self, shop: Shop, bought: str) -> None:
        let_go(shop)
        compose(shop, bought, K.GOODWILL, None, lines={1: 700})
        with pytest.raises(RefundExceeded) as refused:
            compose(shop, bought, K.GOODWILL, None, lines={1: 301})
        assert refused.value.facts == {"max_minor": 300, "currency": "EUR", "line_no": 1}
        assert compose(shop, bought, K.GOODWILL, None, lines={1: 300}).state is S.REQUESTED
        assert taken(shop) == [(1, 1000, 173)]

    def test_has_left_beside_what_waits_or_failed(
        self, shop: Shop, bought: str, payer: Payer
    ) -> None:
        waiting = compose(shop, bought, K.GOODWILL, None, lines={1: 400})
        let_go(shop)
        payer.behaves(decline_ratio=1.0)
        compose(shop, bought, K.GOODWILL, None, lines={1: 350})
        work(shop, payer)
        assert [each.state for each in all_of(shop)] == [S.AWAITING_APPROVAL, S.FAILED]
        with pytest.raises(RefundExceeded) as refused:
            compose(shop, bought, K.GOODWILL, None, lines={1: 251})
        assert refused.value.facts["max_minor"] == 250
        # What was called off is there again.
        act(shop, waiting, A.REJECT)
        assert seen(shop, bought, None, {1: 650}).amount_minor == 650
        act(shop, all_of(shop)[1], A.CANCEL)
        assert seen(shop, bought, None, {1: 1000}).amount_minor == 1000

    def test_has_when_it_is_let_go(self, shop: Shop, bought: str) -> None:
        waiting = compose(shop, bought, K.GOODWILL, None, lines={1: 700})
        shop.take(a_partial("W-1", a_change("return")))
        with pytest.raises(RefundExceeded) as refused:
            act(shop, waiting, A.APPROVE)
        assert (refused.value.facts["max_minor"], refused.value.facts["line_no"]) == (0, 1)
        assert all_of(shop)[0].state is S.AWAITING_APPROVAL


class TestNotYetSent:
    """Pens of 10.00 that are sent, and ink of 10.90 that is not."""

    @pytest.fixture
    def partly(self, shop: Shop, payer: Payer) -> str:
        let_go(shop)
        number = ordered(shop)
        shop.take(a_partial("W-1", a_change("ship", ref="ship-PEN")))
        work(shop, payer)
        assert paid(shop).sums.captured == 1000
        return number

    def test_is_not_on_paper_and_gets_nothing_off(self, shop: Shop, partly: str) -> None:
        """What was paid is for what was sent: the money would be off the wrong line."""
        with pytest.raises(RefundExceeded) as refused:
            compose(shop, partly, K.GOODWILL, None, lines={2: 1})
        assert refused.value.facts == {"max_minor": 0, "currency": "EUR", "line_no": 2}
        assert off(compose(shop, partly, K.GOODWILL, None, lines={1: 1000}))[0][:2] == (1, 1000)

    def test_gets_off_what_was_paid_ahead(self, shop: Shop, partly: str, payer: Payer) -> None:
        held = paid(shop)
        shop.ledger.run(lambda tx: payments.act(
            tx, held.payment_number, "capture", 300, currency="EUR", version=held.version,
            by="ann", at=clock.now(),
        ))  # fmt: skip
        work(shop, payer)
        with pytest.raises(RefundExceeded) as refused:
            compose(shop, partly, K.GOODWILL, None, lines={1: 100, 2: 301})
        assert (refused.value.facts["max_minor"], refused.value.facts["line_no"]) == (300, 2)
        made = compose(shop, partly, K.GOODWILL, None, lines={1: 100, 2: 300})
        assert [each[:2] for each in off(made)] == [(1, 100), (2, 300)]


def test_what_names_no_line_leaves_room_for_what_waits_by_name(shop: Shop, bought: str) -> None:
    waiting = compose(shop, bought, K.GOODWILL, None, lines={1: 1000})
    let_go(shop)
    compose(shop, bought, K.GOODWILL, 1000)
    assert [each[:2] for each in taken(shop)] == [(2, 1000)]
    act(shop, waiting, A.APPROVE)
    assert [each[:2] for each in taken(shop)] == [(1, 1000), (2, 1000)]


@pytest.mark.parametrize(
    ("kind", "amount", "lines"),
    [
        (K.OWED, None, {1: 100}), (K.SHIPPING, 100, {1: 100}), (K.GOODWILL, 200, {1: 100}),
        (K.GOODWILL, None, {1: 100, 2: 0}), (K.GOODWILL, None, {1: 200, 2: -100}),
        (K.GOODWILL, None, {0: 100}), (K.GOODWILL, None, {3: 100}),
    ],
)  # fmt: skip
def test_what_names_lines_it_cannot_be_off_is_refused(
    shop: Shop, bought: str, kind: RefundKind, amount: int | None, lines: Mapping[int, int]
) -> None:
    with pytest.raises(WrongLines):
        compose(shop, bought, kind, amount, lines=lines)
    assert all_of(shop) == []


class TestTenderOrder:
    """Two pens for 20.00: 6.00 by bank, then 9.00 by a gift card, then 5.00 by card."""

    @pytest.fixture
    def paid_by_three(self, shop: Shop, payer: Payer) -> str:
        shop.take(a_movement(9), an_order(lines=[a_line(quantity=2)]))
        follow_money(shop)
        number = shop.order().summary.order_number
        for tender, amount in ((Tender.BANK, 600), (Tender.GIFT_CARD, 900), (Tender.CARD, 500)):
            draft = replace(CARD, tender=tender, amount_minor=amount, external_ref=tender.value)
            begin(shop, number, draft)
        shop.take(a_partial("W-1", a_change("ship", 2)))
        work(shop, payer)
        assert balance(shop) == "paid"
        return number

    @pytest.mark.parametrize(
        ("order", "parts"),
        [
            (None, {"bank": 600, "gift_card": 400}),
            (TenderOrder.AS_PAID, {"bank": 600, "gift_card": 400}),
            (TenderOrder.LAST_FIRST, {"card": 500, "gift_card": 500}),
            (TenderOrder.CARD_FIRST, {"card": 500, "bank": 500}),
            (TenderOrder.GIFT_CARD_FIRST, {"gift_card": 900, "bank": 100}),
            (TenderOrder.PROPORTIONAL, {"bank": 300, "gift_card": 450, "card": 250}),
        ],
    )  # fmt: skip
    def test_says_of_what_is_taken(
        self, shop: Shop, paid_by_three: str, order: TenderOrder | None, parts: dict[str, int]
    ) -> None:
        shop.ledger.run(lambda tx: set_rules(tx, None, Rules(tender_order=order)))
        made = compose(shop, paid_by_three, K.GOODWILL, 1000)
        assert tenders(shop, made) == parts
        assert tenders(shop, act(shop, made, A.APPROVE)) == parts

    def test_is_as_it_was_seen_when_it_is_let_go(self, shop: Shop, paid_by_three: str) -> None:
        """Whoever approves has seen what goes where; where it cannot, the rule of then counts."""
        waiting = compose(shop, paid_by_three, K.GOODWILL, 1000)
        shop.ledger.run(lambda tx: set_rules(
            tx, None, Rules(tender_order=TenderOrder.PROPORTIONAL)))  # fmt: skip
        assert tenders(shop, act(shop, waiting, A.APPROVE)) == {"bank": 600, "gift_card": 400}

    def test_counts_when_it_is_let_go_and_was_seen_otherwise(
        self, shop: Shop, paid_by_three: str
    ) -> None:
        waiting = compose(shop, paid_by_three, K.GOODWILL, 800)
        with shop.ledger.snapshot() as tx:
            bank, *_ = payment_queries.of_order(tx, shop.order().summary.order_id)
        given = Notice(
            ref="evt:1", type=TransactionType.REFUND, amount_minor=400, currency="EUR",
            reference=None, parent_reference=bank.psp_reference,
            answer=Answer(state=TransactionState.SUCCEEDED, psp_reference="re_1"),
        )  # fmt: skip
        shop.ledger.run(lambda tx: notices.take_notice(tx, "sandbox", given, at=clock.now()))
        shop.ledger.run(lambda tx: set_rules(
            tx, None, Rules(tender_order=TenderOrder.PROPORTIONAL)))  # fmt: skip
        assert tenders(shop, act(shop, waiting, A.APPROVE)) == {
            "bank": 100, "gift_card": 450, "card": 250,
        }  # fmt: skip


def tenders(shop: Shop, of: Refund) -> dict[str, int]:
    known = dict(shop.rows("select payment_number, tender from payments"))
    return {str(known[each.payment_number]): each.amount_minor for each in of.tenders}


def test_a_part_of_a_payment_that_is_no_longer_ours_is_not_lost_by_a_retry(
    shop: Shop, bought: str, payer: Payer
) -> None:
    let_go(shop)
    payer.behaves(decline_ratio=1.0)
    compose(shop, bought, K.GOODWILL, 300)
    work(shop, payer)
    with shop.ledger.transaction() as tx:
        tx.exec_driver_sql("update payments set managed_by = 'channel'")
    with pytest.raises(NotManaged):
        act(shop, all_of(shop)[0], A.RETRY)
    assert all_of(shop)[0].state is S.FAILED
