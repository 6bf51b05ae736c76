"""Promises over HTTP: the ways a basket gets to its customer, with a hold where it is asked for."""

from dataclasses import replace
from typing import Any

from oms.channels import operations as channels
from tests.api.conftest import House
from tests.builders import NOW, a_movement
from tests.ledger.routing import activate_all
from tests.ledger.shop import CHANNELS


def ask(house: House, quantity: int = 2, key: str = "web", **said: Any) -> Any:
    """Ask how pens get to Amsterdam."""
    body = {"channel_code": "web", "lines": [{"sku": "PEN", "quantity": quantity}],
            "destination": {"country_code": "NL", "postcode": "1011 AB"}, "points": 0,
            **said}  # fmt: skip
    return house.post("/v1/availability:promise", body, key)


class TestPromise:
    def test_says_every_way_and_how_it_comes_to_its_date(self, stocked: House) -> None:
        stocked.shop.take(a_movement(3, location="AMS"))
        with stocked.system.ledger.transaction() as tx:
            tx.exec_driver_sql(
                "update locations set opening_hours ="
                """ '{"mon": [["09:00", "18:00"]]}', collect_lead_minutes = 60"""
                " where location_code = 'AMS'"
            )
            tx.exec_driver_sql(
                "update locations set cut_off = '17:00', transit_days = 2, node_cost_minor = 350"
                " where location_code = 'DC'"
            )
        found = ask(stocked).json()
        shipped, collected = found["options"]
        assert shipped["method"] == "ship_home"
        assert shipped["shipments"] == [{
            "location_code": "DC", "lines": [{"sku": "PEN", "quantity": 2}],
            "cut_off_at": "2026-01-05T16:00:00Z", "ships_on": "2026-01-05", "transit_days": 2,
            "arrives_on": "2026-01-07", "gathers": [],
        }]  # fmt: skip
        assert shipped["promised_on"] == "2026-01-07"
        assert shipped["cost"] == {"amount": "3.50", "currency": "EUR"}
        assert collected["store"]["location_code"] == "AMS"
        assert (collected["ready_by"], collected["by_transfer"]) == ("2026-01-05T13:00:00Z", False)
        assert found["lines"] == [{"sku": "PEN", "requested": 2, "available": 13}]

    def test_has_sent_to_a_store_what_it_lacks_where_the_channel_does(self, stocked: House) -> None:
        with stocked.system.ledger.transaction() as tx:
            tx.exec_driver_sql(
                'update locations set opening_hours = \'{"thu": [["10:00", "18:00"]]}\''
                " where location_code <> 'DC'"
            )
        assert [each["method"] for each in ask(stocked).json()["options"]] == ["ship_home"]
        with stocked.system.ledger.transaction() as tx:
            channels.register(tx, replace(CHANNELS[0], collect_supply="any"), at=NOW)
        _, first, second = ask(stocked).json()["options"]
        assert (first["store"]["location_code"], second["store"]["location_code"]) == ("AMS", "UTR")
        # It comes on Tuesday; the store opens on Thursday at ten.
        assert (first["ready_by"], first["by_transfer"]) == ("2026-01-08T11:00:00Z", True)
        assert first["shipments"][0]["arrives_on"] == "2026-01-06"
        (store, _) = stocked.get("/v1/stores/availability?channel=web&sku=PEN", "web").json()[
            "items"
        ]
        assert (store["can_serve_all"], store["ready_by"]) == (False, None)
        assert store["by_transfer_at"] == "2026-01-08T11:00:00Z"

    def test_goes_by_way_of_the_hub_its_order_will_go_by(self, stocked: House) -> None:
        """By the rules that match the basket: pens are gathered, whatever else is not."""
        stocked.shop.take(a_movement(1, location="AMS"))
        with stocked.system.ledger.transaction() as tx:
            tx.exec_driver_sql(
                "update locations set transit_days = 2, node_cost_minor = 100"
                " where location_code = 'UTR'"
            )
        apart = ask(stocked, 11).json()["options"][0]
        assert [len(each["gathers"]) for each in apart["shipments"]] == [0, 0]
        gathered = {"parts_max": 3, "consolidate": {"at": ["UTR"], "parts_min": 2}}
        group = {"name": "home", "rules": [{"name": "any"}], "split": gathered}
        activate_all(
            stocked.shop,
            {"name": "t", "groups": [{**group, "name": "ink", "when": {"skus": ["INK"]}}]},
        )
        assert ask(stocked, 11).json()["options"][0] == apart
        activate_all(stocked.shop, {"name": "t", "groups": [{**group, "when": {"skus": ["PEN"]}}]})
        by_hub = ask(stocked, 11).json()["options"][0]
        (sent,) = by_hub["shipments"]
        assert (sent["location_code"], sent["lines"]) == ("UTR", [{"sku": "PEN", "quantity": 11}])
        assert sorted(each["location_code"] for each in sent["gathers"]) == ["AMS", "DC"]
        assert by_hub["promised_on"] == sent["arrives_on"] > apart["promised_on"]
        assert float(by_hub["cost"]["amount"]) == float(apart["cost"]["amount"]) + 1

    def test_writes_nothing(self, stocked: House) -> None:
        assert ask(stocked).json()["hold"] is None
        assert stocked.count("stock_holds") + stocked.count("reservations") == 0

    def test_of_too_much_says_what_is_left(self, stocked: House) -> None:
        found = ask(stocked, 11, hold=True).json()
        assert (found["options"], found["hold"]) == ([], None)
        assert found["lines"] == [{"sku": "PEN", "requested": 11, "available": 10}]

    def test_holds_what_it_would_ship(self, stocked: House) -> None:
        stocked.shop.take(a_movement(3, location="AMS"))
        found = ask(stocked, 12, hold=True).json()
        shipped = {
            (each["location_code"], line["quantity"])
            for each in found["options"][0]["shipments"] for line in each["lines"]
        }  # fmt: skip
        held = {(each["location_code"], each["quantity"]) for each in found["hold"]["units"]}
        assert shipped == held == {("DC", 10), ("AMS", 2)}
        assert ask(stocked, 2).json()["lines"][0]["available"] == 1

    def test_holds_only_for_who_may(self, stocked: House) -> None:
        assert ask(stocked, key="analyst").status_code == 200
        refused = ask(stocked, key="analyst", hold=True)
        assert (refused.status_code, refused.json()["code"]) == (403, "SCOPE_MISSING")

    def test_knows_neither_strange_skus_nor_other_channels(self, stocked: House) -> None:
        strange = ask(stocked, lines=[{"sku": "NONE", "quantity": 1}])
        assert (strange.status_code, strange.json()["code"]) == (404, "UNKNOWN_SKU")
        assert ask(stocked, key="market").json()["code"] == "UNKNOWN_CHANNEL"
