"""Settlements: every planted difference is found with its class, and none is invented."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from oms.adapters.settlements import LAYOUTS
from oms.credits import operations as accounts
from oms.kernel import clock
from oms.kernel.errors import VersionConflict
from oms.payments import operations as paying
from oms.payments import queries as paid
from oms.payments.model import TransactionState, TransactionType
from oms.payments.port import Answer
from oms.sandbox import settlement
from oms.settlements import operations, queries
from oms.settlements.model import (
    MISSING_AFTER,
    AlreadyResolved,
    Difference,
    DifferenceState,
    Finding,
    Report,
    Row,
    Unreadable,
)
from oms.workflows import payments, settlements
from tests.builders import a_movement
from tests.ledger.shop import Shop
from tests.ledger.test_payments import payer
from tests.ledger.test_payments_killed import ask, bought
from tests.payers import Payer
from tests.settling import a_row, altered, balanced, rows_of, written

__all__ = ["payer"]  # a fixture of theirs

F, T = Finding, TransactionType
DAY = timedelta(days=1)


def now() -> datetime:
    return clock.now()


@dataclass(frozen=True, slots=True)
class Traded:
    """Orders that were paid 100.00 each and had 10.00 of it given back, at the sandbox."""

    shop: Shop
    payer: Payer

    def sell(self, number: int) -> int:
        order_id = bought(self.shop, number)
        self.work()
        ask(self.shop, order_id, T.CAPTURE, 10_000, "c")
        self.work()
        ask(self.shop, order_id, T.REFUND, 1_000, "r")
        self.work()
        return order_id

    def work(self) -> None:
        while payments.execute_due(self.shop.ledger, {"sandbox": self.payer.psp}):
            pass

    def report(self) -> list[dict[str, str]]:
        """Return what the sandbox reports, of all its days."""
        found = self.payer.record()
        days = sorted({datetime.fromisoformat(each.changed_at).date() for each in found})
        return [
            row for day in days for row in rows_of(settlement.report(found, day, fee_ppm=14_000))
        ]

    def take(self, rows: list[dict[str, str]], *, psp: str = "sandbox") -> Report:
        return self.take_file(written(rows), psp=psp)[0]

    def take_file(self, content: bytes, *, psp: str = "sandbox") -> tuple[Report, bool]:
        return self.shop.ledger.run(
            lambda tx: operations.take_in(
                tx, LAYOUTS["sandbox"], content, psp=psp, name="day.csv", by="ann", at=now()
            )
        )

    def rows(self, report: Report) -> list[Row]:
        with self.shop.ledger.snapshot() as tx:
            return queries.rows(tx, report.report_id, after=0, limit=1_000)[0]

    def findings(self, report: Report) -> dict[int, Finding]:
        return {row.row_no: row.finding for row in self.rows(report)}

    def differences(self, *states: DifferenceState) -> list[Difference]:
        with self.shop.ledger.snapshot() as tx:
            return queries.differences(
                tx, states=states, findings=(), psp=None, report=None, after=0, limit=1_000
            )[0]

    def look(self, at: datetime) -> int:
        return self.shop.ledger.run(lambda tx: operations.look_for_missing(tx, at=at))

    def money(self) -> Any:
        return self.shop.rows("select * from payments order by payment_id"), self.shop.rows(
            "select * from payment_transactions order by transaction_id"
        )


@pytest.fixture
def traded(shop: Shop, payer: Payer) -> Iterator[Traded]:
    shop.take(a_movement(500))
    yield Traded(shop, payer)


class TestReport:
    def test_of_the_sandbox_agrees_with_us(self, traded: Traded) -> None:
        for number in range(3):
            traded.sell(number)
        report = traded.take(traded.report())
        assert [(row.type, row.finding) for row in traded.rows(report)] == [
            *[("capture", F.MATCHED), ("refund", F.MATCHED)] * 3, ("payout", F.OWN),
        ]  # fmt: skip
        assert (report.open_count, traded.differences()) == (0, [])
        with traded.shop.ledger.snapshot() as tx:
            (payout,) = queries.payouts(tx, report.report_id)
        assert (payout.rows_minor, payout.paid_minor) == (3 * (10_000 - 140 - 1_000),) * 2

    def test_is_told_by_the_sandbox_over_http(self, traded: Traded) -> None:
        traded.sell(1)
        day = traded.payer.record()[-1].changed_at[:10]
        path = f"http://127.0.0.1:{traded.payer.port}/settlements"
        told = httpx.get(f"{path}/{day}").content
        report, _ = traded.take_file(told)
        assert traded.findings(report)[1] is F.MATCHED
        assert httpx.get(f"{path}/1999-01-01").text.count("\n") == 1
        assert httpx.get(f"{path}/today").status_code == 400

    def test_is_kept_as_it_came_and_once(self, traded: Traded) -> None:
        traded.sell(1)
        content = b"\xef\xbb\xbf" + written(traded.report())
        with ThreadPoolExecutor(4) as pool:
            taken = list(pool.map(lambda _: traded.take_file(content), range(4)))
        assert len({report.report_number for report, _ in taken}) == 1
        assert [is_new for _, is_new in taken].count(True) == 1
        with traded.shop.ledger.snapshot() as tx:
            assert queries.file(tx, taken[0][0].report_id) == content
        assert traded.differences() == []

    def test_without_rows_is_one(self, traded: Traded) -> None:
        report = traded.take([])
        assert (report.rows_count, report.first_at) == (0, None)

    def test_changes_no_payment(self, traded: Traded) -> None:
        traded.sell(1)
        before = traded.money()
        rows = traded.report()
        traded.take(balanced([altered(rows[0], gross="1.00"), altered(rows[1], gross="-99.00")]))
        assert traded.money() == before
        assert len(traded.differences()) == 2

    @pytest.mark.parametrize(
        ("cells", "sentence"),
        [
            ({"gross": "1.005"}, "row 1: gross is not an amount"),
            ({"gross": "ten", "net": "1.00"}, "row 1: gross is not an amount"),
            ({"currency": "XXX", "net": "1"}, "row 1: currency is not a currency"),
            ({"occurred_at": "yesterday"}, "row 1: occurred_at is not a time"),
        ],
    )  # fmt: skip
    def test_that_cannot_be_read_is_refused_whole(
        self, traded: Traded, cells: dict[str, str], sentence: str
    ) -> None:
        good = a_row(entry_id="good")
        with pytest.raises(Unreadable, match=sentence):
            traded.take([good | {"net": "1.00"} | cells, good])
        assert traded.shop.value("select count(*) from settlement_reports") == 0


def planted(rows: list[dict[str, str]]) -> list[tuple[dict[str, str], Finding]]:
    """Put one of every difference into what the sandbox tells of twelve orders."""
    captures, refunds = rows[::2], rows[1::2]
    return [
        (captures[0], F.MATCHED),
        (altered(captures[1], gross="99.00", fee="1.39"), F.AMOUNT_DIFFERS),
        (altered(captures[2], currency="USD"), F.CURRENCY_DIFFERS),
        (altered(captures[3], gross="98.60"), F.FEE_DIFFERS),
        (altered(captures[4], net="99.00"), F.FEE_DIFFERS),
        # captures[5] is not told of at all.
        (captures[6], F.MATCHED),
        (captures[6], F.DUPLICATE),
        (captures[6] | {"entry_id": "another"}, F.DUPLICATE),
        (altered(captures[7], occurred_at=f"{now() - 9 * DAY:%Y-%m-%dT%H:%M:%SZ}"),
         F.PERIOD_DIFFERS),
        (captures[8], F.MATCHED), (captures[9], F.MATCHED),
        (captures[10], F.NOT_SUCCEEDED),
        (captures[11], F.MATCHED),
        *((row, F.MATCHED) for row in refunds[:8]),
        (altered(refunds[8], gross="10.00"), F.TYPE_DIFFERS),
        (refunds[9] | {"payment_id": refunds[0]["payment_id"]}, F.OTHER_PAYMENT),
        (altered(refunds[10], type="chargeback"), F.TYPE_DIFFERS),
        (refunds[11] | {"operation_id": "ref_x", "reference": "", "payment_id": "pay_x"},
         F.UNKNOWN),
        (a_row(entry_id="made there", type="refund", operation_id="ref_y", gross="-5.00",
               payment_id=refunds[0]["payment_id"]), F.UNKNOWN),
        (a_row(entry_id="word", type="loan", gross="5.00"), F.UNKNOWN),
        (a_row(entry_id="monthly", type="fee", gross="-2.00"), F.OWN),
        (a_row(entry_id="odd", type="fee", gross="-2.00", net="-1.00"), F.FEE_DIFFERS),
        (a_row(entry_id="kept", type="balance", gross="-7.00"), F.OWN),
    ]  # fmt: skip


class TestPlanted:
    def test_differences_are_all_found_and_no_other(self, traded: Traded) -> None:
        sold = [traded.sell(number) for number in range(12)]
        given = traded.report()
        rows = [row for row in given if row["type"] != "payout"]
        self._hold_for_failed(traded, sold[10], rows[20]["operation_id"])
        told = planted(rows)
        short = [
            (a_row(entry_id="cost", payout_id="short", type="fee", gross="-3.00"), F.OWN),
            (a_row(entry_id="paid", payout_id="short", type="payout", gross="2.99"),
             F.PAYOUT_TOTAL),
        ]  # fmt: skip
        paid = balanced([row for row, _ in told])[len(told) :]
        report = traded.take([row for row, _ in told] + paid + [row for row, _ in short])
        expected = [f for _, f in told] + [F.OWN] * len(paid) + [f for _, f in short]
        assert list(traded.findings(report).values()) == expected
        found = traded.differences()
        assert sorted(each.finding for each in found) == sorted(set_aside(expected))
        assert {each.state for each in found} == {DifferenceState.OPEN}
        by_finding = {each.finding: each for each in found}
        amount, total = by_finding[F.AMOUNT_DIFFERS], by_finding[F.PAYOUT_TOTAL]
        assert (amount.ours_minor, amount.theirs_minor) == (10_000, 9_900)
        assert (total.ours_minor, total.theirs_minor) == (300, 299)
        sign = next(each for each in found if each.finding is F.TYPE_DIFFERS)
        assert (sign.ours_minor, sign.theirs_minor) == (-1_000, 1_000)
        # … and what no row tells of, when its time is over.
        assert traded.look(now() + MISSING_AFTER - DAY) == 0
        assert traded.look(now() + MISSING_AFTER + DAY) == 2
        missing = [each for each in traded.differences() if each.finding is F.MISSING]
        assert [each.ours_minor for each in missing] == [10_000, -1_000]
        assert missing[0].order_number == traded.shop.order("W-5").summary.order_number
        assert missing[1].order_number == traded.shop.order("W-11").summary.order_number
        assert traded.look(now() + MISSING_AFTER + 2 * DAY) == 0

    def _hold_for_failed(self, traded: Traded, order_id: int, reference: str) -> None:
        told = Answer(state=TransactionState.FAILED, failure="refused_later")
        found = traded.shop.value(
            "select transaction_id from payment_transactions where psp_reference = :ref",
            ref=reference,
        )

        def fail(tx: Any) -> None:
            payments.orders.hold(tx, order_id)
            paying.answer(tx, found, told, source="inquiry", at=now())

        traded.shop.ledger.run(fail)


def set_aside(findings: list[Finding]) -> list[Finding]:
    return [each for each in findings if each not in {F.MATCHED, F.OWN}]


class TestMatching:
    def test_goes_by_the_payment_where_nothing_else_is_told(self, traded: Traded) -> None:
        """Equal amounts first, each operation once, then whatever the amount."""
        order_id = traded.sell(1)
        ask(traded.shop, order_id, T.REFUND, 2_000, "r2")
        ask(traded.shop, order_id, T.REFUND, 1_000, "r3")
        traded.work()
        payment = traded.report()[0]["payment_id"]
        told = [
            a_row(entry_id=f"e{at}", type="refund", gross=gross, payment_id=payment,
                  occurred_at=f"{now():%Y-%m-%dT%H:%M:%SZ}")
            for at, gross in enumerate(("-15.00", "-10.00", "-10.00", "-1.00"))
        ]  # fmt: skip
        found = traded.findings(traded.take(balanced(told)))
        assert list(found.values())[:4] == [F.AMOUNT_DIFFERS, F.MATCHED, F.MATCHED, F.UNKNOWN]

    def test_takes_no_store_credit_for_what_a_service_gave_back(self, traded: Traded) -> None:
        order_id = traded.sell(1)
        with traded.shop.ledger.transaction() as tx:
            account = accounts.open_account(tx, order_id, "EUR", expires_at=None, at=now())
            (payment,) = paid.of_order(tx, order_id)
            paying.request(
                tx, payment, T.REFUND, 500, cause="credit", by="ann", at=now(),
                credit_account_id=account.account_id,
            )  # fmt: skip
        told = a_row(
            type="refund", gross="-5.00", payment_id=traded.report()[0]["payment_id"],
            occurred_at=f"{now():%Y-%m-%dT%H:%M:%SZ}",
        )  # fmt: skip
        # The one there is was of another amount.
        (row, _) = traded.rows(traded.take(balanced([told])))
        assert row.finding is F.AMOUNT_DIFFERS

    def test_goes_by_our_number_where_the_service_has_another_id(self, traded: Traded) -> None:
        traded.sell(1)
        rows = [row | {"operation_id": f"bal_{row['operation_id']}"} for row in traded.report()]
        assert set(traded.findings(traded.take(rows)).values()) == {F.MATCHED, F.OWN}

    def test_does_not_take_one_operation_for_another_whose_id_it_knows(
        self, traded: Traded
    ) -> None:
        traded.sell(1)
        capture, refund, *_ = traded.report()
        there = refund | {"operation_id": "ref_there", "reference": "", "entry_id": "there"}
        found = traded.findings(traded.take(balanced([capture, there])))
        assert list(found.values())[:2] == [F.MATCHED, F.UNKNOWN]

    def test_knows_services_apart(self, traded: Traded) -> None:
        traded.sell(1)
        report = traded.take(traded.report(), psp="other")
        assert list(traded.findings(report).values()) == [F.UNKNOWN, F.UNKNOWN, F.OWN]

    def test_knows_what_an_earlier_report_has_told(self, traded: Traded) -> None:
        traded.sell(1)
        rows = traded.report()
        traded.take(rows)
        again = traded.take(balanced([rows[0] | {"entry_id": "x"}, rows[1]]))
        assert list(traded.findings(again).values())[:2] == [F.DUPLICATE, F.DUPLICATE]


class TestMissing:
    def test_is_nothing_before_a_service_ever_reported(self, traded: Traded) -> None:
        traded.sell(1)
        assert traded.look(now() + 30 * DAY) == 0

    def test_that_comes_late_is_missing_no_longer_and_says_where_it_is(
        self, traded: Traded
    ) -> None:
        traded.sell(1)
        rows = traded.report()
        traded.take(balanced([rows[1] | {"occurred_at": "2026-01-05T12:00:00Z"}]))
        assert traded.look(now() + MISSING_AFTER + DAY) == 1
        late = traded.take(balanced([rows[0]]))
        (missing,) = (each for each in traded.differences() if each.finding is F.MISSING)
        assert (missing.state, missing.resolved_by) == (DifferenceState.RESOLVED, "settlements")
        assert late.report_number in str(missing.reason)


class TestResolving:
    def test_is_done_once_by_who_has_seen_it_and_says_why(self, traded: Traded) -> None:
        traded.sell(1)
        traded.take(balanced([altered(traded.report()[0], gross="99.00")]))
        (found,) = traded.differences()

        def resolve(version: int) -> Difference:
            return traded.shop.ledger.run(
                lambda tx: operations.resolve(
                    tx, found.difference_number, "fee", version=version, by="bob", at=now()
                )
            )

        with pytest.raises(VersionConflict):
            resolve(2)
        done = resolve(1)
        assert (done.state, done.resolved_by, done.reason) == ("resolved", "bob", "fee")
        with pytest.raises(AlreadyResolved):
            resolve(2)
        assert traded.differences(DifferenceState.OPEN) == []


class TestFolder:
    def drop(self, folder: Path, name: str, content: bytes) -> Path:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, times=(0, 0))
        return path

    def test_is_emptied_and_says_what_it_cannot_read(self, traded: Traded, tmp_path: Path) -> None:
        traded.sell(1)
        content = written(traded.report())
        self.drop(tmp_path, "sandbox/day.csv", content)
        self.drop(tmp_path, "acme/sandbox/day.csv", content)
        self.drop(tmp_path, "sandbox/bad.csv", b"a,b\n1,2\n")
        kept = self.drop(tmp_path, "nobody/day.csv", content)
        unfinished = self.drop(tmp_path, "sandbox/now.csv", content[:40])
        os.utime(unfinished)

        def look() -> bool:
            return settlements.take_dropped(traded.shop.ledger, LAYOUTS, tmp_path, at=now())

        assert (look(), look()) == (True, False)
        found = traded.shop.rows("select psp, layout, name from settlement_reports order by psp")
        assert found == [("acme", "sandbox", "day.csv"), ("sandbox", "sandbox", "day.csv")]
        assert (tmp_path / "sandbox/taken/day.csv").read_bytes() == content
        assert "no columns" in (tmp_path / "sandbox/refused/bad.txt").read_text()
        assert kept.exists()
        assert unfinished.exists()
        self.drop(tmp_path, "sandbox/day.csv", content)
        assert look()
        assert (tmp_path / "sandbox/taken/day (2).csv").exists()
        assert traded.shop.value("select count(*) from settlement_reports") == 2
