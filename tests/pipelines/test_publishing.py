"""Guards: readers find a whole publication at every moment, and disks do not fill."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.lib import builds, publishing
from pipelines.lib.publishing import Publication
from pipelines.lib.warehouse import Warehouse
from tests.pipelines.conftest import Shop, published
from tests.warehouse.fakes import NOW

LONG_AFTER = datetime(2100, 1, 1, tzinfo=UTC)  # than any file was written


class Killed(BaseException):
    """The process has ended here."""


def publish(warehouse: Warehouse, *, at: Any = NOW) -> Publication:
    with warehouse.open() as connection:
        publication = publishing.stamp(connection, warehouse, at=at)
    publishing.release(warehouse, publication, at=at)
    return publication


class TestPublish:
    def test_says_what_it_is(self, shop: Shop) -> None:
        publication = publish(shop.warehouse)
        rows = published(shop.warehouse, "from publication")
        orders = len(shop.ledger.rows["orders"])
        assert rows == [(2, shop.ledger.xid, 1, NOW, orders, orders)]
        assert (publication.version, publication.mart_orders_count) == (2, orders)
        assert published(shop.warehouse, "select count(*) from fct_orders") == [(orders,)]

    def test_is_whole_without_the_file_it_came_from(self, shop: Shop) -> None:
        publish(shop.warehouse)
        shop.warehouse.marts_path.unlink()
        assert published(shop.warehouse, "select count(*) from dim_dates")[0][0] > 11_000

    def test_refuses_marts_that_were_never_complete(self, shop: Shop) -> None:
        with shop.warehouse.open() as connection:
            builds.begin_build(connection)
            with pytest.raises(publishing.NothingBuilt):
                publishing.stamp(connection, shop.warehouse, at=NOW)

    def test_leaves_an_open_reader_in_peace(self, shop: Shop) -> None:
        path = publishing.current(shop.warehouse.published_dir)
        with duckdb.connect(":memory:") as reader:
            reader.execute(f"attach '{path}' as marts (read_only)")
            reader.execute("use marts.marts")
            for _ in range(6):
                publish(shop.warehouse, at=LONG_AFTER)
            assert path is not None
            assert not path.exists()
            assert reader.execute("select version from publication").fetchall() == [(1,)]
            assert reader.execute("select count(*) from dim_dates").fetchall()[0][0] > 11_000

    @pytest.mark.parametrize("dies_in", ["_copy", "_point", "_prune"])
    def test_is_all_or_nothing_when_killed(
        self, shop: Shop, monkeypatch: pytest.MonkeyPatch, dies_in: str
    ) -> None:
        real = getattr(publishing, dies_in)

        def dies(*arguments: Any, **named: Any) -> None:
            if dies_in == "_copy":
                arguments[1].write_bytes(arguments[0].read_bytes()[: 1 << 16])
            if dies_in == "_prune":
                real(*arguments, **named)
            raise Killed

        with monkeypatch.context() as patched:
            patched.setattr(publishing, dies_in, dies)
            with pytest.raises(Killed):
                publish(shop.warehouse)
        is_visible = dies_in == "_prune"
        assert published(shop.warehouse, "select version from publication") == [(1 + is_visible,)]
        publish(shop.warehouse)
        version = published(shop.warehouse, "select version from publication")[0][0]
        assert version > 1 + is_visible
        assert not list(shop.warehouse.published_dir.glob("*.part"))

    def test_dies_before_the_pointer_is_replaced(
        self, shop: Shop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def dies(self: Path, target: Path) -> None:
            if target.name == publishing.POINTER:
                raise Killed
            self.rename(target)

        with monkeypatch.context() as patched:
            patched.setattr(Path, "replace", dies)
            with pytest.raises(Killed):
                publish(shop.warehouse)
        assert published(shop.warehouse, "select version from publication") == [(1,)]


class TestOldVersions:
    def test_go_but_for_the_last_few_and_the_young(self, tmp_path: Path) -> None:
        for version in range(1, 10):
            path = tmp_path / f"marts-{version:06d}.duckdb"
            path.write_bytes(b"x")
            age = timedelta(seconds=30) if version == 4 else timedelta(hours=1)
            os.utime(path, ((NOW - age).timestamp(),) * 2)
        publishing._prune(tmp_path, keep="marts-000009.duckdb", at=NOW)
        kept = sorted(int(path.stem[-6:]) for path in tmp_path.iterdir())
        assert kept == [4, 7, 8, 9]

    def test_are_not_kept_for_their_youth_when_they_are_large(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(publishing, "YOUNG_BYTES_MAX", 25)
        for version in range(1, 10):
            path = tmp_path / f"marts-{version:06d}.duckdb"
            path.write_bytes(b"x" * 10)
            os.utime(path, (NOW.timestamp(),) * 2)
        publishing._prune(tmp_path, keep="marts-000009.duckdb", at=NOW)
        kept = sorted(int(path.stem[-6:]) for path in tmp_path.iterdir())
        assert kept == [5, 6, 7, 8, 9]

    def test_leave_the_folders_other_files_alone(self, tmp_path: Path) -> None:
        (tmp_path / "marts-final.duckdb").write_bytes(b"x")
        (tmp_path / "CURRENT").write_text("marts-000001.duckdb\n")
        publishing._prune(tmp_path, keep="marts-000001.duckdb", at=NOW)
        assert len(list(tmp_path.iterdir())) == 2


class TestConfirm:
    def test_shows_on_the_pointer_that_somebody_looked(self, shop: Shop) -> None:
        pointer = shop.warehouse.published_dir / publishing.POINTER
        os.utime(pointer, (0, 0))
        publishing.confirm(shop.warehouse.published_dir)
        assert pointer.stat().st_mtime > 0

    def test_is_nothing_before_the_first_publication(self, tmp_path: Path) -> None:
        publishing.confirm(tmp_path)
        assert list(tmp_path.iterdir()) == []
