"""Guards: the assets do what they say on a real ledger, called as the functions they are."""

import json
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from sqlalchemy import text

from oms.channels import operations as channels
from oms.channels.model import ChannelDraft
from oms.kernel.limits import IDEMPOTENCY_KEY_DAYS_MAX
from oms.ledger.database import Ledger
from oms.reports.published import NothingPublished
from pipelines.defs.capture import assets as capture
from pipelines.defs.capture import checks as capture_checks
from pipelines.defs.capture import schedules as capture_schedules
from pipelines.defs.capture import sensors
from pipelines.defs.exports.assets import reports
from pipelines.defs.publish.assets import published_marts
from pipelines.defs.raw.assets import raw_tables
from pipelines.defs.raw.checks import (
    events_agree_with_the_ledger,
    orders_agree_with_the_ledger,
    payments_agree_with_the_ledger,
)
from pipelines.defs.resources import resources
from pipelines.defs.upkeep.checks import rebuild_equals_increments, stock_is_never_negative
from pipelines.defs.upkeep.schedules import retention
from pipelines.defs.warehouse.assets import models
from pipelines.lib import dropping, publishing, retaining
from pipelines.resources import SystemResource
from tests.builders import NOW
from tests.conftest import Clock
from tests.ledger.test_access import keep_answer
from tests.pipelines.orders import add_capture, add_order, open_shop


@pytest.fixture
def system(ledger: Ledger, tmp_path: Path) -> SystemResource:
    url = ledger.engine.url.render_as_string(hide_password=False)
    return SystemResource(home=str(tmp_path), ledger_url=url)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as made:
        yield made


def scalar(ledger: Ledger, sql: str) -> Any:
    with ledger.snapshot() as tx:
        return tx.execute(text(sql)).scalar_one()


