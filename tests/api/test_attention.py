"""Attention: what somebody should look at, each thing where it is, to whoever may see it."""

import json
from typing import Any, Final

from oms.workflows import ingest
from tests.api.conftest import House
from tests.api.test_inbox import push
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
        first, second = stocked.get("/v1/attention").json()["items"]
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
