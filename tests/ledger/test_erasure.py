"""Erasure: who somebody was is gone and stays gone, what they bought is kept."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import pytest
from sqlalchemy import text

from oms.billing import operations as billing
from oms.billing import queries as documents
from oms.channels import operations as channels
from oms.customers import operations
from oms.customers.model import CustomerCannot, CustomerNotFound, OrdersOpen
from oms.ledger.database import Tx
from oms.orders import operations as orders
from oms.webhooks import operations as webhooks
from tests.builders import NOW, a_change, a_group, a_line, a_partial, an_order, minutes
from tests.conftest import Clock
from tests.endpoints import listening
from tests.ledger.issuing import register
from tests.ledger.people import caught_up, owners, verified
from tests.ledger.shop import Shop
from tests.ledger.subscribers import town_of

ADA: Final[Mapping[str, Any]] = {
    "customer_ref": "c-1", "customer_name": "Ada Pen", "customer_email": "Ada@example.org",
    "customer_phone": "+31 6 12345678",
    "ship_to": json.dumps({"name": "Ada Pen", "street": "Laan 1", "city": "Utrecht"}),
    "bill_to": json.dumps({"name": "Zoë Pen", "street": "Gracht 2", "city": "Utrecht"}),
}  # fmt: skip
PERSONAL: Final = (
    "select external_ref from orders where coalesce(customer_ref, customer_name, customer_email,"
    " customer_phone, ship_to::text, bill_to::text, customer_key) is not null order by 1"
)
SHIPPED: Final = (a_change("ship", 1, location_code="DC"),)
LATER: Final = NOW + timedelta(days=9)


def bought(shop: Shop, *refs: str, **columns: Any) -> int:
    """Let Ada buy, and have it delivered; return who she is."""
    shop.take(*(an_order(ref, changes=SHIPPED, **{**ADA, **columns}) for ref in refs))
    caught_up(shop.ledger)
    return owners(shop)[refs[0]][0]


def erase(shop: Shop, customer_id: int, *, include_open: bool = False) -> int:
    with shop.ledger.transaction() as tx:
        return operations.erase(
            tx, customer_id, reason="asked", include_open=include_open, by="agent", at=LATER
        ).orders_count


# What people have said of the order W-1 in words of their own.
SAID: Final = (
    "insert into till_visits (location_id, back_in, override_reason, given_by, given_at)"
    " select location_id, 'cash', 'Ada asked', 'ann', now() from locations limit 1",
    "insert into refunds (order_id, kind, state, amount_minor, currency, reason, cause,"
    " requested_by, created_at, changed_at, visit_id) select order_id, 'goodwill', 'rejected', 1,"
    " 'EUR', 'Ada is cross', 'c', 'ann', now(), now(), visit_id from orders, till_visits"
    " where external_ref = 'W-1'",
    "insert into returns (order_id, kind, state, method, requested_by, reason, override_reason,"
    " created_at, changed_at) select order_id, 'customer', 'declined', 'carrier', 'ann', 'Ada',"
    " 'Ada', now(), now() from orders where external_ref = 'W-1'",
    "insert into return_decisions (return_id, line_no, act, verdict, quantity, reason, decided_by,"
    " decided_at) select return_id, 1, 1, 'rejected', 1, 'worn by Ada', 'ann', now() from returns",
)


def shop_return(tx: Tx) -> str:
    """Return the number of the only return there is."""
    return str(tx.execute(text("select return_number from returns")).scalar_one())


def search_all(shop: Shop) -> None:
    while shop.ledger.run(lambda tx: operations.search_on(tx, at=LATER)):
        pass


def received(shop: Shop, body: bytes, *, ref: str, state: str = "processed") -> int:
    with shop.ledger.transaction() as tx:
        got = channels.receive(
            tx, channel_id=shop.channel("web").channel_id, transport="push", topic="orders",
            external_ref=ref, sha256=b"", content_type="application/json", size_bytes=len(body),
            file_name=None, body=body, at=NOW,
        )  # fmt: skip
        tx.execute(
            text("update inbox set state = :state where inbox_id = :id"),
            {"state": state, "id": got.inbox_id},
        )
    return got.inbox_id


def body_of(shop: Shop, inbox_id: int) -> bytes:
    return bytes(shop.value("select body from inbox where inbox_id = :id", id=inbox_id))


class TestOrders:
    def test_say_no_more_who_bought_and_keep_their_totals(self, shop: Shop) -> None:
        me = bought(shop, "W-1", "W-2", note="Ring at Ada's")
        money = "select sum(total_minor), sum(items_net_minor), count(*) from orders"
        before = shop.rows(money)
        assert erase(shop, me) == 2
        assert shop.rows(PERSONAL) == []
        assert shop.rows(money) == before
        assert shop.rows("select distinct body, redacted_by from notes") == [(None, "agent")]
        events = "select distinct last_seq, type from orders join order_events using (order_id)"
        assert (3, "order.erased") in shop.rows(events)

    def test_tell_the_warehouse_that_their_customer_has_changed(self, shop: Shop) -> None:
        """The key is made of the address, so without it there is none; the row is journaled."""
        me = bought(shop, "W-1")
        key, xid = shop.rows("select customer_key, changed_xid::text::bigint from orders")[0]
        erase(shop, me)
        blank, later = shop.rows("select customer_key, changed_xid::text::bigint from orders")[0]
        assert (key is not None, blank) == (True, None)
        assert later > xid

    def test_are_named_to_no_subscriber_any_more(self, shop: Shop, clock: Clock) -> None:
        """What was sent is masked, and so is what still waits to be."""
        with town_of(shop) as town, listening() as endpoint:
            number = town.subscribe(endpoint.url)
            me = bought(shop, "W-1")
            shop.take(an_order("W-2", customer_name="Bea"))
            town.serve(number)
            with shop.ledger.transaction() as tx:
                told = shop.value("select min(delivery_id) from webhook_deliveries")
                webhooks.redeliver(tx, number, told)
            erase(shop, me)
            town.serve(number)
        bodies = [bytes(body).decode() for (body,) in shop.rows(
            "select body from webhook_deliveries order by delivery_id")]  # fmt: skip
        assert not [body for body in bodies if "Ada" in body or "Laan" in body or "c-1" in body]
        assert "Bea" in "".join(bodies)
        again = [sent for sent in endpoint.sent if sent.document["event_id"] == "evt_R100000001_1"]
        assert [b"Ada" in sent.body for sent in again] == [True, False]
        assert "order.erased" in [sent.document["type"] for sent in endpoint.sent]

    def test_say_no_more_why_money_went_back_and_to_whom_papers_went(self, shop: Shop) -> None:
        me = bought(shop, "W-1", "W-2")
        register(shop)
        number = shop.order().summary.order_number
        with shop.ledger.transaction() as tx:
            for statement in SAID:
                tx.exec_driver_sql(statement)
            order_id = shop.order().summary.order_id
            orders.tell(
                tx, [
                    (order_id, "refund.requested", {"refund": "U1", "reason": "Ada is cross"}),
                    (order_id, "return.declined", {
                        "return": shop_return(tx), "state": "declined", "reason": "Ada"}),
                ],
                actor_type="user", actor="ann", at=NOW,
            )  # fmt: skip
        shop.take(a_partial("W-1", a_change("ship", 1)))
        (issued,) = shop.ledger.run(lambda tx: billing.invoice(tx, number, by="ann", at=NOW))
        with shop.ledger.transaction() as tx:
            (document,) = documents.by_ids(tx, [issued])
            billing.note_sent(tx, document, recipient="ada@example.org", by="ann", at=NOW)
        erase(shop, me, include_open=True)
        for column, table in (
            ("reason", "refunds"), ("reason", "returns"), ("override_reason", "returns"),
            ("reason", "return_decisions"), ("override_reason", "till_visits"),
            ("data ->> 'reason'", "order_events where data ? 'reason'"),
        ):  # fmt: skip
            assert shop.rows(f"select distinct {column} from {table}") == [("[erased]",)], table
        assert shop.rows("select recipient, sent_by from document_sendings") == [(None, "ann")]
        assert shop.value("select count(*) from documents") == 1

    def test_that_go_several_ways_lose_every_address(self, shop: Shop) -> None:
        to = json.dumps({"name": "Eve Pen", "street": "Steeg 3"})
        document = an_order(
            "W-1", fulfillment_method="mixed", lines=[a_line("PEN"), a_line("INK")],
            groups=[a_group("ship_home", "PEN"), a_group("ship_home", "INK", ship_to=to)], **ADA,
        )  # fmt: skip
        addresses = "select group_no from order_groups where ship_to is not null"
        shop.take(document)
        caught_up(shop.ledger)
        assert len(shop.rows(addresses)) == 1
        erase(shop, owners(shop)["W-1"][0], include_open=True)
        assert shop.rows(addresses) == []
        assert "Eve Pen" in str(shop.value("select texts from customer_erasures"))

    def test_of_others_stay(self, shop: Shop) -> None:
        me = bought(shop, "W-1")
        shop.take(an_order("W-2", customer_ref="c-2", customer_email="b@example.org"))
        caught_up(shop.ledger)
        erase(shop, me)
        caught_up(shop.ledger)
        assert shop.rows(PERSONAL) == [("W-2",)]

    def test_that_are_open_are_asked_about(self, shop: Shop) -> None:
        shop.take(an_order("W-1", **ADA))
        caught_up(shop.ledger)
        me = owners(shop)["W-1"][0]
        with pytest.raises(OrdersOpen) as refused:
            erase(shop, me)
        assert refused.value.facts == {"order_numbers": ["R100000001"]}
        assert shop.rows(PERSONAL) == [("W-1",)]
        assert erase(shop, me, include_open=True) == 1


class TestCustomer:
    def test_is_known_by_nothing_with_all_merged_into_them(self, shop: Shop) -> None:
        me = bought(shop, "W-1")
        other = bought(shop, "W-2", customer_ref="c-2")
        verified(shop, me, "ada@example.org")
        shop.ledger.run(lambda tx: operations.merge(
            tx, other, into=me, reason="same", by="agent", at=NOW))  # fmt: skip
        assert erase(shop, other) == 2
        assert shop.rows("select distinct state, merged_into from customers") == [("erased", None)]
        for table in ("customer_identifiers", "customer_orders"):
            assert shop.value(f"select count(*) from {table}") == 0
        with pytest.raises(CustomerCannot):
            erase(shop, me)
        with pytest.raises(CustomerNotFound):
            erase(shop, 2**40)

    def test_is_recorded_without_a_name(self, shop: Shop) -> None:
        me = bought(shop, "W-1")
        erase(shop, me)
        search_all(shop)
        told = str(shop.rows("select * from customer_erasures, customer_events"))
        assert "agent" in told
        for secret in ("Ada", "example", "1234", "Laan", "c-1"):
            assert secret not in told
        for table in ("erased_identifiers", "erased_orders", "customers"):
            assert "ada" not in str(shop.rows(f"select * from {table}")).lower()


class TestReturn:
    """What an old document says of somebody erased is erased again; a new start is theirs."""

    def test_of_a_newer_document_of_their_order(self, shop: Shop) -> None:
        erase(shop, bought(shop, "W-1"))
        new = {"customer_ref": "c-9", "customer_email": "new@example.org", "customer_phone": None}
        shop.take(an_order("W-1", version=2, changes=SHIPPED, **{**ADA, **new}))
        assert shop.rows(PERSONAL) == [("W-1",)]
        caught_up(shop.ledger)
        assert shop.rows(PERSONAL) == []
        assert owners(shop) == {}

    @pytest.mark.parametrize("kept", ["customer_ref", "customer_email", "customer_phone"])
    def test_of_an_old_order_nobody_had_seen(self, shop: Shop, kept: str) -> None:
        erase(shop, bought(shop, "W-1"))
        columns = {name: None for name in ADA if name.startswith("customer")} | {kept: ADA[kept]}
        shop.take(an_order("W-7", placed_at=minutes(-9), **columns))
        caught_up(shop.ledger)
        assert shop.rows(PERSONAL) == []
        assert owners(shop) == {}
        assert shop.value("select total_minor from orders where external_ref = 'W-7'") == 1000

    def test_of_what_they_buy_later_is_a_new_customer(self, shop: Shop) -> None:
        me = bought(shop, "W-1")
        erase(shop, me)
        again = bought(shop, "W-8", placed_at=LATER + timedelta(days=1))
        assert again != me
        assert shop.rows(PERSONAL) == [("W-8",)]

    def test_of_a_change_writes_nobody_back(self, shop: Shop) -> None:
        erase(shop, bought(shop, "W-1"))
        shop.take(a_partial("W-1", a_change("return", 1)))
        caught_up(shop.ledger)
        assert shop.rows(PERSONAL) == []
        assert shop.line("W-1").returned == 1

    def test_settles(self, shop: Shop) -> None:
        """What is erased again is itself a change; it is not looked at for ever."""
        erase(shop, bought(shop, "W-1"))
        shop.take(an_order("W-1", version=2, changes=SHIPPED, **ADA))
        caught_up(shop.ledger)
        before = shop.value("select changed_xid::text from orders")
        caught_up(shop.ledger)
        assert shop.value("select changed_xid::text from orders") == before


class TestInbox:
    def test_payloads_that_name_them_are_masked(self, shop: Shop) -> None:
        mine = received(shop, json.dumps(dict(ADA)).encode(), ref="1")
        plain = received(shop, "ref,Zoë Pen,Ada@example.org".encode(), ref="2")
        others = b'{"customer_name": "Ada Pen", "customer_email": "b@example.org"}'
        strange = received(shop, others, ref="3")
        binary = received(shop, b"\x00\xffAda@example.org\x00", ref="4")
        erase(shop, bought(shop, "W-1"))
        search_all(shop)
        for found in (mine, plain):
            for secret in (b"Ada", b"+31 6", b"Laan 1", b"Gracht", "Zoë".encode(), b"Zo\\u00eb"):
                assert secret not in body_of(shop, found)
        assert b"xxx@xxxxxxx.xxx" in body_of(shop, mine)
        assert body_of(shop, binary) == b"\x00\xffxxx@xxxxxxx.xxx\x00"
        assert body_of(shop, strange) == others
        assert shop.rows("select texts, finished_at is null from customer_erasures") == [
            (None, False)
        ]

    def test_quarantined_documents_too(self, shop: Shop) -> None:
        inbox_id = received(shop, b"x", ref="1")
        with shop.ledger.transaction() as tx:
            channels.quarantine(
                tx, inbox_id, position=1, line=1, external_ref="W-9", at=NOW,
                problems=[{"field": "", "code": "VALIDATION", "detail": ""}],
                fragment=b"W-9;Ada Pen;Ada@example.org",
            )  # fmt: skip
        erase(shop, bought(shop, "W-1"))
        search_all(shop)
        fragment = bytes(shop.value("select fragment from quarantine"))
        assert fragment == b"W-9;xxxxxxx;xxx@xxxxxxx.xxx"

    def test_what_is_not_processed_yet_is_waited_for(self, shop: Shop) -> None:
        first = received(shop, b"Ada@example.org", ref="1")
        waiting = received(shop, b"Ada@example.org", ref="2", state="processing")
        erase(shop, bought(shop, "W-1"))
        search_all(shop)
        assert b"Ada" not in body_of(shop, first)
        assert b"Ada" in body_of(shop, waiting)
        assert shop.value("select finished_at from customer_erasures") is None
        with shop.ledger.transaction() as tx:
            tx.execute(text("update inbox set state = 'processed'"))
        search_all(shop)
        assert b"Ada" not in body_of(shop, waiting)
        assert shop.value("select finished_at from customer_erasures") is not None