class TestCapture:
    def test_takes_a_dropped_file_from_the_folder_to_the_inbox(
        self, ledger: Ledger, system: SystemResource, instance: dg.DagsterInstance
    ) -> None:
        open_shop(ledger)
        given = {"system": system}
        folder = system.settings.drop_dir / "web"
        folder.mkdir(parents=True)
        (folder / "day.json").write_text("{}")
        (folder / "next.json.part").write_text("{")
        with dg.build_sensor_context(instance, resources=given) as context:
            first = sensors.drop_folders(context)
        with dg.build_sensor_context(instance, first.cursor, resources=given) as context:
            second = sensors.drop_folders(context)
        assert not first.run_requests
        (request,) = second.run_requests
        (found,) = json.loads(second.cursor)
        assert (request.run_key, request.partition_key) == (found, "web")
        assert second.dynamic_partitions_requests[0].partition_keys == ["web"]
        instance.add_dynamic_partitions("channels", ["web"])
        result = dg.materialize(
            [capture.dropped_files], instance=instance, resources=given,
            partition_key=request.partition_key, run_config=request.run_config,
        )  # fmt: skip
        (event,) = result.asset_materializations_for_node("inbox__files")
        assert event.metadata["dagster/row_count"].value == 1
        assert (folder / "done" / "day.json").exists()
        assert (folder / "next.json.part").exists()
        with ledger.snapshot() as tx:
            row = tx.execute(text("select topic, file_name from inbox order by 1")).all()
        assert ("orders", "day.json") in row

    def test_pulls_only_channels_that_have_to_be_asked(
        self, ledger: Ledger, system: SystemResource, instance: dg.DagsterInstance
    ) -> None:
        open_shop(ledger)
        given = {"system": system}
        with dg.build_schedule_context(instance, resources=given) as context:
            skipped = capture_schedules.pull_channels(context)
        assert isinstance(skipped, dg.SkipReason)
        with ledger.transaction() as tx:
            channels.register(
                tx,
                ChannelDraft(
                    code="shop", name="Shop", kind="webshop", currency="EUR",
                    prices_include_tax=True, time_zone="Europe/Berlin", adapter="shopify",
                    adapter_options={"url": "http://127.0.0.1:9", "token": "x"},
                ),
                at=NOW,
            )  # fmt: skip
        with dg.build_schedule_context(instance, resources=given) as context:
            (request,) = capture_schedules.pull_channels(context)
        assert request.partition_key == "shop"
        assert instance.get_dynamic_partitions("channels") == ["shop"]

    def test_keeps_what_it_pulled(
        self, ledger: Ledger, system: SystemResource, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[tuple[str, str]] = []

        def pull(_: Any, channel_code: str, *, topic: str) -> int:
            asked.append((channel_code, topic))
            return 3

        monkeypatch.setattr(capture.ingest, "pull", pull)
        context = dg.build_asset_context(partition_key="shop")
        result = capture.pulls(context, system=system)
        assert asked == [("shop", "orders")]
        assert result.metadata["dagster/row_count"] == 3


class TestCaptureChecks:
    def test_see_what_waits_too_long(self, ledger: Ledger, system: SystemResource) -> None:
        assert capture_checks.inbox_is_not_stale(system=system).passed
        open_shop(ledger)
        assert capture_checks.inbox_is_not_stale(system=system).passed
        with ledger.transaction() as tx:
            tx.execute(text("update inbox set received_at = received_at - interval '1 hour'"))
        assert not capture_checks.inbox_is_not_stale(system=system).passed

    def test_count_the_quarantine(self, ledger: Ledger, system: SystemResource) -> None:
        assert capture_checks.quarantine_is_counted(system=system).passed
        open_shop(ledger)
        result = capture_checks.quarantine_is_counted(system=system)
        assert not result.passed
        assert result.severity is dg.AssetCheckSeverity.WARN
        assert result.metadata["by_problem"].value == {"web X": 1}

    def test_see_files_nobody_took(self, system: SystemResource) -> None:
        assert capture_checks.drop_folders_are_emptied(system=system).passed
        lying = system.settings.drop_dir / "web" / "old.csv"
        lying.parent.mkdir(parents=True)
        lying.write_text("x")
        assert capture_checks.drop_folders_are_emptied(system=system).passed
        later = dropping.datetime.fromtimestamp(lying.stat().st_mtime + 1, tz=NOW.tzinfo)
        assert dropping.left_behind(system.settings.drop_dir, before=later) == ["web/old.csv"]


class TestRaw:
    def test_agrees_with_the_ledger_and_says_where_it_does_not(
        self, ledger: Ledger, system: SystemResource
    ) -> None:
        open_shop(ledger)
        add_order(ledger, "first")
        results = {r.asset_key.path[-1]: r.metadata for r in raw_tables(system=system)}
        assert results["orders"]["dagster/row_count"] == 1
        add_order(ledger, "not loaded yet")
        assert orders_agree_with_the_ledger(system=system).passed
        assert events_agree_with_the_ledger(system=system).passed
        with ledger.transaction() as tx:
            tx.execute(text("alter table orders disable trigger stamp"))
            tx.execute(text("update orders set total_minor = 1999 where external_ref = 'first'"))
        result = orders_agree_with_the_ledger(system=system)
        assert not result.passed
        assert result.metadata["differences"].value == {"EUR": "ledger (1, 1999), raw (1, 2000)"}

    def test_misses_an_event_that_was_lost(self, ledger: Ledger, system: SystemResource) -> None:
        open_shop(ledger)
        add_order(ledger, "first")
        list(raw_tables(system=system))
        with ledger.transaction() as tx:
            tx.execute(text("delete from line_events"))
        assert not events_agree_with_the_ledger(system=system).passed

    def test_misses_a_payment_that_was_changed(
        self, ledger: Ledger, system: SystemResource
    ) -> None:
        open_shop(ledger)
        add_order(ledger, "first")
        add_capture(ledger, "first")
        list(raw_tables(system=system))
        add_capture(ledger, "not loaded yet")
        assert payments_agree_with_the_ledger(system=system).passed
        with ledger.transaction() as tx:
            tx.execute(text("alter table payment_transactions disable trigger stamp"))
            tx.execute(
                text("update payment_transactions set amount_minor = 1 where cause = 'first'")
            )
        result = payments_agree_with_the_ledger(system=system)
        assert result.metadata["differences"].value == {
            "EUR capture succeeded": "ledger (1, 1), raw (1, 500)"
        }


# dagster-dbt asks its own context in a way that Dagster has come to warn of.
@pytest.mark.filterwarnings("ignore:AssetExecutionContext:DeprecationWarning")
class TestFullBuild:
    def test_goes_from_the_ledger_to_a_publication_and_its_reports(
        self, ledger: Ledger, system: SystemResource, instance: dg.DagsterInstance
    ) -> None:
        open_shop(ledger)
        add_order(ledger, "first")
        result = dg.materialize(
            [raw_tables, models, published_marts], instance=instance,
            resources={"dbt": resources().resources["dbt"], "system": system},
            run_config={"ops": {"dbt": {"config": {"full_refresh": True}}}},
        )  # fmt: skip
        assert result.success
        checks = result.get_asset_check_evaluations()
        assert len(checks) > 35
        assert all(check.passed for check in checks)
        (orders,) = [
            event
            for event in result.asset_materializations_for_node("dbt")
            if event.asset_key == dg.AssetKey(["marts", "fct_orders"])
        ]
        assert orders.metadata["dagster/row_count"].value == 1
        assert publishing.current(system.settings.published_dir) is not None
        assert stock_is_never_negative(system=system).passed
        assert rebuild_equals_increments(system=system).passed
        written = reports[0](system=system)
        assert len(written.metadata["files"]) == 2
        assert len(list(system.settings.exports_dir.rglob("*EUR*"))) == 2

    def test_says_that_nothing_is_published_yet(self, system: SystemResource) -> None:
        with pytest.raises(NothingPublished):
            stock_is_never_negative(system=system)


class TestStockCheck:
    def test_sees_stock_below_zero_that_is_not_marked(self, shop: Any) -> None:
        home = shop.warehouse.published_dir.parent
        resource = SystemResource(home=str(home))
        with shop.warehouse.open() as connection:
            connection.execute(
                "update marts.marts.fct_stock_levels set on_hand = -1, is_oversold = false"
            )
            publication = publishing.stamp(connection, shop.warehouse, at=NOW)
        publishing.release(shop.warehouse, publication, at=NOW)
        result = stock_is_never_negative(system=resource)
        assert not result.passed
        assert result.metadata["count"].value > 0


class TestRetention:
    def test_forgets_old_answers_however_many(
        self, ledger: Ledger, system: SystemResource, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        small = partial(retaining.operations.forget_answers, rows_max=3)
        monkeypatch.setattr(retaining.operations, "forget_answers", small)
        with ledger.transaction() as tx:
            for day in range(9):
                keep_answer(tx, f"k-{day}", at=NOW + timedelta(days=day))
        clock.forward(days=IDEMPOTENCY_KEY_DAYS_MAX + 7)
        result = retention.execute_in_process(resources={"system": system})
        assert result.output_for_node("forget_answers") == 7
        assert result.output_for_node("forget_deliveries") == 0
        assert scalar(ledger, "select min(idempotency_key) from idempotency_keys") == "k-7"
