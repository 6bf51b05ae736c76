"""Ingest: a payload is received once, taken slice by slice, and nothing of it is lost."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from oms import worker
from oms.channels import operations, queries
from oms.channels.model import (
    NotOpen,
    Payload,
    PayloadEmpty,
    QuarantinedDocument,
    Received,
    UnknownChannel,
)
from oms.kernel.errors import Unavailable
from oms.kernel.limits import FRAGMENT_BYTES_MAX, INBOX_ATTEMPTS_MAX, INBOX_INLINE_BYTES_MAX
from oms.ledger.database import Ledger, LedgerAway
from oms.workflows import ingest
from oms.workflows.documents import Page
from oms.workflows.ingest import Intake
from tests.builders import NOW, a_movement, a_product, an_order
from tests.ledger.notebook import SLICE, Note, Notebook, notes
from tests.ledger.shop import Shelf, Shop
from tests.ledger.threads import together, waiting_for_a_lock


def intake_of(shop: Shop, files: Path, seen: Callable[[Note], None] = lambda _: None) -> Intake:
    """Return the intake of a retailer whose channels all send notebooks."""
    return Intake(
        ledger=shop.ledger, files_dir=files, mapping_of=lambda _: Notebook(seen),
        puller_of=lambda _: Pages(),
    )  # fmt: skip


@pytest.fixture
def intake(shop: Shop, tmp_path: Path) -> Intake:
    """Give the intake of the retailer."""
    return intake_of(shop, tmp_path / "files")


@dataclass(frozen=True)
class Pages:
    """A channel that has three pages of one order each, and is away at one of them."""

    away_at: int = 99

    def pages(self, _topic: str, *, cursor: str | None) -> Iterator[Page]:
        """Read the pages behind a cursor."""
        for number in range(int(cursor or 0), 3):
            if number == self.away_at:
                raise Unavailable
            yield Page(
                body=notes({"ref": f"W-{number}"}), content_type="application/json",
                cursor=str(number + 1),
            )  # fmt: skip


def push(
    intake: Intake, body: bytes, *, topic: str = "notes", message_id: str | None = None
) -> Received:
    """Lay a body into the inbox."""
    with intake.ledger.transaction() as tx:
        return ingest.receive_body(
            intake, tx, body, channel=queries.channel(tx, "web"), transport="push", topic=topic,
            content_type="application/json", message_id=message_id, at=NOW,
        )  # fmt: skip


def drop(intake: Intake, path: Path, *, channel: str = "web") -> Received:
    """Lay a file into the inbox."""
    return ingest.receive_file(
        intake, path, channel_code=channel, topic="notes", content_type="application/json", at=NOW
    )


def done(intake: Intake, inbox_id: int) -> Payload:
    """Process a payload once."""
    payload = ingest.process(intake, inbox_id)
    assert payload is not None
    return payload


def counts(payload: Payload) -> dict[str, int]:
    """Return how many documents ended how, without the zeros."""
    found = {name: getattr(payload, f"{name}_count") for name in (
        "documents", "captured", "updated", "duplicate", "stale", "quarantined")}  # fmt: skip
    return {name: count for name, count in found.items() if count}


def quarantine(shop: Shop, state: str = "open") -> list[QuarantinedDocument]:
    """Return the documents set aside."""
    with shop.ledger.snapshot() as tx:
        return queries.quarantine(tx, state=state)


def orders(count: int) -> list[Note]:
    """Return notes of so many orders."""
    return [{"ref": f"W-{number}", "quantity": number} for number in range(1, count + 1)]


def books(shop: Shop) -> dict[str, Any]:
    """Return what the ledger says, whatever way it came there."""
    return {
        "orders": shop.rows("select external_ref, total_minor, version from orders order by 1"),
        "events": shop.rows("select count(*), sum(net_minor), sum(quantity) from line_events"),
        "steps": shop.rows("select count(*) from order_events"),
        "shelf": shop.shelf(),
    }


def away_once(shop: Shop, admin: Engine, *, at: str) -> Callable[[Note], None]:
    """Return what ends every connection to the ledger when a note is seen for the first time."""
    gone: list[Note] = []

    def cut(note: Note) -> None:
        if note["ref"] == at and not gone:
            gone.append(note)
            with admin.connect() as connection:
                connection.execute(text(
                    "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
                    " where datname = :name"
                ), {"name": shop.ledger.engine.url.database})  # fmt: skip

    return cut


class TestReceiving:
    def test_a_file_is_received_once_under_whatever_name(
        self, shop: Shop, intake: Intake, tmp_path: Path
    ) -> None:
        (tmp_path / "a.json").write_bytes(notes({"ref": "W-1"}))
        (tmp_path / "b.json").write_bytes(notes({"ref": "W-1"}))
        first, again = drop(intake, tmp_path / "a.json"), drop(intake, tmp_path / "b.json")
        assert (first.is_new, again.is_new) == (True, False)
        assert first.inbox_id == again.inbox_id
        assert done(intake, first.inbox_id).file_name == "a.json"
        assert drop(intake, tmp_path / "a.json").state == "processed"

    def test_another_channel_may_send_the_same(self, intake: Intake, tmp_path: Path) -> None:
        (tmp_path / "a.json").write_bytes(notes({"ref": "W-1"}))
        found = [drop(intake, tmp_path / "a.json", channel=code) for code in ("web", "till")]
        assert all(each.is_new for each in found)

    def test_the_file_may_be_gone_afterwards(
        self, shop: Shop, intake: Intake, tmp_path: Path
    ) -> None:
        (tmp_path / "a.json").write_bytes(notes({"ref": "W-1"}))
        received = drop(intake, tmp_path / "a.json")
        (tmp_path / "a.json").write_text("something else")
        assert counts(done(intake, received.inbox_id)) == {"documents": 1, "captured": 1}

    def test_a_body_is_received_once_by_its_message(self, intake: Intake) -> None:
        first = push(intake, notes({"ref": "W-1"}), message_id="m-1")
        again = push(intake, notes({"ref": "W-1"}), message_id="m-1")
        other = push(intake, notes({"ref": "W-1"}), message_id="m-2")
        assert (first.is_new, again.is_new, other.is_new) == (True, False, True)

    def test_a_body_without_message_is_known_by_its_content(self, intake: Intake) -> None:
        found = [push(intake, body).is_new for body in (b"[1]", b"[1]", b"[2]")]
        assert found == [True, False, True]
        assert push(intake, b"[1]", topic="other").is_new

    @pytest.mark.parametrize("extra", [0, 1])
    def test_a_large_body_lies_in_the_file_store(
        self, shop: Shop, intake: Intake, extra: int
    ) -> None:
        body = notes({"ref": "W-1"}).ljust(INBOX_INLINE_BYTES_MAX + extra)
        received = push(intake, body)
        assert shop.value("select body is null from inbox") is bool(extra)
        assert len(list(intake.files_dir.rglob("*"))) == 2 * extra
        assert counts(done(intake, received.inbox_id)) == {"documents": 1, "captured": 1}

    def test_nothing_is_no_payload(self, shop: Shop, intake: Intake, tmp_path: Path) -> None:
        (tmp_path / "empty.json").touch()
        with pytest.raises(PayloadEmpty):
            drop(intake, tmp_path / "empty.json")
        with pytest.raises(PayloadEmpty):
            push(intake, b"")
        assert list(intake.files_dir.iterdir()) == []

    def test_a_stranger_sends_nothing(self, intake: Intake, tmp_path: Path) -> None:
        (tmp_path / "a.json").write_bytes(b"[]")
        with pytest.raises(UnknownChannel):
            drop(intake, tmp_path / "a.json", channel="stranger")

    def test_several_at_once_receive_it_once(self, intake: Intake) -> None:
        found = together([lambda: push(intake, notes({"ref": "W-1"}))] * 4)
        assert sorted(str(getattr(each, "is_new", each)) for each in found) == [
            "False", "False", "False", "True",
        ]  # fmt: skip


class TestPulling:
    def test_every_page_is_received_with_the_cursor_behind_it(
        self, shop: Shop, intake: Intake
    ) -> None:
        assert ingest.pull(intake, "web", topic="notes") == 3
        assert shop.value("select cursor from pull_cursors") == "3"
        assert ingest.pull(intake, "web", topic="notes") == 0
        assert ingest.process_waiting(intake) == 3
        assert shop.value("select count(*) from orders") == 3

    def test_broken_off_it_goes_on_behind_the_last_page_kept(
        self, shop: Shop, intake: Intake
    ) -> None:
        breaking = replace(intake, puller_of=lambda _: Pages(away_at=2))
        with pytest.raises(Unavailable):
            ingest.pull(breaking, "web", topic="notes")
        assert shop.value("select cursor from pull_cursors") == "2"
        assert ingest.pull(intake, "web", topic="notes") == 1
        assert shop.value("select count(*) from inbox") == 3


class TestProcessing:
    def test_it_goes_slice_by_slice_to_the_end(self, shop: Shop, intake: Intake) -> None:
        payload = done(intake, push(intake, notes(*orders(2 * SLICE + 1))).inbox_id)
        assert (payload.state, payload.position, payload.failure) == ("processed", 9, None)
        assert counts(payload) == {"documents": 9, "captured": 9}
        assert shop.value("select count(distinct inbox_id) from orders") == 1

    def test_done_it_is_not_done_again(self, shop: Shop, intake: Intake) -> None:
        inbox_id = push(intake, notes(*orders(3))).inbox_id
        assert done(intake, inbox_id) == done(intake, inbox_id)

    def test_every_document_is_counted_as_what_it_became(self, shop: Shop, intake: Intake) -> None:
        shop.take(an_order("W-1"))
        ship = {"kind": "ship"}
        payload = done(intake, push(intake, notes(
            {"ref": "W-1"}, {"ref": "W-2"}, {"ref": "W-3", "sku": "NONE"},
            {"ref": "X", "is_wrong": 1},
            {"ref": "W-2", "changes": [ship]}, {"ref": "W-2", "changes": [ship]},
        )).inbox_id)  # fmt: skip
        assert counts(payload) == {
            "documents": 6, "captured": 1, "updated": 1, "duplicate": 2, "quarantined": 2,
        }  # fmt: skip

    def test_a_payload_that_cannot_be_read_fails_with_its_reason(self, intake: Intake) -> None:
        payload = done(intake, push(intake, b"{").inbox_id)
        assert (payload.state, payload.failure) == ("failed", "this is no notebook")
        assert ingest.process_waiting(intake) == 0

    def test_the_oldest_goes_first(self, shop: Shop, tmp_path: Path) -> None:
        seen: list[str] = []
        intake = intake_of(shop, tmp_path, lambda note: seen.append(note["ref"]))
        for ref in ("W-2", "W-1", "W-3"):
            push(intake, notes({"ref": ref}))
        assert ingest.process_waiting(intake) == 3
        assert seen == ["W-2", "W-1", "W-3"]


class TestBrokenOff:
    """Guards that a payload broken off anywhere ends as one that was not."""

    @pytest.mark.parametrize("at", [1, SLICE, SLICE + 1, 2 * SLICE + 1])
    def test_it_goes_on_where_it_stopped(self, shop: Shop, tmp_path: Path, at: int) -> None:
        shop.take(a_movement(99))
        whole = orders(2 * SLICE + 2)
        unbroken = done(
            intake_of(shop, tmp_path), push(intake_of(shop, tmp_path), notes(*whole)).inbox_id
        )
        once = books(shop)
        shop.restore()
        shop.take(a_movement(99))
        broken = True

        def breaking(note: Note) -> None:
            if broken and note["ref"] == f"W-{at}":
                raise RuntimeError("out of ink")

        intake = intake_of(shop, tmp_path, breaking)
        inbox_id = push(intake, notes(*whole)).inbox_id
        half = done(intake, inbox_id)
        assert (half.position, half.attempts) == ((at - 1) // SLICE * SLICE, 1)
        assert half.failure == f"RuntimeError: see payload {inbox_id} in the log"
        broken = False
        payload = done(intake, inbox_id)
        assert (payload.state, payload.failure) == ("processed", None)
        assert counts(payload) == counts(unbroken)
        assert books(shop) == once

    def test_killed_it_goes_on_where_it_stopped(
        self, shop: Shop, intake: Intake, tmp_path: Path
    ) -> None:
        shop.take(a_movement(99))
        whole = orders(2 * SLICE + 2)
        whole[SLICE + 1]["kills"] = str(tmp_path / "killed")
        inbox_id = push(intake, notes(*whole)).inbox_id
        url = shop.ledger.engine.url.render_as_string(hide_password=False)
        ended = subprocess.run(
            [sys.executable, "-m", "tests.ledger.test_ingest", url, str(inbox_id)], check=False,
            cwd=Path(__file__).parents[2], timeout=120, capture_output=True,
        )  # fmt: skip
        assert ended.returncode == -9, ended.stderr.decode()
        with shop.ledger.transaction() as tx:  # the server buries the dead in its own time
            key = {"key": ingest.LOCK_SPACE + inbox_id}
            tx.execute(text("select pg_advisory_xact_lock(:key)"), key)
        assert shop.value("select position from inbox") == SLICE
        payload = done(intake, inbox_id)
        assert counts(payload) == {"documents": len(whole), "captured": len(whole)}
        assert shop.value("select count(*) from order_events") == len(whole)
        assert shop.shelf() == Shelf(99, sum(note["quantity"] for note in whole))

    def test_the_ledger_away_is_no_attempt(self, shop: Shop, tmp_path: Path, admin: Engine) -> None:
        intake = intake_of(shop, tmp_path, away_once(shop, admin, at=f"W-{SLICE + 1}"))
        inbox_id = push(intake, notes(*orders(SLICE + 1))).inbox_id
        with pytest.raises(LedgerAway):
            ingest.process(intake, inbox_id)
        assert shop.value("select attempts from inbox") == 0
        payload = done(intake, inbox_id)
        assert counts(payload) == {"documents": SLICE + 1, "captured": SLICE + 1}

    def test_a_worker_waits_the_ledger_out(
        self, shop: Shop, tmp_path: Path, admin: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stop = threading.Event()
        cut = away_once(shop, admin, at=f"W-{SLICE + 1}")

        def seen(note: Note) -> None:
            cut(note)
            if note["ref"] == "W-LAST":
                stop.set()

        monkeypatch.setattr(worker, "AWAY_SECONDS", 0)
        intake = intake_of(shop, tmp_path, seen)
        inbox_id = push(intake, notes(*orders(SLICE + 1))).inbox_id
        push(intake, notes({"ref": "W-LAST"}))
        worker.keep_doing(worker.Chore(name="inbox", step=worker.inbox(intake)), stop)
        with shop.ledger.snapshot() as tx:
            payload = queries.payload(tx, inbox_id)
        assert payload is not None
        assert (payload.state, payload.attempts) == ("processed", 1)
        assert counts(payload) == {"documents": SLICE + 1, "captured": SLICE + 1}


class TestPoison:
    def test_it_is_set_aside_after_its_attempts_and_others_go_on(
        self, shop: Shop, intake: Intake
    ) -> None:
        poison = push(intake, notes({"ref": "W-0", "breaks": True})).inbox_id
        push(intake, notes(*orders(2)))
        assert ingest.process_waiting(intake) == 2
        assert shop.value("select count(*) from orders") == 2
        for _ in range(INBOX_ATTEMPTS_MAX - 2):
            assert ingest.process_waiting(intake) == 1
        assert done(intake, poison).state == "failed"
        assert ingest.process_waiting(intake) == 0
        payload = done(intake, poison)
        assert (payload.attempts, payload.failure) == (
            INBOX_ATTEMPTS_MAX, f"RuntimeError: see payload {poison} in the log",
        )  # fmt: skip

    def test_what_the_error_says_is_in_the_log_alone(
        self, shop: Shop, intake: Intake, caplog: pytest.LogCaptureFixture
    ) -> None:
        poison = push(intake, notes({"ref": "W-0", "breaks": True})).inbox_id
        assert done(intake, poison).failure == f"RuntimeError: see payload {poison} in the log"
        (record,) = caplog.records
        assert f"payload {poison} " in record.getMessage()
        assert "the mapping is broken" in str(record.exc_text)
        row = shop.value(f"select i::text from inbox i where inbox_id = {poison}")
        assert "the mapping is broken" not in row


class TestTwoWorkers:
    def test_one_payload_has_one(self, shop: Shop, tmp_path: Path) -> None:
        inside, free = threading.Event(), threading.Event()

        def hold(_: Note) -> None:
            inside.set()
            assert free.wait(30)

        intake = intake_of(shop, tmp_path, hold)
        inbox_id = push(intake, notes(*orders(2))).inbox_id

        def second() -> Payload | None:
            assert inside.wait(30)
            try:
                return ingest.process(intake, inbox_id)
            finally:
                free.set()

        first, other = together([lambda: ingest.process(intake, inbox_id), second])
        assert other is None
        assert isinstance(first, Payload)
        assert counts(first) == {"documents": 2, "captured": 2}

    def test_four_share_an_inbox(self, shop: Shop, intake: Intake) -> None:
        shop.take(a_movement(99))
        for start in range(0, 12, 2):
            push(intake, notes(*orders(14)[start : start + 4]))
        found = together([lambda: ingest.process_waiting(intake)] * 4)
        assert all(isinstance(each, int) for each in found), found
        while ingest.process_waiting(intake):
            pass
        (totals,) = shop.rows(
            "select sum(documents_count), sum(captured_count), sum(duplicate_count) from inbox"
        )
        assert totals == (24, 14, 10)

    def test_one_that_lost_its_payload_does_nothing_twice(
        self, shop: Shop, tmp_path: Path, admin: Engine
    ) -> None:
        inside, free = threading.Event(), threading.Event()

        def freeze(note: Note) -> None:
            if note["ref"] == f"W-{SLICE + 1}":
                inside.set()
                assert free.wait(30)

        frozen, awake = intake_of(shop, tmp_path, freeze), intake_of(shop, tmp_path)
        inbox_id = push(awake, notes(*orders(2 * SLICE))).inbox_id

        def successor() -> Payload | None:
            assert inside.wait(30)
            with admin.connect() as connection:
                connection.execute(text(
                    "select pg_terminate_backend(l.pid, 5000) from pg_locks l"
                    " join pg_database d on d.oid = l.database"
                    " where l.locktype = 'advisory' and d.datname = :name"
                ), {"name": shop.ledger.engine.url.database})  # fmt: skip
            try:
                return ingest.process(awake, inbox_id)
            finally:
                free.set()

        together([lambda: ingest.process(frozen, inbox_id), successor])
        with shop.ledger.snapshot() as tx:
            payload = queries.payload(tx, inbox_id)
        assert payload is not None
        assert counts(payload) == {"documents": 2 * SLICE, "captured": 2 * SLICE}


class TestQuarantine:
    def test_one_bad_row_is_set_aside_with_its_place_and_reason(
        self, shop: Shop, intake: Intake
    ) -> None:
        written = orders(SLICE + 3)
        written[SLICE + 1]["sku"] = "NONE"
        done(intake, push(intake, notes(*written)).inbox_id)
        (found,) = quarantine(shop)
        assert (found.position, found.line, found.external_ref) == (SLICE + 2, SLICE + 2, "W-6")
        assert [each["code"] for each in found.problems] == ["UNKNOWN_SKU"]
        assert found.fragment == notes(written[SLICE + 1])
        assert shop.value("select count(*) from orders") == len(written) - 1

    def test_tried_again_it_is_still_wrong(self, shop: Shop, intake: Intake) -> None:
        done(intake, push(intake, notes({"ref": "W-1", "sku": "NONE"})).inbox_id)
        (found,) = quarantine(shop)
        assert [each.code for each in ingest.replay(intake, found)] == ["UNKNOWN_SKU"]
        assert [each.attempts for each in quarantine(shop)] == [2]

    def test_tried_again_it_is_captured_once_its_reason_is_gone(
        self, shop: Shop, intake: Intake
    ) -> None:
        done(intake, push(intake, notes({"ref": "W-1", "sku": "NEW"})).inbox_id)
        (found,) = quarantine(shop)
        shop.take(a_product("NEW"))
        assert ingest.replay(intake, found) == ()
        assert (quarantine(shop), len(quarantine(shop, "resolved"))) == ([], 1)
        assert shop.order().lines[0].sku == "NEW"
        with pytest.raises(NotOpen):
            ingest.replay(intake, found)
        assert len(shop.order().events) == 1

    def test_what_is_still_refused_leaves_nothing_of_its_other_slices(
        self, shop: Shop, intake: Intake
    ) -> None:
        done(intake, push(intake, notes({"ref": "W-1", "is_wrong": True})).inbox_id)
        (found,) = quarantine(shop)
        many = [*orders(SLICE), {"ref": "W-LAST", "sku": "NONE"}]
        again = ingest.replay(intake, replace(found, fragment=notes(*many)))
        assert [each.code for each in again] == ["UNKNOWN_SKU"]
        assert shop.value("select count(*) from orders") == 0

    def test_what_is_kept_in_part_says_so_and_is_not_tried_again(
        self, shop: Shop, intake: Intake
    ) -> None:
        large = {"ref": "W-1", "is_wrong": True, "about": "x" * FRAGMENT_BYTES_MAX}
        done(intake, push(intake, notes(large)).inbox_id)
        (found,) = quarantine(shop)
        assert [each["code"] for each in found.problems] == ["MALFORMED", "TRUNCATED"]
        assert found.fragment == notes(large)[:FRAGMENT_BYTES_MAX]
        assert [each.code for each in ingest.replay(intake, found)] == ["MALFORMED", "TRUNCATED"]
        assert [each.attempts for each in quarantine(shop)] == [2]

    def test_it_may_be_dismissed_once(self, shop: Shop, intake: Intake) -> None:
        done(intake, push(intake, notes({"ref": "W-1", "is_wrong": True})).inbox_id)
        (found,) = quarantine(shop)
        with shop.ledger.transaction() as tx:
            operations.resolve(tx, found.quarantine_id, state="dismissed", at=NOW)
        with pytest.raises(NotOpen), shop.ledger.transaction() as tx:
            operations.resolve(tx, found.quarantine_id, state="resolved", at=NOW)


CANCEL = {"kind": "cancel"}


class TestTriedAgainByTwo:
    def test_the_second_waits_and_finds_it_closed(self, shop: Shop, intake: Intake) -> None:
        done(intake, push(intake, notes({"ref": "W-1", "sku": "NEW"})).inbox_id)
        (found,) = quarantine(shop)
        shop.take(a_product("NEW"))
        with shop.ledger.transaction() as tx:
            operations.resolve(tx, found.quarantine_id, state="dismissed", at=NOW)
            again = waiting_for_a_lock(shop.ledger, lambda: ingest.replay_all(intake, [found]))
            with again as second:
                tx.commit()
        assert second.result() == 0
        assert shop.value("select count(*) from orders") == 0

    def test_what_cannot_be_read_any_more_stays_closed(self, shop: Shop, intake: Intake) -> None:
        done(intake, push(intake, notes({"ref": "W-1", "is_wrong": True})).inbox_id)
        (found,) = quarantine(shop)
        with shop.ledger.transaction() as tx:
            operations.resolve(tx, found.quarantine_id, state="dismissed", at=NOW)
        with pytest.raises(NotOpen):
            ingest.replay(intake, replace(found, fragment=b"{"))
        assert [each.attempts for each in quarantine(shop, "dismissed")] == [1]


class TestOrphans:
    def test_changes_wait_for_their_order(self, shop: Shop, intake: Intake) -> None:
        done(intake, push(intake, notes({"ref": "W-1", "changes": [CANCEL]})).inbox_id)
        assert ingest.replay_orphans(intake) == 0
        done(intake, push(intake, notes({"ref": "W-1"})).inbox_id)
        assert ingest.replay_orphans(intake) == 1
        assert shop.states() == ("canceled", "canceled")
        assert (quarantine(shop), ingest.replay_orphans(intake)) == ([], 0)

    def test_changes_that_do_not_fit_wait_with_another_reason(
        self, shop: Shop, intake: Intake
    ) -> None:
        changes = [{"kind": "return", "quantity": 9}]
        done(intake, push(intake, notes({"ref": "W-1", "changes": changes})).inbox_id)
        done(intake, push(intake, notes({"ref": "W-1"})).inbox_id)
        assert ingest.replay_orphans(intake) == 0
        (found,) = quarantine(shop)
        assert [each["code"] for each in found.problems] == ["QTY_EXCEEDS_RETURNABLE"]

    def test_those_whose_order_never_comes_do_not_bar_the_others(
        self, shop: Shop, intake: Intake
    ) -> None:
        for ref in ("LOST", "W-1"):
            done(intake, push(intake, notes({"ref": ref, "changes": [CANCEL]})).inbox_id)
        done(intake, push(intake, notes({"ref": "W-1"})).inbox_id)
        assert ingest.replay_orphans(intake, limit=1) == 1

    def test_two_workers_may_look_for_them(self, shop: Shop, tmp_path: Path) -> None:
        files = tmp_path / "files"
        plain = intake_of(shop, files)

        def overtaken(note: Note) -> None:
            if not met:
                met.append(note)
                ingest.replay_orphans(plain)

        met: list[Note] = []
        done(plain, push(plain, notes({"ref": "W-1", "changes": [CANCEL]})).inbox_id)
        done(plain, push(plain, notes({"ref": "W-1"})).inbox_id)
        assert ingest.replay_orphans(intake_of(shop, files, overtaken)) == 0
        assert shop.line().canceled == 1

    def test_the_one_overtaken_goes_on_with_the_next(self, shop: Shop, tmp_path: Path) -> None:
        files = tmp_path / "files"
        plain = intake_of(shop, files)
        refs = ("W-1", "W-2")
        for ref in refs:
            done(plain, push(plain, notes({"ref": ref, "changes": [CANCEL]})).inbox_id)
        done(plain, push(plain, notes(*({"ref": ref} for ref in refs))).inbox_id)

        def overtaken(note: Note) -> None:
            if note["ref"] == "W-1":
                ingest.replay_all(plain, quarantine(shop)[:1])

        assert ingest.replay_orphans(intake_of(shop, files, overtaken)) == 1
        assert [shop.line(ref).canceled for ref in refs] == [1, 1]


def main() -> None:
    """Process one payload of a ledger, as a worker does: the process that is killed."""
    url, inbox_id = sys.argv[1:]
    ledger = Ledger(url)
    intake = intake_of(Shop(ledger), Path(os.devnull))
    ingest.process(intake, int(inbox_id))


if __name__ == "__main__":
    main()
