"""The one place where resources are wired; what they need of OMS_* is read when a run begins."""

import sys
from pathlib import Path

import dagster as dg
from dagster_dbt import DbtCliResource

from pipelines.lib.transforming import PROJECT_DIR
from pipelines.resources import SystemResource


@dg.definitions
def resources() -> dg.Definitions:
    """Name the resources, and run a run's steps in its one process: they are few and share it."""
    return dg.Definitions(
        resources={
            "system": SystemResource(),
            "dbt": DbtCliResource(
                project_dir=str(PROJECT_DIR), profiles_dir=str(PROJECT_DIR),
                dbt_executable=str(Path(sys.executable).with_name("dbt")),
            ),
        },
        executor=dg.in_process_executor,
    )  # fmt: skip
