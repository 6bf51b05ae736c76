"""The published file: found, opened for reading only, exchanged under its readers."""

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.reports.published import (
    NothingPublished,
    Publication,
    Publications,
    PublicationUnreadable,
)
from tests.dashboards.published import AS_OF, TABLES, VERSION, WATERMARK, publish


class TestStamp:
    def test_says_which_version_it_is(self, publication: Publication) -> None:
        stamp = publication.stamp
        assert (stamp.version, stamp.watermark, stamp.published_at) == (VERSION, WATERMARK, AS_OF)
        assert stamp.published_at.utcoffset() == datetime.now(UTC).utcoffset()
        assert stamp.ledger_orders_count == stamp.mart_orders_count == 3_000


class TestReading:
    @pytest.mark.parametrize(
        "statement",
        [
            "create table mine as select 1",
            "delete from fct_orders",
            "set enable_external_access = true",
            "set threads = 1",
            "attach '/tmp/other.duckdb' as other",
            "select * from read_csv('/etc/passwd')",
            "copy fct_orders to '/tmp/stolen.csv'",
            "install httpfs",
        ],
    )
    def test_is_all_that_can_be_done(self, publication: Publication, statement: str) -> None:
        with pytest.raises(duckdb.Error):
            publication.ask(statement)

    def test_finds_no_variable_of_ours_as_a_table(
        self, publication: Publication, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        secret = publication.ask("select 1 as secret")
        monkeypatch.setattr("oms.reports.published.ours", secret, raising=False)
        with pytest.raises(duckdb.Error, match="ours"):
            publication.ask("select * from ours")

    @given(text=st.text(max_size=40))
    def test_takes_whatever_is_asked_for_as_a_value(
        self, publication: Publication, text: str
    ) -> None:
        hostile = text.replace("\x00", "") + "'; drop table fct_orders; --"
        found = publication.ask(
            "select count(*) as n from fct_orders where channel_code = $code", {"code": hostile}
        )
        assert found.item() == 0

    def test_is_in_utc_wherever_it_happens(
        self, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TZ", "Asia/Tokyo")
        publication = Publications(home / "published").current()
        found = publication.ask("select max(placed_at)::varchar as at from fct_orders").item()
        assert found.endswith("+00")

    def test_comes_in_slices_when_asked(self, publication: Publication) -> None:
        sql = "select order_id from fct_orders order by order_id"
        heights = [batch.height for batch in publication.batches(sql, rows=1_000)]
        assert sum(heights) == 3_000
        assert len(heights) > 1


class TestPublications:
    def test_without_a_pointer_nothing_is_published(self, tmp_path: Path) -> None:
        with pytest.raises(NothingPublished):
            Publications(tmp_path / "nowhere").current()

    @pytest.mark.parametrize("name", ["../secret.duckdb", "marts-1.duckdb; x", "", "other.duckdb"])
    def test_a_pointer_to_something_else_is_refused(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "CURRENT").write_text(name)
        with pytest.raises(PublicationUnreadable):
            Publications(tmp_path).current()

    def test_a_pointer_to_a_missing_file_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "CURRENT").write_text("marts-000009.duckdb")
        with pytest.raises(PublicationUnreadable):
            Publications(tmp_path).current()

    def test_one_version_is_opened_once(self, home: Path) -> None:
        publications = Publications(home / "published")
        assert publications.current() is publications.current()

    def test_a_new_version_is_seen_and_the_old_one_still_answers(self, tmp_path: Path) -> None:
        publications = Publications(tmp_path)
        publish(tmp_path, orders=50, version=1)
        old = publications.current()
        publish(tmp_path, orders=80, version=2)
        (tmp_path / "marts-000001.duckdb").unlink()
        new = publications.current()
        count = "select count(*) from fct_orders"
        assert (new.stamp.version, new.ask(count).item()) == (2, 80)
        assert (old.stamp.version, old.ask(count).item()) == (1, 50)

    def test_another_file_of_the_same_name_is_another_publication(self, tmp_path: Path) -> None:
        publications = Publications(tmp_path)
        publish(tmp_path, orders=50, version=1)
        before = publications.current()
        # As a publisher of another process does it: made elsewhere, then moved here.
        publish(tmp_path / "made", orders=80, version=1).replace(tmp_path / "marts-000001.duckdb")
        assert publications.current().identity != before.identity
        assert publications.current().stamp.mart_orders_count == 80


class TestTables:
    def test_the_file_has_the_declared_columns(self, publication: Publication) -> None:
        found = publication.ask(
            "select table_name, column_name, lower(data_type) as kind"
            " from information_schema.columns where table_schema = 'marts'"
            " order by table_name, ordinal_position"
        )
        spelled = {"timestamptz": "timestamp with time zone"}
        for table, columns in TABLES.items():
            rows = found.filter(found["table_name"] == table)
            assert list(rows.select("column_name", "kind").iter_rows()) == [
                (name, spelled.get(kind, kind)) for name, kind in columns
            ]
