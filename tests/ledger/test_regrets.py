"""Guards: what simulated customers bring back is accepted at a store, and their money goes back."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from oms.ledger.database import Ledger
from oms.returns.model import Condition, ReturnReason
from oms.simulator import regrets
from oms.simulator.regrets import Left, Regret
from tests.builders import NOW, a_change, a_line, a_movement, a_partial, an_order
from tests.ledger.shop import Shop, furnish
from tests.ledger.test_payments import begin, ship, work
from tests.payers import Payer, paying


@pytest.fixture
def payer(tmp_path: Path) -> Iterator[Payer]:
    with paying(tmp_path) as payer:
        yield payer


def test_of_what_was_paid_through_us_it_goes_back_by_itself(ledger: Ledger, payer: Payer) -> None:
    furnish(ledger)
    shop = Shop(ledger)
    shop.take(a_movement(9), an_order(lines=[a_line(quantity=2)]))
    work(shop, payer, rounds=1)
    begin(shop, shop.order().summary.order_number)
    work(shop, payer)
    with ledger.snapshot() as tx:
        assert regrets.left(tx) == [], "nothing has left"
    ship(shop, 2)
    work(shop, payer)
    with ledger.snapshot() as tx:
        (what,) = regrets.left(tx)
    assert (what.line_no, what.units) == (1, 2)
    regret = Regret(
        place="AMS", hours=2, reason=ReturnReason.TOO_SMALL, condition=Condition.DAMAGED
    )
    assert not regrets.is_due(what, regret, what.left_at + timedelta(hours=1))
    one = what._replace(units=1)
    ledger.run(partial(regrets.bring, what=one, regret=regret, at=what.left_at))
    work(shop, payer)
    assert shop.rows("select state from returns") == [("completed",)]
    assert shop.rows("select condition, quantity from return_inspections") == [("D", 1)]
    assert shop.rows("select refunded_minor, payment_state from order_balances") == [
        (1000, "partially_refunded")
    ]
    with ledger.snapshot() as tx:
        assert regrets.left(tx) == [], "of an order something is brought back once"
    assert shop.violations() == {}


def test_who_keeps_what_they_have_hides_nobody_who_came_later(
    ledger: Ledger, payer: Payer, monkeypatch: pytest.MonkeyPatch
) -> None:
    furnish(ledger)
    shop = Shop(ledger)
    shop.take(a_movement(9), an_order("W-1"), an_order("W-2"))
    work(shop, payer, rounds=1)
    for ref in ("W-1", "W-2"):
        begin(shop, shop.order(ref).summary.order_number)
        shop.take(a_partial(ref, a_change("ship", 1, ref=f"s-{ref}")))
    work(shop, payer)
    monkeypatch.setattr(regrets, "LINES_MAX", 1)
    with ledger.snapshot() as tx:
        assert [each.ref for each in regrets.left(tx)] == ["W-2"]


def test_is_drawn_of_an_order_alike_whoever_asks() -> None:
    of = [Left(f"R{number}", f"K-{number}", 1, 1, NOW) for number in range(400)]
    drawn = [regrets.regret_of(7, each) for each in of]
    assert drawn == [regrets.regret_of(7, each) for each in of]
    assert 50 < sum(each is not None for each in drawn) < 110
