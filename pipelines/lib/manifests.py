"""The manifest Dagster reads: parsed once when the models change, not in every process."""

import fcntl
import json
from pathlib import Path
from typing import Any, Final

from pipelines.lib.transforming import PROJECT_DIR, Transformer, fingerprint
from pipelines.lib.warehouse import Warehouse

TARGET_DIR: Final = PROJECT_DIR / "target" / "prepared"


def manifest(target_dir: Path = TARGET_DIR) -> dict[str, Any]:
    """Return the project's manifest, prepared for the models as they are.

    Raises TransformFailed when the project cannot be parsed.
    """
    target_dir.mkdir(parents=True, exist_ok=True)
    # Parsing names the databases but opens none: any path of the right name will do.
    nowhere = Warehouse(
        path=target_dir / "warehouse.duckdb", marts_path=target_dir / "marts.duckdb",
        published_dir=target_dir,
    )  # fmt: skip
    prepared, stamp = nowhere.dbt_dir / "manifest.json", target_dir / "models.sha256"
    with (target_dir / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _is_of_today(prepared, stamp):
            stamp.unlink(missing_ok=True)
            Transformer(nowhere).parse()
            stamp.write_text(fingerprint(PROJECT_DIR), "ascii")
        content: dict[str, Any] = json.loads(prepared.read_text("utf-8"))
    return content


def mart_names() -> list[str]:
    """Return the names of the marts. Raises TransformFailed."""
    nodes = manifest()["nodes"].values()
    return sorted(
        node["name"]
        for node in nodes
        if node["resource_type"] == "model" and node["database"] == "marts"
    )


def _is_of_today(prepared: Path, stamp: Path) -> bool:
    return (
        prepared.exists()
        and stamp.exists()
        and stamp.read_text("ascii") == fingerprint(PROJECT_DIR)
    )
