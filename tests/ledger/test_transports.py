"""Transports: whoever is told by files finds each message once, whole, and loses none."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from oms.adapters.endpoints import FileTeller, PlatformTeller, files
from oms.webhooks.model import Answer, Endpoint, Sending, TargetRefused, Transport
from tests.builders import a_change, a_movement, a_partial, an_order
from tests.conftest import Clock
from tests.ledger.shop import Shop
from tests.ledger.subscribers import STOCK, Town


class Platform:
    """A platform that takes what it is told, or says what the test says."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []

    def problem(self, endpoint: Endpoint) -> str | None:
        return None if endpoint.adapter == "canonical" else "not here"

    def tell(self, sending: Sending) -> Answer:
        self.told.append(json.loads(sending.body))
        return Answer(status_code=200)


@pytest.fixture
def outbox(tmp_path: Path) -> Path:
    return tmp_path / "outbox"


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
def town(shop: Shop, clock: Clock, outbox: Path, platform: Platform) -> Iterator[Town]:
    made = Town(
        shop,
        {
            Transport.FILE: FileTeller(outbox),
            Transport.PLATFORM: PlatformTeller({"canonical": platform}),
        },
    )
    made.recompute()
    yield made


def by_files(town: Town, *topics: str, file_format: str = "json", **fields: Any) -> int:
    return town.subscribe(
        None, *topics, transport=Transport.FILE, file_format=file_format, **fields
    )


def in_folder(outbox: Path, number: int, owner: str = "retailer") -> list[Path]:
    return sorted((outbox / f"{owner}-{number}").iterdir())


class TestFiles:
    def test_one_for_each_message_in_the_order_of_their_names(
        self, town: Town, outbox: Path
    ) -> None:
        number = by_files(town)
        town.shop.take(an_order("W-1"), an_order("W-2"))
        town.shop.take(a_partial("W-1", a_change("cancel")))
        assert town.serve(number)
        found = [json.loads(path.read_bytes()) for path in in_folder(outbox, number)]
        assert [(each["data"]["order"]["external_ref"], each["sequence"]) for each in found] == [
            ("W-1", 1), ("W-2", 1), ("W-1", 2),
        ]  # fmt: skip
        assert town.states(number) == [("delivered", 1)] * 3

    def test_of_stock_are_tables_when_asked_for(self, town: Town, outbox: Path) -> None:
        number = by_files(town, *STOCK, file_format="csv", channels=("web",), channel="web")
        town.shop.take(a_movement(7, sku="PEN"))
        town.recompute()
        town.serve(number)
        (path,) = in_folder(outbox, number, "web")
        assert path.suffix == ".csv"
        rows = list(csv.DictReader(path.read_text().splitlines()))
        assert {row["sku"]: (row["channel_code"], row["available_to_sell"]) for row in rows} == {
            "PEN": ("web", "7"), "INK": ("web", "0"), "LAMP": ("web", "0"),
        }  # fmt: skip
        assert all(int(row["version"]) > 0 for row in rows)

    def test_a_table_holds_no_orders(self, town: Town) -> None:
        with pytest.raises(TargetRefused, match="json"):
            by_files(town, "order.*", "stock.available", file_format="csv")

    def test_nobody_sees_a_part_of_one(
        self, town: Town, outbox: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock
    ) -> None:
        number = by_files(town)
        town.shop.take(an_order("W-1"))

        def broken(_: int) -> None:
            raise OSError(28, "no space left on device")

        with monkeypatch.context() as away:
            away.setattr(files.os, "fsync", broken)
            town.serve(number)
        assert [path.name for path in in_folder(outbox, number) if path.name[0] != "."] == []
        assert town.attempts(number) == [(None, "disk")]
        clock.forward(minutes=5)
        town.serve(number)
        assert [path.suffix for path in in_folder(outbox, number)] == [".json"]

    def test_who_takes_none_away_is_left_alone_and_loses_nothing(
        self, town: Town, outbox: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock
    ) -> None:
        monkeypatch.setattr(files, "WAITING_FILES_MAX", 2)
        number = by_files(town)
        town.shop.take(*(an_order(f"W-{n}") for n in range(4)))
        town.serve(number)
        assert len(in_folder(outbox, number)) == 2
        assert town.due() == []
        for path in in_folder(outbox, number):
            path.unlink()
        clock.forward(minutes=6)
        town.serve(number)
        assert len(in_folder(outbox, number)) == 2
        assert town.attempts(number) == [(201, None), (201, None), (None, "full"),
                                         (201, None), (201, None)]  # fmt: skip

    def test_no_two_share_a_folder(self, town: Town, outbox: Path) -> None:
        first, second = by_files(town, channel="web"), by_files(town, channel="web")
        town.shop.take(an_order("W-1"))
        town.serve(first)
        town.serve(second)
        assert len(in_folder(outbox, first, "web")) == len(in_folder(outbox, second, "web")) == 1


class TestPlatforms:
    def test_the_channel_s_own_is_told(self, town: Town, platform: Platform) -> None:
        number = town.subscribe(
            None, *STOCK, transport=Transport.PLATFORM, channel="web", channels=("web",)
        )
        town.serve(number)
        (document,) = platform.told
        assert {each["sku"] for each in document["data"]["items"]} == {"PEN", "INK", "LAMP"}

    def test_a_channel_that_runs_on_none_cannot_be_told(self, town: Town) -> None:
        with town.shop.ledger.transaction() as tx:
            tx.execute(text("update channels set adapter = 'tabular' where channel_code = 'web'"))
        with pytest.raises(TargetRefused, match="no platform"):
            town.subscribe(
                None, *STOCK, transport=Transport.PLATFORM, channel="web", channels=("web",)
            )
