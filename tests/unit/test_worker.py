"""The worker's chores: trouble in one of them is waited out, and ends neither it nor the others."""

import logging
import threading

import pytest

from oms import worker
from oms.ledger.database import LedgerAway
from oms.worker import Chore, keep_doing


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "AWAY_SECONDS", 0)
    monkeypatch.setattr(worker, "IDLE_SECONDS", 0)


def done(*answers: int | Exception) -> int:
    """Do a chore that gives these answers; return how often it was done, and then stop."""
    stop, steps = threading.Event(), iter(answers)
    count = 0

    def step() -> bool:
        nonlocal count
        count += 1
        answer = next(steps, None)
        if isinstance(answer, Exception):
            raise answer
        if answer is None:
            stop.set()
        return bool(answer)

    keep_doing(Chore(name="test", step=step), stop)
    return count


class TestKeepDoing:
    def test_it_goes_on_until_told_to_stop(self) -> None:
        assert done(1, 0, 1) == 4

    def test_an_absent_ledger_is_waited_out_and_said_once(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.INFO, "oms.worker"):
            assert done(LedgerAway(), LedgerAway(), 1) == 4
        assert [record.message for record in caplog.records] == [
            "test: the ledger is away; waiting for it", "test: going on",
        ]  # fmt: skip

    def test_a_fault_does_not_end_it_and_is_said_once(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.INFO, "oms.worker"):
            assert done(ValueError("a"), ValueError("b"), LookupError(), 1) == 5
        assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR", "INFO"]
