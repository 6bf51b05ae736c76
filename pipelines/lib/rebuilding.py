"""Rebuilding: everything anew beside the warehouse, to see that increments came to the same."""

import shutil
from pathlib import Path
from typing import Final

from pipelines.lib.builds import changed_since_build
from pipelines.lib.transforming import Transformer
from pipelines.lib.warehouse import LOCK_WAIT_SECONDS, Warehouse

DIFFERENT: Final = """
    select
        (select count(*) from (from marts.marts.{mart} except all from kept.marts.{mart}))
        + (select count(*) from (from kept.marts.{mart} except all from marts.marts.{mart}))
"""


class MartsBehind(Exception):
    """The marts have yet to follow the last load; nothing can be compared now."""


def differences(warehouse: Warehouse, transformer: Transformer) -> dict[str, int]:
    """Build from a copy of the raw tables; return how many rows of each mart are not the same.

    The warehouse is locked while it is copied, not while the copy is built. Raises MartsBehind,
    WarehouseBusy or TransformFailed.
    """
    folder = warehouse.path.parent / "rebuilt"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    rebuilt = Warehouse(
        path=folder / warehouse.path.name, marts_path=folder / warehouse.marts_path.name,
        published_dir=folder,
    )  # fmt: skip
    kept = folder / "kept.duckdb"
    try:
        _copy(warehouse, rebuilt, kept)
        transformer.on(rebuilt).build(full_refresh=True)
        return _compare(rebuilt, kept, sorted(transformer.mart_names()))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _copy(warehouse: Warehouse, rebuilt: Warehouse, kept: Path) -> None:
    with warehouse.locked(wait_seconds=LOCK_WAIT_SECONDS):
        with warehouse.open() as connection:
            if changed_since_build(connection):
                raise MartsBehind
            connection.execute("checkpoint warehouse")
            connection.execute("checkpoint marts")
        shutil.copyfile(warehouse.path, rebuilt.path)
        shutil.copyfile(warehouse.marts_path, kept)


def _compare(rebuilt: Warehouse, kept: Path, marts: list[str]) -> dict[str, int]:
    with rebuilt.open() as connection:
        path = str(kept).replace("'", "''")
        connection.execute(f"attach '{path}' as kept (read_only)")
        counts = {
            mart: connection.execute(DIFFERENT.format(mart=mart)).fetchall()[0][0] for mart in marts
        }
    return {mart: count for mart, count in counts.items() if count}
