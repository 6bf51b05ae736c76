"""The dbt models."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtCliResource, DbtProject, dbt_assets

from oms.kernel import clock
from pipelines.lib import building
from pipelines.lib.freshness import NIGHTLY
from pipelines.lib.manifests import manifest
from pipelines.lib.warehouse import warehouse_of
from pipelines.resources import SystemResource


class Places(DagsterDbtTranslator):
    """A model's key is the place it is built at, its group the subject, its owner the mart's."""

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> dg.AssetSpec:
        """Return what dbt says of a model, under the one freshness policy."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        return spec.replace_attributes(freshness_policy=NIGHTLY)

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """Return schema and name."""
        return dg.AssetKey([dbt_resource_props["schema"], dbt_resource_props["name"]])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """Return the folder below the layer, or the layer."""
        _, layer, *subject = dbt_resource_props["fqn"]
        if layer == "marts":
            return str(subject[0])
        return str(layer) if subject else "staging"  # a seed has no layer

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> Sequence[str] | None:
        """Return the owner a mart names; everything before the marts is the data team's."""
        return [dbt_resource_props.get("meta", {}).get("owner", "team:data")]


class BuildConfig(dg.Config):
    """How to build."""

    full_refresh: bool = False


@dbt_assets(manifest=manifest(), dagster_dbt_translator=Places(), pool="warehouse", name="dbt")
def models(
    context: dg.AssetExecutionContext, config: BuildConfig, dbt: DbtCliResource,
    system: SystemResource,
) -> Iterator[Any]:  # fmt: skip
    """Build the models and run their tests."""
    yield from building.build(
        context, dbt, warehouse_of(system.settings), full_refresh=config.full_refresh,
        at=clock.now(),
    )  # fmt: skip
