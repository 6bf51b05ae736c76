"""One refresh: load what changed, bring the marts in step, publish. The refresher repeats it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import duckdb

from pipelines.lib import builds, loading, publishing
from pipelines.lib.builds import Built
from pipelines.lib.journals import Journal
from pipelines.lib.loading import Position
from pipelines.lib.publishing import Publication
from pipelines.lib.transforming import HotModel, Transformer, follow
from pipelines.lib.warehouse import LOCK_WAIT_SECONDS, Warehouse


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """What a refresh did, and how long each part took."""

    publication: Publication
    rows_count: int
    models_count: int
    seconds: dict[str, float]


class Refresh:
    """The repeated step, with what it may remember between two of them."""

    def __init__(
        self, warehouse: Warehouse, journal: Journal, transformer: Transformer,
        now: Callable[[], datetime],
    ) -> None:  # fmt: skip
        """Take the two ends and what lies between them."""
        self._warehouse = warehouse
        self._journal = journal
        self._transformer = transformer
        self._now = now
        self._models: tuple[HotModel, ...] = ()
        self._known: Position | None = None

    def __call__(self) -> Refreshed | None:
        """Bring everything up to date; None when nothing has changed.

        Raises LedgerAway, WarehouseBusy or TransformFailed; the next call goes on from there.
        """
        if self._known and not loading.has_changes(self._journal, since=self._known):
            publishing.confirm(self._warehouse.published_dir)
            return None
        with self._warehouse.locked(wait_seconds=LOCK_WAIT_SECONDS):
            return self._refresh()

    def _refresh(self) -> Refreshed | None:
        watch = _Watch()
        with self._warehouse.open() as connection:
            load = loading.load(
                self._journal, connection, self._warehouse.spool_dir, at=self._now()
            )
            watch.lap("load")
            is_ready = bool(self._models) and self._is_built(connection)
            stamped = self._follow(connection, watch) if is_ready else None
        if not is_ready:
            self._prepare()
            with self._warehouse.open() as connection:
                stamped = self._follow(connection, watch)
        if stamped is None:
            return None
        publication, models_count = stamped
        publishing.release(self._warehouse, publication, at=self._now())
        watch.lap("publish")
        return Refreshed(
            publication=publication,
            rows_count=load.rows_count if load else 0,
            models_count=models_count,
            seconds=watch.laps,
        )

    def _follow(
        self, connection: duckdb.DuckDBPyConnection, watch: "_Watch"
    ) -> tuple[Publication, int] | None:
        self._known = loading.position_of(connection)
        changed = builds.changed_since_build(connection)
        if not changed and publishing.is_published(connection, self._warehouse):
            return None
        names = follow(connection, self._models, changed)
        built = Built(batch=self._known.batch, models_sha256=self._transformer.models_sha256)
        builds.end_build(connection, built, at=self._now())
        watch.lap("models")
        return publishing.stamp(connection, self._warehouse, at=self._now()), len(names)

    def _is_built(self, connection: duckdb.DuckDBPyConnection) -> bool:
        built = builds.built_of(connection)
        return (
            built is not None
            and built.models_sha256 == self._transformer.models_sha256
            and self._transformer.mart_names() <= builds.marts_there(connection)
        )

    def _prepare(self) -> None:
        """Build everything where the models are new or marts are missing; compile the hot ones."""
        with self._warehouse.open() as connection:
            is_built = self._is_built(connection)
            position = loading.position_of(connection)
            if not is_built:
                builds.begin_build(connection)
        if not is_built:
            self._transformer.build(full_refresh=True)
            built = Built(batch=position.batch, models_sha256=self._transformer.models_sha256)
            with self._warehouse.open() as connection:
                builds.end_build(connection, built, at=self._now())
        self._models = self._transformer.hot_models()


class _Watch:
    """A stopwatch with named laps."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._since = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = now - self._since
        self._since = now
