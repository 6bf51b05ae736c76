"""Rules on the command line: loaded as a draft, refused by place, rehearsed on what was decided."""

import csv
import re
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from oms.channels import operations as channels
from oms.workflows import fulfillment
from tests.builders import NOW, a_line, a_movement, an_order
from tests.cli.conftest import Home
from tests.ledger.shop import CHANNELS, Shop, furnish

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "sourcing.md"
NETWORK: Final = "name: n\ngroups: [{name: all, rules: [{name: any}]}]\n"
SPLIT: Final = (
    "name: s\ngroups: [{name: all, rules: [{name: any, sort: [stock_left]}],"
    " split: {parts_max: 3, whole_first: false}}]\n"
)


def rules_file(folder: Path, content: str) -> Path:
    file = folder / "rules.yaml"
    file.write_text(content)
    return file


def routed_shop(home: Home) -> Shop:
    furnish(home.system.ledger)
    shop = Shop(home.system.ledger)
    with shop.ledger.transaction() as tx:
        channels.register(tx, replace(CHANNELS[0], is_routed=True), at=NOW)
    return shop


def open_all(shop: Shop) -> None:
    ids = [row[0] for row in shop.rows("select order_id from orders order by 1")]
    with shop.ledger.transaction() as tx:
        fulfillment.open_work(tx, ids, at=NOW)


class TestLoad:
    def test_the_example_of_the_document_is_a_draft_that_can_be_activated(
        self, home: Home, tmp_path: Path
    ) -> None:
        (example,) = re.findall(r"```yaml\n(.*?)```", DOCUMENT.read_text(), flags=re.DOTALL)
        loaded = home.oms("sourcing", "load", rules_file(tmp_path, example))
        assert (loaded.exit_code, "is draft" in loaded.output) == (0, True), loaded.output
        assert home.oms("sourcing", "activate", "1").exit_code == 0
        assert " active " in home.oms("sourcing", "list").output

    def test_what_is_wrong_is_named_by_its_place(self, home: Home, tmp_path: Path) -> None:
        wrong = rules_file(tmp_path, NETWORK.replace("{name: any}", "{name: any, kinds: [shop]}"))
        refused = home.oms("sourcing", "load", wrong)
        assert refused.exit_code == 1
        assert "/groups/0/rules/0/kinds/0: must be one of dc, store" in refused.output
        assert home.oms("sourcing", "list").output == ""


class TestReplay:
    def test_a_draft_is_set_beside_what_happened_and_writes_nothing(
        self, home: Home, tmp_path: Path
    ) -> None:
        shop = routed_shop(home)
        home.oms("sourcing", "load", rules_file(tmp_path, NETWORK), "--activate")
        shop.take(a_movement(9, location="DC"), a_movement(2, location="AMS"))
        shop.take(an_order(lines=[a_line(quantity=3)]))
        shop.take(an_order("W-2", lines=[a_line(quantity=7)]))
        open_all(shop)
        counted = "select (select count(*) from sourcing_rule_sets), pg_current_snapshot()::text"
        before, out = shop.rows(counted), tmp_path / "out.csv"
        told = home.oms(
            "sourcing", "replay", "--rules", rules_file(tmp_path, SPLIT),
            "--from", f"{NOW:%Y-%m-%d}", "--to", "2026-01-06", "--out", out,
        )  # fmt: skip
        assert told.exit_code == 0, told.output
        assert shop.rows(counted) == before
        assert "2 decisions, 1 of them would be others, 0 match no group" in told.output
        assert re.search(r"stock outs +1 +0 +-1 +1\n", told.output), told.output
        assert re.search(r"left units +7 +0 +-7 +7\n", told.output), told.output
        assert re.search(r"late parts +0 +0 +\+0 +1\n", told.output), "it is long past and there"
        assert "2 delivery groups by now; locations let 0 of their works go" in told.output
        rows = list(csv.DictReader(out.read_text().splitlines()))
        assert [(r["recorded_from"], r["draft_from"], r["happened_from"]) for r in rows] == [
            ("DC", "DC", "DC"), ("", "DC AMS", ""),
        ]  # fmt: skip

    def test_a_time_that_ends_before_it_begins_is_refused(self, home: Home, tmp_path: Path) -> None:
        file = rules_file(tmp_path, NETWORK)
        for to in ("2026-01-05", "2026-01-04"):
            told = home.oms("sourcing", "replay", "--rules", file, "--from", "2026-01-05",
                            "--to", to)  # fmt: skip
            assert (told.exit_code, "is not after --from" in told.output) == (1, True)

    def test_of_many_it_says_how_far_it_is(
        self, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("oms.cli.sourcing.TOLD_EVERY", 2)
        shop = routed_shop(home)
        home.oms("sourcing", "load", rules_file(tmp_path, NETWORK), "--activate")
        shop.take(*(an_order(f"W-{number}") for number in range(5)), a_movement(9))
        open_all(shop)
        told = home.oms("sourcing", "replay", "--rules", rules_file(tmp_path, SPLIT),
                        "--from", f"{NOW:%Y-%m-%d}", "--to", "2026-01-06")  # fmt: skip
        assert re.findall(r".* of 5 decisions …", told.output) == [
            "2 of 5 decisions …", "4 of 5 decisions …",
        ]  # fmt: skip
