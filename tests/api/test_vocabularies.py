"""Vocabularies: a channel hears of states in its own words, wherever it is told of orders."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from oms.adapters.endpoints import FileTeller
from oms.channels import operations as channels
from oms.webhooks.model import Transport
from oms.workflows import telling
from tests.api.conftest import House
from tests.api.test_events_stream import listen
from tests.api.test_webhooks import Subscriber, a_subscription
from tests.api.wire import an_order
from tests.builders import NOW
from tests.endpoints import Endpoint, listening
from tests.ledger.shop import CHANNELS

WEB = {
    "order_state": {"placed": "NEW", "in_progress": "OPEN"}, "payment_state": {"none": "—"},
    "fulfillment_order_state": {"assigned": "À FAIRE"},
}  # fmt: skip
MARKET = {"order_state": {"placed": "neu"}, "fulfillment_state": {"allocated": "reserviert"}}


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with listening() as made:
        yield made


def says(house: House, **words: Any) -> None:
    """Give channels words of their own, none to the others."""
    with house.system.ledger.transaction() as tx:
        for draft in CHANNELS:
            made = replace(
                draft, is_routed=draft.code == "web", vocabulary=words.get(draft.code, {})
            )
            channels.register(tx, made, at=NOW)


@pytest.fixture
def worded(stocked: House) -> House:
    """Give the retailer whose web shop and market place have words of their own."""
    says(stocked, web=WEB, market=MARKET)
    return stocked


def states(event: Any) -> tuple[str, str, str]:
    order = event["data"]["order"]
    return order["order_state"], order["fulfillment_state"], order["payment_state"]


def read(house: House, key: str, query: str = "") -> list[Any]:
    answer = house.get(f"/v1/events{query}", key)
    assert answer.status_code == 200, answer.text
    found: list[Any] = answer.json()["items"]
    return found


class TestEvents:
    def test_each_channel_reads_its_own_words_and_the_retailer_ours(self, worded: House) -> None:
        worded.routed_order(an_order("W-1"))
        worded.order(an_order("M-1", channel_code="market"))
        assert {states(each) for each in read(worded, "web")} == {("NEW", "allocated", "—")}
        assert {states(each) for each in read(worded, "market")} == {("neu", "reserviert", "none")}
        for key in ("admin", "both", "web admin", "engineer"):
            assert {states(each)[0] for each in read(worded, key)} == {"placed"}, key

    def test_a_part_of_an_order_has_words_and_types_have_none(self, worded: House) -> None:
        worded.routed_order(an_order("W-1"))
        (told,) = [each for each in read(worded, "web") if each["data"]["change"] is not None
                   and "state" in each["data"]["change"]]  # fmt: skip
        assert (told["type"], told["data"]["change"]["state"]) == (
            "fulfillment.assigned", "À FAIRE",
        )  # fmt: skip
        (ours,) = [each for each in read(worded, "admin") if each["event_id"] == told["event_id"]]
        assert ours["data"]["change"]["state"] == "assigned"

    def test_the_stream_says_what_the_list_says(self, worded: House) -> None:
        worded.routed_order(an_order("W-1"))
        found = [each.document for each in listen(worded, "web")]
        assert found == read(worded, "web")
        assert "NEW" in {states(each)[0] for each in found}

    def test_what_has_no_word_is_told_as_ours(self, worded: House) -> None:
        says(worded, web={"order_state": {"canceled": "GONE"}})
        worded.order(an_order("W-1"))
        assert states(read(worded, "web")[0])[0] == "placed"

    def test_what_is_read_again_is_told_in_todays_words(self, worded: House) -> None:
        worded.order(an_order("W-1"))
        before = read(worded, "web")
        says(worded, web={"order_state": {"placed": "OFFEN"}})
        after = read(worded, "web")
        assert [states(each)[0] for each in (before[0], after[0])] == ["NEW", "OFFEN"]
        assert before[0]["event_id"] == after[0]["event_id"]

    def test_channels_show_their_words(self, worded: House) -> None:
        found = {each["channel_code"]: each["vocabulary"] for each in
                 worded.get("/v1/channels").json()}  # fmt: skip
        assert (found["web"], found["till"]) == (WEB, {})

    def test_what_is_asked_of_the_api_is_answered_in_ours(self, worded: House) -> None:
        number = worded.order(an_order("W-1")).json()["order_number"]
        assert worded.get(f"/v1/orders/{number}", "web").json()["order_state"] == "placed"
        assert len(worded.get("/v1/orders?order_state=placed", "web").json()["items"]) == 1


class TestTold:
    def test_an_endpoint_hears_the_words_of_the_channel_it_belongs_to(
        self, worded: House, endpoint: Endpoint
    ) -> None:
        """Of the orders of others, too: it is the listener's language."""
        subscriber = Subscriber(worded, endpoint, channel_code="market")
        worded.order(an_order("W-1"))
        subscriber.serve()
        (sent,) = endpoint.sent
        assert states(sent.document) == ("neu", "reserviert", "none")
        assert sent.document["type"] == "order.captured"

    def test_a_message_keeps_its_words_however_often_it_is_sent(
        self, worded: House, endpoint: Endpoint
    ) -> None:
        subscriber = Subscriber(worded, endpoint, channel_code="web")
        worded.order(an_order("W-1"))
        subscriber.serve()
        says(worded, web={"order_state": {"placed": "OFFEN"}})
        (delivery,) = worded.get(f"{subscriber.path}/deliveries").json()["items"]
        again = f"{subscriber.path}/deliveries/{delivery['delivery_id']}:redeliver"
        assert worded.post(again).status_code == 200
        worded.order(an_order("W-2"))
        subscriber.serve()
        heard = [(sent.document["order_number"], states(sent.document)[0])
                 for sent in endpoint.sent]  # fmt: skip
        assert sorted(heard) == [
            ("R100000001", "NEW"), ("R100000001", "NEW"), ("R100000002", "OFFEN"),
        ]  # fmt: skip

    def test_files_carry_them_too(self, worded: House, tmp_path: Path) -> None:
        fields = {"url": None, "transport": "file", "file_format": "json", "channel_code": "web"}
        made = worded.post("/v1/webhooks", a_subscription(**fields), once="f")
        assert made.status_code == 201, made.text
        worded.order(an_order("W-1"))
        telling.serve(
            worded.shop.ledger, {Transport.FILE: FileTeller(tmp_path)},
            made.json()["subscription_id"],
        )  # fmt: skip
        (file,) = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert states(json.loads(file.read_bytes())) == ("NEW", "allocated", "—")
