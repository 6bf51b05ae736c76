"""What is set up: places, channels, catalogue; enough for every document that follows."""

import json
import re
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from oms.simulator import setup
from oms.simulator.network import CHANNELS, PLACES, STORES

FIRST = date(2025, 9, 1)


class TestLocations:
    def test_are_one_dc_twelve_stores_and_some_points(self) -> None:
        kinds = [place["kind"] for place in setup.locations()]
        assert kinds.count("dc") == 1
        assert kinds.count("store") == 12
        assert kinds.count("pickup_point") >= 3
        assert len({place["code"] for place in setup.locations()}) == len(kinds)

    def test_lie_in_europe_and_open_on_weekdays(self) -> None:
        for place in setup.locations():
            assert 49 < place["latitude"] < 56
            assert -4 < place["longitude"] < 8
            ZoneInfo(place["time_zone"])
            assert list(place["opening_hours"]) == ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
            for spans in place["opening_hours"].values():
                for opens, closes in spans:
                    assert re.fullmatch(r"\d\d:\d\d", opens)
                    assert opens < closes
        assert all(store.minutes[day] != (0, 0) for store in STORES for day in range(6))


class TestChannels:
    def test_are_six_that_sell_and_one_that_feeds(self) -> None:
        drafts = setup.channels(shop_url="http://127.0.0.1:1")
        assert [draft["code"] for draft in drafts] == [
            *(channel.code for channel in CHANNELS), "backoffice",
        ]  # fmt: skip
        assert abs(sum(channel.share for channel in CHANNELS) - 1) < 1e-9
        assert {draft["currency"] for draft in drafts} == {"EUR", "GBP"}

    def test_have_a_network_of_known_places(self) -> None:
        codes = {place.code for place in PLACES}
        for draft in setup.channels():
            assert draft["network"][0] == "DC-WAALWIJK"
            assert set(draft["network"]) <= codes

    def test_have_their_mapping_files(self) -> None:
        for draft in setup.channels():
            if draft["adapter"] == "tabular":
                assert Path(draft["adapter_options"]["mappings"]["orders"]).is_file()


class TestProducts:
    def test_are_told_by_the_documents_of_the_first_day(self) -> None:
        documents = [json.loads(text) for text in setup.products(2, FIRST)]
        assert 900 < len(documents) < 1_200
        assert all(set(document) == set(documents[0]) for document in documents)
