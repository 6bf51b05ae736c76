"""The fast lane takes no document the model refuses, and makes the same drafts of what it takes."""

import copy
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from oms.adapters.channels.canonical import build, bulk, mapping, schema
from oms.adapters.channels.canonical.bulk import FastLane
from oms.workflows.documents import csv_rows
from tests.builders import EFFORT
from tests.channels.mapped import Row, mapped, read_rows, source

ORDER: Final[dict[str, Any]] = {
    "external_ref": "W-1", "external_number": "1", "version": 7,
    "updated_at": "2026-03-02T10:00:00.25Z", "placed_at": "2026-03-01T09:30:00+01:00",
    "currency": "EUR", "prices_include_tax": False, "order_type": "sale",
    "fulfillment_method": "collect_store", "location_code": "S-1", "customer_ref": "c",
    "customer_name": 'Zoë "Z" Doe', "customer_email": "zoe@example.com", "customer_phone": "1",
    "country_code": "NL", "shipping_net": "4.09", "shipping_tax": "0.86", "total": "59.85",
    "ship_to": {"name": "Jo", "street": "Laan 1", "postcode": "1", "city": "X", "region": None,
                "country_code": "NL", "latitude": 52.370216, "longitude": -4.5},
    "bill_to": None, "is_test": True, "is_historical": False,
    "canceled_at": "2026-03-03T00:00:00Z", "cancel_reason": "no", "note": "a note",
    "lines": [
        {"line_ref": "1", "sku": "MUG", "title": "Mug", "quantity": 2, "unit_price": "29.95",
         "discount": "5.00", "total": "54.90", "tax": "9.53"},
        {"line_ref": "2", "sku": "茶", "quantity": 1, "total": "0.1", "tax": "0"},
    ],
    "changes": [
        {"kind": "return", "change_ref": "r", "line_ref": "1", "quantity": 1,
         "occurred_at": "2026-03-09T12:00:00Z", "total": "1.00", "tax": "0.17",
         "location_code": "S-1", "restock": True, "reason": "small"},
        {"kind": "ship", "change_ref": "s", "line_ref": "1", "quantity": 2,
         "occurred_at": "2026-03-08T12:00:00Z"},
    ],
    "payments": [
        {"ref": "p", "tender": "card", "amount": "50.00", "authorized": "50", "captured": "1.00",
         "refunded": "0.50", "psp": "sandbox", "psp_reference": "pay_1", "managed_by": "oms",
         "brand": "visa", "last4": "4242", "authorized_until_at": "2026-03-08T10:00:00Z"},
        {"ref": "q", "tender": "gift_card", "amount": "9.85"},
    ],
}  # fmt: skip
PLAIN: Final = {**ORDER, "customer_name": "Zoë Doe"}

# What a hostile or careless sender may put anywhere in a document.
VALUES: Final = st.sampled_from([
    None, True, False, 0, 1, -1, 2.0, 1.5, 10**7, 10**30, "", " ", " x", "x\u00a0", "x\u2009",
    "0", "1.5", "1.505", "-1", "1e3", "0.0000", "9999999999999", "10000000000.00", "EUR", "JPY",
    "KWD", "XXX", "eur", "NL", "nl", "x@y", "x@@y", "x y@z", "x\u3000@z", "2026-02-30T00:00:00Z",
    "2026-03-01T24:00:00Z", "2026-03-01T23:59:60Z", "2026-03-01", "1899-12-31T00:00:00Z",
    "2026-03-01T00:00:00+15:00", "2026-03-01T00:00:00-14:59", "return", "sale", "reserve", "gift",
    "a\nb", "a\tb", "a\0b", "a\x7fb", "\x08", '"', "\\", "é", "\ud800", "x" * 201, "x" * 501,
    52.37, -180, 90.000001, 1e-7, "y" * 10_001, [], {}, [1], {"a": 1}, "null", '":', ",}", "1", "2",
    "card", "oms", "channel", "*p", "4242",
])  # fmt: skip
KEYS: Final = st.sampled_from([
    *ORDER, *ORDER["ship_to"], *ORDER["lines"][0], *ORDER["changes"][0], *ORDER["payments"][0],
    "color", "Sku",
    "sku ", "s\u006bu",
])  # fmt: skip


