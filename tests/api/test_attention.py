"""Attention: what somebody should look at, each thing where it is, to whoever may see it."""

import json
from datetime import timedelta
from typing import Any, Final

import pytest
from sqlalchemy import text

from oms.kernel import clock
from oms.workflows import fulfillment, ingest
from tests.api.conftest import House
from tests.api.returning import a_receipt, notice, reach
from tests.api.test_inbox import push
from tests.api.test_parcels import shipped, tell
from tests.api.wire import a_line, an_order
from tests.builders import NOW, a_movement
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

    def test_are_authorizations_that_end_before_their_goods_leave(self, stocked: House) -> None:
        soon = (clock.now() + timedelta(hours=40)).isoformat()
        later = (clock.now() + timedelta(hours=60)).isoformat()
        for ref, until in (("W-1", soon), ("W-2", later)):
            payment = {
                "ref": "1", "tender": "card", "amount": "10.00", "authorized": "10.00",
                "psp": "sandbox", "psp_reference": ref, "managed_by": "oms",
                "authorized_until_at": until,
            }  # fmt: skip
            stocked.order(an_order(ref, payments=[payment]))
        assert matters(stocked) == {("AUTHORIZATION_ENDS", "sandbox"): 1}

    def test_are_orders_that_were_set_aside(self, stocked: House) -> None:
        stocked.order(an_order())
        with stocked.system.ledger.transaction() as tx:
            tx.execute(
                text(
                    "insert into set_aside (follower, order_id, failure, since_at, tried_at)"
                    " select 'billing', order_id, 'KeyError', now(), now() from orders"
                )
            )
        assert matters(stocked) == {("SET_ASIDE", "billing"): 1}

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

    def test_are_what_went_elsewhere_because_nobody_accepted_it(
        self, routed: House, clock: Clock
    ) -> None:
        with routed.system.ledger.transaction() as tx:
            tx.exec_driver_sql("update locations set accept_minutes = 30")
        routed.routed_order(an_order())
        at = clock.forward(minutes=30)
        assert routed.system.ledger.run(lambda tx: fulfillment.let_off_unaccepted(tx, at=at))
        timed_out = ("WORK_TIMED_OUT", "DC")
        assert matters(routed) == {timed_out: 1, ("ORDER_EXCEPTION", "BACKORDERED"): 1}
        clock.forward(days=1)
        assert timed_out not in matters(routed)

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
            (
                "insert into psp_notices values ('sandbox', 'n', :at, 'parked', '{}')",
                "NOTICE_PARKED", "sandbox", 4.1,
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

    @pytest.mark.parametrize(
        ("made", "what", "place", "hours"),
        [
            (
                "insert into payment_transactions (payment_id, order_id, type, state, psp, cause,"
                " amount_minor, currency, source, idempotency_key, requested_at, next_try_at)"
                " select payment_id, order_id, 'capture', 'unknown', 'sandbox', 'c', 1, 'EUR',"
                " 'oms', 'k', :at, :at from payments",
                "PAYMENT_UNKNOWN", "sandbox", 1,
            ),
            (
                "insert into refunds (order_id, kind, state, amount_minor, currency, reason, cause,"
                " requested_by, created_at, changed_at) select order_id, 'goodwill',"
                " 'awaiting_approval', 1, 'EUR', 'r', 'c', 'ann', :at, :at from payments",
                "REFUND_WAITS", "goodwill", 5,
            ),
            (
                "insert into payment_transactions (payment_id, order_id, type, state, psp, cause,"
                " amount_minor, currency, source, idempotency_key, requested_at)"
                " select payment_id, order_id, 'capture', 'failed', 'sandbox', 'c', 1, 'EUR',"
                " 'oms', 'k', :at from payments",
                "CAPTURE_FAILED", "sandbox", 0,
            ),
            (
                "with failed as (insert into payment_transactions (payment_id, order_id, type,"
                " state, psp, cause, amount_minor, currency, source, idempotency_key, requested_at)"
                " select payment_id, order_id, 'void', 'failed', 'sandbox', 'c', 1, 'EUR',"
                " 'oms', 'k', :at from payments) update payments set authorized_minor = 1000",
                "VOID_FAILED", "sandbox", 0,
            ),
            (
                "insert into refunds (order_id, kind, state, amount_minor, currency, reason, cause,"
                " requested_by, created_at, changed_at) select order_id, 'owed', 'failed', 1,"
                " 'EUR', 'r', 'c', 'ann', :at, :at from payments",
                "REFUND_FAILED", "owed", 0,
            ),
            (
                "insert into order_balances select order_id, 'overpaid', 'EUR', 0, 0, 1, 0, :at,"
                " pg_current_xact_id(), placed_at from orders",
                "OVERPAID", "web", 25,
            ),
            (
                "with ours as (update payments set managed_by = 'oms', psp = 'sandbox',"
                " psp_reference = 'p', captured_minor = 1)"
                " insert into order_balances select order_id, 'overpaid', 'EUR', 0, 0, 1, 0, :at,"
                " pg_current_xact_id(), placed_at from orders",
                "REFUND_NOT_BEGUN", "web", 25,
            ),
        ],
    )  # fmt: skip
    def test_are_money_that_got_stuck(
        self, stocked: House, clock: Clock, made: str, what: str, place: str, hours: float
    ) -> None:
        awaited = [{"ref": "1", "tender": "cash", "amount": "10.00"}]
        stocked.post("/v1/orders", an_order(payments=awaited), once="o")
        self.test_are_what_got_stuck_on_its_way(stocked, clock, made, what, place, hours)

    def test_are_orders_whose_money_a_bank_took_back_for_as_long_as_it_listens(
        self, stocked: House, clock: Clock
    ) -> None:
        for ref, is_test in (("1", False), ("2", True)):
            stocked.post("/v1/orders", an_order(external_ref=ref, is_test=is_test), once=ref)
        with stocked.shop.ledger.transaction() as tx:
            tx.execute(
                text("insert into order_balances select order_id, 'chargeback', 'EUR', 0, 0, 1, 0,"
                     " :at, pg_current_xact_id(), placed_at from orders"),
                {"at": NOW},
            )  # fmt: skip
        assert matters(stocked) == {("CHARGED_BACK", "web"): 1}
        assert matters(stocked, "analyst") == {}
        clock.forward(days=31)
        assert ("CHARGED_BACK", "web") not in matters(stocked)

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

    def test_are_returns_nobody_decides_and_goods_that_are_nobodys(
        self, stocked: House, clock: Clock
    ) -> None:
        stocked.shop.take(a_movement(10, ref="more"))
        for nth, state in enumerate(("requested", "received", "inspected", "approved", "resolved")):
            reach(stocked, state, f"W-{nth}")
        notice(stocked, a_receipt("stray", line={"sku": "ODD"}))
        assert matters(stocked) == {("RETURN_UNIDENTIFIED", "DC"): 1}
        clock.forward(days=2, seconds=1)
        assert matters(stocked)["RETURN_UNDECIDED", "DC"] == 3
        assert ("RETURN_UNPAID", "web") not in matters(stocked)
        clock.forward(days=5)
        assert matters(stocked)["RETURN_UNPAID", "web"] == 1
        assert matters(stocked, "analyst") == {}

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
