"""What stores near a point have: nearest first, by each store's own clock, as much as is shown."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from oms.channels import operations as channels
from oms.locations import operations as locations
from oms.locations.model import Location
from tests.api.conftest import House
from tests.builders import NOW, a_movement
from tests.ledger.shop import CHANNELS

DAM = "52.373,4.893"
HOURS = {day: [["09:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
PATH = "/v1/stores/availability?channel=web"


@pytest.fixture
def stores(house: House) -> House:
    """Give a test two stores with hours and pens: one in Amsterdam, one in Utrecht."""
    with house.system.ledger.transaction() as tx:
        locations.register(
            tx,
            [
                Location(
                    code=code, name=code, kind="store", country_code="NL", latitude=latitude,
                    longitude=longitude, time_zone="Europe/Amsterdam", opening_hours=HOURS,
                )
                for code, latitude, longitude in (("AMS", 52.379, 4.9), ("UTR", 52.09, 5.121))
            ],
            at=NOW,
        )  # fmt: skip
    house.shop.take(
        a_movement(9), a_movement(2, location="AMS"), a_movement(7, location="UTR"),
        a_movement(4, sku="INK", location="UTR"),
    )  # fmt: skip
    return house


def near(house: House, rest: str, key: str = "web") -> list[dict[str, Any]]:
    """Ask for stores."""
    answer = house.get(f"{PATH}&{rest}", key)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


class TestStores:
    def test_come_nearest_first_with_what_they_have(self, stores: House) -> None:
        first, second = near(stores, f"sku=PEN&near={DAM}&radius_km=50")
        assert (first["location_code"], first["distance_km"]) == ("AMS", 0.8)
        assert (second["location_code"], second["distance_km"]) == ("UTR", 35.1)
        assert (first["status"], second["status"]) == ("low", "in_stock")
        # Half past twelve on a Monday in Amsterdam: open since eight in UTC.
        assert first["open_now"] is True
        assert first["hours_today"] == [
            {"opens_at": "2026-01-05T08:00:00Z", "closes_at": "2026-01-05T17:00:00Z"}
        ]
        assert first["ready_by"] == "2026-01-05T14:00:00Z"

    def test_are_as_near_and_as_many_as_is_asked(self, stores: House) -> None:
        assert [each["location_code"] for each in near(stores, f"sku=PEN&near={DAM}")] == ["AMS"]
        assert [each["location_code"] for each in near(stores, "sku=PEN&limit=1")] == ["AMS"]

    def test_serve_a_basket_whole_or_not(self, stores: House) -> None:
        basket = "sku=PEN&sku=PEN&sku=PEN&sku=INK"
        first, second = near(stores, f"{basket}&near={DAM}&radius_km=50")
        assert (first["can_serve_all"], first["ready_by"]) == (False, None)
        assert [line["status"] for line in first["lines"]] == ["out", "out"]
        assert (second["can_serve_all"], second["status"]) == (True, "in_stock")
        assert [line["wanted"] for line in second["lines"]] == [3, 1]

    def test_have_nothing_that_is_held_or_may_not_be_sold(self, stores: House) -> None:
        body = {"channel_code": "web", "location_code": "AMS",
                "lines": [{"sku": "PEN", "quantity": 2}]}  # fmt: skip
        assert stores.post("/v1/stock/holds", body, once="h-1").status_code == 201
        assert near(stores, "sku=PEN")[0]["status"] == "out"
        with stores.system.ledger.transaction() as tx:
            tx.execute(text("update products set is_sellable = false where sku = 'PEN'"))
        assert {each["status"] for each in near(stores, "sku=PEN")} == {"out"}

    @pytest.mark.parametrize(
        ("shown", "quantity", "at_least"),
        [("exact", 7, 7), ("banded", None, 5), ("hidden", None, None)],
    )
    def test_show_as_much_as_the_channel_does(
        self, stores: House, shown: str, quantity: int | None, at_least: int | None
    ) -> None:
        with stores.system.ledger.transaction() as tx:
            channels.register(tx, replace(CHANNELS[0], stock_shown=shown), at=NOW)
        (line,) = near(stores, "sku=PEN")[1]["lines"]
        assert (line["quantity"], line["at_least"]) == (quantity, at_least)

    def test_that_never_open_promise_nothing(self, stores: House) -> None:
        with stores.system.ledger.transaction() as tx:
            tx.execute(text("update locations set opening_hours = '{}'"))
        first, _ = near(stores, "sku=PEN")
        assert (first["open_now"], first["hours_today"], first["ready_by"]) == (False, [], None)


class TestAnswer:
    def test_may_be_kept_by_a_cache_and_is_spared_who_has_it(
        self, stores: House, clock: Callable[[], Any]
    ) -> None:
        answer = stores.get(f"{PATH}&sku=PEN", "web")
        assert "s-maxage=15" in answer.headers["cache-control"]
        tag = {"If-None-Match": answer.headers["etag"]}
        again = stores.get(f"{PATH}&sku=PEN", "web", headers=tag)
        assert (again.status_code, again.content) == (304, b"")
        stores.shop.take(a_movement(1, location="UTR", kind="write_off"),
                         a_movement(3, location="UTR", kind="write_off", ref="w-2"))  # fmt: skip
        assert stores.get(f"{PATH}&sku=PEN", "web", headers=tag).status_code == 200

    def test_names_what_nobody_knows(self, stores: House) -> None:
        found = stores.get(f"{PATH}&sku=PEN&sku=NONE", "web").json()
        assert (found["unknown"], found["items"][0]["can_serve_all"]) == (["NONE"], False)

    @pytest.mark.parametrize("point", ["", "52", "52,5,1", "91,0", "0,181", "nan,1", "x,y"])
    def test_needs_a_point_on_the_earth(self, stores: House, point: str) -> None:
        assert stores.get(f"{PATH}&sku=PEN&near={point}", "web").status_code == 422

    def test_is_not_for_another_channel(self, stores: House) -> None:
        answer = stores.get(f"{PATH}&sku=PEN", "market")
        assert (answer.status_code, answer.json()["code"]) == (404, "UNKNOWN_CHANNEL")
