"""Kiosks of the simulated retailer in the present: authorized there, captured here."""

import json
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from oms.cli.paying import Terminal
from oms.kernel.money import minor_from_text
from oms.payments.model import TransactionState, TransactionType
from oms.payments.port import Asked
from oms.settings import Settings
from oms.simulator.live import live
from oms.simulator.model import CALM
from tests.payers import paying

START = datetime(2025, 11, 10, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def kiosk_orders() -> list[bytes]:
    told = live(9, START, 1, days=1, orders_per_day=400, rates=CALM, is_routed=True)
    bodies = [p.body for p in islice(told, 400) if p.channel_code == "kiosk"]
    assert bodies
    return bodies


def payments(body: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(body)["payments"]
    return found


class TestKiosks:
    def test_leave_their_new_payments_to_us(self, kiosk_orders: list[bytes]) -> None:
        ours = [each for body in kiosk_orders for each in payments(body)]
        assert {each.get("managed_by") for each in ours} >= {"oms"}
        for each in ours:
            if each.get("managed_by") == "oms":
                assert each["psp_reference"]
                assert "captured" not in each

    def test_have_them_authorized_once_so_that_they_can_be_captured(
        self, kiosk_orders: list[bytes], tmp_path: Path
    ) -> None:
        body = next(b for b in kiosk_orders if payments(b)[0].get("managed_by") == "oms")
        (payment, *_) = payments(body)
        amount = minor_from_text(payment["amount"], "EUR")
        with (
            paying(tmp_path) as payer,
            closing(Terminal(Settings(home=tmp_path, sandbox_psp_port=payer.port))) as terminal,
        ):
            for _ in range(2):
                terminal.authorize(body)
            terminal.authorize(b"not an order")
            assert payer.done()[0] == ("authorize", amount, "succeeded")
            assert len(payer.done()) == len(payments(body))
            asked = Asked(
                key="k", type=TransactionType.CAPTURE, amount_minor=amount, currency="EUR",
                reference="X1", parent_reference=payment["psp_reference"],
            )  # fmt: skip
            assert payer.psp.execute(asked).state is TransactionState.SUCCEEDED
