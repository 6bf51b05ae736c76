"""The quarantine: listed with the reason, shown in full, tried again, dismissed."""

import json

import pytest

from oms.workflows import ingest
from tests.api.conftest import House
from tests.api.test_inbox import push
from tests.api.wire import a_line, an_order


@pytest.fixture
def quarantined(house: House) -> House:
    """Give the retailer an order of a SKU nobody knows, for each of two channels."""
    for code in ("web", "market"):
        body = an_order(f"{code}-1", lines=[a_line("NIB")])
        del body["channel_code"]
        push(house, json.dumps(body).encode(), code, code=code)
    ingest.process_waiting(house.system.intake)
    return house


def number_of(house: House, channel: str = "web") -> int:
    """Return the number of the document of a channel."""
    (item,) = house.get("/v1/quarantine", params={"channel": channel}).json()["items"]
    return int(item["quarantine_id"])


class TestList:
    def test_says_why(self, quarantined: House) -> None:
        first, second = quarantined.get("/v1/quarantine").json()["items"]
        assert (first["external_ref"], second["external_ref"]) == ("web-1", "market-1")
        assert first["problems"][0]["code"] == "UNKNOWN_SKU"
        assert "fragment" not in first

    @pytest.mark.parametrize(
        ("filters", "count"),
        [
            ({"code": "UNKNOWN_SKU"}, 2), ({"code": "MALFORMED"}, 0), ({"channel": "web"}, 1),
            ({"external_ref": "web-1"}, 1), ({"state": "resolved"}, 0),
        ],
    )  # fmt: skip
    def test_finds(self, quarantined: House, filters: dict[str, str], count: int) -> None:
        assert len(quarantined.get("/v1/quarantine", params=filters).json()["items"]) == count

    def test_pages(self, quarantined: House) -> None:
        first = quarantined.get("/v1/quarantine?limit=1").json()
        second = quarantined.get(f"/v1/quarantine?limit=1&after={first['next_after']}").json()
        assert [page["items"][0]["channel_code"] for page in (first, second)] == ["web", "market"]
        assert second["next_after"] is None

    def test_shows_a_bound_key_its_channels_only(self, quarantined: House) -> None:
        items = quarantined.get("/v1/quarantine", "web admin").json()["items"]
        assert [item["channel_code"] for item in items] == ["web"]
        foreign = quarantined.get("/v1/quarantine", "web admin", params={"channel": "market"})
        assert foreign.json()["items"] == []
        number = number_of(quarantined, "market")
        for answer in (
            quarantined.get(f"/v1/quarantine/{number}", "web admin"),
            quarantined.post(f"/v1/quarantine/{number}:replay", None, "web admin"),
            quarantined.post(f"/v1/quarantine/{number}:dismiss", None, "web admin"),
        ):
            assert answer.status_code == 404


class TestOne:
    def test_shows_the_document(self, quarantined: House) -> None:
        shown = quarantined.get(f"/v1/quarantine/{number_of(quarantined)}").json()
        assert json.loads(shown["fragment"])["external_ref"] == "web-1"
        assert shown["fragment_encoding"] == "utf-8"


class TestReplay:
    def test_says_what_is_still_wrong(self, quarantined: House) -> None:
        answer = quarantined.post(f"/v1/quarantine/{number_of(quarantined)}:replay").json()
        assert answer["state"] == "open"
        assert [problem["code"] for problem in answer["problems"]] == ["UNKNOWN_SKU"]

    def test_captures_what_is_mended(self, quarantined: House) -> None:
        number = number_of(quarantined)
        quarantined.post("/v1/products", {"products": [{"sku": "NIB", "title": "Nib"}]})
        for _ in range(2):
            answer = quarantined.post(f"/v1/quarantine/{number}:replay")
            assert (answer.status_code, answer.json()["state"]) == (200, "resolved")
        assert quarantined.count("orders") == 1

    def test_does_not_touch_what_was_dismissed(self, quarantined: House) -> None:
        number = number_of(quarantined)
        quarantined.post(f"/v1/quarantine/{number}:dismiss")
        assert quarantined.post(f"/v1/quarantine/{number}:replay").json()["code"] == "NOT_OPEN"


class TestDismiss:
    def test_closes_it_once(self, quarantined: House) -> None:
        number = number_of(quarantined)
        answers = [quarantined.post(f"/v1/quarantine/{number}:dismiss") for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 409]
        assert answers[0].json()["state"] == "dismissed"

    def test_may_be_repeated_under_its_key(self, quarantined: House) -> None:
        path = f"/v1/quarantine/{number_of(quarantined)}:dismiss"
        answers = [quarantined.post(path, once="k") for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 200]
