"""Settlement reports: they tell what the channels' documents tell, but for what is put in wrong."""

import csv
import io
from collections import Counter, defaultdict
from datetime import UTC, date, datetime

import pytest

from oms.adapters.settlements.sandbox import SandboxLayout
from oms.simulator.model import CALM, Payload
from oms.simulator.settling import FEES_PPM, TRANSPORT, Settled, report
from tests.unit.simulator.stories import a_story
from tests.unit.simulator.test_adapters import Drafts

ON = date(2026, 3, 4)
AT = datetime(2026, 3, 4, 12, tzinfo=UTC)
Rows = list[dict[str, str]]


def reports(service: str | None = None) -> list[Payload]:
    told = a_story(rates=CALM).payloads
    return [p for p in told if p.transport == TRANSPORT and service in {None, p.channel_code}]


def rows_of(body: bytes) -> Rows:
    return list(csv.DictReader(io.StringIO(body.decode())))


def cents(text: str) -> int:
    return round(float(text) * 100)


class TestReports:
    @pytest.mark.parametrize(
        ("channel", "service"),
        [("pos", "terminal"), ("webshop-uk", "shopify_payments"), ("marketplace", "marketpay"),
         ("phone", "paylink")],
    )  # fmt: skip
    def test_tell_what_channels_tell_of_their_payments(self, channel: str, service: str) -> None:
        drafts = Drafts(a_story(rates=CALM), channel)
        test_orders = {
            ref for ref, order in drafts.orders.items() if order["is_test"] not in {"f", "false"}
        }
        told = {
            paid["psp_reference"]: (int(paid["captured_minor"]), int(paid["refunded_minor"]))
            for ref, payments in drafts.payments.items() if ref not in test_orders
            for paid in payments.values() if paid["psp"] == service and paid["psp_reference"]
            and int(paid["captured_minor"])
        }  # fmt: skip
        settled: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for payload in reports(service):
            for row in rows_of(payload.body):
                settled[row["payment_id"]][row["type"]] += cents(row["gross"])
        agreed = {
            ref for ref, sums in told.items()
            if sums == (settled[ref]["capture"], -settled[ref]["refund"])
        }  # fmt: skip
        assert len(told) > 5
        assert len(agreed) >= 0.97 * len(told), "what differs was put in"

    def test_are_read_and_pay_out_what_their_rows_come_to(self) -> None:
        for payload in reports():
            assert SandboxLayout().read(payload.body).rows_count == len(rows_of(payload.body))
            paid: Counter[str] = Counter()
            for row in rows_of(payload.body):
                paid[row["currency"]] += cents(row["net"])
            assert set(paid.values()) <= {0}
            assert payload.file_name is not None
        assert {payload.channel_code for payload in reports()} == set(FEES_PPM)


class TestMistakes:
    def test_are_few_and_of_every_kind(self) -> None:
        done = [
            Settled("terminal", "capture", f"P{number}", 0, "EUR", 2_000, AT)
            for number in range(20_000)
        ]
        rows = [row for row in rows_of(report("terminal", ON, done)) if row["type"] == "capture"]
        gross = Counter(row["gross"] for row in rows)
        entries = Counter(row["entry_id"] for row in rows)
        fee = cents("20.00") * FEES_PPM["terminal"] // 1_000_000
        assert set(gross) == {"20.00", "19.97", f"{(2_000 - fee) / 100:.2f}"}
        assert sum(count > 1 for count in entries.values()) > 3
        strangers = [row for row in rows if row["payment_id"].endswith("-x")]
        assert len(strangers) > 3
        own = {row["payment_id"] for row in rows} - {row["payment_id"] for row in strangers}
        assert len(own) < len(done), "some are never told"
        assert 10 < len(rows) - gross["20.00"] + len(strangers) < 100
