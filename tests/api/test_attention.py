"""Attention: what somebody should look at, each thing where it is, to whoever may see it."""

import json
from typing import Any, Final

import pytest
from sqlalchemy import text

from oms.workflows import ingest
from tests.api.conftest import House
from tests.api.test_inbox import push
from tests.api.test_parcels import shipped, tell
from tests.api.wire import a_line, an_order
from tests.conftest import Clock

HOOK: Final = {"url": "https://shop.example.com/hooks", "topics": ["order.*"]}


def matters(house: House, key: str = "admin") -> dict[tuple[str, str | None], int]:
    """Return how much there is of what, and where."""
    found = house.get("/v1/attention", key).json()["items"]
    return {(each["code"], each["place"]): each["count"] for each in found}


def hold(house: House, number: str) -> None:
    body = {"type": "fraud", "comment": "Ask first."}
    assert house.post(f"/v1/orders/{number}/holds", body, once="h").status_code == 201


def a_subscription(house: House, action: str, **fields: Any) -> None:
    made = house.post("/v1/webhooks", HOOK | fields, once=f"s-{action}").json()
    house.post(f"/v1/webhooks/{made['subscription_id']}:{action}")


class TestMatters:
    def test_are_none_where_all_is_well(self, stocked: House) -> None:
        stocked.order(an_order())
        answer = stocked.get("/v1/attention").json()
        assert answer["items"] == []

    def test_come_worst_first_with_what_to_do(self, stocked: House) -> None:
        stocked.order(an_order(lines=[a_line("PEN", quantity=99)], allow_backorder=True))
        a_subscription(stocked, "disable", description="the shop")
        body = an_order("web-1", lines=[a_line("NIB")])
        del body["channel_code"]
        push(stocked, json.dumps(body).encode())
        ingest.process_waiting(stocked.system.intake)
        first, aside, second = stocked.get("/v1/attention").json()["items"]
        assert (aside["code"], aside["severity"]) == ("QUARANTINED", "warning")
        assert (first["code"], first["severity"], first["place"]) == (
            "SUBSCRIPTION_DISABLED", "error", "the shop",
        )  # fmt: skip
        assert (second["code"], second["severity"], second["place"]) == (
            "ORDER_EXCEPTION", "warning", "BACKORDERED",
        )  # fmt: skip
        assert "enable" in first["advice"]

    def test_are_documents_set_aside_and_payloads_that_cannot_be_read(self, house: House) -> None:
        body = an_order("web-1", lines=[a_line("NIB")])
        del body["channel_code"]
        push(house, json.dumps(body).encode())
        ingest.process_waiting(house.system.intake)
        push(house, b"{}")
        with house.shop.ledger.transaction() as tx:  # as after five attempts
            tx.exec_driver_sql("update inbox set state = 'failed' where state = 'received'")
        assert matters(house) == {("QUARANTINED", "web"): 1, ("PAYLOAD_FAILED", "web"): 1}

    def test_are_what_waits_too_long(self, routed: House, clock: Clock) -> None:
        assert matters(routed) == {}
        order = routed.routed_order(an_order())
        hold(routed, order["order_number"])
        push(routed, b"{}")
        assert matters(routed) == {}
        clock.forward(minutes=16)
        assert matters(routed) == {("INBOX_WAITS", "web"): 1}
        clock.forward(hours=4)
        assert matters(routed) == {("INBOX_WAITS", "web"): 1, ("WORK_UNTOUCHED", "DC"): 1}
        clock.forward(days=2)
        assert matters(routed)["HOLD_OPEN", "fraud"] == 1

    @pytest.mark.parametrize(
        ("made", "what", "place", "hours"),
        [
            (
                "update webhook_subscriptions set failing_since_at = :at",
                "SUBSCRIPTION_FAILING", "the shop", 0.5,
            ),
            (
                "insert into webhook_deliveries"
                " (subscription_id, message_id, topic, body, state, created_at)"
                " select subscription_id, 'm', 'order.captured', '{}', 'parked', :at"
                " from webhook_subscriptions",
                "MESSAGES_PARKED", "the shop", 0,
            ),
            (
                "insert into channel_feeds (channel_id, held_at, held_reason)"
                " select channel_id, :at, 'much' from channels where channel_code = 'web'",
                "FEED_HELD", "web", 0,
            ),
            (
                "insert into feed_refusals (subscription_id, channel_id, product_id, version,"
                " status_code, attempts_count, refused_at, next_attempt_at)"
                " select s.subscription_id, c.channel_id, p.product_id, 1, 422, 1, :at, :at"
                " from webhook_subscriptions s, channels c, products p"
                " where c.channel_code = 'web' and p.sku = 'PEN'",
                "STOCK_REFUSED", "web", 0,
            ),
            (
                "insert into transfers"
                " (from_location_id, to_location_id, state, created_at, changed_at, shipped_at)"
                " select f.location_id, t.location_id, 'shipped', :at, :at, :at"
                " from locations f, locations t"
                " where f.location_code = 'DC' and t.location_code = 'AMS'",
                "TRANSFER_AWAY", "AMS", 130,
            ),
        ],
    )  # fmt: skip
    def test_are_what_got_stuck_on_its_way(
        self, stocked: House, clock: Clock, made: str, what: str, place: str, hours: float
    ) -> None:
        stocked.post("/v1/webhooks", HOOK | {"description": "the shop"}, once="s")
        with stocked.shop.ledger.transaction() as tx:
            tx.execute(text(made), {"at": clock.at})
        if hours:
            assert matters(stocked) == {}
        clock.forward(hours=hours)
        assert matters(stocked) == {(what, place): 1}

    def test_are_parcels_nobody_hears_of_and_those_that_are_lost(
        self, routed: House, clock: Clock
    ) -> None:
        (parcel,) = shipped(routed, 2)
        assert matters(routed) == {}
        clock.forward(days=5)
        assert matters(routed) == {("PARCEL_SILENT", "sandbox"): 1}
        tell(routed, "sandbox", (parcel["tracking_number"], 119, "IN_TRANSIT"))
        assert matters(routed) == {}
        tell(routed, "sandbox", (parcel["tracking_number"], 120, "LOST"))
        assert matters(routed) == {("PARCEL_SILENT", "sandbox"): 1}

    def test_paused_is_somebody_s_will(self, house: House) -> None:
        a_subscription(house, "pause")
        assert matters(house) == {}


class TestWhoSees:
    def test_only_what_its_scopes_and_channels_allow(self, stocked: House) -> None:
        stocked.order(an_order(lines=[a_line("PEN", quantity=99)], allow_backorder=True))
        lines = [a_line("PEN", quantity=99)]
        stocked.order(an_order("m", channel_code="market", lines=lines, allow_backorder=True))
        a_subscription(stocked, "disable")
        exceptions = ("ORDER_EXCEPTION", "BACKORDERED")
        items = stocked.get("/v1/attention").json()["items"]
        assert sorted(each["channel_code"] or "" for each in items) == ["", "market", "web"]
        assert matters(stocked, "finance") == {exceptions: 1}
        assert matters(stocked, "web admin") == {exceptions: 1}
        (own,) = stocked.get("/v1/attention", "web admin").json()["items"]
        assert own["channel_code"] == "web"
        assert list(matters(stocked, "engineer")) == [("SUBSCRIPTION_DISABLED", HOOK["url"])]
