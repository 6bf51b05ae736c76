"""Texts PostgreSQL cannot hold, a NUL or half a surrogate pair, are refused wherever they come."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
from sqlalchemy import text

from tests.api.conftest import House
from tests.api.test_access import ROWS
from tests.api.test_inbox import webhook
from tests.api.wire import a_count, a_line, a_movement, a_receipt, an_order

# What each route that reads JSON is sent, in full.
FULL_ORDER: Final = an_order(
    location_code="AMS", customer_ref="C-1", customer_phone="+31 20 1", note="By hand.",
    fulfillment_method="ship_home", order_type="sale", prices_include_tax=True,
    ship_to={"name": "Ada", "street": "Laan 1", "postcode": "1011 AB", "city": "Amsterdam",
             "country_code": "NL"},
    lines=[a_line(title="Pen", unit_price="10.00")],
)  # fmt: skip
RESERVED: Final = {
    "groups": [{"method": "reserve", "line_refs": ["PEN"], "location_code": "DC"}],
}
CHANGES: Final = {
    "reason": "asked",
    "lines": [{"line_no": 1, "quantity": 0}],
    "add": [{"sku": "INK", "quantity": 1, "unit_price": "5.00", "tax": "0.87", "group_no": 1}],
    "allow_backorder": True,
    "group_no": 1,
    "ship_to": {
        "name": "Ada",
        "street": "Laan 2",
        "postcode": "1011 AB",
        "city": "Utrecht",
        "region": "UT",
        "country_code": "NL",
    },
}
BULK: Final = {
    "order_number": "R100000001",
    "kind": "goodwill",
    "reason": "r",
    "amount": {"amount": "1.00", "currency": "EUR"},
}
BODIES: Final[dict[str, Any]] = {
    "post_order": FULL_ORDER,
    "save_view": {"name": "n", "query": {
        "q": "pen", "placed_from": "2026-01-05", "sku": ["PEN"], "method": ["ship_home"],
        "currency": "EUR", "total_from": "1.00", "sort": "total"}},
    "add_note": {"body": "Call.", "visibility": "internal", "kind": "call",
                 "fulfillment_number": "F500000001"},
    "add_work_note": {"body": "Call.", "kind": "call"},
    "add_customer_note": {"body": "Call.", "visibility": "internal", "kind": "call"},
    "edit_note": {"body": "Call.", "visibility": "internal", "kind": "call"},
    "pin_note": {"is_pinned": True},
    "redact_note": {"reason": "asked"},
    "link_case": {"tool": "crm", "case_id": "1", "url": "https://crm.example/1", "state": "open"},
    "tag_order": {"add": ["vip"], "remove": ["new"]},
    "tag_found": {"query": {"q": "pen", "sku": ["PEN"], "note": "call"}, "add": ["vip"],
                  "remove": ["new"]},
    "cancel_order": {"reason": "customer", "lines": [{"line_no": 1, "quantity": 1}]},
    "preview_changes": {
        "reason": "asked", "method": "collect_store", "location_code": "AMS",
        "lines": [{"line_no": 1, "unit_price": "9.00"}], "allow_backorder": True},
    "change_order": CHANGES,
    "draft_change_order": CHANGES | {
        "replace": [{"line_no": 1, "sku": "INK", "quantity": 1, "unit_price": "1", "tax": "0"}]},
    "decline_change_order": {"reason": "asked"},
    "place_hold": {"type": "manual", "comment": "Ask first."},
    "release_hold": {"comment": "Asked."},
    "act_on_fulfillment": {
        "action": "accept", "reason": "other", "collect_code": "1", "carrier": "c",
        "tracking_number": "t"},
    "pack_parcels": {"carrier": "dpd", "service": "s", "parcels": [
        {"lines": [{"line_no": 1, "quantity": 1}], "tracking_number": "t", "label_ref": "l"}]},
    "tell_of_parcels": {"events": [
        {"tracking_number": "t", "occurred_at": "2026-01-05T12:00:00Z", "status": "s",
         "event_ref": "e", "place": "p", "reason": "r", "eta_at": "2026-01-06T12:00:00Z"}]},
    "request_transfer": {
        "from_location_code": "DC", "to_location_code": "AMS",
        "lines": [{"sku": "PEN", "quantity": 1}]},
    "act_on_transfer": {
        "action": "allocate", "reason": "other", "carrier": "c", "tracking_number": "t",
        "receipt_id": "r", "wrong_items": [{"sku": "INK", "quantity": 1}]},
    "begin_payment": {
        "external_ref": "p-1", "tender": "card", "psp": "sandbox", "token": "tok_visa",
        "amount": {"amount": "10.00", "currency": "EUR"}, "brand": "Visa", "last4": "4242",
        "location_code": "AMS"},
    "act_on_payment": {"action": "void", "amount": {"amount": "1.00", "currency": "EUR"}},
    "preview_refund": {
        "kind": "goodwill", "amount": {"amount": "1.00", "currency": "EUR"}, "reason": "r"},
    "make_refund": {
        "kind": "goodwill", "amount": {"amount": "1.00", "currency": "EUR"}, "reason": "r",
        "already_refunded": {"amount": "0.00", "currency": "EUR"}},
    "act_on_refund": {"action": "approve"},
    "preview_return": {
        "note": "n", "override_reason": "o",
        "lines": [{"line_no": 1, "quantity": 1, "reason": "late", "resolution": "refund"}]},
    "request_return": {
        "kind": "customer", "method": "carrier", "location_code": "DC", "note": "n",
        "override_reason": "o",
        "lines": [{"line_no": 1, "quantity": 1, "reason": "late", "resolution": "refund",
                   "wanted": {"sku": "PEN", "unit_price": "1.00", "tax": "0.17",
                              "price_reason": "r"}}]},
    "act_on_return": {
        "action": "receive", "reason": "r", "carrier": "c", "tracking_number": "t",
        "location_code": "DC", "receipt_id": "r", "received_at": "2026-01-05T12:00:00Z",
        "received": [{"sku": "PEN", "quantity": 1, "condition": "A", "disposition": "restock"}],
        "inspected": [
            {"line_no": 1, "quantity": 1, "condition": "A", "disposition": "restock"}]},
    "take_receipts": {"receipts": [
        {"receipt_id": "r", "location_code": "DC", "return_number": "n", "order_number": "o",
         "tracking_number": "t", "received_at": "2026-01-05T12:00:00Z",
         "lines": [{"sku": "PEN", "quantity": 1, "condition": "A", "disposition": "scrap"}]}]},
    "assign_unidentified": {"order_number": "o"},
    "take_at_store": {"returns": [
        {"order_number": "o", "note": "n", "override_reason": "o", "lines": [
            {"line_no": 1, "quantity": 1, "reason": "late", "resolution": "refund",
             "condition": "A", "disposition": "restock"}]}],
        "back_in": "cash", "override_reason": "o"},
    "give_back_at_store": {"back_in": "cash", "override_reason": "o", "refunds": [
        {"order_number": "o", "kind": "goodwill", "reason": "r",
         "amount": {"amount": "1.00", "currency": "EUR"}}]},
    "set_refund_rules": {
        "channel": "web", "reason": "r", "cash_limits": [{"amount": "50.00", "currency": "EUR"}],
        "policies": [{"subject": "owed", "mode": "auto", "otherwise_minor": None,
                      "limits": [{"amount": "100.00", "currency": "EUR"}]}],
        "roles": [{"role": "agent", "refund": {"amount": "9.00", "currency": "EUR"},
                   "day": {"amount": "90.00", "currency": "EUR"}}]},
    "make_refund_batch": {
        "name": "n", "reason": "r", "orders": {"q": "pen", "note": "call"},
        "csv": "order_number\nR1", "rows": [BULK]},
    "edit_refund_batch": {"rows": [BULK | {"row_no": 1}], "remove": [2]},
    "act_on_refund_batch": {"action": "approve", "digest": "d"},
    "resolve_difference": {"reason": "r"},
    "look_up_credit": {"code": "ABCD"},
    "correct_credit": {"balance": {"amount": "0.00", "currency": "EUR"}, "reason": "r"},
    "batch_get_stock": {"skus": ["PEN"]},
    "place_stock_hold": {"channel_code": "web", "location_code": "DC",
                   "lines": [{"sku": "PEN", "quantity": 1}]},
    "extend_stock_hold": {"minutes": 5},
    "convert_reservation": {
        "rest": "keep", "receipt": FULL_ORDER | {
            "channel_code": "till", "fulfillment_method": "carry_out", "location_code": "DC"}},
    "extend_reservation": {"days": 1},
    "promise_basket": {"channel_code": "web", "lines": [{"sku": "PEN", "quantity": 1}],
                       "destination": {"country_code": "NL", "postcode": "1011 AB"}},
    "record_counts": {"counts": [a_count()]},
    "record_movements": {"movements": [a_movement()]},
    "record_products": {"products": [{
        "sku": "NIB", "title": "Nib", "gtin": "4006381333931", "product_type": "Office",
        "category": "Pens", "brand": "Pen & Co", "tax_class": "standard"}]},
    "add_identifier": {"kind": "channel_ref", "value": "c-2", "channel_code": "web"},
    "unverify_identifier": {"reason": "asked"},
    "merge_customer": {"into": 2, "reason": "asked"},
    "unmerge_customer": {"reason": "asked"},
    "claim_receipt": {"number": "T-1", "placed_on": "2026-01-05", "total": "10.00",
                      "currency": "EUR"},
    "erase_customer": {"reason": "asked"},
    "subscribe": {"url": "https://example.com/h", "topics": ["order.*"], "channel_code": "web"},
    "rotate_secret": {"overlap_hours": 1},
    "set_feed": {"is_enabled": True},
    "compare_availability": {"items": [{"sku": "PEN", "available_to_sell": 1}]},
    "find_by_code": {"location_code": "DC", "collect_code": "1"},
    "replay_rules": {"from_at": "2026-01-01T00:00:00Z", "to_at": "2026-02-01T00:00:00Z",
        "rules": {"name": "near", "groups": [{"name": "all", "rules": [{"name": "any"}]}]}},
    "draft_rules": {"rules": {"name": "near", "groups": [
        {"name": "all", "rules": [{"name": "any", "kinds": ["dc"], "sort": ["distance"]}]}]}},
    "issue_document": {"type": "invoice"},
    "note_document_sent": {"recipient": "ada@example.org"},
    "mail_document": {"recipient": "ada@example.org"},
    "make_key": {"name": "n", "role": "channel", "channel_codes": ["web"]},
}  # fmt: skip
# These speak of an endpoint, a hold, a change order or picked goods, and there are none: tests
# of their own have them succeed.
OF_OTHERS: Final = frozenset({
    "subscribe", "rotate_secret", "extend_stock_hold", "release_hold", "pack_parcels",
    "act_on_payment", "preview_refund", "make_refund", "act_on_refund",
    "make_refund_batch", "edit_refund_batch", "act_on_refund_batch", "resolve_difference",
    "look_up_credit", "correct_credit",
    "decline_change_order",
    "edit_note", "pin_note", "redact_note",
# These speak of an endpoint, a hold, a document or picked goods, and there are none: tests of
# their own have them succeed.
    "issue_document", "note_document_sent", "mail_document",
# These speak of an endpoint, a hold, picked or sent goods, and there are none: tests of their own
# have them succeed.
    "request_return", "act_on_return", "assign_unidentified", "take_at_store",
    "give_back_at_store", "set_refund_rules",
    "preview_return",
})  # fmt: skip
NO_TEXT: Final = ("\x00", "a\x00b", "\ud800", "a\udfffb")
PATHS: Final = {name: (method, path) for name, method, path, _ in ROWS}
ONCE: Final = {"Idempotency-Key": "k", "If-Match": "1"}


def altered(value: Any, by: str) -> Iterator[tuple[str, Any]]:
    """Put a text in the place of each text of a body in turn, and say where."""
    if isinstance(value, str):
        yield "", by
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from ((f"/{name}{at}", value | {name: new}) for at, new in altered(each, by))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            for at, new in altered(each, by):
                yield f"/{number}{at}", [*value[:number], new, *value[number + 1 :]]


def operations(house: House) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Give every operation of the description, with its method and the template of its path."""
    for path, methods in house.app.openapi()["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def make_customers(house: House, *, is_merged: bool) -> None:
    """Make the customer 1 the paths speak of, another, and a receipt to claim."""
    house.order(a_receipt("T-1"))
    into = 2 if is_merged else None
    with house.system.ledger.transaction() as tx:
        for column in ("customers", "customer_id"), ("customer_identifiers", "identifier_id"):
            # Nobody else is given the numbers 1 and 2.
            sequence = "select setval(pg_get_serial_sequence('{}', '{}'), 1000)".format(*column)
            tx.execute(text(sequence))
        tx.execute(text(
            "insert into customers (customer_id, state, merged_into, created_at) values"
            " (2, 'active', null, now()), (1, :state, :into, now())"
        ), {"state": "merged" if is_merged else "active", "into": into})  # fmt: skip
        tx.execute(text(
            "insert into customer_identifiers (identifier_id, customer_id, kind, value_normalized,"
            " is_verified, source, first_seen_at) overriding system value values"
            " (1, 1, 'loyalty', 'l-1', true, 'added', now())"
        ))  # fmt: skip


class TestBody:
    def test_is_tried_of_every_route_that_reads_one(self, house: House) -> None:
        reading = {
            operation["operationId"]
            for _, _, operation in operations(house)
            if "application/json" in operation.get("requestBody", {}).get("content", {})
        }
        assert set(BODIES) == reading - {"push_payload"}  # which keeps bytes as they come

    @pytest.mark.parametrize("name", sorted(set(BODIES) - OF_OTHERS))
    def test_as_it_is_holds_nothing_that_is_refused(self, routed: House, name: str) -> None:
        """Or the refusals below would say nothing."""
        routed.routed_order(
            an_order("W-0", **RESERVED if "/reservations/" in PATHS[name][1] else {})
        )
        if "/customers/1" in PATHS[name][1]:
            make_customers(routed, is_merged=name == "unmerge_customer")
        if name == "act_on_transfer":
            routed.post("/v1/transfers", BODIES["request_transfer"], once="first")
        method, path = PATHS[name]
        answer = routed._ask(method, path, "admin", json=BODIES[name], headers=ONCE)
        assert answer.is_success, answer.text

    @pytest.mark.parametrize("text", NO_TEXT)
    @pytest.mark.parametrize("name", BODIES)
    def test_with_one_is_refused_where_it_is(self, stocked: House, name: str, text: str) -> None:
        stocked.order(an_order("W-0"))
        for pointer, body in altered(BODIES[name], text):
            answer = stocked._ask(
                *PATHS[name], "admin", content=json.dumps(body).encode(),
                headers=ONCE | {"Content-Type": "application/json"},
            )  # fmt: skip
            assert answer.status_code == 422, (pointer, answer.text)
            field = "/".join(pointer.split("/")[:2])
            assert answer.json()["errors"][0]["pointer"].startswith(field), answer.text


class TestQuery:
    @pytest.mark.parametrize("text", ["%00", "a%00b", "%ED%A0%80"])
    def test_with_one_finds_nothing_or_is_refused(self, house: House, text: str) -> None:
        asked = [
            (PATHS[operation["operationId"]][1], parameter["name"])
            for method, _, operation in operations(house)
            for parameter in operation.get("parameters", ())
            if method == "get" and parameter["in"] == "query"
        ]
        assert len(asked) > 15
        # Half a pair that came as bytes has become the character of what cannot be read.
        statuses = {422} if "%00" in text else {200, 422}
        for path, name in asked:
            answer = house.get(f"{path.partition('?')[0]}?{name}={text}")
            # Whose they would be is looked for before their filters are, and is not there.
            is_owned = path.startswith(("/v1/customers/", "/v1/stock/", "/v1/refund-rules"))
            allowed = statuses | ({404} if is_owned else set())
            assert answer.status_code in allowed, (path, name, answer.text)


class TestPath:
    @pytest.mark.parametrize("text", ["%00", "a%00b", "%ED%A0%80", "%FF"])
    def test_with_one_names_nothing(self, house: House, text: str) -> None:
        tried = 0
        for method, template, operation in operations(house):
            if "{" in template:
                tried += 1
                path = re.sub(r"\{\w+\}", text, template)
                body = BODIES.get(operation["operationId"])
                answer = house._ask(method, path, "admin", json=body, headers=ONCE)
                assert answer.status_code in {404, 422}, (path, answer.text)
        assert tried > 8


class TestHeader:
    @pytest.mark.parametrize("text", [b"\x00", b"a\x00b", b"\xed\xa0\x80"])
    @pytest.mark.parametrize(
        "name",
        [
            "content-type", "x-topic", "x-message-id", "webhook-id", "idempotency-key",
            "authorization", "x-request-id", "if-none-match", "x-shopify-topic",
            "x-shopify-hmac-sha256",
        ],
    )  # fmt: skip
    def test_with_one_is_no_fault(self, house: House, name: str, text: bytes) -> None:
        for method, path in (("POST", "/v1/channels/web/inbox"), ("GET", "/v1/stock/PEN")):
            key = {"Authorization": house.keys.header()["Authorization"], "X-Topic": "orders"}
            sent = {each.lower().encode(): value.encode() for each, value in key.items()}
            answer = house.client.request(
                method, path, content=b"{}", headers=list((sent | {name.encode(): text}).items())
            )
            assert answer.status_code < 500, (path, answer.text)

    def test_of_a_signed_webhook_is_no_fault(self, house: House) -> None:
        for name in ("content_type", "x_shopify_webhook_id"):
            answer = webhook(house, b'{"id": 1}', **{name: "a\x00b"})
            assert answer.status_code in {400, 415, 422}, (name, answer.text)
