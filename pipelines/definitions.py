"""Everything Dagster runs: the folder defs, under one freshness policy."""

from datetime import timedelta
from pathlib import Path

import dagster as dg

FRESH = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=50), warn_window=timedelta(hours=26))


@dg.definitions
def defs() -> dg.Definitions:
    """Load the folder; what is made every night may be a night late, not two."""
    loaded = dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
    return loaded.map_resolved_asset_specs(
        func=lambda spec: dg.apply_freshness_policy(spec, FRESH),
        selection=dg.AssetSelection.groups("raw", "sales", "inventory", "feeds", "shared", "publish"),
    )
