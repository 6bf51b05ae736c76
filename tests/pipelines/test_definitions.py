"""Guards: the definitions load, and what they are does not change unseen."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from pipelines.definitions import defs
from pipelines.lib import manifests

SNAPSHOT = Path(__file__).with_name("definitions.json")
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def loaded() -> dg.Definitions:
    made = defs()
    dg.Definitions.validate_loadable(made)
    return made


@pytest.fixture(scope="module")
def shape(loaded: dg.Definitions) -> dict[str, Any]:
    """Return the graph as data: assets with group and parents, checks, jobs, schedules, sensors."""
    repository = loaded.get_repository_def()
    graph = repository.asset_graph
    return {
        "assets": {
            key.to_user_string(): {
                "group": graph.get(key).group_name,
                "parents": sorted(parent.to_user_string() for parent in graph.get(key).parent_keys),
            }
            for key in sorted(graph.get_all_asset_keys())
        },
        "checks": sorted(key.to_user_string() for key in graph.asset_check_keys),
        "jobs": sorted(job.name for job in repository.get_all_jobs() if job.name[0] != "_"),
        "schedules": {
            schedule.name: schedule.cron_schedule for schedule in repository.schedule_defs
        },
        "sensors": sorted(sensor.name for sensor in repository.sensor_defs),
    }


class TestDefinitions:
    def test_are_the_ones_written_down(self, shape: dict[str, Any]) -> None:
        """Write them anew with OMS_TEST_SNAPSHOTS=1 when a change is meant."""
        if os.environ.get("OMS_TEST_SNAPSHOTS"):
            SNAPSHOT.write_text(json.dumps(shape, indent=1, sort_keys=True) + "\n")
        assert shape == json.loads(SNAPSHOT.read_text())

    def test_say_of_every_asset_what_it_is_and_whose(self, loaded: dg.Definitions) -> None:
        graph = loaded.get_repository_def().asset_graph
        nameless = [
            key.to_user_string()
            for key in graph.get_all_asset_keys()
            if not (graph.get(key).description and graph.get(key).owners)
        ]
        assert nameless == []

    def test_hold_every_mart_to_the_freshness_policy(self, loaded: dg.Definitions) -> None:
        stale = [
            spec.key.to_user_string()
            for spec in loaded.resolve_all_asset_specs()
            if spec.group_name != "capture" and spec.freshness_policy is None
        ]
        assert stale == []

    def test_read_no_environment_when_they_are_imported(self) -> None:
        """A child that is told a nonsensical home loads them all the same."""
        environment = {**os.environ, "OMS_API_PORT": "nonsense", "PYTHONPATH": str(ROOT)}
        code = "from pipelines.definitions import defs; defs()"
        subprocess.run([sys.executable, "-c", code], env=environment, cwd=ROOT, check=True)


class TestManifest:
    def test_is_parsed_once(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        first = manifests.manifest(tmp_path)

        def parse(_: Any) -> None:
            raise AssertionError("parsed again")

        with monkeypatch.context() as patched:
            patched.setattr(manifests.Transformer, "parse", parse)
            assert manifests.manifest(tmp_path) == first
            patched.setattr(manifests, "fingerprint", lambda _: "other models")
            with pytest.raises(AssertionError, match="parsed again"):
                manifests.manifest(tmp_path)
