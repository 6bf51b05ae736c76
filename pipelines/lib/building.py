"""Building: dbt as Dagster runs it, under the lock, with the rows of each model counted."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dagster as dg
from dagster_dbt import DbtCliResource
from dagster_dbt.errors import DagsterDbtCliRuntimeError

from pipelines.lib import builds, loading
from pipelines.lib.builds import Built
from pipelines.lib.transforming import PROJECT_DIR, dbt_environment, fingerprint
from pipelines.lib.warehouse import LOCK_WAIT_SECONDS, Warehouse


def build(
    context: dg.AssetExecutionContext, dbt: DbtCliResource, warehouse: Warehouse, *,
    full_refresh: bool, at: datetime,
) -> Iterator[Any]:  # fmt: skip
    """Run dbt's models and tests, and yield what Dagster is to know of them.

    A build of everything is noted as complete, so that the refresher goes on from it. Raises
    DagsterDbtCliRuntimeError after the events when a model or a test failed.
    """
    with warehouse.locked(wait_seconds=LOCK_WAIT_SECONDS):
        with warehouse.open() as connection:
            loading.prepare(connection)
            batch = loading.position_of(connection).batch
            if full_refresh:
                builds.begin_build(connection)
        events, failure = _run(context, dbt, warehouse, full_refresh=full_refresh)
        with warehouse.open() as connection:
            rows = _row_counts(connection)
            if failure is None and not context.is_subset:
                built = Built(batch=batch, models_sha256=fingerprint(PROJECT_DIR))
                builds.end_build(connection, built, at=at)
    yield from (_counted(event, rows) for event in events)
    if failure is not None:
        raise failure


def _run(
    context: dg.AssetExecutionContext, dbt: DbtCliResource, warehouse: Warehouse, *,
    full_refresh: bool,
) -> tuple[list[Any], DagsterDbtCliRuntimeError | None]:  # fmt: skip
    arguments = ["build", "--exclude-resource-type", "unit_test"]
    if full_refresh:
        arguments.append("--full-refresh")
    events: list[Any] = []
    with TemporaryDirectory(dir=_made(warehouse.dbt_dir)) as target, dbt_environment(warehouse):
        invocation = dbt.cli(arguments, context=context, target_path=Path(target))
        try:
            events.extend(invocation.stream())
        except DagsterDbtCliRuntimeError as error:
            return events, error
    return events, None


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _row_counts(connection: Any) -> Mapping[str, int]:
    """Count the rows of each mart, by its output's name."""
    counts = {}
    for mart in builds.marts_there(connection):
        counted = connection.execute(f"select count(*) from marts.marts.{mart}").fetchall()
        counts[f"marts__{mart}"] = int(counted[0][0])
    return counts


def _counted(event: Any, rows: Mapping[str, int]) -> Any:
    if not isinstance(event, dg.Output) or event.output_name not in rows:
        return event
    metadata: dict[str, Any] = {**event.metadata, "dagster/row_count": rows[event.output_name]}
    return dg.Output(value=None, output_name=event.output_name, metadata=metadata)
