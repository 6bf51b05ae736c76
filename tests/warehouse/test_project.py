"""Guards: the rules of the dbt project, read from its manifest."""

from typing import Any

import pytest
from dbt.contracts.graph.manifest import Manifest

from oms.kernel.money import EXPONENTS
from oms.ledger.journal import JOURNALED
from pipelines.lib.transforming import PROJECT_DIR
from tests.warehouse.conftest import Followed

LINES_MAX = 120


@pytest.fixture(scope="module")
def manifest(followed: Followed) -> Manifest:
    return followed.transformer.parse()


@pytest.fixture(scope="module")
def models(manifest: Manifest) -> list[Any]:
    return [node for node in manifest.nodes.values() if node.resource_type == "model"]


@pytest.fixture(scope="module")
def marts(models: list[Any]) -> list[Any]:
    return [model for model in models if model.fqn[1] == "marts"]


def names_where(models: list[Any], is_wrong: Any) -> list[str]:
    return [model.name for model in models if is_wrong(model)]


class TestEveryModel:
    def test_says_its_grain(self, models: list[Any]) -> None:
        assert not names_where(models, lambda m: not m.description.startswith("Grain: one row per"))
        assert not names_where(models, lambda m: not m.config.meta.get("grain"))

    def test_is_a_pair_of_files(self, models: list[Any]) -> None:
        assert not names_where(models, lambda m: not m.patch_path.endswith(f"/{m.name}.yml"))

    def test_is_short(self, models: list[Any]) -> None:
        assert not names_where(models, lambda m: len(m.raw_code.splitlines()) > LINES_MAX)

    def test_with_a_rule_has_a_unit_test(self, models: list[Any], manifest: Manifest) -> None:
        tested = {test.model for test in manifest.unit_tests.values()}
        ruled = names_where(models, lambda m: _has_rule(m.raw_code))
        # Without an input there is nothing to give: tests/warehouse/test_calendar.py instead.
        assert set(ruled) - tested == {"dim_dates"}


class TestEveryMart:
    def test_has_a_contract_an_owner_and_a_grain_test(
        self, marts: list[Any], manifest: Manifest
    ) -> None:
        assert not names_where(marts, lambda m: not m.config.contract.enforced)
        assert not names_where(marts, lambda m: not m.config.meta.get("owner"))
        tested = {
            test.attached_node: test.test_metadata.kwargs.get("columns")
            for test in manifest.nodes.values()
            if test.resource_type == "test" and getattr(test, "test_metadata", None)
            and test.test_metadata.name == "grain"
        }  # fmt: skip
        assert {mart.unique_id: mart.config.meta["grain"] for mart in marts} == tested

    def test_documents_every_column(self, marts: list[Any]) -> None:
        missing = [
            f"{mart.name}.{column.name}"
            for mart in marts
            for column in mart.columns.values()
            if not column.description or not column.data_type
        ]
        assert missing == []

    def test_is_shown_somewhere(self, marts: list[Any], manifest: Manifest) -> None:
        shown = {
            parent
            for exposure in manifest.exposures.values()
            for parent in exposure.depends_on_nodes
        }
        assert {mart.unique_id for mart in marts} <= shown

    def test_reads_no_source(self, marts: list[Any]) -> None:
        assert not names_where(
            marts, lambda m: any(p.startswith("source.") for p in m.depends_on_nodes)
        )

    def test_follows_by_a_model_it_reads(self, marts: list[Any]) -> None:
        followers = [mart for mart in marts if mart.config.materialized == "incremental"]
        assert len(followers) == 27
        assert not names_where(
            followers,
            lambda m: (
                "hot" not in m.tags
                or f"model.{m.package_name}.{m.config.meta['follows']['changed']}"
                not in m.depends_on_nodes
            ),
        )


class TestStaging:
    def test_renames_one_source_each_and_joins_nothing(self, models: list[Any]) -> None:
        staging = [model for model in models if model.fqn[1] == "staging"]
        assert len(staging) == len(JOURNALED) + 5
        assert not names_where(staging, lambda m: len(m.depends_on_nodes) != 1)
        assert not names_where(staging, lambda m: " join " in m.raw_code.lower())


class TestCurrencies:
    def test_are_those_of_the_core(self) -> None:
        lines = (PROJECT_DIR / "seeds" / "currencies.csv").read_text(encoding="utf-8").splitlines()
        seeded = {line.split(",")[0]: int(line.rsplit(",", 1)[1]) for line in lines[1:]}
        assert seeded == EXPONENTS


def _has_rule(code: str) -> bool:
    spaced = " ".join(code.lower().split())
    rules = ("case ", " over ", "filter (", "batch >", "business_date(", "minor_to_amount(")
    return any(rule in spaced for rule in rules)
