"""Locations: listed with their settings, and keys that do the work of some of them only."""

import itertools
from dataclasses import replace
from typing import Any

import pytest

from oms.channels import operations as channels
from oms.locations import operations as locations
from oms.locations.model import Location
from tests.api.conftest import House
from tests.api.wire import a_count, a_line, a_movement, an_order
from tests.builders import NOW
from tests.ledger.shop import CHANNELS

_once = itertools.count(1)
COLLECTED = [{"method": "collect_store", "line_refs": ["PEN"], "location_code": "AMS"}]


def act(house: House, path: str, version: int, body: dict[str, Any], key: str) -> Any:
    """Do something with a piece of work, in the version it was seen in."""
    headers = {"If-Match": f'"{version}"'}
    return house.post(path, body, key, once=f"place-{next(_once)}", headers=headers)


class TestList:
    def test_tells_the_settings_of_each(self, house: House) -> None:
        store = Location(
            code="AMS", name="Amsterdam", kind="store", country_code="NL", city="Amsterdam",
            time_zone="Europe/Amsterdam", opening_hours={"mon": [["09:00", "18:00"]]},
            cut_off="16:00", capacity_per_day=40, shipping_buffer=2, accept_minutes=45,
            transit_days=2, transit_days_abroad=4, collect_lead_minutes=60,
        )  # fmt: skip
        with house.system.ledger.transaction() as tx:
            locations.register(tx, [store], at=NOW)
        found = {each["location_code"]: each for each in house.get("/v1/locations", "store").json()}
        assert list(found) == ["AMS", "DC", "UTR"]
        ams = found["AMS"]
        assert (ams["name"], ams["kind"], ams["cut_off"]) == ("Amsterdam", "store", "16:00")
        assert (ams["capacity_per_day"], ams["shipping_buffer"]) == (40, 2)
        assert (ams["accept_minutes"], found["DC"]["accept_minutes"]) == (45, None)
        assert (ams["transit_days"], ams["transit_days_abroad"]) == (2, 4)
        assert ams["collect_lead_minutes"] == 60
        assert ams["is_open"]  # a Monday, 13:00 in Amsterdam
        assert ams["channel_codes"] == ["till", "web"]

    def test_tells_a_channel_of_its_network(self, house: House) -> None:
        found = house.get("/v1/locations", "market").json()
        assert [(each["location_code"], each["channel_codes"]) for each in found] == [
            ("DC", ["market"]), ("UTR", ["market"]),
        ]  # fmt: skip


class TestBoundKey:
    """The key `DC` does the work of the distribution center; of other places it knows nothing."""

    def test_says_what_it_is(self, house: House) -> None:
        me = house.get("/v1/me", "DC").json()
        assert (me["name"], me["role"], me["location_codes"]) == ("DC", "store", ["DC"])
        assert me["channel_codes"] is None
        assert "orders:read" not in me["scopes"]
        assert house.get("/v1/me", "web").json()["channel_codes"] == ["web"]

    def test_sees_its_own_work_only(self, routed: House) -> None:
        routed.post("/v1/stock/movements", {"movements": [a_movement("m-9", location_code="AMS")]})
        (own,) = routed.routed_order(an_order("W-1"))["fulfillments"]
        (other,) = routed.routed_order(an_order("W-2", groups=COLLECTED))["fulfillments"]
        assert (own["location_code"], other["location_code"]) == ("DC", "AMS")
        for query, seen in (("", [own]), ("?location=DC", [own]), ("?location=AMS", [])):
            items = routed.get(f"/v1/fulfillments{query}", "DC").json()["items"]
            assert [each | {"notes": []} for each in items] == [
                each | {"notes": []} for each in seen
            ]
        path = f"/v1/fulfillments/{other['fulfillment_number']}"
        body = {"action": "accept"}
        for answer in (
            routed.get(path, "DC"), routed.get(f"{path}/packing-slip", "DC"),
            act(routed, f"{path}/actions", other["version"], body, "DC"),
            routed.get("/v1/locations/AMS/pick-list", "DC"),
        ):  # fmt: skip
            assert answer.status_code == 404
        assert routed.get(path).json()["state"] == "assigned"
        path = f"/v1/fulfillments/{own['fulfillment_number']}/actions"
        assert act(routed, path, own["version"], body, "DC").status_code == 200

    def test_sends_and_leaves_receiving_to_others(self, stocked: House) -> None:
        made = replace(CHANNELS[0], is_routed=True, collect_supply="any")
        with stocked.system.ledger.transaction() as tx:
            channels.register(tx, made, at=NOW)
        order = stocked.routed_order(an_order(lines=[a_line()], groups=COLLECTED))
        (transfer,) = stocked.get("/v1/transfers", "DC").json()["items"]
        assert transfer["order_number"] == order["order_number"]
        path = f"/v1/transfers/{transfer['transfer_number']}/actions"
        for action in ("pick", "ship"):
            transfer = act(stocked, path, transfer["version"], {"action": action}, "DC").json()
        body = {"action": "receive", "receipt_id": "r"}
        refused = act(stocked, path, transfer["version"], body, "DC")
        assert (refused.status_code, refused.json()["code"]) == (403, "OTHER_LOCATION")
        assert act(stocked, path, transfer["version"], body, "store").status_code == 200
        wanted = {
            "from_location_code": "DC", "to_location_code": "UTR",
            "lines": [{"sku": "PEN", "quantity": 1}],
        }  # fmt: skip
        asked = stocked.post("/v1/transfers", wanted, "DC", once="shelves")
        assert (asked.status_code, asked.json()["code"]) == (403, "OTHER_LOCATION")

    @pytest.mark.parametrize("kind", ["counts", "movements"])
    def test_counts_and_moves_at_its_place_only(self, house: House, kind: str) -> None:
        make = {"counts": a_count, "movements": a_movement}[kind]
        rows = [make("r-1"), make("r-2", location_code="AMS")]
        refused = house.post(f"/v1/stock/{kind}", {kind: rows}, "DC")
        assert refused.status_code == 422
        (problem,) = refused.json()["errors"]
        assert (problem["code"], problem["pointer"]) == (
            "UNKNOWN_LOCATION", f"/{kind}/1/location_code",
        )  # fmt: skip
        assert house.count("stock_movements") == 0
        assert house.post(f"/v1/stock/{kind}", {kind: rows[:1]}, "DC").status_code == 200

    @pytest.mark.parametrize(
        ("fields", "code"),
        [
            ({"role": "store", "location_codes": ["XYZ"]}, "UNKNOWN_LOCATION"),
            ({"role": "agent", "location_codes": ["DC"]}, "VALIDATION"),
            ({"role": "store", "location_codes": []}, "VALIDATION"),
        ],
    )
    def test_is_made_of_known_places_for_stores(
        self, house: House, fields: dict[str, Any], code: str
    ) -> None:
        answer = house.post("/v1/keys", {"name": "s", **fields})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, code)

    def test_is_listed_with_its_places(self, house: House) -> None:
        body = {"name": "s", "role": "store", "location_codes": ["AMS"]}
        made = house.post("/v1/keys", body).json()
        (listed,) = (
            each for each in house.get("/v1/keys").json() if each["key_id"] == made["key_id"]
        )
        assert listed["location_codes"] == ["AMS"]