def by_model(body: bytes) -> dict[str, list[Row]] | None:
    """Return the drafts the model makes of a document, None where it refuses."""
    try:
        document = schema.OrderIn.model_validate_json(body)
    except ValidationError:
        return None
    if mapping._twice(body):
        return None
    tables = mapping.order_rows(document, 1, hashlib.sha256(body).hexdigest(), is_gross=True)
    return {name: list(read_rows(name, csv_rows(rows))) for name, rows in tables.items() if rows}


@contextmanager
def a_lane() -> Iterator[FastLane]:
    lane = FastLane(is_gross=True)
    try:
        yield lane
    finally:
        lane.close()


@pytest.fixture(scope="module")
def lane() -> Iterator[FastLane]:
    with a_lane() as opened:
        yield opened


def by_lane(lane: FastLane, bodies: list[bytes]) -> list[dict[str, list[Row]] | None]:
    """Return the drafts the lane makes of each document, None where it leaves it."""
    taken = lane.take(list(enumerate(bodies, start=1)))
    found: list[dict[str, list[Row]] | None] = []
    for position in range(1, len(bodies) + 1):
        if position not in taken:
            found.append(None)
            continue
        rows = {name: list(read_rows(name, b)) for name, b in lane.tables(position, position) if b}
        for table in rows.values():
            for row in table:
                row["position"] = 1
        found.append(rows)
    return found


class TestFastLane:
    def test_it_takes_an_order_that_has_everything(self, lane):
        body = json.dumps(PLAIN, ensure_ascii=False).encode()
        (drafts,) = by_lane(lane, [body])
        assert drafts is not None
        assert drafts == by_model(body)

    def test_it_takes_what_json_dumps_writes_of_other_scripts(self, lane):
        body = json.dumps({**PLAIN, "customer_name": "Łukasz 茶"}).encode()
        (drafts,) = by_lane(lane, [body])
        assert drafts is not None
        assert drafts == by_model(body)

    def test_it_knows_every_field_of_the_model(self):
        assert {*bulk._ORDER, *bulk._NESTED, *bulk.LEFT} == set(schema.OrderIn.model_fields)
        assert set(bulk._LINE) == set(schema.LineIn.model_fields)
        assert set(bulk._CHANGE) == set(schema.ChangeIn.model_fields)
        assert set(bulk._PAYMENT) == set(schema.PaymentIn.model_fields)
        assert set(bulk._ADDRESS) == set(schema.AddressIn.model_fields)

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            (b'"version": 7', b'"version": 7,'), (b'"version": 7', b'"version": 7.0'),
            (b'"version": 7', b'"version": NaN'), (b'"version": 7', b'"version": "7"'),
            (b'"version": 7', b'"version" : 7'), (b'"version": 7', b'"version": 7, "version": 8'),
            (b'"version": 7', b'"version": null, "version": 8'),
            (b'"version": 7', b'"color": null'), (b'"sku": "MUG"', b'"sku": "MUG", "sku": "PEN"'),
            (b'"sku": "MUG"', b'"sku": "MUG", "sku": null'), (b'"sku": "MUG"', b'"\\u0073ku": 5'),
            (b'"sku": "MUG"', b'"sku": 5'), (b'"quantity": 2', b'"quantity": true'),
            (b'"lines": [', b'"lines": [null, '), (b'"lines": [', b'"lines": [[], '),
            (b'"bill_to": null', b'"bill_to": "x"'), (b'"bill_to": null', b'"bill_to": []'),
            (b'"bill_to": null', b'"bill_to": {"city": "a", "city": "b"}'),
            (b'"bill_to": null', b'"bill_to": {"city": {"name": "a"}}'),
            (b'"discount": "5.00"', b'"discount": null'), (b'"is_test": true', b'"is_test": null'),
            (b"52.370216", b'"52.37"'), (b"52.370216", b"null"), (b"52.370216", b"90.5"),
            (b"52.370216", b"NaN"), (b"52.370216", b"0.00001"), (b"52.370216", b"1e1"),
            (b"52.370216", b"true"), (b"-4.5", b"-181"), (b"-4.5", b"-0.0"), (b"-4.5", b"52"),
            (b"-4.5", b"4.8999999999999999999"),
            (b'"managed_by": "oms"', b'"managed_by": null'), (b'"psp": "sandbox", ', b""),
            (b'"psp_reference": "pay_1", ', b""), (b'"amount": "9.85"', b'"amount": "0.00"'),
            (b'"ref": "q"', b'"ref": "p"'), (b'"ref": "q"', b'"ref": "*q"'),
            (b'"tender": "card"', b'"tender": "shells"'), (b'"4242"', b'"424"'),
            (b'"payments": [', b'"payments": null, "x": ['),
            (b'"payments": [', b'"payments": [null, '),
            (b'"changes": [', b'"changes": null, "x": ['), (b'"note": "a', b'"note": "\\b'),
            (b'"note": "a', b'"note": "\x7f'), (b'"note": "a', b'"note": "\\u0001'),
        ],
    )  # fmt: skip
    def test_it_leaves_what_is_not_certainly_right(self, lane, old, new):
        body = json.dumps(PLAIN).encode()
        assert old in body
        spoiled = body.replace(old, new, 1)
        (drafts,) = by_lane(lane, [spoiled])
        assert drafts in (None, by_model(spoiled))

    def test_deep_nesting_takes_nobody_down(self, lane):
        good = json.dumps(PLAIN).encode()
        deep = b'{"a":' * 50_000 + b"1" + b"}" * 50_000
        inner = good.replace(b'"bill_to": null', b'"bill_to": ' + deep)
        found = by_lane(lane, [deep, b"[" * 50_000, inner, b"\xff", good])
        assert found[:4] == [None] * 4

    @pytest.mark.parametrize("value", ["1e400", "2026-02-30T00:00:00Z", "x" * 600, "9" * 13, {}, 7])
    def test_one_bad_document_costs_the_others_nothing(self, lane, value):
        good = json.dumps(PLAIN).encode()
        names = ("total", "placed_at", "updated_at", "version", "lines", "country_code")
        bodies = [good, *(json.dumps({**PLAIN, name: value}).encode() for name in names)]
        line = {**PLAIN["lines"][0], "total": value, "quantity": value}
        bodies.append(json.dumps({**PLAIN, "lines": [line]}).encode())
        found = by_lane(lane, [*bodies, good])
        assert found[0] == found[-1] == by_model(good)
        for body, drafts in zip(bodies, found[:-1], strict=True):
            assert drafts in (None, by_model(body))

    @settings(max_examples=10 * EFFORT)
    @given(st.data())
    def test_it_is_never_laxer_than_the_model(self, data):
        bodies = [json.dumps(_spoiled(data)).encode() for _ in range(25)]
        with a_lane() as opened:
            for body, drafts in zip(bodies, by_lane(opened, bodies), strict=True):
                if drafts is not None:
                    assert drafts == by_model(body), body


