"""Guards: only complete files are taken, each once, and a killed run loses none of them."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from oms.channels.model import PayloadEmpty, Received
from pipelines.lib import dropping
from tests.warehouse.fakes import NOW


class Killed(BaseException):
    """The process has ended here."""


@pytest.fixture
def drop(tmp_path: Path) -> Callable[..., Path]:
    """Return what writes a file below the drop folder."""

    def written(path: str, body: bytes = b"order") -> Path:
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
        os.utime(file, ns=(10**18, 10**18))
        return file

    return written


@pytest.fixture
def inbox(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, bytes]]:
    """Give an inbox that keeps what it receives: channel, topic, content."""
    kept: list[tuple[str, str, bytes]] = []

    def receive(_: Any, path: Path, *, channel_code: str, topic: str, **__: Any) -> Received:
        payload = (channel_code, topic, path.read_bytes())
        if not payload[2]:
            raise PayloadEmpty
        is_new = payload not in kept
        if is_new:
            kept.append(payload)
        return Received(inbox_id=1, is_new=is_new, state="received")

    monkeypatch.setattr(dropping.ingest, "receive_file", receive)
    return kept


def take(tmp_path: Path, *keys: str) -> dropping.Taken:
    intake: Any = None
    return dropping.take(intake, tmp_path, list(keys), at=NOW)


def complete(tmp_path: Path) -> list[dropping.Found]:
    first = dropping.look(tmp_path, None)
    return list(dropping.look(tmp_path, first.cursor).complete)


class TestLook:
    def test_waits_until_a_file_is_found_unchanged_twice(
        self, tmp_path: Path, drop: Callable[..., Path]
    ) -> None:
        drop("web/day.csv", b"half")
        first = dropping.look(tmp_path, None)
        drop("web/day.csv", b"half and more")
        second = dropping.look(tmp_path, first.cursor)
        third = dropping.look(tmp_path, second.cursor)
        assert first.complete == ()
        assert second.complete == ()
        assert [found.path for found in third.complete] == ["web/day.csv"]

    def test_asks_for_a_file_once(self, tmp_path: Path, drop: Callable[..., Path]) -> None:
        drop("web/day.csv")
        cursor = None
        asked = []
        for _ in range(5):
            looked = dropping.look(tmp_path, cursor)
            asked.extend(looked.complete)
            cursor = looked.cursor
        assert len(asked) == 1

    def test_forgets_files_that_are_gone(self, tmp_path: Path, drop: Callable[..., Path]) -> None:
        path = drop("web/day.csv")
        cursor = dropping.look(tmp_path, None).cursor
        path.unlink()
        assert dropping.look(tmp_path, cursor).cursor == "{}"

    def test_tells_channel_and_topic_by_the_folders(
        self, tmp_path: Path, drop: Callable[..., Path]
    ) -> None:
        drop("web/day.csv")
        drop("web/products/feed.csv")
        drop("shop/orders/create/1.json")
        assert [(f.channel_code, f.topic) for f in complete(tmp_path)] == [
            ("shop", "orders/create"), ("web", "orders"), ("web", "products"),
        ]  # fmt: skip

    @pytest.mark.parametrize(
        "path",
        ["web/.day.csv", "web/day.csv.part", "web/day.TMP", "stray.csv", "web/done/day.csv",
         "web/.hidden/day.csv", "web/products/done/feed.csv"],
    )  # fmt: skip
    def test_passes_over_what_is_unfinished_done_or_nobodys(
        self, tmp_path: Path, drop: Callable[..., Path], path: str
    ) -> None:
        drop(path)
        assert complete(tmp_path) == []

    def test_follows_no_link_out_of_the_folder(
        self, tmp_path: Path, drop: Callable[..., Path]
    ) -> None:
        secret = drop("secret/passwords.txt")
        web = tmp_path / "drop" / "web"
        web.mkdir(parents=True)
        (web / "day.csv").symlink_to(secret)
        (web / "more").symlink_to(secret.parent, target_is_directory=True)
        assert complete(tmp_path / "drop") == []

    def test_groups_files_by_channel_a_bearable_number_together(
        self, tmp_path: Path, drop: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(dropping, "FILES_PER_RUN_MAX", 2)
        for path in ("a/1", "a/2", "a/3", "b/1"):
            drop(path)
        looked = dropping.look(tmp_path, dropping.look(tmp_path, None).cursor)
        assert [(code, len(files)) for code, files in looked.runs()] == [
            ("a", 2), ("a", 1), ("b", 1),
        ]  # fmt: skip

    def test_finds_nothing_where_there_is_no_folder(self, tmp_path: Path) -> None:
        assert dropping.look(tmp_path / "drop", None).complete == ()


class TestTake:
    def test_lays_a_file_into_the_inbox_and_moves_it(
        self, tmp_path: Path, drop: Callable[..., Path], inbox: list[Any]
    ) -> None:
        path = drop("web/products/feed.csv", b"x")
        (found,) = complete(tmp_path)
        assert take(tmp_path, found.key) == dropping.Taken(new=1)
        assert inbox == [("web", "products", b"x")]
        assert not path.exists()
        assert (path.parent / "done" / "feed.csv").read_bytes() == b"x"
        assert take(tmp_path, found.key) == dropping.Taken(missing=1)

    def test_takes_it_again_when_it_died_before_moving(
        self, tmp_path: Path, drop: Callable[..., Path], inbox: list[Any],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        drop("web/day.csv")
        (found,) = complete(tmp_path)

        def dies(*_: Any) -> None:
            raise Killed

        with monkeypatch.context() as patched:
            patched.setattr(dropping, "_put_away", dies)
            with pytest.raises(Killed):
                take(tmp_path, found.key)
        assert take(tmp_path, found.key) == dropping.Taken(known=1)
        assert len(inbox) == 1

    def test_leaves_a_file_that_has_changed_since(
        self, tmp_path: Path, drop: Callable[..., Path], inbox: list[Any]
    ) -> None:
        drop("web/day.csv", b"1")
        (found,) = complete(tmp_path)
        path = drop("web/day.csv", b"1 and 2")
        assert take(tmp_path, found.key) == dropping.Taken(still_changing=1)
        assert path.exists()
        assert inbox == []

    def test_keeps_both_files_of_one_name(
        self, tmp_path: Path, drop: Callable[..., Path], inbox: list[Any]
    ) -> None:
        for body in (b"monday", b"tuesday"):
            drop("web/day.csv", body)
            (found,) = complete(tmp_path)
            take(tmp_path, found.key)
        kept = sorted(path.read_bytes() for path in (tmp_path / "web" / "done").iterdir())
        assert kept == [b"monday", b"tuesday"]

    def test_puts_an_empty_file_away(
        self, tmp_path: Path, drop: Callable[..., Path], inbox: list[Any]
    ) -> None:
        path = drop("web/day.csv", b"")
        (found,) = complete(tmp_path)
        assert take(tmp_path, found.key) == dropping.Taken(empty=1)
        assert not path.exists()

    def test_names_files_that_colons_are_in(
        self, tmp_path: Path, drop: Callable[..., Path], inbox: list[Any]
    ) -> None:
        drop("web/12:30:59.csv")
        (found,) = complete(tmp_path)
        assert take(tmp_path, found.key) == dropping.Taken(new=1)
