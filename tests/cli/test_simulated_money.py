"""Guards: the money of a played history adds up in every channel, and services settle it."""

import threading

import pytest
from sqlalchemy import text

from oms.cli import settling, simulation
from oms.simulator.model import Payload
from oms.simulator.settling import COLUMNS
from tests.cli.conftest import Home

# What is kept of each order's payments beside what it is to pay; an order of the last days is not
# told to have left, and what is paid by invoice or in the store is paid later.
UNEVEN = text("""
    select c.channel_code, o.external_ref, b.due_minor, b.captured_minor, b.refunded_minor
    from order_balances b join orders o using (order_id) join channels c using (channel_id)
    where b.captured_minor - b.refunded_minor <> b.due_minor
      and not exists (
        select from payments p where p.order_id = o.order_id
          and (p.tender = 'invoice' or p.charged_back_minor <> 0))
""")
TENDERS = text("""
    select distinct c.channel_code, p.tender
    from payments p join orders o using (order_id) join channels c using (channel_id)
""")
DAYS = text("""
    select count(distinct cast(t.psp_at at time zone 'UTC' as date))
    from payment_transactions t where t.type = 'capture'
""")
FOUND = text("select finding, count(*) from settlement_rows group by 1")
CHARGED = text("""
    select y.psp, y.external_ref, t.amount_minor, t.psp_at, y.captured_minor, y.state
    from payment_transactions t join payments y using (payment_id) where t.type = 'chargeback'
""")
CARD = text("""
    select psp, psp_reference, currency, captured_minor from payments
    where psp = 'terminal' and captured_minor > 0 and refunded_minor = 0
    order by payment_id limit 1
""")


@pytest.fixture
def played(home: Home) -> Home:
    simulation.play_history(
        home.system, threading.Event(), days=4, per_day=60, seed=5, process=True
    )
    return home


def test_adds_up_and_is_settled(played: Home) -> None:
    with played.system.ledger.snapshot() as tx:
        assert tx.execute(UNEVEN).all() == []
        tenders = {tuple(row) for row in tx.execute(TENDERS)}
        days = tx.execute(DAYS).scalar_one()
        found = dict(map(tuple, tx.execute(FOUND)))
    assert {code for code, _ in tenders} == {
        "webshop-eu", "webshop-uk", "pos", "kiosk", "marketplace", "phone",
    }  # fmt: skip
    assert {("pos", "cash"), ("pos", "card"), ("marketplace", "wallet")} <= tenders
    assert days >= 4, "each on its own day, not when its file was read"
    assert found["matched"] >= 0.95 * (sum(found.values()) - found["own"]), found
    assert found["own"] >= 8, "a payout of each day and service adds up"

    with played.system.ledger.snapshot() as tx:
        psp, reference, currency, minor = tx.execute(CARD).one()
    row = dict.fromkeys(COLUMNS, "") | {
        "entry_id": "e-1", "type": "chargeback", "operation_id": "cha-1", "payment_id": reference,
        "currency": currency, "gross": f"-{minor / 100:.2f}", "fee": "0.00",
        "net": f"-{minor / 100:.2f}", "occurred_at": "2026-01-05T12:00:00Z",
    }  # fmt: skip
    body = "\n".join([",".join(COLUMNS), ",".join(row.values())]).encode()
    report = Payload(
        psp, "settlement", "sandbox", "text/csv", "r.csv", body, simulation.clock.now()
    )
    for _ in range(2):
        settling.take_past(played.system, threading.Event(), [report])
    with played.system.ledger.snapshot() as tx:
        ((service, _, taken, _, captured, state),) = [
            each for each in tx.execute(CHARGED) if each.amount_minor == minor
        ]  # fmt: skip
        told = dict(map(tuple, tx.execute(FOUND)))
    assert (service, taken, captured, state) == (psp, minor, minor, "charged_back")
    assert told["matched"] == found["matched"] + 1