class TestMapping:
    def test_many_documents_are_mapped_alike_with_and_without_it(self, monkeypatch):
        orders = [{**PLAIN, "external_ref": f"W-{n}"} for n in range(300)]
        orders[7]["currency"] = "XXX"
        orders[9]["customer_name"] = 'needs "escapes"'
        payload = "\n".join(json.dumps(order) for order in orders).encode()
        lines = source(payload, content_type="application/x-ndjson")
        with_lane = mapped(build({}), lines)
        monkeypatch.setattr(mapping, "DOCUMENTS_MIN", 10**9)
        without = mapped(build({}), lines)
        for table in ("orders", "lines", "changes", "payments"):
            assert sorted(with_lane.rows(table), key=str) == sorted(without.rows(table), key=str)
        assert (
            with_lane.problems() == without.problems() == {8: [("/currency", "UNKNOWN_CURRENCY")]}
        )


def _spoiled(data: st.DataObject) -> dict[str, Any]:
    """Return an order with a few things changed in it."""
    order = copy.deepcopy(data.draw(st.sampled_from([PLAIN, ORDER])))
    for _ in range(data.draw(st.integers(0, 3))):
        objects = [order]
        for name in ("ship_to", "lines", "changes", "payments"):
            value = order.get(name)
            objects += [
                v for v in (value if isinstance(value, list) else [value]) if isinstance(v, dict)
            ]
        target = data.draw(st.sampled_from(objects))
        name = data.draw(st.one_of(st.sampled_from(sorted(target) or ["x"]), KEYS))
        if data.draw(st.booleans()):
            target.pop(name, None)
        else:
            target[name] = data.draw(VALUES)
    return order
